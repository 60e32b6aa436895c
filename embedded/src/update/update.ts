import type { Doc, Value } from '../values/types.js'
import type { ParseContext } from '../expressions/context.js'
import type { FilterNode } from '../matcher/ast.js'

export type UpdateOptions = {
  ctx: ParseContext
  arrayFilters?: readonly Doc[]
  isUpsert?: boolean
  /** constants of a pipeline update (`c` of an update statement) */
  constants?: Doc
}

/** What a change stream's updateDescription tells. */
export type Changes = {
  updated: [path: string, value: Value][]
  removed: string[]
  truncated: { field: string, newSize: number }[]
}

export type UpdateResult = { doc: Doc, changed: boolean, changes?: Changes }

export type Updater = {
  readonly kind: 'operators' | 'replacement' | 'pipeline'
  /** true when an operator's path has the positional `$`, so that `position` must be found */
  readonly needsPosition: boolean
  /**
   * @param doc never changed; the result shares what stayed as it was
   * @param position index of the array element that the query matched
   * @param insert the document is the seed of an upsert ($setOnInsert counts)
   */
  apply (doc: Doc, options: { position?: number, insert: boolean }): UpdateResult
}

/** @param update operators or a replacement, or the stages of a pipeline */
export declare function compileUpdate (update: Doc | readonly Doc[], options: UpdateOptions): Updater
/** The document an upsert starts from: the equalities of its filter. */
export declare function seedFromFilter (node: FilterNode): Doc
