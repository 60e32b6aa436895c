import type { Collection, RecordId } from '../catalog/types.js'
import type { Catalog } from '../catalog/index.js'
import type { DocMeta, ParseContext } from '../expressions/context.js'
import type { FilterNode } from '../matcher/ast.js'
import type { Plan } from '../planner/index.js'
import type { Reader } from '../storage/types.js'
import type { Doc, Value } from '../values/types.js'

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
  /** paths that the caller reads, when it projects by itself (pipelines) */
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

/** @param collection undefined when it does not exist: no documents, but the request is checked all the same */
export declare function find (reader: Reader, collection: Collection | undefined, request: FindRequest): FindExecution
/** For writes: the documents with their record ids, without projection. The caller changes them only after the iteration of a whole statement or one at a time with `limit: 1`. */
export declare function findRecords (reader: Reader, collection: Collection, request: FindRequest): IterableIterator<Found>
export declare function count (reader: Reader, catalog: Catalog, collection: Collection | undefined, request: FindRequest): number
export declare function distinct (reader: Reader, collection: Collection | undefined, key: string, request: FindRequest): Value[]

export type Verbosity = 'queryPlanner' | 'executionStats' | 'allPlansExecution'
/** The explain of a find, count, distinct, update or delete: queryPlanner and executionStats; the caller adds command, serverInfo and so on. */
export declare function explain (reader: Reader, collection: Collection | undefined, ns: string, request: FindRequest & { kind?: 'find' | 'count' | 'distinct' | 'update' | 'delete', distinctKey?: string }, verbosity: Verbosity): Doc
