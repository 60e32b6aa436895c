import type { Collation } from './collation.js'
import { compareNumbers, numberKey } from './numbers.js'
import {
  Binary, BsonDate, BsonSymbol, Code, DbPointer, Decimal128, Doc, Double, Int32, MaxKey, MinKey, ObjectId, Regex, Timestamp, Undefined, isNumber
} from './types.js'
import type { Maybe, Value } from './types.js'

const NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'missing'], [1, 'double'], [2, 'string'], [3, 'object'], [4, 'array'], [5, 'binData'], [6, 'undefined'], [7, 'objectId'], [8, 'bool'], [9, 'date'],
  [10, 'null'], [11, 'regex'], [12, 'dbPointer'], [13, 'javascript'], [14, 'symbol'], [15, 'javascriptWithScope'], [16, 'int'], [17, 'timestamp'],
  [18, 'long'], [19, 'decimal'], [-1, 'minKey'], [127, 'maxKey']
])
/** Numbers of the type names, as $type takes them. */
export const TYPE_NUMBERS: ReadonlyMap<string, number> = new Map([...NAMES].filter(([n]) => n !== 0).map(([n, name]) => [name, n]))

const CLASSES = new Map<unknown, number>([
  [Int32, 16], [Double, 1], [Doc, 3], [Array, 4], [ObjectId, 7], [BsonDate, 9], [Decimal128, 19], [Binary, 5], [Timestamp, 17],
  [Regex, 11], [Code, 13], [BsonSymbol, 14], [DbPointer, 12], [MinKey, -1], [MaxKey, 127], [Undefined, 6]
])

/** BSON's number of the type; 0 is missing. */
export function typeNumber (v: Maybe): number {
  switch (typeof v) {
    case 'string': return 2
    case 'bigint': return 18
    case 'boolean': return 8
    case 'undefined': return 0
    default: return v === null ? 10 : objectType(v)
  }
}

function objectType (v: Exclude<Value, null>): number {
  if (v instanceof Int32) return 16
  if (v instanceof Double) return 1
  if (v instanceof Doc) return 3
  if (v instanceof Code) return v.scope === undefined ? 13 : 15
  return CLASSES.get(v.constructor)!
}

export const typeName = (v: Maybe): string => NAMES.get(typeNumber(v))!

const BRACKETS = new Int8Array(256)
for (const [type, bracket] of [
  [1, 10], [2, 15], [3, 20], [4, 25], [5, 30], [7, 35], [8, 40], [9, 45], [10, 5], [11, 50], [12, 55], [13, 60], [14, 15], [15, 65], [16, 10],
  [17, 47], [18, 10], [19, 10], [127, 127], [255, -1]
] as const) BRACKETS[type] = bracket

/** The type bracket: values of different brackets are ordered by it alone. Missing and undefined share 0, null is 5. */
export const canonicalType = (v: Maybe): number => BRACKETS[typeNumber(v) & 255]

/**
 * BSON order. Missing equals BSON undefined and is lower than null: where MongoDB takes missing for null (sort keys,
 * index keys), the caller does so.
 */
export function compare (a: Maybe, b: Maybe, collation?: Collation): number {
  if (a === b) return 0
  if (typeof a === 'string' && typeof b === 'string') return collation === undefined ? compareStrings(a, b) : collation.compare(a, b)
  if (a instanceof Int32 && b instanceof Int32) return a.value - b.value
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b)
  const bracket = canonicalType(a)
  const other = canonicalType(b)
  if (bracket !== other) return bracket - other
  return compareSame(a, b, collation)
}

export const equal = (a: Maybe, b: Maybe, collation?: Collation): boolean => compare(a, b, collation) === 0

/** By UTF-8 bytes, which is by code points: surrogates count above the rest of the basic plane. */
export function compareStrings (a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return pointRank(x) - pointRank(y)
  }
  return a.length - b.length
}

const pointRank = (unit: number): number => unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x10000 : unit

function compareSame (a: Maybe, b: Maybe, collation: Collation | undefined): number {
  if (a instanceof Doc && b instanceof Doc) return compareDocuments(a, b, collation)
  if (Array.isArray(a) && Array.isArray(b)) return compareArrays(a, b, collation)
  if (a instanceof ObjectId && b instanceof ObjectId) return compareBytes(a.bytes, b.bytes)
  if (a instanceof BsonDate && b instanceof BsonDate) return a.ms - b.ms
  if (typeof a === 'boolean') return a ? 1 : -1
  if (a instanceof Timestamp && b instanceof Timestamp) return a.seconds - b.seconds || a.increment - b.increment
  if (a instanceof Binary && b instanceof Binary) return a.bytes.length - b.bytes.length || a.subtype - b.subtype || compareBytes(a.bytes, b.bytes)
  return compareRare(a, b, collation)
}

function compareRare (a: Maybe, b: Maybe, collation: Collation | undefined): number {
  if (a instanceof Regex && b instanceof Regex) return compareStrings(a.pattern, b.pattern) || compareStrings(a.options, b.options)
  if (a instanceof Code && b instanceof Code) return compareStrings(a.code, b.code) || compare(a.scope, b.scope)
  if (a instanceof DbPointer && b instanceof DbPointer) return comparePointers(a, b)
  const left = textOf(a)
  const right = textOf(b)
  if (left === undefined || right === undefined) return 0
  return collation === undefined ? compareStrings(left, right) : collation.compare(left, right)
}

const textOf = (v: Maybe): string | undefined => typeof v === 'string' ? v : v instanceof BsonSymbol ? v.value : undefined

function comparePointers (a: DbPointer, b: DbPointer): number {
  return Buffer.byteLength(a.namespace) - Buffer.byteLength(b.namespace) || compareStrings(a.namespace, b.namespace) || compareBytes(a.id, b.id)
}

function compareBytes (a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i]
  return a.length - b.length
}

/** Field by field: the type, then the name, then the value. */
function compareDocuments (a: Doc, b: Doc, collation: Collation | undefined): number {
  if (a.rawBytes !== undefined && b.rawBytes !== undefined && Buffer.compare(a.rawBytes, b.rawBytes) === 0) return 0
  const left = a.entries()
  const right = b.entries()
  for (;;) {
    const x = left.next()
    const y = right.next()
    if (x.done === true || y.done === true) return Number(y.done === true) - Number(x.done === true)
    const order = compareFields(x.value, y.value, collation)
    if (order !== 0) return order
  }
}

const compareFields = ([a, x]: [string, Value], [b, y]: [string, Value], collation: Collation | undefined): number =>
  canonicalType(x) - canonicalType(y) || compareStrings(a, b) || compare(x, y, collation)

function compareArrays (a: readonly Value[], b: readonly Value[], collation: Collation | undefined): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const order = compare(a[i], b[i], collation)
    if (order !== 0) return order
  }
  return a.length - b.length
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')

/** A text for maps and sets: two values have the same one exactly if they are equal. */
export function hashKey (v: Maybe, collation?: Collation): string {
  if (typeof v === 'string') return hashString(v, collation)
  if (v instanceof Int32) return `n${v.value}`
  if (v === undefined || v instanceof Undefined) return 'u'
  if (v === null) return 'z'
  if (typeof v === 'boolean') return v ? 't' : 'f'
  if (isNumber(v)) return `n${numberKey(v)}`
  if (v instanceof ObjectId) return `o${hex(v.bytes)}`
  if (v instanceof Doc) return hashDocument(v, collation)
  if (Array.isArray(v)) return `[${v.map(x => sized(hashKey(x, collation))).join('')}]`
  return hashRare(v, collation)
}

const sized = (text: string): string => `${text.length}:${text}`

const hashString = (text: string, collation: Collation | undefined): string => collation === undefined ? `s${text}` : `s${hex(collation.key(text))}`

function hashDocument (doc: Doc, collation: Collation | undefined): string {
  let text = '{'
  for (const [key, value] of doc) text += sized(key) + sized(hashKey(value, collation))
  return text
}

function hashRare (v: Value, collation: Collation | undefined): string {
  if (v instanceof BsonDate) return `d${v.ms === 0 ? 0 : v.ms}`
  if (v instanceof Timestamp) return `T${v.seconds},${v.increment}`
  if (v instanceof Binary) return `b${v.subtype},${hex(v.bytes)}`
  if (v instanceof Regex) return `r${sized(v.pattern)}${v.options}`
  if (v instanceof Code) return v.scope === undefined ? `c${v.code}` : `C${sized(v.code)}${hashKey(v.scope)}`
  if (v instanceof BsonSymbol) return hashString(v.value, collation)
  if (v instanceof DbPointer) return `p${hex(v.id)}${v.namespace}`
  return v instanceof MinKey ? '<' : '>'
}
