import { KEYSPACE } from '../storage/types.js'
import type { RangeOptions } from '../storage/types.js'
import type { Namespace, RecordId } from './types.js'

const RECORD_BYTES = 6

const nul = Buffer.from([0])

export const dbStart = (db: string): Buffer => Buffer.concat([Buffer.from([KEYSPACE.catalog]), Buffer.from(db), nul])
export const dbEnd = (db: string): Buffer => Buffer.concat([Buffer.from([KEYSPACE.catalog]), Buffer.from(db), Buffer.from([1])])
const keys = new Map<string, Map<string, Buffer>>()
const KEPT_DATABASES = 100
const KEPT_COLLECTIONS = 1000

/** Asked for with every document, so the last ones are kept. */
export function definitionKey ({ db, coll }: Namespace): Buffer {
  let known = keys.get(db)
  if (known === undefined || known.size > KEPT_COLLECTIONS) {
    if (keys.size > KEPT_DATABASES) keys.clear()
    keys.set(db, known = new Map())
  }
  let key = known.get(coll)
  if (key === undefined) known.set(coll, key = Buffer.concat([dbStart(db), Buffer.from(coll)]))
  return key
}

export function namespaceOfKey (key: Buffer): Namespace {
  const end = key.indexOf(0, 1)
  return { db: key.toString('utf8', 1, end), coll: key.toString('utf8', end + 1) }
}

/** The start of all keys of one keyspace and one collection or index. */
export function prefixOf (space: number, id: number): Buffer {
  const key = Buffer.allocUnsafe(5)
  key[0] = space
  key.writeUInt32BE(id, 1)
  return key
}

export const rangeOf = (space: number, id: number): RangeOptions => ({ start: prefixOf(space, id), end: prefixOf(space, id + 1) })

export const totalsKey = (collectionId: number): Buffer => prefixOf(KEYSPACE.totals, collectionId)

export function recordKey (collectionId: number, record: RecordId): Buffer {
  const key = Buffer.allocUnsafe(5 + RECORD_BYTES)
  key[0] = KEYSPACE.records
  key.writeUInt32BE(collectionId, 1)
  key.writeUIntBE(record, 5, RECORD_BYTES)
  return key
}

export function recordBytes (record: RecordId): Buffer {
  const bytes = Buffer.allocUnsafe(RECORD_BYTES)
  bytes.writeUIntBE(record, 0, RECORD_BYTES)
  return bytes
}

/** The record id that ends at `end`. */
export const recordBefore = (bytes: Uint8Array, end: number): RecordId =>
  (bytes[end - 6] * 256 + bytes[end - 5]) * 4294967296 + (bytes[end - 4] * 16777216 + (bytes[end - 3] << 16 | bytes[end - 2] << 8 | bytes[end - 1]))
