import type { Doc, Value } from '../values/types.js'
import { Compiler } from './compiler.js'
import { scopeOf, Vars } from './context.js'
import type { ParseContext } from './context.js'
import type { Expression } from './expression.js'
import { error } from './node.js'
import { operators } from './operators.js'
import { checkWriteName } from './variables.js'

export type { Evaluate, Expression } from './expression.js'
export { scopeOf, systemVars, Vars } from './context.js'
export type { DocMeta, ParseContext, Scope } from './context.js'
export { nullish, truthy } from './node.js'
export { checkFieldName, splitPath } from './paths.js'
export { checkWriteName } from './variables.js'

/** @throws MongoError on an unknown operator, a wrong argument, or a constant part that fails to evaluate */
export function compileExpression (spec: Value, ctx: ParseContext): Expression {
  const compiler = Compiler.for(ctx)
  const { evaluate, isConstant, constant, failure } = compiler.operand(spec)
  if (failure !== undefined) throw failure
  return { evaluate, isConstant, constant, dependencies: compiler.dependencies, metadata: compiler.metadata }
}

export const isExpressionOperator = (name: string): boolean => operators.has(name)

/** The variables of a command's `let`: its expressions may read no field. */
export function parseVars (letSpec: Doc, ctx: ParseContext): Vars {
  let vars = ctx.variables ?? Vars.none
  for (const [name, spec] of letSpec) {
    checkWriteName(name)
    const expression = compileExpression(spec, ctx)
    if (expression.dependencies === 'all' || expression.dependencies.length > 0) {
      throw error(4890500, 'Command let Expression tried to access a field, but this is not allowed because command let expressions run before the query examines any documents.')
    }
    vars = vars.with(name, expression.evaluate(scopeOf(undefined, ctx)))
  }
  return vars
}
