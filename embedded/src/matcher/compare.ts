import { doubleAt, int32At, longAt, millisecondsAt } from '../values/bson-read.js'
import type { Collation } from '../values/collation.js'
import { isNaNValue, toDouble } from '../values/numbers.js'
import { canonicalType, compare } from '../values/order.js'
import { BsonDate, Double, Int32, MaxKey, MinKey, ObjectId, isNumber } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import type { CompareOp } from './ast.js'
import { decoding } from './raw.js'
import type { LeafTest } from './raw.js'

type Accept = (order: number) => boolean

const ACCEPTS: Readonly<Record<CompareOp, Accept>> = {
  eq: order => order === 0, lt: order => order < 0, lte: order => order <= 0, gt: order => order > 0, gte: order => order >= 0
}

const includesEqual = (op: CompareOp): boolean => op === 'eq' || op === 'lte' || op === 'gte'

/** One comparison; values of another type bracket do not match, but for null (missing) and the ends of the order. */
export function compareTest (op: CompareOp, value: Value, collation: Collation | undefined): LeafTest {
  const test = decoding(valueTest(op, value, collation))
  const raw = rawTest(op, value, collation, test.raw)
  return raw === undefined ? test : { value: test.value, raw }
}

function valueTest (op: CompareOp, value: Value, collation: Collation | undefined): (v: Maybe) => boolean {
  const accept = ACCEPTS[op]
  const bracket = canonicalType(value)
  const isNaN = isNaNValue(value)
  return v => {
    const other = canonicalType(v)
    if (other !== bracket) return acrossBrackets(op, value, other + bracket)
    if (op !== 'eq' && isNumber(v) && (isNaN || isNaNValue(v))) return includesEqual(op) && isNaN && isNaNValue(v)
    return accept(compare(v, value, collation))
  }
}

function acrossBrackets (op: CompareOp, value: Value, sum: number): boolean {
  if (sum === 5) return includesEqual(op)
  if (value instanceof MinKey) return op === 'gt' || op === 'gte'
  return value instanceof MaxKey && (op === 'lt' || op === 'lte')
}

type RawTest = LeafTest['raw']

/** Tests that need no decoding, for what filters mostly compare with. */
function rawTest (op: CompareOp, value: Value, collation: Collation | undefined, other: RawTest): RawTest | undefined {
  if (value === null) return includesEqual(op) ? (_b, type) => type === 0x0a || type === 0 || type === 0x06 : undefined
  if (value instanceof Int32 || value instanceof Double || typeof value === 'bigint') return numberTest(op, toDouble(value), other)
  if (value instanceof BsonDate) return dateTest(op, value.ms)
  if (op !== 'eq') return undefined
  if (typeof value === 'string') return collation === undefined ? bytesTest(0x02, Buffer.from(value), 4, other) : undefined
  if (value instanceof ObjectId) return bytesTest(0x07, value.bytes, 0, other)
  if (typeof value === 'boolean') return (b, type, at) => type === 0x08 && (b[at] !== 0) === value
  return undefined
}

/** @param skip bytes in front of the contents: the length of a string, which counts its closing NUL */
function bytesTest (wanted: number, bytes: Uint8Array, skip: number, other: RawTest): RawTest {
  const length = bytes.length
  return (b, type, at) => {
    if (type !== wanted) return type === 0x0e && other(b, type, at)
    if (skip !== 0 && int32At(b, at) !== length + 1) return false
    const start = at + skip
    for (let i = length - 1; i >= 0; i--) if (b[start + i] !== bytes[i]) return false
    return true
  }
}

/** Up to 2^53 a long may be compared as a double. */
function numberTest (op: CompareOp, value: number, other: RawTest): RawTest | undefined {
  if (!(Math.abs(value) < 2 ** 53)) return undefined
  const accept = ACCEPTS[op]
  return (b, type, at) => {
    switch (type) {
      case 0x10: return accept(int32At(b, at) - value)
      case 0x01: return accept(doubleAt(b, at) - value)
      case 0x12: return accept(Number(longAt(b, at)) - value)
      case 0x13: return other(b, type, at)
      default: return false
    }
  }
}

function dateTest (op: CompareOp, ms: number): RawTest {
  const accept = ACCEPTS[op]
  return (b, type, at) => type === 0x09 && accept(millisecondsAt(b, at) - ms)
}
