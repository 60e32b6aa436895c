import type { Doc, Value } from '../values/types.js'
import type { Reader, Storage, Writer } from '../storage/types.js'
import type { Collection, Index, Namespace } from './types.js'

export type * from './types.js'

export type CollModChanges = {
  index?: { name?: string, keyPattern?: Doc, expireAfterSeconds?: Value, hidden?: boolean }
  validator?: Doc
  validationLevel?: string
  validationAction?: string
  viewOn?: string
  pipeline?: Value[]
  cappedSize?: number
  cappedMax?: number
}

/** Definitions live in the storage beside the data: every method reads and writes through the reader it is given, so transactions and rollbacks need no further care. */
export declare class Catalog {
  static open (storage: Storage): Catalog
  collection (reader: Reader, ns: Namespace): Collection | undefined
  collectionByUuid (reader: Reader, db: string, uuid: Buffer): Collection | undefined
  /** collections and views of a database, by name */
  collections (reader: Reader, db: string): Collection[]
  databases (reader: Reader): string[]
  /** @param options the create command's options, checked here (capped, size, max, viewOn, pipeline, validator…, collation, expireAfterSeconds refused); 48 when the namespace is taken by something else; returns the existing one when it is the same */
  create (writer: Writer, ns: Namespace, options?: Doc): Collection
  drop (writer: Writer, collection: Collection): void
  /** @returns the names of what was dropped */
  dropDatabase (writer: Writer, db: string): string[]
  /** 26, 48, 10027 and so on as MongoDB */
  rename (writer: Writer, from: Namespace, to: Namespace, dropTarget: boolean): Collection
  /** @returns the reply's fields, such as expireAfterSeconds_old and _new */
  collMod (writer: Writer, collection: Collection, changes: CollModChanges): { collection: Collection, reply: Doc }
  addIndex (writer: Writer, collection: Collection, spec: Doc): { collection: Collection, index: Index }
  removeIndex (writer: Writer, collection: Collection, index: Index): Collection
  count (reader: Reader, collection: Collection): number
  dataSize (reader: Reader, collection: Collection): number
  /** Removes in small writes what drops have left; runs by itself after each drop, `close` of the engine awaits it. */
  purge (): Promise<void>
}
