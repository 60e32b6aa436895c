import { compileExpression } from '../../expressions/index.js'
import { decimalAdd } from '../../values/decimal128.js'
import { MongoError, failedToParse } from '../../values/errors.js'
import { display } from '../../values/format.js'
import { asInt32, asLong, isIntegral, toDecimal } from '../../values/numbers.js'
import type { NumberValue } from '../../values/numbers.js'
import { compare, typeName } from '../../values/order.js'
import { BsonDate, Doc, Int32, isDoc, isNumber } from '../../values/types.js'
import type { Maybe, Value } from '../../values/types.js'
import type { SortPattern } from '../sort-pattern.js'
import type { StageScope } from '../stage.js'
import { addUnits, parseTimeUnit } from '../time-units.js'
import type { TimeUnit } from '../time-units.js'

type Edge<T> = 'unbounded' | 'current' | T
export type DocumentWindow = { readonly kind: 'documents', readonly lower: Edge<number>, readonly upper: Edge<number> }
export type RangeWindow = {
  readonly kind: 'range', readonly lower: Edge<NumberValue>, readonly upper: Edge<NumberValue>, readonly unit: TimeUnit | undefined
}
export type Window = DocumentWindow | RangeWindow
/** The first and the last document of a window, as indexes in the partition; undefined when it has none. */
export type Endpoints = readonly [number, number] | undefined

export const EVERYTHING: Window = { kind: 'documents', lower: 'unbounded', upper: 'unbounded' }

export function parseWindow (spec: Value, sortBy: SortPattern | undefined, scope: StageScope): Window {
  if (!isDoc(spec)) throw failedToParse("'window' field must be an object")
  const documents = spec.get('documents')
  const range = spec.get('range')
  if (documents !== undefined && range !== undefined) throw failedToParse("Window bounds can specify either 'documents' or 'unit', not both.")
  if (range === undefined && spec.has('unit')) throw failedToParse("Window bounds can only specify 'unit' with range-based bounds.")
  if (documents !== undefined) return parseDocuments(spec, documents, sortBy, scope)
  if (range !== undefined) return parseRange(spec, range, sortBy, scope)
  if (spec.size === 0) return EVERYTHING
  throw failedToParse("'window' field can only contain 'documents' as the only argument or 'range' with an optional 'unit' field")
}

function parseDocuments (spec: Doc, documents: Value, sortBy: SortPattern | undefined, scope: StageScope): Window {
  if (spec.size !== 1) throw failedToParse("'window' field that specifies documents cannot have other fields")
  const [first, last] = pair(documents)
  const read = (value: Maybe): number => {
    const number = asInt32(value)
    if (number === undefined) throw failedToParse('Numeric document-based bounds must be an integer')
    return number
  }
  const lower = parseEdge(first, scope, read)
  const upper = parseEdge(last, scope, read)
  checkForward(typeof lower === 'number' ? Int32.of(lower) : lower, typeof upper === 'number' ? Int32.of(upper) : upper)
  if (sortBy === undefined && (lower !== 'unbounded' || upper !== 'unbounded')) {
    throw new MongoError(5339901, 'Document-based bounds require a sortBy')
  }
  return { kind: 'documents', lower, upper }
}

function parseRange (spec: Doc, range: Value, sortBy: SortPattern | undefined, scope: StageScope): Window {
  const [first, last] = pair(range)
  const unit = parseUnit(spec)
  const read = (value: Maybe): NumberValue => {
    if (unit !== undefined && !isIntegral(value)) throw failedToParse("With 'unit', range-based bounds must be an integer")
    if (!isNumber(value)) throw failedToParse('Range-based bounds expression must be a number')
    return value
  }
  const lower = parseEdge(first, scope, read)
  const upper = parseEdge(last, scope, read)
  checkForward(lower, upper)
  if (sortBy?.parts.length !== 1) throw new MongoError(5339902, 'Range-based bounds require sortBy a single field')
  const [{ path, direction }] = sortBy.parts
  if (path === undefined) throw new MongoError(8947400, 'Range-based bounds require a non-expression sortBy')
  if (direction !== 1) throw new MongoError(8947401, 'Range-based bounds require an ascending sortBy')
  return { kind: 'range', lower, upper, unit }
}

function parseUnit (spec: Doc): TimeUnit | undefined {
  const unit = spec.get('unit')
  const others = [...spec.keys()].some(key => key !== 'range' && key !== 'unit')
  if (others) throw failedToParse("'window' field that specifies range cannot have other fields besides 'unit'")
  if (unit === undefined) return undefined
  if (typeof unit !== 'string') throw failedToParse("'unit' must be a string")
  return parseTimeUnit(unit)
}

function pair (value: Value): [Value, Value] {
  if (Array.isArray(value) && value.length === 2) return [value[0], value[1]]
  throw failedToParse(`Window bounds must be a 2-element array: ${display(value)}`)
}

function parseEdge<T> (value: Value, scope: StageScope, read: (value: Maybe) => T): Edge<T> {
  if (value === 'unbounded') return 'unbounded'
  if (value === 'current') return 'current'
  if (typeof value === 'string') throw failedToParse("Window bounds must be 'unbounded', 'current', or a number.")
  const { isConstant, constant } = compileExpression(value, scope.ctx)
  if (!isConstant) throw failedToParse('Window bounds expression must be a constant.')
  return read(constant)
}

function checkForward (lower: Edge<NumberValue>, upper: Edge<NumberValue>): void {
  if (lower === 'unbounded' || upper === 'unbounded') return
  const low = lower === 'current' ? Int32.of(0) : lower
  const high = upper === 'current' ? Int32.of(0) : upper
  if (compare(low, high) > 0) throw new MongoError(5339900, `Lower bound must not exceed upper bound: [${display(low)}, ${display(high)}]`)
}

/** The endpoints of the windows of a whole partition; neither end ever goes back. */
export function endpointsOf (window: Window, size: number, sortValue: (i: number) => Maybe): (i: number) => Endpoints {
  return window.kind === 'documents' ? i => documentEndpoints(window, i, size) : rangeEndpoints(window, size, sortValue)
}

function documentEndpoints ({ lower, upper }: DocumentWindow, i: number, size: number): Endpoints {
  const first = lower === 'unbounded' ? 0 : i + (lower === 'current' ? 0 : lower)
  const last = upper === 'unbounded' ? size - 1 : i + (upper === 'current' ? 0 : upper)
  return first >= size || last < 0 ? undefined : [Math.max(first, 0), Math.min(last, size - 1)]
}

function rangeEndpoints ({ lower, upper, unit }: RangeWindow, size: number, sortValue: (i: number) => Maybe): (i: number) => Endpoints {
  const fits = (value: Maybe): boolean => unit === undefined ? isNumber(value) : value instanceof BsonDate
  const shifted = (base: Value, by: NumberValue): Value =>
    base instanceof BsonDate ? addUnits(base, unit!, asLong(by)!) : decimalAdd(toDecimal(base as NumberValue), toDecimal(by))
  let low = 0
  let high = 0
  const first = (i: number, base: Value): number | undefined => {
    if (lower === 'current') return i
    const threshold = lower === 'unbounded' ? undefined : shifted(base, lower)
    while (low < size && (threshold === undefined ? !fits(sortValue(low)) : compare(sortValue(low), threshold) < 0)) low++
    return low < size && fits(sortValue(low)) ? low : undefined
  }
  const last = (i: number, base: Value): number => {
    if (upper === 'current') return i
    const threshold = upper === 'unbounded' ? undefined : shifted(base, upper)
    while (high < size && (threshold === undefined ? fits(sortValue(high)) || high <= i : compare(sortValue(high), threshold) <= 0)) high++
    return high - 1
  }
  return i => {
    const base = checkedBase(sortValue(i), unit)
    const from = first(i, base)
    if (from === undefined) return undefined
    const to = last(i, base)
    return to < from ? undefined : [from, to]
  }
}

function checkedBase (base: Maybe, unit: TimeUnit | undefined): Value {
  if (unit !== undefined) {
    if (base instanceof BsonDate) return base
    throw new MongoError(5429513, `Invalid range: Expected the sortBy field to be a Date, but it was ${typeName(base)}`)
  }
  if (base instanceof BsonDate) {
    throw new MongoError(5429413, 'Invalid range: For windows that involve date or time ranges, a unit must be provided.')
  }
  if (isNumber(base)) return base
  throw new MongoError(5429414, `Invalid range: Expected the sortBy field to be a number, but it was ${typeName(base)}`)
}
