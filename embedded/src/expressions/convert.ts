import { formatDecimal, isFiniteDecimal, isNaNDecimal, parseDecimal } from '../values/decimal128.js'
import { isoString, TimeZone } from '../values/dates.js'
import { MongoError, badValue, failedToParse } from '../values/errors.js'
import { MAX_INT32, MAX_LONG, MIN_INT32, MIN_LONG, asInt32, toBigInt, toDecimal, toDouble } from '../values/numbers.js'
import type { NumberValue } from '../values/numbers.js'
import { TYPE_NUMBERS, typeName } from '../values/order.js'
import { BsonDate, Decimal128, Double, Int32, ObjectId, Timestamp, isNumber } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import { argumentsOf, optional, present, required } from './arguments.js'
import type { Compiler } from './compiler.js'
import { dateFromText, recover } from './date-text.js'
import { millisecondsOf } from './date-values.js'
import { error, fold, literal, nullish, operands, truthy } from './node.js'
import type { Node, Operator, Operators } from './node.js'
import { formatDouble } from './text.js'

const NO_HANDLER = 'in $convert with no onError value'
const fail = (message: string): MongoError => new MongoError(241, message)
const overflow = (text: string): MongoError => fail(`Conversion would overflow target type ${NO_HANDLER}: ${text}`)
const unsupported = (from: Value, to: string): MongoError => fail(`Unsupported conversion from ${typeName(from)} to ${to} ${NO_HANDLER}`)

function whole (v: Double | Decimal128): bigint {
  const isNaN = v instanceof Double ? Number.isNaN(v.value) : isNaNDecimal(v)
  if (isNaN) throw fail(`Attempt to convert NaN value to integer type ${NO_HANDLER}`)
  const n = toBigInt(v)
  if (n === undefined) throw fail(`Attempt to convert infinity value to integer type ${NO_HANDLER}`)
  return n
}

const numberText = (v: NumberValue): string => v instanceof Double ? formatDouble(v.value) : v instanceof Decimal128 ? formatDecimal(v) : ''

function within (n: bigint, min: bigint, max: bigint, from: NumberValue): bigint {
  if (n < min || n > max) throw overflow(numberText(from))
  return n
}

const longOf = (v: NumberValue): bigint =>
  v instanceof Double || v instanceof Decimal128 ? within(whole(v), MIN_LONG, MAX_LONG, v) : toBigInt(v)!

function intOf (v: NumberValue): Int32 {
  if (v instanceof Int32) return v
  // A double may not even exceed the range by a fraction.
  if (v instanceof Double && (v.value < MIN_INT32 || v.value > MAX_INT32)) throw overflow(numberText(v))
  return Int32.of(Number(within(typeof v === 'bigint' ? v : whole(v), BigInt(MIN_INT32), BigInt(MAX_INT32), v)))
}

function doubleOf (v: NumberValue): Double {
  if (v instanceof Double) return v
  const value = toDouble(v)
  if (v instanceof Decimal128 && isFiniteDecimal(v) && !Number.isFinite(value)) throw overflow(formatDecimal(v))
  return new Double(value)
}

const parseFailure = (text: string, why: string): MongoError => fail(`Failed to parse number '${text}' ${NO_HANDLER}: ${why}`)

function checkHex (text: string): void {
  if (text.startsWith('0x')) throw fail(`Illegal hexadecimal input ${NO_HANDLER}: ${text}`)
}

function parseInteger (text: string, min: bigint, max: bigint): bigint {
  checkHex(text)
  if (!/^[+-]?\d+$/.test(text)) throw parseFailure(text, /^[+-]?\d/.test(text) ? 'Did not consume whole string.' : 'Did not consume any digits')
  const n = BigInt(text.replace(/^\+/, ''))
  if (n < min || n > max) throw parseFailure(text, 'Overflow')
  return n
}

function parseDouble (text: string): Double {
  checkHex(text)
  const special = /^([+-]?)(inf(?:inity)?|nan)$/i.exec(text)
  if (special !== null) return new Double(special[2].toLowerCase() === 'nan' ? NaN : special[1] === '-' ? -Infinity : Infinity)
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) throw parseFailure(text, text === '' ? 'Empty string' : 'Did not consume whole string.')
  const value = Number(text)
  if (!Number.isFinite(value)) throw parseFailure(text, 'Out of range')
  return new Double(value)
}

function parseDecimalText (text: string): Decimal128 {
  checkHex(text)
  const parsed = parseDecimal(text)
  if (parsed === undefined) throw parseFailure(text, text === '' ? 'Empty string' : 'Failed to parse string to decimal')
  if (!isFiniteDecimal(parsed) && /\d/.test(text)) throw parseFailure(text, 'Conversion from string to decimal would overflow')
  return parsed
}

function parseObjectId (text: string): ObjectId {
  if (/^[0-9a-f]{24}$/i.test(text)) return new ObjectId(Buffer.from(text, 'hex'))
  const why = text.length === 24 ? `Invalid character found in hex string: ${text}` : `Invalid string length for parsing to OID, expected 24 but found ${text.length}`
  throw fail(`Failed to parse objectId '${text}' ${NO_HANDLER}: ${why}`)
}

const bit = (v: boolean): number => v ? 1 : 0

type Convert = (v: Value) => Value

const toNumber = (name: string, fromNumber: (v: NumberValue) => NumberValue, fromText: (text: string) => NumberValue, fromDate: boolean): Convert => v => {
  if (isNumber(v)) return fromNumber(v)
  if (typeof v === 'string') return fromText(v)
  if (typeof v === 'boolean') return fromNumber(Int32.of(bit(v)))
  if (fromDate && v instanceof BsonDate) return fromNumber(BigInt(v.ms))
  throw unsupported(v, name)
}

const toDate: Convert = v => {
  if (typeof v === 'string') return dateFromText(v, TimeZone.utc)
  if (isNumber(v) && !(v instanceof Int32)) return new BsonDate(Number(longOf(v)))
  const ms = millisecondsOf(v)
  if (ms === undefined) throw unsupported(v, 'date')
  return v instanceof BsonDate ? v : new BsonDate(ms)
}

const toStringValue: Convert = v => {
  if (typeof v === 'string') return v
  if (typeof v === 'boolean' || typeof v === 'bigint') return String(v)
  if (v instanceof Int32) return String(v.value)
  if (v instanceof Double || v instanceof Decimal128) return numberText(v)
  if (v instanceof ObjectId) return v.toHex()
  if (v instanceof BsonDate) return isoString(v.ms)
  throw unsupported(v, 'string')
}

const toObjectId: Convert = v => {
  if (v instanceof ObjectId) return v
  if (typeof v === 'string') return parseObjectId(v)
  throw unsupported(v, 'objectId')
}

/** Everything becomes a boolean; numbers, booleans and dates by their value, the rest is true. */
const toBool: Convert = v => v instanceof Timestamp || truthy(v)

const CONVERSIONS: ReadonlyMap<string, Convert> = new Map([
  ['double', toNumber('double', doubleOf, parseDouble, true)],
  ['string', toStringValue],
  ['objectId', toObjectId],
  ['bool', toBool],
  ['date', toDate],
  ['int', toNumber('int', intOf, text => Int32.of(Number(parseInteger(text, BigInt(MIN_INT32), BigInt(MAX_INT32)))), false)],
  ['long', toNumber('long', longOf, text => parseInteger(text, MIN_LONG, MAX_LONG), true)],
  ['decimal', toNumber('decimal', v => toDecimal(v), parseDecimalText, true)]
])

const TYPE_NAMES: ReadonlyMap<number, string> = new Map([...TYPE_NUMBERS].map(([name, number]) => [number, name]))

/** @returns the name of the type that `to` names or numbers */
function targetType (to: Value): string {
  if (typeof to === 'string') {
    if (to !== 'missing' && !TYPE_NUMBERS.has(to)) throw badValue(`Unknown type name: ${to}`)
    return to
  }
  if (!isNumber(to)) throw failedToParse(`$convert's 'to' argument must be a string or number, but is ${typeName(to)}`)
  const code = asInt32(to)
  if (code === undefined) throw failedToParse("In $convert, numeric 'to' argument is not an integer")
  const name = code === 0 ? 'missing' : TYPE_NAMES.get(code)
  if (name === undefined) throw failedToParse(`In $convert, numeric value for 'to' does not correspond to a BSON type: ${code}`)
  return name
}

function converted (v: Value, type: string): Value {
  const convert = CONVERSIONS.get(type)
  if (convert === undefined) throw unsupported(v, type)
  return convert(v)
}

function conversion (input: Node, to: Node, onError: Node | undefined, onNull: Node | undefined, cx: Compiler): Node {
  return fold(cx, present(input, to, onError, onNull), scope => {
    const target = to.evaluate(scope)
    const value = input.evaluate(scope)
    const type = nullish(target) ? undefined : targetType(target)
    if (nullish(value)) return onNull === undefined ? null : onNull.evaluate(scope)
    return type === undefined ? null : recover((): Maybe => converted(value, type), onError, scope)
  })
}

const convert: Operator = (spec, cx) => {
  const args = argumentsOf(spec, ['input', 'to', 'onError', 'onNull'],
    () => failedToParse(`$convert expects an object of named arguments but found: ${typeName(spec)}`), name => failedToParse(`$convert found an unknown argument: ${name}`))
  const input = cx.operand(required(args, 'input', 9, "Missing 'input' parameter to $convert"))
  const to = cx.operand(required(args, 'to', 9, "Missing 'to' parameter to $convert"))
  return conversion(input, to, optional(args, 'onError', cx), optional(args, 'onNull', cx), cx)
}

const shortcut = (type: string): Operator => (spec, cx, name) => {
  const args = operands(spec, cx)
  if (args.length !== 1) throw error(50723, `${name} requires a single argument, got ${args.length}`)
  return conversion(args[0], literal(type), undefined, undefined, cx)
}

export const convertOperators: Operators = [
  ['$convert', convert],
  ['$toString', shortcut('string')],
  ['$toObjectId', shortcut('objectId')],
  ['$toDate', shortcut('date')],
  ['$toDouble', shortcut('double')],
  ['$toInt', shortcut('int')],
  ['$toLong', shortcut('long')],
  ['$toDecimal', shortcut('decimal')],
  ['$toBool', shortcut('bool')]
]
