import type { Collection, Index } from '../catalog/types.js'
import type { ParseContext } from '../expressions/index.js'
import type { FilterNode } from '../matcher/ast.js'
import type { Doc, Value } from '../values/types.js'
import { Doc as Document } from '../values/types.js'
import { accessPaths, isUsable, orderedScans, wholeScan } from './candidates.js'
import type { Access, Wanted } from './candidates.js'
import { sortParts } from './order.js'
import { idOf, keyRangeScan, parseHint, plannerError, textAccess } from './special.js'
import type { Hint } from './special.js'
import type { Candidate, Choice, PlanNode } from './types.js'

export type * from './types.js'
export type { Interval } from './intervals.js'
export { byteRange, isPoint } from './intervals.js'

/** The stages below a stage. */
export function childrenOf (node: PlanNode): readonly PlanNode[] {
  if ('children' in node) return node.children
  return 'child' in node ? [node.child] : []
}

export type PlanRequest = {
  readonly filter: FilterNode
  readonly sort?: Doc
  /** how many sorted documents are wanted: skip and limit together */
  readonly sortLimit?: number
  /** an index name, a key pattern or { $natural: 1 | -1 } */
  readonly hint?: string | Doc
  readonly min?: Doc
  readonly max?: Doc
  /** top-level fields the caller reads, 'all' by default; a covered plan answers without documents */
  readonly needs?: 'all' | readonly string[]
  /** no short way by _id: skip, returnKey and the like are asked for */
  readonly noIdLookup?: boolean
  readonly ctx: ParseContext
}

/** @throws 2 (bad hint), 27 (`$text` without index), 291 (no plan) and so on */
export function makePlan (collection: Collection, request: PlanRequest): Choice {
  const { filter } = request
  const hint = parseHint(collection, request.hint)
  const candidates = filter.kind === 'false' && hint === undefined
    ? [{ root: { stage: 'EOF' }, covered: true } as const]
    : idLookup(collection, request, hint) ?? accesses(collection, request, hint).map(access => finished(access, request))
  return { collection, filter, candidates }
}

function idLookup (collection: Collection, request: PlanRequest, hint: Hint): Candidate[] | undefined {
  if (hint !== undefined || request.noIdLookup === true || request.min !== undefined || request.max !== undefined) return undefined
  const id = idOf(request.filter)
  const index = collection.indexes[0]
  if (id === undefined || !sameCollation(index, request, id)) return undefined
  return [{ root: { stage: 'IDHACK', index, id }, covered: false }]
}

function sameCollation (index: Index, { ctx }: PlanRequest, id: Value): boolean {
  if (typeof id !== 'string' && !(id instanceof Document)) return true
  return index.collation === undefined ? ctx.collation === undefined : index.collation.equals(ctx.collation)
}

function accesses (collection: Collection, request: PlanRequest, hint: Hint): Access[] {
  const { filter, sort, ctx, min, max } = request
  const wanted: Wanted = { filter, sort: naturalOf(sort) === undefined ? sort : undefined, ctx }
  if (min !== undefined || max !== undefined) return [keyRangeScan(hint, min, max, wanted)]
  const text = textAccess(collection, wanted)
  if (text !== undefined) {
    if (hint !== undefined) throw plannerError(collection, '$text and hint not allowed in same query')
    return [text]
  }
  const natural = naturalOf(sort) ?? (hint !== undefined && 'natural' in hint ? hint.natural : undefined)
  if (natural !== undefined) {
    if (naturalOf(sort) !== undefined && hint !== undefined && !('natural' in hint)) throw plannerError(collection, '$natural sort cannot be set with a hint')
    return [collectionScan(wanted, natural)]
  }
  return hint === undefined ? freeAccesses(collection, wanted) : hintedAccesses(collection, wanted, (hint as { index: Index }).index)
}

function naturalOf (sort: Doc | undefined): 1 | -1 | undefined {
  if (sort?.firstKey() !== '$natural') return undefined
  return sortParts(Document.of([['natural', sort.get('$natural')!]]))![0].direction
}

/** As MongoDB: the collection is only scanned when no index serves filter or sort. */
function freeAccesses (collection: Collection, wanted: Wanted): Access[] {
  const indexes = collection.indexes.filter(index => !index.hidden)
  const found = accessPaths(indexes, wanted)
  const isUnique = found.length === 1 && found[0].index?.unique === true
  if (wanted.sort !== undefined && !isUnique && !found.some(access => access.ordered)) {
    found.push(...orderedScans(indexes.filter(index => isUsable(index, wanted)), wanted))
  }
  return found.length > 0 ? found : [collectionScan(wanted, 1)]
}

function hintedAccesses (collection: Collection, wanted: Wanted, index: Index): Access[] {
  const found = accessPaths([index], wanted)
  if (found.length > 0) return found
  if (index.text !== undefined) throw plannerError(collection, 'No query solutions', 291)
  const ordered = isUsable(index, wanted) ? orderedScans([index], wanted) : []
  return ordered.length > 0 ? ordered : [wholeScan(index, wanted)]
}

const collectionScan = (wanted: Wanted, direction: 1 | -1): Access =>
  ({ scan: { stage: 'COLLSCAN', direction, filter: isTrue(wanted.filter) ? undefined : wanted.filter }, ordered: false, rest: undefined, index: undefined })

const isTrue = (filter: FilterNode): boolean => filter.kind === 'true' || (filter.kind === 'and' && filter.children.length === 0)

/** The tree of a plan: fetch where documents are needed, sort where the scan gives no order. */
function finished (access: Access, request: PlanRequest): Candidate {
  const sort = naturalOf(request.sort) === undefined ? request.sort : undefined
  const mustSort = sort !== undefined && !access.ordered
  const needs = mustSort ? withSort(request.needs ?? 'all', sort) : request.needs ?? 'all'
  const covered = access.rest === undefined && isCovered(access, needs)
  let root: PlanNode = access.scan
  if (root.stage !== 'COLLSCAN' && !covered && !isFetched(root, access.rest)) root = { stage: 'FETCH', child: root, filter: access.rest }
  if (mustSort) root = { stage: 'SORT', child: root, pattern: sort, limit: request.sortLimit }
  return { root, covered }
}

const isFetched = (root: PlanNode, rest: FilterNode | undefined): boolean =>
  rest === undefined && root.stage === 'SORT_MERGE' && root.children.every(child => child.stage === 'FETCH')

function withSort (needs: 'all' | readonly string[], sort: Doc): 'all' | readonly string[] {
  const parts = sortParts(sort)
  return needs === 'all' || parts === undefined ? 'all' : [...needs, ...parts.map(({ path }) => path)]
}

/** Whether one index holds all that is asked for: whole fields without arrays. */
function isCovered ({ scan }: Access, needs: 'all' | readonly string[]): boolean {
  if (needs === 'all') return false
  const scans = scan.stage === 'SORT_MERGE' ? scan.children : [scan]
  const [first] = scans
  if (first.stage !== 'IXSCAN' || first.index.flags.truncated || !scans.every(other => other.stage === 'IXSCAN')) return false
  const { index } = first
  return needs.every(name => index.fields.some((field, i) => field.path === name && !field.hashed && (index.flags.multikey >> i & 1) === 0))
}
