import type { FilterNode } from '../matcher/ast.js'
import type { Collation } from '../values/collation.js'
import { isNaNValue } from '../values/numbers.js'
import { TYPE_NUMBERS } from '../values/order.js'
import { Binary, BsonDate, BsonSymbol, Code, DbPointer, Doc, Double, Int32, MaxKey, MinKey, ObjectId, Regex, Timestamp, Undefined, isNumber } from '../values/types.js'
import type { Value } from '../values/types.js'
import { ALL_VALUES, complement, intersect, interval, nullPoints, ofType, point, union } from './intervals.js'
import type { Interval } from './intervals.js'
import { regexPrefix } from './regex-prefix.js'

export type Bounds = {
  readonly intervals: readonly Interval[]
  /** exactly the documents of these intervals match: they need no further test */
  readonly exact: boolean
}

export type FieldContext = {
  readonly collation: Collation | undefined
  /** the index compares texts as the query does */
  readonly sameCollation: boolean
  /** documents without this field have no entry, as far as that matters for the leading field */
  readonly sparse: boolean
  /** the index has no other field */
  readonly sole: boolean
  readonly hashed: boolean
  readonly multikey: boolean
  /** its path names a position in an array: null may also be a missing field of that name, of which the index knows nothing */
  readonly positional: boolean
  /** the condition comes from `$expr`, which compares across types */
  readonly expression: boolean
}

const ZERO = Int32.of(0)
const NOT_A_NUMBER = new Double(NaN)
const MISSING = point(null, undefined)

const exactly = (intervals: readonly Interval[]): Bounds => ({ intervals, exact: true })
const atMost = (intervals: readonly Interval[]): Bounds => ({ intervals, exact: false })

/** The part of an index that can hold what matches; undefined when the index is of no use. */
export function boundsOf (node: FilterNode, field: FieldContext): Bounds | undefined {
  const bounds = unchecked(node, field)
  if (bounds === undefined) return undefined
  if (field.sparse && holdsMissing(bounds.intervals) && !findsOnlyPresent(node)) return undefined
  if (field.positional && (node.kind === 'compare' || node.kind === 'in') && holdsMissing(bounds.intervals)) return undefined
  if (field.hashed && !(node.kind === 'compare' || node.kind === 'in')) return undefined
  return bounds
}

/** A sparse index has no entry for a missing field. */
const holdsMissing = (intervals: readonly Interval[]): boolean => intersect(intervals, [MISSING]).length > 0
/** These never match a missing field, though their bounds are wide. */
const findsOnlyPresent = (node: FilterNode): boolean => node.kind === 'exists' || node.kind === 'type' || node.kind === 'mod'

function unchecked (node: FilterNode, field: FieldContext): Bounds | undefined {
  switch (node.kind) {
    case 'compare': return field.expression ? expressionBounds(node, field) : compareBounds(node, field)
    case 'in': return inBounds(node, field)
    case 'exists': return { intervals: ALL_VALUES, exact: field.sparse && field.sole && !field.multikey }
    case 'type': return typeBoundsOf(node.types, field)
    case 'mod': return atMost([ofType(ZERO, field.collation)])
    case 'regex': return regexBounds(node.pattern, node.options, field)
    case 'not': return notBounds(node.child, field)
    default: return undefined
  }
}

/** Texts, and whatever can hold texts, have their place in an index by its collation. */
const isCollated = (value: Value): boolean => typeof value === 'string' || value instanceof Doc || Array.isArray(value) || value instanceof BsonSymbol

const hasNoBracket = (value: Value): boolean =>
  Array.isArray(value) || value instanceof MinKey || value instanceof MaxKey || value instanceof Regex || value instanceof Undefined

type CompareNode = Extract<FilterNode, { kind: 'compare' }>

function compareBounds ({ op, value }: CompareNode, field: FieldContext): Bounds | undefined {
  if (!field.sameCollation && isCollated(value)) return undefined
  if (op === 'eq') return equalityBounds(value, field)
  if (field.hashed) return undefined
  if (value === null) return op === 'gte' || op === 'lte' ? atMost(nullPoints) : undefined
  if (hasNoBracket(value)) return atMost(ALL_VALUES)
  if (isNumber(value) && isNaNValue(value)) return op === 'gte' || op === 'lte' ? exactly([point(value, undefined)]) : exactly([])
  const bracket = ofType(value, field.collation)
  const range = op === 'gt' || op === 'gte'
    ? interval(value, op === 'gte', bracket.high, bracket.highInclusive, field.collation)
    : interval(bracket.low, bracket.lowInclusive, value, op === 'lte', field.collation)
  return exactly(union([range]))
}

function equalityBounds (value: Value, field: FieldContext): Bounds | undefined {
  if (value === null || value instanceof Undefined) return atMost(nullPoints)
  if (Array.isArray(value)) {
    if (field.hashed) return undefined
    // The array may be an element itself, or be indexed by its elements.
    const first = value.length === 0 ? Undefined.instance : value[0]
    return atMost(union([point(value, field.collation), point(first, field.collation)]))
  }
  return exactly([point(value, field.collation)])
}

/** MongoDB's `$expr` compares across types, so a range goes to the end of the order. */
function expressionBounds ({ op, value }: CompareNode, field: FieldContext): Bounds | undefined {
  if (field.multikey || field.hashed || (!field.sameCollation && isCollated(value))) return undefined
  switch (op) {
    case 'eq': return atMost([point(value, field.collation)])
    case 'gt': case 'gte': return atMost(union([interval(value, true, MaxKey.instance, true, field.collation)]))
    case 'lt': case 'lte': return atMost(union([interval(MinKey.instance, true, value, true, field.collation)]))
  }
}

function inBounds ({ values, regexes }: Extract<FilterNode, { kind: 'in' }>, field: FieldContext): Bounds | undefined {
  const parts = [
    ...values.map(value => !field.sameCollation && isCollated(value) ? undefined : equalityBounds(value, field)),
    ...regexes.map(({ pattern, options }) => regexBounds(pattern, options, field))
  ]
  const known = parts.filter(part => part !== undefined)
  if (known.length < parts.length) return undefined
  return { intervals: union(known.flatMap(part => part.intervals)), exact: known.every(part => part.exact) }
}

const EXAMPLES: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['double', ZERO], ['int', ZERO], ['long', ZERO], ['decimal', ZERO], ['string', ''], ['symbol', ''], ['object', Doc.of()],
  ['binData', new Binary(new Uint8Array(0), 0)], ['objectId', new ObjectId(new Uint8Array(12))], ['bool', true], ['date', new BsonDate(0)],
  ['null', null], ['undefined', Undefined.instance], ['regex', new Regex('', '')], ['dbPointer', new DbPointer('', new Uint8Array(12))], ['javascript', new Code('')],
  ['javascriptWithScope', new Code('', Doc.of())], ['timestamp', new Timestamp(0, 0)], ['minKey', MinKey.instance], ['maxKey', MaxKey.instance]
])
const NUMBERS: ReadonlySet<string> = new Set(['double', 'int', 'long', 'decimal'])

function typeBoundsOf (types: ReadonlySet<string>, { collation }: FieldContext): Bounds {
  // Arrays are indexed by their elements.
  if (types.has('array')) return atMost(ALL_VALUES)
  const intervals: Interval[] = []
  for (const type of types) {
    const example = EXAMPLES.get(type)
    if (example === undefined || !TYPE_NUMBERS.has(type)) return atMost(ALL_VALUES)
    intervals.push(ofType(example, collation))
    if (NUMBERS.has(type)) intervals.push(point(NOT_A_NUMBER, undefined))
  }
  return atMost(union(intervals))
}

function regexBounds (pattern: string, options: string, field: FieldContext): Bounds | undefined {
  if (field.hashed) return undefined
  const itself = point(new Regex(pattern, options), undefined)
  const start = field.collation === undefined && field.sameCollation ? regexPrefix(pattern, options) : undefined
  if (start === undefined) return atMost(union([ofType('', field.collation), itself]))
  const range = interval(start.prefix, true, successor(start.prefix), false, undefined)
  return { intervals: union([range, itself]), exact: start.exact }
}

/** The least text above all that begin with the prefix; texts are ordered by their bytes. */
function successor (prefix: string): Value {
  const characters = Array.from(prefix)
  for (let last = characters.pop(); last !== undefined; last = characters.pop()) {
    const code = last.codePointAt(0)!
    if (code < 0x10ffff) return characters.join('') + String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1)
  }
  return Doc.of()
}

function notBounds (child: FilterNode, field: FieldContext): Bounds | undefined {
  if (field.hashed) return undefined
  if (child.kind === 'exists') return field.sparse ? undefined : atMost(nullPoints)
  if (child.kind !== 'compare' && child.kind !== 'in') return undefined
  if (child.kind === 'in' && (child.regexes.length > 0 || child.values.some(Array.isArray))) return undefined
  if (child.kind === 'compare' && Array.isArray(child.value)) return undefined
  // An empty array on the way to the field is stored like a missing one, but is not null.
  if (field.multikey && mayBeNull(child)) return undefined
  const inner = unchecked(child, { ...field, expression: false })
  if (inner === undefined) return undefined
  // What lies outside exact bounds matches; bounds that are not exact say nothing about what lies inside them.
  const isNull = child.kind === 'compare' && child.op === 'eq' && child.value === null
  if (!inner.exact && !isNull) return notInWithNull(child, field)
  return { intervals: complement(isNull ? [point(null, undefined)] : inner.intervals), exact: !field.multikey && !isNull }
}

const mayBeNull = (child: Extract<FilterNode, { kind: 'compare' | 'in' }>): boolean =>
  child.kind === 'in' ? child.values.includes(null) : child.value === null

/** `$nin` with null among its values: all but the other values and null. */
function notInWithNull (child: FilterNode, field: FieldContext): Bounds | undefined {
  if (child.kind !== 'in' || (!field.sameCollation && child.values.some(isCollated))) return undefined
  const points = child.values.map(value => point(value, field.collation))
  return atMost(complement(union(points)))
}
