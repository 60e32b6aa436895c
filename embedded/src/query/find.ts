import type { Collection, RecordId } from '../catalog/types.js'
import type { DocMeta, ParseContext } from '../expressions/index.js'
import type { FilterNode } from '../matcher/ast.js'
import { compileMatch } from '../matcher/match.js'
import type { Match } from '../matcher/match.js'
import { parseFilter } from '../matcher/parse.js'
import { makePlan } from '../planner/index.js'
import type { Plan } from '../planner/index.js'
import { compileProjection } from '../projection/projection.js'
import type { Projection } from '../projection/projection.js'
import type { Reader } from '../storage/index.js'
import { MongoError } from '../values/errors.js'
import { Doc } from '../values/types.js'
import { choose, chooseQuickly } from './choose.js'
import type { Chosen } from './choose.js'
import { Env } from './env.js'
import type { Row } from './env.js'
import { execute } from './execute.js'
import { withIndexKey } from './index-key.js'
import { patternOf } from './sort.js'

export type FindRequest = {
  /** the filter as it came; `parsed` spares a second parse */
  readonly filter: Doc
  readonly parsed?: FilterNode
  readonly sort?: Doc
  readonly projection?: Doc
  readonly skip?: number
  readonly limit?: number
  readonly hint?: string | Doc
  readonly min?: Doc
  readonly max?: Doc
  readonly returnKey?: boolean
  readonly showRecordId?: boolean
  /** top-level fields that the caller reads, when it projects by itself (pipelines) */
  readonly needs?: 'all' | readonly string[]
  /** carries collation, `let` variables and NOW */
  readonly ctx: ParseContext
  /** called now and then; throws to stop (maxTimeMS, killed) */
  readonly checkInterrupt?: () => void
}

/** A document that a plan found. */
export type Found = { readonly doc: Doc, readonly record: RecordId, readonly meta: DocMeta | undefined, readonly position: () => number | undefined }

export interface FindExecution extends Iterable<Doc> {
  readonly plan: Plan
  /** what `$meta` can say of a document this execution yielded */
  metaOf (doc: Doc): DocMeta | undefined
}

export const parsed = (request: FindRequest): FilterNode => request.parsed ?? parseFilter(request.filter, { allowText: true, ...request.ctx })

/**
 * Checks a request and makes its plan.
 * @param how explain has all plans tried; others may take the one that was best for a query of the same shape
 */
export function prepare (
  reader: Reader, collection: Collection, request: FindRequest, needs: 'all' | readonly string[], how: 'tried' | 'remembered' = 'remembered'
): Chosen & { readonly filter: FilterNode } {
  const filter = parsed(request)
  checkSort(request, filter)
  const { sort, skip = 0, limit, hint, min, max, ctx } = request
  const wanted = limit === undefined ? undefined : skip + limit
  const noIdLookup = skip > 0 || request.returnKey === true || request.showRecordId === true
  const choice = makePlan(collection, { filter, sort, sortLimit: wanted, hint, min, max, needs, noIdLookup, ctx })
  const setup = { reader, ctx, sort, limit: wanted, needs: needs === 'all' ? undefined : needs }
  return { ...(how === 'tried' ? choose(choice, setup) : chooseQuickly(choice, setup)), filter }
}

function checkSort ({ sort, ctx }: FindRequest, filter: FilterNode): void {
  if (sort === undefined || sort.firstKey() === '$natural') return
  if (patternOf(sort, ctx).usesMeta && !isTextQuery(filter) && holdsTextScore(sort)) {
    throw new MongoError(40218, 'query requires text score metadata, but it is not available')
  }
}

const holdsTextScore = (sort: Doc): boolean => [...sort.values()].some(value => value instanceof Doc && value.get('$meta') === 'textScore')

const isTextQuery = (filter: FilterNode): boolean => filter.kind === 'text' || (filter.kind === 'and' && filter.children.some(isTextQuery))

export function envOf (reader: Reader, { plan }: Pick<Chosen, 'plan'>, request: FindRequest, needs: 'all' | readonly string[]): Env {
  return new Env(reader, plan.collection, request.ctx, plan.covered && needs !== 'all' ? needs : undefined, request.checkInterrupt)
}

export const isTrue = (filter: FilterNode): boolean => filter.kind === 'true' || (filter.kind === 'and' && filter.children.length === 0)

export function sizeOf (rows: Iterable<Row>, most = Infinity): number {
  let size = 0
  const iterator = rows[Symbol.iterator]()
  while (size < most && iterator.next().done !== true) size++
  if (size >= most) iterator.return?.()
  return size
}

/** Skip and limit of rows. */
export function * portion (rows: Iterable<Row>, skip = 0, limit = Infinity): IterableIterator<Row> {
  let skipped = 0
  let left = limit
  if (left <= 0) return
  for (const row of rows) {
    if (skipped++ < skip) continue
    yield row
    if (--left <= 0) return
  }
}

class Execution implements FindExecution {
  readonly #metas = new WeakMap<Doc, DocMeta>()

  constructor (
    readonly plan: Plan, private readonly env: Env, private readonly request: FindRequest, private readonly projection: Projection | undefined
  ) {}

  metaOf (doc: Doc): DocMeta | undefined {
    return this.#metas.get(doc)
  }

  * [Symbol.iterator] (): IterableIterator<Doc> {
    const { request, projection, env, plan } = this
    const { variables } = request.ctx
    for (const row of portion(execute(plan.root, env), request.skip, request.limit)) {
      if (row.doc === undefined) continue
      const meta = row.score === undefined ? undefined : { textScore: row.score }
      const found = request.returnKey === true ? withIndexKey(plan, row.doc) : row.doc
      const doc = projection === undefined ? found : projection.apply(found, meta, variables)
      if (meta !== undefined) this.#metas.set(doc, meta)
      yield request.showRecordId === true ? doc.copy().set('$recordId', BigInt(row.record)) : doc
    }
  }
}

/** @param collection undefined when it does not exist: no documents, but the request is checked all the same */
export function find (reader: Reader, collection: Collection | undefined, request: FindRequest): FindExecution {
  const { ctx } = request
  const filter = parsed(request)
  const match = request.projection === undefined ? undefined : lazyMatch(filter, ctx)
  const projection = request.projection === undefined ? undefined : compileProjection(request.projection, { ctx, forFind: true, match })
  const withFilter = { ...request, parsed: filter }
  if (collection === undefined) return nothing(withFilter, filter)
  const needs = request.returnKey === true ? 'all' : projection?.needs ?? request.needs ?? 'all'
  const chosen = prepare(reader, collection, withFilter, needs)
  return new Execution(chosen.plan, envOf(reader, chosen, request, needs), request, projection)
}

function nothing (request: FindRequest, filter: FilterNode): FindExecution {
  checkSort(request, filter)
  const plan = { collection: undefined as unknown as Collection, root: { stage: 'EOF' }, covered: false, indexes: [], sorts: false } as const
  return { plan, metaOf: () => undefined, [Symbol.iterator]: () => [][Symbol.iterator]() }
}

/** The filter as a match that is only compiled when somebody asks for a position. */
function lazyMatch (filter: FilterNode, ctx: ParseContext): Match {
  let match: Match | undefined
  const compiled = (): Match => {
    match ??= compileMatch(filter, ctx)
    return match
  }
  return { test: (doc, vars, meta) => compiled().test(doc, vars, meta), position: (doc, vars) => compiled().position(doc, vars) }
}

/** For writes: the documents with their record ids, without projection. */
export function * findRecords (reader: Reader, collection: Collection, request: FindRequest): IterableIterator<Found> {
  const chosen = prepare(reader, collection, request, 'all')
  const match = lazyMatch(chosen.filter, request.ctx)
  for (const { doc, record, score } of portion(execute(chosen.plan.root, envOf(reader, chosen, request, 'all')), request.skip, request.limit)) {
    if (doc === undefined) continue
    yield { doc, record, meta: score === undefined ? undefined : { textScore: score }, position: () => match.position(doc, request.ctx.variables) }
  }
}
