import type { Doc, Value } from '../values/types.js'
import type { ParseContext, Vars } from './context.js'
import type { Expression } from './expression.js'

export type { Dependencies, Evaluate, Expression } from './expression.js'
export { scopeOf, systemVars, Vars } from './context.js'
export type { DocMeta, ParseContext, Scope, SystemVars } from './context.js'

/** @throws MongoError on an unknown operator, a wrong argument, or a constant part that fails to evaluate */
export function compileExpression (spec: Value, ctx: ParseContext): Expression {
  throw new Error(`not there yet ${String(spec)} ${String(ctx)}`)
}

/** The variables of a command's `let`: its expressions may read no field. */
export function parseVars (letSpec: Doc, ctx: ParseContext): Vars {
  throw new Error(`not there yet ${String(letSpec)} ${String(ctx)}`)
}
