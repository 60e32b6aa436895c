import { Vars } from '../expressions/index.js'
import type { FilterNode } from '../matcher/ast.js'
import { MongoError } from '../values/errors.js'
import { isDoc } from '../values/types.js'
import type { Doc, Value } from '../values/types.js'
import { both, hasText } from './filters.js'
import { neededBy, optimize, splitPrefix } from './optimize.js'
import { stageEntry } from './registry.js'
import { Metas } from './stage.js'
import type { Compile, Compiled, Nesting, Stage, StageScope } from './stage.js'
import type { Dependencies, FoundDocuments, Namespace, Pipeline, PipelineContext, Prefix } from './types.js'

const MAX_STAGES = 1000
const MAX_DEPTH = 20

/** Stages behind which the text score of the documents before is no longer meant. */
const ENDS_METADATA: ReadonlySet<string> = new Set(['$group', '$bucket', '$bucketAuto', '$count', '$sortByCount', '$facet'])

class CompiledPipeline implements Compiled {
  readonly changeStream: Doc | undefined
  readonly prefix: Prefix | undefined
  readonly writes: Pipeline['writes']
  readonly involved: readonly Namespace[]
  readonly reads: Dependencies
  readonly #stages: readonly Stage[]

  /** @param onCollection the documents come from a collection's plan */
  constructor (stages: readonly Stage[], private readonly scope: StageScope, onCollection: boolean) {
    const first = stages[0]?.role
    const last = stages.at(-1)?.role
    this.changeStream = first?.kind === 'changeStream' ? first.spec : undefined
    this.writes = last?.kind === 'write' ? { stage: last.stage, into: last.into } : undefined
    this.involved = scope.involved
    this.reads = neededBy(stages)
    const planned = onCollection && first?.kind !== 'source' && first?.kind !== 'changeStream'
    const { prefix, rest } = planned ? splitPrefix(stages) : { prefix: undefined, rest: stages }
    this.prefix = prefix
    this.#stages = rest
  }

  run (vars = this.#variables): Iterable<Doc> {
    return this.runFiltered(undefined, vars)
  }

  runFiltered (filter: FilterNode | undefined, vars: Vars): Iterable<Doc> {
    return this.runOver(this.prefix === undefined ? [] : this.#find(this.prefix, filter, vars), vars)
  }

  runOver (source: Iterable<Doc>, vars = this.#variables): Iterable<Doc> {
    return this.#stages.reduce((docs, stage) => stage.run(docs, vars), source)
  }

  explain (): readonly Doc[] {
    const [first, ...others] = this.#stages
    const done = this.prefix !== undefined && first?.role?.kind === 'include'
    return (done ? others : this.#stages).map(stage => stage.explain())
  }

  get #variables (): Vars {
    return this.scope.ctx.variables ?? Vars.none
  }

  #find (prefix: Prefix, filter: FilterNode | undefined, vars: Vars): Iterable<Doc> {
    const { context, ns, metas } = this.scope
    const filtered = filter === undefined ? prefix : { ...prefix, filter: both(filter, prefix.filter), filterSpec: undefined }
    const found = context.find(ns, filtered, vars)
    return prefix.filter !== undefined && hasText(prefix.filter) ? withScores(found, metas) : found
  }
}

function * withScores (found: FoundDocuments, metas: Metas): Iterable<Doc> {
  for (const doc of found) {
    metas.set(doc, found.metaOf(doc))
    yield doc
  }
}

/** @throws MongoError on anything that MongoDB refuses before it runs the pipeline */
export function compilePipeline (stages: readonly Doc[], context: PipelineContext): Pipeline {
  const scope: StageScope = {
    context, ctx: context.ctx, ns: context.ns, nesting: undefined, metas: new Metas(), involved: [], depth: 0, textScore: false, compile: compileNested
  }
  return compileStages(stages, scope, true)
}

const compileNested: Compile = (stages, ns, outer, nesting, variables) => {
  const depth = outer.depth + 1
  if (depth > MAX_DEPTH) throw new MongoError(232, `Maximum number of nested sub-pipelines exceeded. Limit is ${MAX_DEPTH}`)
  const scope = { ...outer, ctx: { ...outer.ctx, variables }, ns: ns ?? outer.ns, nesting, depth, textScore: ns === undefined && outer.textScore }
  return compileStages(stages, scope, ns !== undefined)
}

function compileStages (specs: readonly Doc[], outer: StageScope, onCollection: boolean): CompiledPipeline {
  if (specs.length > MAX_STAGES) throw new MongoError(7749501, `Pipeline length must be no longer than ${MAX_STAGES} stages.`)
  const names = specs.map(nameOf)
  if (onCollection) checkCollection(names, outer.ns)
  let scope = outer
  const stages: Stage[] = []
  for (const [i, spec] of specs.entries()) {
    const parsed = [stageEntry(names[i]).parse(spec.get(names[i])!, scope, names[i])].flat()
    for (const stage of parsed) scope = checkText(stage, stages, scope)
    stages.push(...parsed)
  }
  checkPositions(names, outer.nesting)
  checkMetadata(specs, scope.textScore)
  return new CompiledPipeline(names[0] === '$changeStream' ? stages : optimize(stages, scope), scope, onCollection)
}

function nameOf (spec: Doc): string {
  const name = spec.firstKey()
  if (name !== undefined && spec.size === 1) return name
  throw new MongoError(40323, 'A pipeline stage specification object must contain exactly one field.')
}

function checkCollection (names: readonly string[], { coll }: Namespace): void {
  const first = names[0]
  const need = first === undefined ? undefined : stageEntry(first).withoutCollection
  if (coll !== '') {
    if (need === 'required') throw new MongoError(73, `'${first}' can only be run with {aggregate: 1}`)
    return
  }
  if (first === undefined) throw new MongoError(73, '{aggregate: 1} is not valid for an empty pipeline.')
  if (need === undefined) throw new MongoError(73, `{aggregate: 1} is not valid for '${first}'; a collection is required.`)
}

/** `$text` must come first: only the plan can search. */
function checkText (stage: Stage, before: readonly Stage[], scope: StageScope): StageScope {
  if (stage.role?.kind !== 'match' || !hasText(stage.role.node)) return scope
  if (before.length > 0 || scope.nesting === '$facet') throw new MongoError(17313, '$match with $text is only allowed as the first pipeline stage')
  return { ...scope, textScore: true }
}

function checkPositions (names: readonly string[], nesting: Nesting | undefined): void {
  const onEvents = names[0] === '$changeStream'
  for (const [i, name] of names.entries()) {
    const { position, notIn, onEvents: allowed } = stageEntry(name)
    if (position === 'first' && i > 0) throw new MongoError(40602, `${name} is only valid as the first stage in a pipeline.`)
    if (onEvents && i > 0 && allowed !== true) throw new MongoError(20, `${name} is not permitted in a $changeStream pipeline`)
    if (position === 'last' && i < names.length - 1) throw new MongoError(40601, `${name} can only be the final stage in the pipeline`)
    if (nesting !== undefined && notIn?.includes(nesting) === true) throw notAllowed(name, nesting)
  }
}

function notAllowed (name: string, nesting: Nesting): MongoError {
  if (nesting === '$facet') return new MongoError(40600, `${name} is not allowed to be used within a $facet stage`)
  return new MongoError(nesting === '$lookup' ? 51047 : 31441, `${name} is not allowed within a ${nesting}'s sub-pipeline`)
}

function checkMetadata (specs: readonly Doc[], textScore: boolean): void {
  if (textScore) return
  for (const spec of specs) {
    const name = spec.firstKey()!
    if (name !== '$facet' && readsTextScore(spec.get(name)!)) {
      throw new MongoError(40218, 'query requires text score metadata, but it is not available')
    }
    if (ENDS_METADATA.has(name)) return
  }
}

/** Pipelines inside are checked when they are compiled. */
function readsTextScore (value: Value): boolean {
  if (Array.isArray(value)) return value.some(readsTextScore)
  if (!isDoc(value)) return false
  for (const [key, inner] of value) {
    if (key === '$meta' ? inner === 'textScore' : key !== '$literal' && key !== 'pipeline' && readsTextScore(inner)) return true
  }
  return false
}
