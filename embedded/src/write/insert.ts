import { randomBytes } from 'node:crypto'
import type { Collection, Namespace } from '../catalog/types.js'
import { insertRecord, removeRecord } from '../indexes/index.js'
import { findRecords } from '../query/index.js'
import { EMPTY } from '../values/build.js'
import { MongoError } from '../values/errors.js'
import { Doc, ObjectId } from '../values/types.js'
import type { Value } from '../values/types.js'
import { parseContext } from './context.js'
import type { WriteContext } from './context.js'
import { checkId, checkInsertSize, fillTimestamps, validate } from './rules.js'

const process5 = randomBytes(5)
let counter = randomBytes(3).readUIntBE(0, 3)

function newObjectId (): ObjectId {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt32BE(Math.floor(Date.now() / 1000), 0)
  process5.copy(bytes, 4)
  counter = (counter + 1) & 0xffffff
  bytes.writeUIntBE(counter, 9, 3)
  return new ObjectId(bytes)
}

/** The document with its _id first; a missing one is made. */
export function withId (doc: Doc): Doc {
  const id = doc.get('_id')
  if (id !== undefined && doc.firstKey() === '_id') return doc
  const first: [string, Value][] = [['_id', id ?? newObjectId()]]
  for (const [key, value] of doc) if (key !== '_id') first.push([key, value])
  return Doc.of(first)
}

/** A collection that a write needs, made when it is not there. */
export function collectionFor (w: WriteContext, ns: Namespace): Collection {
  return w.catalog.collection(w.writer, ns) ?? w.catalog.create(w.writer, ns)
}

export type InsertOptions = { readonly bypassValidation?: boolean }

/** @returns the document as stored */
export function insertDocument (w: WriteContext, collection: Collection, given: Doc, { bypassValidation = false }: InsertOptions = {}): Doc {
  const doc = fillTimestamps(withId(given), w.clusterTime)
  const id = doc.get('_id')!
  checkId(id)
  checkInsertSize(doc)
  if (!bypassValidation) validate(w, collection, doc)
  insertRecord(w.writer, w.catalog, collection, doc)
  if (collection.capped !== undefined) makeRoom(w, collection)
  w.record({ type: 'insert', collection, doc })
  return doc
}

/** A capped collection forgets its oldest documents. */
function makeRoom (w: WriteContext, collection: Collection): void {
  const { size, max } = collection.capped!
  const over = (): boolean => w.catalog.dataSize(w.writer, collection) > size || (max !== undefined && w.catalog.count(w.writer, collection) > max)
  while (over()) {
    const [oldest] = findRecords(w.writer, collection, { filter: EMPTY, limit: 1, ctx: parseContext(w, undefined, undefined) })
    if (oldest === undefined) return
    removeRecord(w.writer, w.catalog, collection, oldest.record, oldest.doc)
  }
}

/** A capped document may not change its size: MongoDB could not keep the insertion order otherwise. */
export function checkCappedSize (collection: Collection, before: number, after: number): void {
  if (collection.capped !== undefined && before !== after) {
    throw new MongoError(10003, `Cannot change the size of a document in a capped collection: ${before} != ${after}`)
  }
}
