import { MongoError, failedToParse } from '../values/errors.js'
import { display } from '../values/format.js'
import { typeName } from '../values/order.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import { Vars, compileExpression, scopeOf } from '../expressions/index.js'
import type { ParseContext } from '../expressions/index.js'
import { compileAddFields, compileProjection, compileUnset } from '../projection/projection.js'

type Stage = (doc: Doc) => Doc

type Compile = (spec: Value, ctx: ParseContext, name: string) => Stage

const prefixed = (name: string, compile: () => Stage): Stage => {
  try {
    return compile()
  } catch (e) {
    throw e instanceof MongoError ? new MongoError(e.code, `Invalid ${name} :: caused by :: ${e.message}`) : e
  }
}

const addFields: Compile = (spec, ctx, name) => {
  if (!(spec instanceof Doc)) throw new MongoError(40272, `${name} specification stage must be an object, got ${typeName(spec)}`)
  return prefixed(name, () => {
    const projection = compileAddFields(spec, ctx)
    return doc => projection.apply(doc)
  })
}

const project: Compile = (spec, ctx, name) => {
  if (!(spec instanceof Doc)) throw new MongoError(15969, `${name} specification must be an object`)
  return prefixed(name, () => {
    const projection = compileProjection(spec, { ctx, forFind: false })
    return doc => projection.apply(doc)
  })
}

const unset: Compile = (spec, ctx, name) => {
  const paths = Array.isArray(spec) ? spec : [spec]
  if (!Array.isArray(spec) && typeof spec !== 'string') throw new MongoError(31002, '$unset specification must be a string or an array')
  if (paths.length === 0) throw new MongoError(31119, '$unset specification must be a string or an array with at least one field')
  if (!paths.every(path => typeof path === 'string')) throw new MongoError(31120, '$unset specification must be a string or an array containing only string values')
  return prefixed(name, () => {
    const projection = compileUnset(paths as string[], ctx)
    return doc => projection.apply(doc)
  })
}

const replaceRoot: Compile = (spec, ctx, name) => {
  if (!(spec instanceof Doc)) throw new MongoError(40229, `expected an object as specification for $replaceRoot stage, got ${typeName(spec)}`)
  for (const key of spec.keys()) if (key !== 'newRoot') throw new MongoError(40230, `unrecognized option to $replaceRoot stage: ${key}, only valid option is 'newRoot'.`)
  const newRoot = spec.get('newRoot')
  if (newRoot === undefined) throw new MongoError(40231, 'no newRoot specified for the $replaceRoot stage')
  return replaceWith(newRoot, ctx, name)
}

const replaceWith: Compile = (spec, ctx) => {
  const expression = compileExpression(spec, ctx)
  return doc => {
    const value = expression.evaluate(scopeOf(doc, ctx))
    if (value instanceof Doc) return value
    throw new MongoError(40228, `PlanExecutor error during aggregation :: caused by :: 'newRoot' expression must evaluate to an object, but resulting value was: ${display(value)}. ` +
      `Type of resulting value: '${typeName(value)}'. Input document: ${display(doc)}`)
  }
}

const STAGES: ReadonlyMap<string, Compile> = new Map<string, Compile>([
  ['$addFields', addFields], ['$set', addFields], ['$project', project], ['$unset', unset], ['$replaceRoot', replaceRoot], ['$replaceWith', replaceWith]
])

/** The stages of a pipeline that an update may use, as one function. */
export function compileStages (stages: readonly Doc[], ctx: ParseContext): Stage {
  const compiled = stages.map(stage => compileStage(stage, ctx))
  return doc => compiled.reduce((at, run) => run(at), doc)
}

function compileStage (stage: Doc, ctx: ParseContext): Stage {
  const name = stage.firstKey()
  if (name === undefined || stage.size !== 1) throw new MongoError(40323, 'A pipeline stage specification object must contain exactly one field.')
  const compile = STAGES.get(name)
  if (compile !== undefined) return compile(stage.get(name)!, ctx, name)
  if (!name.startsWith('$')) throw new MongoError(40324, `Unrecognized pipeline stage name: '${name}'`)
  throw new MongoError(72, `${name} is not allowed to be used within an update`)
}

/** The constants (`c`) of an update statement as variables. */
export function withConstants (ctx: ParseContext, constants: Doc | undefined): ParseContext {
  if (constants === undefined) return ctx
  let variables = ctx.variables ?? Vars.none
  for (const [name, value] of constants) {
    if (!/^[a-zA-Z_]\w*$/.test(name)) throw failedToParse(`'${name}' is not a valid variable name`)
    variables = variables.with(name, value)
  }
  return { ...ctx, variables }
}
