import { BsonDate, Double, Int32, MaxKey, MinKey, ObjectId } from '../values/types.js'
import type { Maybe } from '../values/types.js'
import { TAG } from './key.js'

// Reads what encodeKey wrote. `mask` is 255 for a descending value, whose bytes are inverted, else 0.

const FIXED = new Int8Array(256).fill(-1)
for (const [tag, size] of [
  [TAG.minKey, 0], [TAG.undefined, 0], [TAG.null, 0], [TAG.nan, 0], [TAG.zero, 0], [TAG.false, 0], [TAG.true, 0], [TAG.maxKey, 0],
  [TAG.objectId, 12], [TAG.date, 8], [TAG.timestamp, 8]
] as const) FIXED[tag] = size

const endOfText = (b: Uint8Array, at: number, mask: number): number => {
  while (b[at] !== mask) at++
  return at + 1
}

/** Where the value of a key ends that starts at `at`. */
export function endOfKeyValue (b: Uint8Array, at: number, mask: number): number {
  const tag = b[at] ^ mask
  const size = FIXED[tag]
  const next = at + 1
  if (size >= 0) return next + size
  switch (tag) {
    case TAG.positive: return endOfNumber(b, next + 8, mask)
    case TAG.negative: return endOfNumber(b, next + 8, mask ^ 255)
    case TAG.string: case TAG.code: return endOfText(b, next, mask)
    case TAG.object: return endOfObject(b, next, mask)
    case TAG.array: return endOfArray(b, next, mask)
    case TAG.binary: return next + 5 + uint32(b, next, mask)
    case TAG.regex: return endOfText(b, endOfText(b, next, mask), mask)
    case TAG.dbPointer: return endOfText(b, next + 4, mask) + 12
    case TAG.scopedCode: return endOfKeyValue(b, endOfText(b, next, mask), mask)
    default: throw new Error(`unknown tag ${tag} in a key`)
  }
}

const uint32 = (b: Uint8Array, at: number, mask: number): number =>
  ((b[at] ^ mask) * 16777216) + ((b[at + 1] ^ mask) << 16 | (b[at + 2] ^ mask) << 8 | (b[at + 3] ^ mask))

/** Behind the double: 0, or 1, an exponent of two bytes and digits up to 0. */
const endOfNumber = (b: Uint8Array, at: number, mask: number): number => b[at] === mask ? at + 1 : endOfText(b, at + 3, mask)

function endOfObject (b: Uint8Array, start: number, mask: number): number {
  let at = start
  while (b[at] !== mask) at = endOfKeyValue(b, endOfText(b, at + 1, mask), mask)
  return at + 1
}

function endOfArray (b: Uint8Array, start: number, mask: number): number {
  let at = start
  while (b[at] !== mask) at = endOfKeyValue(b, at, mask)
  return at + 1
}

/** Says that a key does not tell the very value. */
export const UNKNOWN = Symbol('unknown')

/** How to read a whole number back that is one of several types. */
export type NumberType = 'usual' | 'double' | 'long' | 'other'

/** The value at `at`, if a key tells it: null may be a missing field, texts of a collation and larger values are not kept. */
export function readKeyValue (b: Uint8Array, at: number, mask: number, type: NumberType): Maybe | typeof UNKNOWN {
  const next = at + 1
  switch (b[at] ^ mask) {
    case TAG.string: return readText(b, next, mask)
    case TAG.objectId: return new ObjectId(plain(b, next, next + 12, mask))
    case TAG.date: return readDate(plain(b, next, next + 8, mask))
    case TAG.false: return false
    case TAG.true: return true
    case TAG.zero: return numberOf(0, type)
    case TAG.positive: return readNumber(b, next, mask, 1, type)
    case TAG.negative: return readNumber(b, next, mask ^ 255, -1, type)
    case TAG.minKey: return MinKey.instance
    case TAG.maxKey: return MaxKey.instance
    default: return UNKNOWN
  }
}

function plain (b: Uint8Array, start: number, end: number, mask: number): Buffer {
  const bytes = Buffer.allocUnsafe(end - start)
  for (let i = start; i < end; i++) bytes[i - start] = b[i] ^ mask
  return bytes
}

function readText (b: Uint8Array, start: number, mask: number): string {
  const escaped = plain(b, start, endOfText(b, start, mask) - 1, mask)
  if (!escaped.includes(1)) return escaped.toString('utf8')
  const bytes: number[] = []
  for (let i = 0; i < escaped.length; i++) bytes.push(escaped[i] === 1 ? escaped[++i] - 1 : escaped[i])
  return Buffer.from(bytes).toString('utf8')
}

function readDate (bytes: Buffer): BsonDate | typeof UNKNOWN {
  const ms = (bytes.readUInt32BE(0) - 0x80000000) * 4294967296 + bytes.readUInt32BE(4)
  return Math.abs(ms) < 2 ** 62 ? new BsonDate(ms) : UNKNOWN
}

function readNumber (b: Uint8Array, at: number, mask: number, sign: 1 | -1, type: NumberType): Maybe | typeof UNKNOWN {
  if ((b[at + 8] ^ mask) !== 0) return UNKNOWN
  return numberOf(sign * plain(b, at, at + 8, mask).readDoubleBE(0), type)
}

function numberOf (n: number, type: NumberType): Maybe | typeof UNKNOWN {
  if (type === 'usual') return n === (n | 0) ? Int32.of(n) : new Double(n)
  if (type === 'double') return new Double(n)
  return type === 'long' && Number.isInteger(n) ? BigInt(n) : UNKNOWN
}
