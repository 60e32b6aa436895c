import type { Catalog } from '../catalog/index.js'
import type { Collection, Index, RecordId } from '../catalog/types.js'
import type { Reader, Writer } from '../storage/types.js'
import type { Doc } from '../values/types.js'

/** Stores a document with all its index entries and totals. @throws 11000, 171 */
export declare function insertRecord (writer: Writer, catalog: Catalog, collection: Collection, doc: Doc): RecordId
/** @param before the stored document @param after with the same _id */
export declare function replaceRecord (writer: Writer, catalog: Catalog, collection: Collection, record: RecordId, before: Doc, after: Doc): void
export declare function removeRecord (writer: Writer, catalog: Catalog, collection: Collection, record: RecordId, doc: Doc): void
/** The stored document, for example to read again after a wait. */
export declare function readRecord (reader: Reader, collection: Collection, record: RecordId): Doc | undefined

export type CreateIndexesResult = { collection: Collection, before: number, after: number, note: string | undefined }

/** The specification as stored, or the error of a bad one (67, 9, 197, 2, 13…). */
export declare function parseIndexSpec (spec: Doc, collection: Collection): Doc
/** Checks, conflicts (85, 86), builds over what is there; on an error nothing remains. */
export declare function createIndexes (writer: Writer, catalog: Catalog, collection: Collection, specs: readonly Doc[]): CreateIndexesResult
/** @param which the `index` field of dropIndexes: a name, names, a key pattern or '*' */
export declare function dropIndexes (writer: Writer, catalog: Catalog, collection: Collection, which: string | readonly string[] | Doc): { collection: Collection, before: number }
/** The documents of listIndexes. */
export declare function describeIndexes (collection: Collection): Doc[]
/** The specification of dup key messages and of hints: an index by name or key pattern. */
export declare function findIndex (collection: Collection, hint: string | Doc): Index | undefined
/** Checks records against entries and totals, as `validate` reports them. */
export declare function validateCollection (reader: Reader, catalog: Catalog, collection: Collection): Doc
