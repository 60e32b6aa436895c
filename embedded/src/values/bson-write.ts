import { asBuffer } from './bson-read.js'
import { MongoError } from './errors.js'
import {
  Binary, BsonDate, BsonSymbol, Code, DbPointer, Decimal128, Doc, Double, Int32, MaxKey, MinKey, ObjectId, Regex, Timestamp, Undefined
} from './types.js'
import type { Value } from './types.js'
import { MAX_DEPTH } from './bson-validate.js'

const KEEP = 1024 * 1024
const START = 16 * 1024
// One growing buffer for all encodings: nothing here gives control away before it is done.
let out = Buffer.allocUnsafeSlow(START)
let at = 0
let depth = 0

function reserve (bytes: number): void {
  if (at + bytes <= out.length) return
  const grown = Buffer.allocUnsafeSlow(Math.max(out.length * 2, at + bytes))
  out.copy(grown, 0, 0, at)
  out = grown
}

function putInt32 (value: number): void {
  out[at] = value
  out[at + 1] = value >> 8
  out[at + 2] = value >> 16
  out[at + 3] = value >> 24
  at += 4
}

function putText (text: string): void {
  reserve(text.length * 3 + 1)
  if (text.length > 24) {
    at += out.write(text, at, 'utf8')
    return
  }
  const start = at
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c > 127) {
      at = start + out.write(text, start, 'utf8')
      return
    }
    out[at++] = c
  }
}

function putCString (text: string): void {
  putText(text)
  out[at++] = 0
}

function putString (text: string): void {
  reserve(5)
  const start = at
  at += 4
  putText(text)
  out[at++] = 0
  closeLength(start, at - start - 4)
}

function closeLength (start: number, length: number): void {
  const end = at
  at = start
  putInt32(length)
  at = end
}

function putBytes (bytes: Uint8Array): void {
  reserve(bytes.length)
  out.set(bytes, at)
  at += bytes.length
}

function putDocument (doc: Doc): void {
  const raw = doc.rawBytes
  if (raw !== undefined) return putBytes(raw)
  const start = openDocument()
  for (const [key, value] of doc.entries()) putField(key, value)
  closeDocument(start)
}

function putArray (values: readonly Value[]): void {
  const start = openDocument()
  for (let i = 0; i < values.length; i++) putField(indexName(i), values[i])
  closeDocument(start)
}

const INDEX_NAMES = Array.from({ length: 1000 }, (_, i) => String(i))
const indexName = (i: number): string => i < 1000 ? INDEX_NAMES[i] : String(i)

function openDocument (): number {
  if (++depth > MAX_DEPTH + 1) throw new MongoError(15, 'BSONObj exceeds maximum nested object depth')
  reserve(5)
  at += 4
  return at - 4
}

function closeDocument (start: number): void {
  reserve(1)
  out[at++] = 0
  depth--
  closeLength(start, at - start)
}

function putField (key: string, value: Value): void {
  reserve(1)
  const start = at++
  putCString(key)
  reserve(16)
  // not in one expression: `out` may be another buffer afterwards
  const type = putValue(value)
  out[start] = type
}

/** Writes the value and says its type. */
function putValue (value: Value): number {
  switch (typeof value) {
    case 'string': putString(value); return 0x02
    case 'boolean': out[at++] = value ? 1 : 0; return 0x08
    case 'bigint': at = out.writeBigInt64LE(value, at); return 0x12
    default: return value === null ? 0x0a : putObject(value)
  }
}

type ObjectValue = Exclude<Value, null | string | boolean | bigint>

function putObject (value: ObjectValue): number {
  if (value instanceof Int32) {
    putInt32(value.value)
    return 0x10
  }
  if (value instanceof Double) {
    at = out.writeDoubleLE(value.value, at)
    return 0x01
  }
  if (value instanceof Doc) {
    putDocument(value)
    return 0x03
  }
  if (Array.isArray(value)) {
    putArray(value)
    return 0x04
  }
  if (value instanceof ObjectId) {
    putBytes(value.bytes)
    return 0x07
  }
  if (value instanceof BsonDate) {
    putMilliseconds(value.ms)
    return 0x09
  }
  return putRareObject(value)
}

function putRareObject (value: ObjectValue): number {
  if (value instanceof Decimal128) {
    putBytes(value.bytes)
    return 0x13
  }
  if (value instanceof Binary) {
    putInt32(value.bytes.length)
    out[at++] = value.subtype
    putBytes(value.bytes)
    return 0x05
  }
  if (value instanceof Timestamp) {
    putInt32(value.increment)
    putInt32(value.seconds)
    return 0x11
  }
  if (value instanceof Regex) {
    putCString(value.pattern)
    putCString(value.options)
    return 0x0b
  }
  if (value instanceof Code) return putCode(value)
  if (value instanceof BsonSymbol) {
    putString(value.value)
    return 0x0e
  }
  if (value instanceof DbPointer) {
    putString(value.namespace)
    putBytes(value.id)
    return 0x0c
  }
  if (value instanceof MinKey) return 0xff
  if (value instanceof MaxKey) return 0x7f
  if (value instanceof Undefined) return 0x06
  throw new TypeError('not a BSON value')
}

function putMilliseconds (ms: number): void {
  const high = Math.floor(ms / 4294967296)
  // Beyond 2^63 only the end of the range is meant (2^63 - 1 is no double).
  const over = high >= 2147483648
  putInt32(over ? -1 : ms - high * 4294967296)
  putInt32(over ? 2147483647 : high)
}

function putCode (value: Code): number {
  if (value.scope === undefined) {
    putString(value.code)
    return 0x0d
  }
  const start = at
  at += 4
  putString(value.code)
  putDocument(value.scope)
  closeLength(start, at - start)
  return 0x0f
}

/** The BSON bytes of a document; those of a document that nobody changed are returned as they came, not copied. */
export function encodeDocument (doc: Doc): Buffer {
  const raw = doc.rawBytes
  if (raw !== undefined) return asBuffer(raw)
  at = 0
  depth = 0
  putDocument(doc)
  return take()
}

/** An array as a BSON document with the keys 0, 1, ... */
export function encodeArray (values: readonly Value[]): Buffer {
  at = 0
  depth = 0
  putArray(values)
  return take()
}

function take (): Buffer {
  const bytes = Buffer.allocUnsafe(at)
  out.copy(bytes, 0, 0, at)
  if (out.length > KEEP) out = Buffer.allocUnsafeSlow(START)
  return bytes
}

/** How many bytes encodeDocument would give. */
export function encodedSize (doc: Doc): number {
  return doc.rawBytes?.length ?? encodeDocument(doc).length
}
