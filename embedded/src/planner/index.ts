import type { Collection, Index } from '../catalog/types.js'
import type { ParseContext } from '../expressions/context.js'
import type { FilterNode } from '../matcher/ast.js'
import type { Doc } from '../values/types.js'

export type PlanRequest = {
  readonly filter: FilterNode
  readonly sort?: Doc
  readonly skip?: number
  readonly limit?: number
  /** an index name, a key pattern or { $natural: 1 | -1 } */
  readonly hint?: string | Doc
  readonly min?: Doc
  readonly max?: Doc
  /** top-level fields the caller reads, 'all' by default; a covered plan answers without documents */
  readonly needs?: 'all' | readonly string[]
  readonly countOnly?: boolean
  readonly ctx: ParseContext
}

/** What will be done, as a tree of stages; explain prints it, query runs it. */
export interface Plan {
  readonly collection: Collection
  readonly indexes: readonly Index[]
  readonly sorts: boolean
}

/** @throws 2 (bad hint), 27 (`$text` without index), 291 (no plan) and so on */
export declare function makePlan (collection: Collection, request: PlanRequest): Plan
