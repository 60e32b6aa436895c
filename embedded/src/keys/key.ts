import { createHash } from 'node:crypto'
import type { Collation } from '../values/collation.js'
import { compareParts, exactParts, finite, reduced, unpack } from '../values/decimal128.js'
import type { Parts } from '../values/decimal128.js'
import { canonicalType } from '../values/order.js'
import {
  Binary, BsonDate, BsonSymbol, Code, DbPointer, Decimal128, Doc, Double, Int32, MinKey, ObjectId, Regex, Timestamp, Undefined
} from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'

/** An index key longer than this has its tail hashed (fitKey); lmdb takes 1,978 bytes, of which the callers need some. */
export const KEY_LIMIT = 1500
const HASH_BYTES = 20

// First byte of every value, in BSON order. 0 ends documents and arrays.
export const TAG = {
  minKey: 0x02,
  undefined: 0x08,
  null: 0x10,
  nan: 0x18,
  negative: 0x19,
  zero: 0x1a,
  positive: 0x1b,
  string: 0x20,
  object: 0x28,
  array: 0x30,
  binary: 0x38,
  objectId: 0x40,
  false: 0x48,
  true: 0x49,
  date: 0x50,
  timestamp: 0x58,
  regex: 0x60,
  dbPointer: 0x68,
  code: 0x70,
  scopedCode: 0x78,
  maxKey: 0xf0
} as const

const START = 4096
const KEEP = 1024 * 1024
// One growing buffer for all keys: nothing here gives control away before it is done.
let out = Buffer.allocUnsafeSlow(START)
let at = 0

function reserve (bytes: number): void {
  if (at + bytes <= out.length) return
  const grown = Buffer.allocUnsafeSlow(Math.max(out.length * 2, at + bytes))
  out.copy(grown, 0, 0, at)
  out = grown
}

/** Text with an end byte 0 that no text byte reaches: 0 becomes 1 1 and 1 becomes 1 2, the rest stays. */
function putText (text: string): void {
  reserve(text.length * 2 + 1)
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c > 127) return putEscaped(Buffer.from(text.slice(i)))
    if (c < 2) out[at++] = 1
    out[at++] = c < 2 ? c + 1 : c
  }
  out[at++] = 0
}

function putEscaped (bytes: Uint8Array): void {
  reserve(bytes.length * 2 + 1)
  for (const byte of bytes) {
    if (byte < 2) out[at++] = 1
    out[at++] = byte < 2 ? byte + 1 : byte
  }
  out[at++] = 0
}

function putBytes (bytes: Uint8Array): void {
  reserve(bytes.length)
  out.set(bytes, at)
  at += bytes.length
}

function putUint32 (value: number): void {
  out[at] = value >>> 24
  out[at + 1] = value >>> 16
  out[at + 2] = value >>> 8
  out[at + 3] = value
  at += 4
}

function invert (start: number): void {
  for (let i = start; i < at; i++) out[i] = ~out[i]
}

const scratch = new ArrayBuffer(8)
const asDouble = new Float64Array(scratch)
const asWords = new Uint32Array(scratch)
const asLong = new BigInt64Array(scratch)

/** The bits of a double that is not negative are ordered as it is. */
function putDouble (magnitude: number): void {
  asDouble[0] = magnitude
  putUint32(asWords[1])
  putUint32(asWords[0])
}

function below (value: number): number {
  asDouble[0] = value
  asLong[0] -= 1n
  return asDouble[0]
}

/**
 * All four number types in one order: the sign, then the magnitude as the next lower double, then 0 if that is all, else
 * 1 and the exact decimal digits.
 */
function putNumber (v: Int32 | bigint | Double | Decimal128): void {
  reserve(64)
  if (v instanceof Decimal128) return putDecimal(v)
  if (typeof v !== 'bigint') return putFloat(v.value)
  const n = Number(v)
  if (Number.isSafeInteger(n) || BigInt(n) === v) return putFloat(n)
  putExact(finite(v < 0n, v < 0n ? -v : v, 0))
}

function putFloat (n: number): void {
  const start = at
  out[at++] = n > 0 ? TAG.positive : n < 0 ? TAG.negative : n === 0 ? TAG.zero : TAG.nan
  if (n > 0) {
    putDouble(n)
    out[at++] = 0
  } else if (n < 0) {
    putDouble(-n)
    out[at++] = 0
    invert(start + 1)
  }
}

function putDecimal (v: Decimal128): void {
  const parts = unpack(v)
  if (parts.kind === 'nan') return putFloat(NaN)
  if (parts.kind === 'infinity') return putFloat(parts.negative ? -Infinity : Infinity)
  if (parts.coefficient === 0n) return putFloat(0)
  putExact(parts)
}

function putExact (parts: Parts): void {
  const magnitude = finite(false, parts.coefficient, parts.exponent)
  const nearest = Number(`${parts.coefficient}e${parts.exponent}`)
  const order = nearest === Infinity ? 1 : compareParts(exactParts(nearest), magnitude)
  if (order === 0) return putFloat(parts.negative ? -nearest : nearest)
  out[at++] = parts.negative ? TAG.negative : TAG.positive
  const start = at
  putDouble(order > 0 ? below(nearest) : nearest)
  putDigits(magnitude)
  if (parts.negative) invert(start)
}

/** The exponent of the first digit, then two digits per byte, each pair at least 1, and 0 as the end. */
function putDigits (parts: Parts): void {
  const { coefficient, exponent } = reduced(parts)
  const digits = coefficient.toString()
  const adjusted = exponent + digits.length + 0x4000
  out[at++] = 1
  out[at++] = adjusted >> 8
  out[at++] = adjusted
  for (let i = 0; i < digits.length; i += 2) out[at++] = Number(digits.slice(i, i + 2).padEnd(2, '0')) + 1
  out[at++] = 0
}

function putString (text: string, collation: Collation | undefined): void {
  out[at++] = TAG.string
  if (collation === undefined) putText(text)
  else putEscaped(collation.key(text))
}

/** Field by field in the order of comparison: the type, then the name, then the value. */
function putDocument (doc: Doc, collation: Collation | undefined): void {
  out[at++] = TAG.object
  for (const [key, value] of doc) {
    reserve(1)
    out[at++] = canonicalType(value) + 2
    putText(key)
    putValue(value, collation)
  }
  reserve(1)
  out[at++] = 0
}

function putArray (values: readonly Value[], collation: Collation | undefined): void {
  out[at++] = TAG.array
  for (const value of values) putValue(value, collation)
  reserve(1)
  out[at++] = 0
}

function putDate (ms: number): void {
  out[at++] = TAG.date
  const high = Math.floor(ms / 4294967296)
  const over = high >= 2147483648
  putUint32(over ? -1 : high ^ 0x80000000)
  putUint32(over ? -1 : ms - high * 4294967296)
}

function putValue (v: Maybe, collation: Collation | undefined): void {
  reserve(32)
  if (typeof v === 'string') putString(v, collation)
  else if (v === null || v === undefined) out[at++] = TAG.null
  else if (typeof v === 'boolean') out[at++] = v ? TAG.true : TAG.false
  else if (v instanceof Int32) putFloat(v.value)
  else if (v instanceof ObjectId) {
    out[at++] = TAG.objectId
    putBytes(v.bytes)
  } else if (v instanceof BsonDate) putDate(v.ms)
  else if (typeof v === 'bigint' || v instanceof Double || v instanceof Decimal128) putNumber(v)
  else if (v instanceof Doc) putDocument(v, collation)
  else if (Array.isArray(v)) putArray(v, collation)
  else putRare(v, collation)
}

type Rare = Timestamp | Binary | Regex | Code | BsonSymbol | DbPointer | MinKey | Undefined

function putRare (v: Rare, collation: Collation | undefined): void {
  if (v instanceof Binary) putBinary(v)
  else if (v instanceof Timestamp) {
    out[at++] = TAG.timestamp
    putUint32(v.seconds)
    putUint32(v.increment)
  } else if (v instanceof Regex) {
    out[at++] = TAG.regex
    putText(v.pattern)
    putText(v.options)
  } else if (v instanceof Code) putCode(v)
  else if (v instanceof BsonSymbol) putString(v.value, collation)
  else if (v instanceof DbPointer) putPointer(v)
  else out[at++] = v instanceof MinKey ? TAG.minKey : v instanceof Undefined ? TAG.undefined : TAG.maxKey
}

function putBinary (v: Binary): void {
  out[at++] = TAG.binary
  putUint32(v.bytes.length)
  out[at++] = v.subtype
  putBytes(v.bytes)
}

function putCode (v: Code): void {
  out[at++] = v.scope === undefined ? TAG.code : TAG.scopedCode
  putText(v.code)
  // MongoDB compares the scope without the collation.
  if (v.scope !== undefined) putValue(v.scope, undefined)
}

function putPointer (v: DbPointer): void {
  out[at++] = TAG.dbPointer
  putUint32(Buffer.byteLength(v.namespace))
  putText(v.namespace)
  putBytes(v.id)
}

/**
 * Bytes whose order (memcmp) is the order of the values, direction by direction. Equal numbers of any type encode
 * equally; missing is null. No key is the beginning of another with the same number of values, so keys of several values
 * are the concatenation of their parts: encodeKey([a, b]) starts with encodeKey([a]).
 */
export function encodeKey (values: readonly Maybe[], directions: readonly (1 | -1)[], collation?: Collation): Buffer {
  at = 0
  for (let i = 0; i < values.length; i++) {
    const start = at
    putValue(values[i], collation)
    if (directions[i] === -1) invert(start)
  }
  const key = Buffer.allocUnsafe(at)
  out.copy(key, 0, 0, at)
  if (out.length > KEEP) out = Buffer.allocUnsafeSlow(START)
  return key
}

/** The lowest bytes that are above every key which starts with this one; undefined if there are none. */
export function keyPrefixEnd (key: Buffer): Buffer | undefined {
  let length = key.length
  while (length > 0 && key[length - 1] === 0xff) length--
  if (length === 0) return undefined
  const end = Buffer.from(key.subarray(0, length))
  end[length - 1]++
  return end
}

/**
 * A key of at most `limit` bytes: the tail of a longer one is replaced by its hash. Equal keys stay equal, but among
 * keys that agree in all the bytes kept the order is lost: whoever reads a fitted key (isFittedKey) re-checks the document.
 */
export function fitKey (key: Buffer, limit = KEY_LIMIT): Buffer {
  if (key.length < limit) return key
  const hash = createHash('sha256').update(key).digest()
  return Buffer.concat([key.subarray(0, limit - HASH_BYTES), hash.subarray(0, HASH_BYTES)])
}

export const isFittedKey = (key: Buffer, limit = KEY_LIMIT): boolean => key.length === limit
