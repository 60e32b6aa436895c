import type { Vars } from '../../expressions/context.js'
import { Vars as NoVars, checkWriteName, compileExpression, splitPath } from '../../expressions/index.js'
import type { Expression } from '../../expressions/index.js'
import type { FilterNode } from '../../matcher/ast.js'
import { MongoError, failedToParse } from '../../values/errors.js'
import { display } from '../../values/format.js'
import { typeName } from '../../values/order.js'
import { Doc, isDoc } from '../../values/types.js'
import type { Value } from '../../values/types.js'
import { Foreign } from '../foreign.js'
import { MEMORY_LIMIT, Memory, approximateSize } from '../memory.js'
import { setNested, topField, visitValues } from '../paths.js'
import { pipelineOf } from '../specs.js'
import { enter, explained, mergeDependencies, scopeFor } from '../stage.js'
import type { Metas, Stage, StageParser, StageScope } from '../stage.js'

type Options = { from?: string, as?: string, localField?: string, foreignField?: string, let?: Doc, pipeline?: Doc[] }

export const parseLookup: StageParser = (spec, scope) => {
  if (!isDoc(spec)) throw failedToParse(`the $lookup stage specification must be an object, but found ${typeName(spec)}`)
  const options = readOptions(spec)
  checkOptions(options)
  return lookupStage(options, scope, explained('$lookup', spec))
}

function readOptions (spec: Doc): Options {
  const options: Options = {}
  for (const [option, value] of spec) {
    if (option === 'pipeline') options.pipeline = pipelineOf(value)
    else if (option === 'let') options.let = letOf(value)
    else if (option === 'from' && typeof value !== 'string') {
      throw failedToParse(`$lookup 'from' field must be a string, but found ${typeName(value)}`)
    } else readString(options, option, value)
  }
  return options
}

function letOf (value: Value): Doc {
  if (isDoc(value)) return value
  throw failedToParse(`$lookup argument 'let: ${display(value)}' must be an object, is type ${typeName(value)}`)
}

function readString (options: Options, option: string, value: Value): void {
  if (typeof value !== 'string') throw failedToParse(`$lookup argument '${option}' must be a string, found ${display(value)}: ${typeName(value)}`)
  switch (option) {
    case 'from': case 'as': case 'localField': case 'foreignField': options[option] = value; return
    default: throw failedToParse(`unknown argument to $lookup: ${option}`)
  }
}

function checkOptions ({ from, as, localField = '', foreignField = '', let: variables, pipeline }: Options): void {
  if (from === '') throw new MongoError(73, 'invalid $lookup namespace')
  if (from === undefined) checkOwnDocuments(pipeline)
  if (as === undefined || as === '') throw failedToParse("must specify 'as' field for a $lookup")
  const fields = [localField, foreignField].filter(field => field !== '').length
  if (pipeline !== undefined) {
    if (fields === 1) throw failedToParse("$lookup requires both or neither of 'localField' and 'foreignField' to be specified")
    return
  }
  if (fields < 2) throw failedToParse("$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified")
  if (variables !== undefined) throw failedToParse("$lookup with a 'let' argument must also specify 'pipeline'")
}

function checkOwnDocuments (pipeline: readonly Doc[] | undefined): void {
  if (pipeline === undefined) throw failedToParse("must specify 'pipeline' when 'from' is empty")
  if (pipeline[0]?.has('$documents') === true) return
  throw failedToParse('$lookup stage without explicit collection must have a pipeline with $documents as first stage')
}

type Variable = { readonly name: string, readonly expression: Expression }

function lookupStage ({ from = '', as, localField, foreignField, let: letSpec, pipeline = [] }: Options, scope: StageScope, shown: Doc): Stage {
  const variables = Array.from(letSpec ?? [], ([name, value]): Variable => {
    checkWriteName(name)
    return { name, expression: compileExpression(value, scope.ctx) }
  })
  const join = localField !== undefined && localField !== '' ? joinOf(localField, foreignField!) : undefined
  const declared = (scope.ctx.variables ?? NoVars.none).declare(variables.map(({ name }) => name))
  const foreign = new Foreign({ db: scope.ns.db, coll: from }, pipeline, scope, '$lookup', declared, join !== undefined)
  const asParts = splitPath(as!)
  // without variables and join each document meets the same documents
  const once = join === undefined && variables.length === 0 && isDeterministic(pipeline)
  return {
    name: '$lookup',
    reads: mergeDependencies([...(join === undefined ? [] : [[localField!]]), ...variables.map(({ expression }) => expression.dependencies)]),
    closes: false,
    makes: asParts.length === 1 ? asParts : undefined,
    passes: path => topField(path) !== asParts[0],
    * run (source, vars) {
      const bind = binder(variables, scope, vars)
      let same: Value[] | undefined
      for (const doc of source) {
        const found = same ?? gather(foreign.run(join?.(doc), bind(doc, scope.metas)), from)
        if (once) same = found
        yield scope.metas.carry(doc, setNested(doc, asParts, found))
      }
    },
    explain: () => shown
  }
}

type Bind = (doc: Doc, metas: Metas) => Vars

function binder (variables: readonly Variable[], scope: StageScope, vars: Vars): Bind {
  const at = scopeFor(scope, vars)
  return (doc, metas) => {
    enter(at, doc, metas)
    return variables.reduce((bound, { name, expression }) => bound.with(name, expression.evaluate(at)), vars)
  }
}

/** The filter on foreign documents that a local document gives: a missing value joins as null, an array by its elements. */
function joinOf (localField: string, foreignField: string): (doc: Doc) => FilterNode {
  const local = splitPath(localField)
  splitPath(foreignField)
  return doc => {
    const values: Value[] = []
    visitValues(doc, local, value => values.push(value))
    if (values.length > 1) return { kind: 'in', path: foreignField, values, regexes: [] }
    return { kind: 'compare', op: 'eq', path: foreignField, value: values.length === 0 ? null : values[0] }
  }
}

function gather (docs: Iterable<Doc>, from: string): Doc[] {
  const memory = new Memory(() => new MongoError(4568, `Total size of documents in ${from} matching pipeline's $lookup stage exceeds ${MEMORY_LIMIT} bytes`))
  const gathered: Doc[] = []
  for (const doc of docs) {
    memory.grow(approximateSize(doc))
    gathered.push(doc)
  }
  return gathered
}

function isDeterministic (value: Value): boolean {
  if (Array.isArray(value)) return value.every(isDeterministic)
  if (!isDoc(value)) return true
  for (const [key, inner] of value) if (key === '$sample' || key === '$rand' || !isDeterministic(inner)) return false
  return true
}
