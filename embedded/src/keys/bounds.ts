import { canonicalType } from '../values/order.js'
import { Binary, BsonDate, Code, DbPointer, Doc, Double, MaxKey, MinKey, ObjectId, Regex, Timestamp, Undefined } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'

/** The values of one type bracket, as an interval; its low end always belongs to it. */
export type TypeBounds = { readonly low: Value, readonly high: Value, readonly highInclusive: boolean }

const closed = (low: Value, high: Value): TypeBounds => ({ low, high, highInclusive: true })
const open = (low: Value, high: Value): TypeBounds => ({ low, high, highInclusive: false })

const EMPTY_BINARY = new Binary(new Uint8Array(0), 0)
const LOWEST_ID = new ObjectId(new Uint8Array(12))
const LOWEST_POINTER = new DbPointer('', new Uint8Array(12))
const LOWEST_SCOPED = new Code('', Doc.of())

const BOUNDS: ReadonlyMap<number, TypeBounds> = new Map([
  [-1, closed(MinKey.instance, MinKey.instance)],
  [0, closed(Undefined.instance, Undefined.instance)],
  [5, closed(null, null)],
  // NaN lies below and is no part of any range of numbers.
  [10, closed(new Double(-Infinity), new Double(Infinity))],
  [15, open('', Doc.of())],
  [20, open(Doc.of(), [])],
  [25, open([], EMPTY_BINARY)],
  [30, open(EMPTY_BINARY, LOWEST_ID)],
  [35, closed(LOWEST_ID, new ObjectId(new Uint8Array(12).fill(255)))],
  [40, closed(false, true)],
  [45, closed(new BsonDate(-(2 ** 63)), new BsonDate(2 ** 63))],
  [47, closed(new Timestamp(0, 0), new Timestamp(0xffffffff, 0xffffffff))],
  [50, open(new Regex('', ''), LOWEST_POINTER)],
  [55, open(LOWEST_POINTER, new Code(''))],
  [60, open(new Code(''), LOWEST_SCOPED)],
  [65, open(LOWEST_SCOPED, MaxKey.instance)],
  [127, closed(MaxKey.instance, MaxKey.instance)]
])

/** Where the values lie that a range comparison with v can match. */
export const typeBounds = (v: Maybe): TypeBounds => BOUNDS.get(canonicalType(v === undefined ? null : v))!
