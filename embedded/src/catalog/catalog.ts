import { randomUUID } from 'node:crypto'
import { KEYSPACE } from '../storage/types.js'
import type { Reader, Storage, Writer } from '../storage/types.js'
import { docOf, EMPTY, int } from '../values/build.js'
import { MongoError } from '../values/errors.js'
import { display } from '../values/format.js'
import { equal } from '../values/order.js'
import { Doc } from '../values/types.js'
import { modified } from './coll-mod.js'
import type { CollModChanges } from './coll-mod.js'
import { checkOptions } from './create-options.js'
import { collectionOf, decodeDefinition, definitionOf, encodeDefinition } from './definition.js'
import type { Definition } from './definition.js'
import { FlagTable } from './flags.js'
import { dbEnd, dbStart, definitionKey, namespaceOfKey, totalsKey } from './keys.js'
import { Purge } from './purge.js'
import { RecordIds } from './record-ids.js'
import type { Collection, Index, Namespace } from './types.js'

const CATALOG_START = Buffer.from([KEYSPACE.catalog])
const CATALOG_END = Buffer.from([KEYSPACE.catalog + 1])

const newUuid = (): Buffer => Buffer.from(randomUUID().replaceAll('-', ''), 'hex')

type Known = { readonly bytes: Buffer, readonly collection: Collection }

/**
 * Definitions live in the storage beside the data: every method reads and writes through the reader it is given, so
 * transactions and rollbacks need no further care. Decoded definitions are kept and used while their bytes are the same.
 */
export class Catalog {
  readonly flags: FlagTable
  readonly recordIds: RecordIds
  readonly #purge: Purge
  /** by database and name */
  readonly #known = new Map<string, Map<string, Known>>()
  #nextId: number

  private constructor (storage: Storage, reader: Reader) {
    this.flags = new FlagTable(reader)
    this.recordIds = new RecordIds(storage)
    this.#purge = new Purge(storage, reader)
    this.#nextId = Math.max(this.#highestId(reader), this.#purge.highestId(reader)) + 1
  }

  static open (storage: Storage): Catalog {
    const snapshot = storage.snapshot()
    try {
      return new Catalog(storage, snapshot)
    } finally {
      snapshot.release()
    }
  }

  #highestId (reader: Reader): number {
    let highest = 0
    for (const { key, value } of reader.range({ start: CATALOG_START, end: CATALOG_END })) {
      const { id, indexes } = decodeDefinition(namespaceOfKey(key), value)
      highest = Math.max(highest, id, ...indexes.map(index => index.id))
    }
    return highest
  }

  collection (reader: Reader, ns: Namespace): Collection | undefined {
    const key = definitionKey(ns)
    const bytes = reader.get(key)
    return bytes === undefined ? undefined : this.#decoded(ns, bytes)
  }

  #decoded (ns: Namespace, bytes: Buffer): Collection {
    let inDb = this.#known.get(ns.db)
    if (inDb === undefined) this.#known.set(ns.db, inDb = new Map())
    const known = inDb.get(ns.coll)
    if (known?.bytes.equals(bytes) === true) return known.collection
    const collection = collectionOf(decodeDefinition({ db: ns.db, coll: ns.coll }, bytes), this.flags)
    inDb.set(ns.coll, { bytes, collection })
    return collection
  }

  collectionByUuid (reader: Reader, db: string, uuid: Buffer): Collection | undefined {
    return this.collections(reader, db).find(collection => collection.uuid.equals(uuid))
  }

  /** Collections and views of a database, by name. */
  collections (reader: Reader, db: string): Collection[] {
    return Array.from(reader.range({ start: dbStart(db), end: dbEnd(db) }), ({ key, value }) => this.#decoded(namespaceOfKey(key), value))
  }

  databases (reader: Reader): string[] {
    const names: string[] = []
    for (let start: Buffer = CATALOG_START; ;) {
      const range = reader.range({ start, end: CATALOG_END })
      const { done, value } = range.next()
      range.return?.()
      if (done === true) return names
      const { db } = namespaceOfKey(value.key)
      names.push(db)
      start = dbEnd(db)
    }
  }

  /**
   * @param options the create command's options, checked here but for the validator and the view's pipeline, which take the rooms above
   * @throws 48 when the namespace is taken by something else; returns the existing one when it is the same
   */
  create (writer: Writer, ns: Namespace, options: Doc = EMPTY): Collection {
    const checked = checkOptions(options)
    const existing = this.collection(writer, ns)
    if (existing !== undefined) return sameOrThrow(existing, checked)
    this.#checkCase(writer, ns.db)
    const isView = checked.has('viewOn')
    const indexes = isView ? [] : [{ id: this.#nextId++, spec: docOf({ v: int(2), key: docOf({ _id: int(1) }), name: '_id_', collation: checked.get('collation') }) }]
    return this.#store(writer, { id: this.#nextId++, ns: { db: ns.db, coll: ns.coll }, uuid: newUuid(), options: checked, indexes })
  }

  #checkCase (reader: Reader, db: string): void {
    if (reader.range({ start: dbStart(db), end: dbEnd(db) }).next().done !== true) return
    const other = this.databases(reader).find(name => name !== db && name.toLowerCase() === db.toLowerCase())
    if (other !== undefined) throw new MongoError(13297, `db already exists with different case already have: [${other}] trying to create [${db}]`)
  }

  #store (writer: Writer, definition: Definition): Collection {
    const bytes = encodeDefinition(definition)
    writer.put(definitionKey(definition.ns), bytes)
    return this.#decoded(definition.ns, bytes)
  }

  drop (writer: Writer, collection: Collection): void {
    writer.delete(definitionKey(collection.ns))
    this.#known.get(collection.ns.db)?.delete(collection.ns.coll)
    const [documents, bytes] = writer.totals(totalsKey(collection.id))
    writer.add(totalsKey(collection.id), -documents, -bytes)
    this.#purge.add(writer, collection.id, collection.indexes.map(index => index.id))
  }

  /** @returns the names of what was dropped */
  dropDatabase (writer: Writer, db: string): string[] {
    const collections = this.collections(writer, db)
    for (const collection of collections) this.drop(writer, collection)
    return collections.map(collection => collection.name)
  }

  rename (writer: Writer, from: Namespace, to: Namespace, dropTarget: boolean): Collection {
    const source = this.collection(writer, from)
    const toName = `${to.db}.${to.coll}`
    if (source === undefined) throw new MongoError(26, `Source collection ${from.db}.${from.coll} does not exist`)
    if (source.type === 'view') throw new MongoError(166, `cannot rename view: ${source.name}`)
    if (source.name === toName) throw new MongoError(20, "Can't rename a collection to itself")
    const target = this.collection(writer, to)
    if (target?.type === 'view') throw new MongoError(48, `a view already exists with that name: ${toName}`)
    if (target !== undefined && !dropTarget) throw new MongoError(48, 'target namespace exists')
    if (target !== undefined) this.drop(writer, target)
    writer.delete(definitionKey(from))
    const uuid = from.db === to.db ? source.uuid : newUuid()
    return this.#store(writer, { ...definitionOf(source), uuid, ns: { db: to.db, coll: to.coll } })
  }

  /** @returns the reply's fields, such as expireAfterSeconds_old and _new */
  collMod (writer: Writer, collection: Collection, changes: CollModChanges): { collection: Collection, reply: Doc } {
    const { definition, reply } = modified(collection, changes)
    return { collection: this.#store(writer, definition), reply }
  }

  addIndex (writer: Writer, collection: Collection, spec: Doc): { collection: Collection, index: Index } {
    const definition = definitionOf(collection)
    const id = this.#nextId++
    const stored = this.#store(writer, { ...definition, indexes: [...definition.indexes, { id, spec }] })
    return { collection: stored, index: stored.indexes.at(-1)! }
  }

  removeIndex (writer: Writer, collection: Collection, index: Index): Collection {
    const definition = definitionOf(collection)
    this.#purge.add(writer, undefined, [index.id])
    return this.#store(writer, { ...definition, indexes: definition.indexes.filter(({ id }) => id !== index.id) })
  }

  count (reader: Reader, collection: Collection): number {
    return reader.totals(totalsKey(collection.id))[0]
  }

  dataSize (reader: Reader, collection: Collection): number {
    return reader.totals(totalsKey(collection.id))[1]
  }

  /** Removes in small writes what large drops have left; it also runs by itself after each drop. */
  purge (): Promise<void> {
    return this.#purge.run()
  }
}

function sameOrThrow (existing: Collection, options: Doc): Collection {
  if (existing.type === 'view' && !options.has('viewOn')) throw new MongoError(48, `a view already exists: ${existing.name}`)
  if (equal(existing.options, options)) return existing
  throw new MongoError(48, `a ${existing.type} already exists. ns: ${existing.name}, existing options: ${display(existing.options)}`)
}
