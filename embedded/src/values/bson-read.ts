import { MongoError } from './errors.js'
import {
  Binary, BsonDate, BsonSymbol, Code, DbPointer, Decimal128, Doc, Double, Int32, MaxKey, MinKey, ObjectId, Regex, Timestamp, Undefined
} from './types.js'
import type { Maybe, Value } from './types.js'

// Everything here trusts bytes that validateDocument has seen. Node runs on little-endian machines only, as BSON is.

const scratch = new ArrayBuffer(8)
const scratchBytes = new Uint8Array(scratch)
const scratchInts = new Int32Array(scratch)
const scratchLong = new BigInt64Array(scratch)
const scratchDouble = new Float64Array(scratch)

const VARIABLE = 32
/** Sizes of the values by type; VARIABLE ones start with their length. */
const SIZES = new Uint8Array(256).fill(255)
for (const [type, size] of [
  [0x01, 8], [0x02, VARIABLE], [0x03, VARIABLE], [0x04, VARIABLE], [0x05, VARIABLE], [0x06, 0], [0x07, 12], [0x08, 1], [0x09, 8], [0x0a, 0],
  [0x0c, VARIABLE], [0x0d, VARIABLE], [0x0e, VARIABLE], [0x0f, VARIABLE], [0x10, 4], [0x11, 8], [0x12, 8], [0x13, 16], [0x7f, 0], [0xff, 0]
] as const) SIZES[type] = size
/** What comes on top of the length that a VARIABLE value states. */
const EXTRAS = new Uint8Array(256)
for (const [type, extra] of [[0x02, 4], [0x05, 5], [0x0c, 16], [0x0d, 4], [0x0e, 4]] as const) EXTRAS[type] = extra

type NativeSlice = (this: Uint8Array, start: number, end: number) => string
const utf8Slice = (Buffer.prototype as unknown as { utf8Slice: NativeSlice }).utf8Slice

export const asBuffer = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export const int32At = (b: Uint8Array, at: number): number => b[at] | (b[at + 1] << 8) | (b[at + 2] << 16) | (b[at + 3] << 24)

export const longAt = (b: Uint8Array, at: number): bigint => {
  scratchInts[0] = int32At(b, at)
  scratchInts[1] = int32At(b, at + 4)
  return scratchLong[0]
}

export const doubleAt = (b: Uint8Array, at: number): number => {
  for (let i = 0; i < 8; i++) scratchBytes[i] = b[at + i]
  return scratchDouble[0]
}

export const millisecondsAt = (b: Uint8Array, at: number): number => int32At(b, at + 4) * 4294967296 + (int32At(b, at) >>> 0)

export const endOfName = (b: Uint8Array, at: number): number => {
  while (b[at] !== 0) {
    if (at >= b.length) throw new MongoError(22, 'Invalid BSON: field name is not terminated')
    at++
  }
  return at
}

/** Where the value of this type that starts at `at` ends. */
export function endOfValue (b: Uint8Array, type: number, at: number): number {
  const size = SIZES[type]
  if (size < VARIABLE) return at + size
  if (size === VARIABLE) return at + int32At(b, at) + EXTRAS[type]
  if (type === 0x0b) return endOfName(b, endOfName(b, at) + 1) + 1
  throw new MongoError(22, `Invalid BSON: unknown type ${type}`)
}

const NAMES: string[] = new Array<string>(4096).fill('')

function sameAscii (b: Uint8Array, start: number, length: number, text: string): boolean {
  if (text.length !== length) return false
  for (let i = 0; i < length; i++) if (b[start + i] !== text.charCodeAt(i)) return false
  return true
}

/** Field names repeat: a small direct-mapped cache saves most decodings, and shared strings make fast map keys. */
export function nameAt (b: Uint8Array, start: number, end: number): string {
  let hash = end - start
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + b[i]) | 0
  const slot = (hash ^ (hash >>> 12)) & 4095
  const known = NAMES[slot]
  if (sameAscii(b, start, end - start, known)) return known
  const name = textAt(b, start, end)
  if (name.length === end - start && name.length < 64) NAMES[slot] = name
  return name
}

function textAt (b: Uint8Array, start: number, end: number): string {
  if (end - start > 12) return utf8Slice.call(b, start, end)
  let text = ''
  for (let i = start; i < end; i++) {
    if (b[i] > 127) return utf8Slice.call(b, start, end)
    text += String.fromCharCode(b[i])
  }
  return text
}

const stringAt = (b: Uint8Array, at: number): string => textAt(b, at + 4, at + 3 + int32At(b, at))

function regexAt (b: Uint8Array, at: number): Regex {
  const middle = endOfName(b, at)
  return new Regex(textAt(b, at, middle), textAt(b, middle + 1, endOfName(b, middle + 1)))
}

function pointerAt (b: Uint8Array, at: number): DbPointer {
  const id = at + 4 + int32At(b, at)
  return new DbPointer(stringAt(b, at), b.subarray(id, id + 12))
}

function scopedCodeAt (b: Uint8Array, at: number): Code {
  const scope = at + 8 + int32At(b, at + 4)
  return new Code(stringAt(b, at + 4), Doc.raw(b.subarray(scope, scope + int32At(b, scope))))
}

export function valueAt (b: Uint8Array, type: number, at: number): Value {
  switch (type) {
    case 0x01: return new Double(doubleAt(b, at))
    case 0x02: return stringAt(b, at)
    case 0x03: return Doc.raw(b.subarray(at, at + int32At(b, at)))
    case 0x04: return arrayAt(b, at)
    case 0x05: return new Binary(b.subarray(at + 5, at + 5 + int32At(b, at)), b[at + 4])
    case 0x06: return Undefined.instance
    case 0x07: return new ObjectId(b.subarray(at, at + 12))
    case 0x08: return b[at] !== 0
    case 0x09: return new BsonDate(millisecondsAt(b, at))
    case 0x0a: return null
    case 0x0b: return regexAt(b, at)
    case 0x0c: return pointerAt(b, at)
    case 0x0d: return new Code(stringAt(b, at))
    case 0x0e: return new BsonSymbol(stringAt(b, at))
    case 0x0f: return scopedCodeAt(b, at)
    case 0x10: return Int32.of(int32At(b, at))
    case 0x11: return new Timestamp(int32At(b, at + 4) >>> 0, int32At(b, at) >>> 0)
    case 0x12: return longAt(b, at)
    case 0x13: return new Decimal128(b.subarray(at, at + 16))
    case 0x7f: return MaxKey.instance
    case 0xff: return MinKey.instance
    default: throw new MongoError(22, `Invalid BSON: unknown type ${type}`)
  }
}

function arrayAt (b: Uint8Array, start: number): Value[] {
  const values: Value[] = []
  let at = start + 4
  for (let type = b[at]; type !== 0; type = b[at]) {
    at = endOfName(b, at + 1) + 1
    values.push(valueAt(b, type, at))
    at = endOfValue(b, type, at)
  }
  return values
}

/** The value of a top-level field (the first of that name); only this value is decoded. */
export function readField (b: Uint8Array, key: string): Maybe {
  const length = key.length
  let at = 4
  for (let type = b[at]; type !== 0; type = b[at]) {
    at++
    let i = 0
    while (i < length && b[at + i] === key.charCodeAt(i) && b[at + i] !== 0) i++
    if (i === length && b[at + i] === 0) return valueAt(b, type, at + i + 1)
    if (i < length && key.charCodeAt(i) > 127) return readWideField(b, key)
    at = endOfValue(b, type, endOfName(b, at + i) + 1)
  }
  return undefined
}

/** A field whose name is not ASCII. */
function readWideField (b: Uint8Array, key: string): Maybe {
  const name = Buffer.from(key)
  let at = 4
  for (let type = b[at]; type !== 0; type = b[at]) {
    const end = endOfName(b, at + 1)
    if (end - at - 1 === name.length && name.equals(b.subarray(at + 1, end))) return valueAt(b, type, end + 1)
    at = endOfValue(b, type, end + 1)
  }
  return undefined
}

/** All fields in order. Of a repeated name the first counts, as readField has it. */
export function readDocument (b: Uint8Array): Map<string, Value> {
  const fields = new Map<string, Value>()
  let at = 4
  for (let type = b[at]; type !== 0; type = b[at]) {
    const end = endOfName(b, at + 1)
    const name = nameAt(b, at + 1, end)
    if (!fields.has(name)) fields.set(name, valueAt(b, type, end + 1))
    at = endOfValue(b, type, end + 1)
  }
  return fields
}

export function * readKeys (b: Uint8Array): IterableIterator<string> {
  let at = 4
  for (let type = b[at]; type !== 0; type = b[at]) {
    const end = endOfName(b, at + 1)
    yield nameAt(b, at + 1, end)
    at = endOfValue(b, type, end + 1)
  }
}

/** The elements of a BSON array that is given as a document of its own. */
export const readArray = (b: Uint8Array): Value[] => arrayAt(b, 0)
