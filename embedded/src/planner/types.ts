import type { Collection, Index } from '../catalog/types.js'
import type { FilterNode, TextNode } from '../matcher/ast.js'
import type { Doc, Value } from '../values/types.js'
import type { Interval } from './intervals.js'

/** For each field of an index the intervals of its values, in ascending order of the values. */
export type IndexBounds = readonly (readonly Interval[])[]

export type CollectionScan = { readonly stage: 'COLLSCAN', readonly direction: 1 | -1, readonly filter: FilterNode | undefined }
export type IdLookup = { readonly stage: 'IDHACK', readonly index: Index, readonly id: Value }
export type Nothing = { readonly stage: 'EOF' }

export type IndexScan = {
  readonly stage: 'IXSCAN'
  readonly index: Index
  readonly bounds: IndexBounds
  readonly direction: 1 | -1
  /** min() and max() of a find: a range of whole keys instead of bounds */
  readonly keyRange?: { readonly min: Doc | undefined, readonly max: Doc | undefined }
  /** how many leading fields the children of a SORT_MERGE have in common: what comes behind them is their order */
  readonly mergeFrom?: number
}

export type Fetch = { readonly stage: 'FETCH', readonly child: PlanNode, readonly filter: FilterNode | undefined }
export type Sort = { readonly stage: 'SORT', readonly child: PlanNode, readonly pattern: Doc, readonly limit: number | undefined }
export type SortMerge = { readonly stage: 'SORT_MERGE', readonly children: readonly PlanNode[], readonly pattern: Doc }
export type Or = { readonly stage: 'OR', readonly children: readonly PlanNode[] }
export type TextMatch = { readonly stage: 'TEXT_MATCH', readonly index: Index, readonly node: TextNode, readonly prefix: readonly Value[] }

/** What finds the documents, as a tree; limit, skip and projection come on top of it. */
export type PlanNode = CollectionScan | IdLookup | Nothing | IndexScan | Fetch | Sort | SortMerge | Or | TextMatch

export type Candidate = {
  readonly root: PlanNode
  /** the values in the index answer: no document is needed */
  readonly covered: boolean
}

/** The plans that could answer a request; the query room tries them when there are several. */
export type Choice = {
  readonly collection: Collection
  readonly filter: FilterNode
  readonly candidates: readonly Candidate[]
}

/** The plan that runs. */
export type Plan = {
  readonly collection: Collection
  readonly root: PlanNode
  readonly covered: boolean
  readonly indexes: readonly Index[]
  /** all documents are found before the first is given */
  readonly sorts: boolean
}
