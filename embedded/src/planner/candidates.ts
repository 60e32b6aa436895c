import type { Index } from '../catalog/types.js'
import type { ParseContext } from '../expressions/index.js'
import { partialFilterOf } from '../indexes/partial.js'
import type { FilterNode } from '../matcher/ast.js'
import type { Doc } from '../values/types.js'
import { assignments } from './assign.js'
import type { Assignment } from './assign.js'
import { implies } from './implication.js'
import { ALL_VALUES, isPoint } from './intervals.js'
import type { Interval } from './intervals.js'
import { providedOrder, sortParts } from './order.js'
import { conjunctionOf } from './predicates.js'
import type { Conjunction, OrNode } from './predicates.js'
import type { IndexScan, PlanNode } from './types.js'

export type Wanted = {
  readonly filter: FilterNode
  readonly sort: Doc | undefined
  readonly ctx: ParseContext
}

/** A way to find the documents: a scan, whether it gives the order, and what is left to be checked. */
export type Access = {
  readonly scan: PlanNode
  readonly ordered: boolean
  readonly rest: FilterNode | undefined
  /** the index of a single scan */
  readonly index: Index | undefined
}

/** Whether every document that the query finds is in the index. */
export function isUsable (index: Index, { filter, ctx }: Wanted): boolean {
  const partial = partialFilterOf(index)
  return partial === undefined || implies(filter, partial.node, { query: ctx.collation, index: index.collation })
}

/** All ways by indexes that the filter opens. @param indexes those that may be used, if the filter implies their own */
export const accessPaths = (indexes: readonly Index[], wanted: Wanted): Access[] =>
  pathsOf(indexes, wanted, conjunctionOf(wanted.filter, wanted.ctx))

function pathsOf (indexes: readonly Index[], wanted: Wanted, conjunction: Conjunction): Access[] {
  const sort = wanted.sort === undefined ? undefined : sortParts(wanted.sort)
  const single = indexes.filter(index => isUsable(index, wanted)).flatMap(index =>
    assignments(index, conjunction.predicates, wanted.ctx.collation).map(assignment => accessOf(assignment, conjunction, sort, wanted)))
  const unique = single.find(({ index, scan }) => index !== undefined && index.unique && isSingleKey(index, scan))
  if (unique !== undefined) return [unique]
  const byOr = conjunction.ors.flatMap(or => orAccess(or, conjunction, indexes, wanted) ?? [])
  return [...single, ...byOr]
}

const isSingleKey = (index: Index, scan: PlanNode): boolean =>
  scan.stage === 'IXSCAN' && scan.bounds.every(intervals => intervals.length === 1 && isPoint(intervals[0])) && index.flags.multikey === 0

function accessOf (assignment: Assignment, conjunction: Conjunction, sort: ReturnType<typeof sortParts>, wanted: Wanted): Access {
  const { index, bounds, answered } = assignment
  const order = sort === undefined || !sameOrder(index, wanted.ctx) ? undefined : providedOrder(index, bounds, sort)
  const scan: IndexScan = { stage: 'IXSCAN', index, bounds, direction: order?.direction ?? 1, mergeFrom: order?.mergeFrom }
  return {
    scan: order?.mergeFrom === undefined ? scan : merged(scan, wanted.sort!, order.mergeFrom),
    ordered: order !== undefined,
    rest: conjunctionNode(conjunction.parts.filter(part => !answered.has(part))),
    index
  }
}

const sameOrder = (index: Index, { collation }: ParseContext): boolean =>
  index.collation === undefined ? collation === undefined : index.collation.equals(collation)

export function conjunctionNode (parts: readonly FilterNode[]): FilterNode | undefined {
  if (parts.length === 0) return undefined
  return parts.length === 1 ? parts[0] : { kind: 'and', children: parts }
}

/** One scan for each combination of the leading values. */
function merged (scan: IndexScan, pattern: Doc, lead: number): PlanNode {
  let combinations: (readonly (readonly Interval[])[])[] = [[]]
  for (const intervals of scan.bounds.slice(0, lead)) {
    combinations = combinations.flatMap(fixed => intervals.map(interval => [...fixed, [interval]]))
  }
  const children = combinations.map((fixed): IndexScan => ({ ...scan, bounds: [...fixed, ...scan.bounds.slice(lead)], mergeFrom: lead }))
  return { stage: 'SORT_MERGE', children, pattern }
}

/** `$or` by an index for each branch; the other conditions help each of them. */
function orAccess (or: OrNode, conjunction: Conjunction, indexes: readonly Index[], wanted: Wanted): Access | undefined {
  const others = conjunction.parts.filter(part => part !== or)
  const branches: Access[] = []
  for (const branch of or.children) {
    const own = conjunctionOf(branch, wanted.ctx)
    // The other `$or` of the conjunction are only checked: to combine them all would take a plan for each combination.
    const both = { ...own, parts: [...others, ...own.parts], predicates: [...conjunction.predicates, ...own.predicates] }
    const best = bestOf(pathsOf(indexes, { ...wanted, filter: conjunctionNode(both.parts) ?? wanted.filter }, both))
    if (best === undefined) return undefined
    branches.push(best)
  }
  const children = branches.map(fetched)
  const ordered = wanted.sort !== undefined && branches.every(branch => branch.ordered)
  const scan: PlanNode = ordered ? { stage: 'SORT_MERGE', children, pattern: wanted.sort! } : { stage: 'OR', children: branches.map(withRest) }
  return { scan, ordered, rest: undefined, index: undefined }
}

/** A branch by itself: what its index does not answer is checked in the branch. */
const withRest = (access: Access): PlanNode => access.rest === undefined ? access.scan : fetched(access)
const fetched = (access: Access): PlanNode => ({ stage: 'FETCH', child: access.scan, filter: access.rest })

/** The branch of an `$or` is not tried out: the more fields with single values and the more bounded fields the better. */
function bestOf (paths: readonly Access[]): Access | undefined {
  let best: Access | undefined
  let score = -1
  for (const path of paths) {
    const value = scoreOf(path)
    if (value > score) {
      best = path
      score = value
    }
  }
  return best
}

function scoreOf ({ scan, ordered, rest }: Access): number {
  const first = scan.stage === 'SORT_MERGE' ? scan.children[0] : scan
  if (first.stage !== 'IXSCAN') return 0
  let score = 0
  let weight = 1000
  for (const intervals of first.bounds) {
    if (intervals === ALL_VALUES) break
    score += intervals.every(isPoint) ? weight : weight / 2
    weight /= 3
  }
  return score + (ordered ? 100 : 0) + (rest === undefined ? 10 : 0)
}

/** The whole index in the order of the sort, when no condition leads to an index that gives it. */
export function orderedScans (indexes: readonly Index[], wanted: Wanted): Access[] {
  const sort = wanted.sort === undefined ? undefined : sortParts(wanted.sort)
  if (sort === undefined) return []
  const { parts } = conjunctionOf(wanted.filter, wanted.ctx)
  return indexes.flatMap(index => {
    if (index.sparse || index.text !== undefined || !sameOrder(index, wanted.ctx)) return []
    const bounds = index.fields.map(() => ALL_VALUES)
    const order = providedOrder(index, bounds, sort)
    if (order === undefined) return []
    const scan: IndexScan = { stage: 'IXSCAN', index, bounds, direction: order.direction }
    return [{ scan, ordered: true, rest: conjunctionNode(parts), index }]
  })
}

/** The whole of a hinted index that no condition fits. */
export function wholeScan (index: Index, wanted: Wanted): Access {
  const { parts } = conjunctionOf(wanted.filter, wanted.ctx)
  const scan: IndexScan = { stage: 'IXSCAN', index, bounds: index.fields.map(() => ALL_VALUES), direction: 1 }
  return { scan, ordered: false, rest: conjunctionNode(parts), index }
}
