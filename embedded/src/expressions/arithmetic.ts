import { isNegativeDecimal, toInteger } from '../values/decimal128.js'
import { MongoError, badValue, typeMismatch } from '../values/errors.js'
import { MAX_LONG, MIN_LONG, abs, add, asInt32, divide, intOrLong, isZero, mod, multiply, subtract, toBigInt, toDouble } from '../values/numbers.js'
import type { NumberValue } from '../values/numbers.js'
import { typeName } from '../values/order.js'
import { BsonDate, Decimal128, Double, Int32, isNumber } from '../values/types.js'
import type { Collation } from '../values/collation.js'
import type { Maybe, Value } from '../values/types.js'
import type { Scope } from './context.js'
import { binary, error, nullish, unary, variadic } from './node.js'
import type { Node, Operator, Operators } from './node.js'

const ZERO = Int32.of(0)
const ONE = Int32.of(1)

const isLong = (v: NumberValue): boolean => typeof v === 'bigint'

/** A running total of ints stays an int as long as it ends as one, whatever it was in between. */
function narrowed (total: NumberValue, sawLong: boolean): NumberValue {
  if (total instanceof Int32) return sawLong ? BigInt(total.value) : total
  return typeof total === 'bigint' && !sawLong ? intOrLong(total) : total
}

function sum (args: readonly Node[], scope: Scope): Maybe {
  let total: NumberValue = ZERO
  let sawLong = false
  let sawDate = false
  for (const arg of args) {
    const value = arg.evaluate(scope)
    if (isNumber(value)) {
      sawLong ||= isLong(value)
      total = add(total, value)
    } else if (nullish(value)) return null
    else {
      total = add(total, milliseconds(value, sawDate))
      sawDate = true
    }
  }
  return sawDate ? dateOf(total) : narrowed(total, sawLong)
}

function milliseconds (value: Value, sawDate: boolean): bigint {
  if (!(value instanceof BsonDate)) throw typeMismatch(`$add only supports numeric or date types, not ${typeName(value)}`)
  if (sawDate) throw error(16612, 'only one date allowed in an $add expression')
  return BigInt(value.ms)
}

const overflow = (): MongoError => new MongoError(15, 'date overflow in $add')

function dateOf (total: NumberValue): BsonDate {
  const ms = total instanceof Double ? roundAway(total.value) : total instanceof Decimal128 ? toInteger(total, 'half-even') : toBigInt(total)
  if (ms === undefined || ms < MIN_LONG || ms > MAX_LONG) throw overflow()
  return new BsonDate(Number(ms))
}

function roundAway (value: number): bigint | undefined {
  if (!Number.isFinite(value)) return undefined
  return BigInt(value < 0 ? -Math.round(-value) : Math.round(value))
}

function product (args: readonly Node[], scope: Scope): Maybe {
  let total: NumberValue = ONE
  let sawLong = false
  for (const arg of args) {
    const value = arg.evaluate(scope)
    if (nullish(value)) return null
    if (!isNumber(value)) throw typeMismatch(`$multiply only supports numeric types, not ${typeName(value)}`)
    sawLong ||= isLong(value)
    total = multiply(total, value)
  }
  return narrowed(total, sawLong)
}

function difference (a: Maybe, b: Maybe): Maybe {
  if (isNumber(a) && isNumber(b)) return subtract(a, b)
  if (nullish(a) || nullish(b)) return null
  if (!(a instanceof BsonDate)) throw typeMismatch(`can't $subtract ${typeName(b)} from ${typeName(a)}`)
  if (b instanceof BsonDate) return BigInt(a.ms) - BigInt(b.ms)
  if (!isNumber(b)) throw typeMismatch(`can't $subtract ${typeName(b)} from Date`)
  return dateOf(BigInt(a.ms) - saturated(b))
}

/** A number as the server coerces it to 64 bits: cut off, NaN as 0, and the ends of the range for what lies beyond. */
export function saturated (v: NumberValue): bigint {
  const whole = toBigInt(v)
  if (whole === undefined) return Number.isNaN(toDouble(v)) ? 0n : toDouble(v) > 0 ? MAX_LONG : MIN_LONG
  return whole > MAX_LONG ? MAX_LONG : whole < MIN_LONG ? MIN_LONG : whole
}

function quotient (a: Maybe, b: Maybe): Maybe {
  if (isNumber(a) && isNumber(b)) {
    if (isZero(b)) throw badValue("can't $divide by zero")
    return divide(a, b)
  }
  if (nullish(a) || nullish(b)) return null
  throw typeMismatch(`$divide only supports numeric types, not ${typeName(a)} and ${typeName(b)}`)
}

function remainder (a: Maybe, b: Maybe): Maybe {
  if (isNumber(a) && isNumber(b)) {
    if (isZero(b)) throw error(16610, "can't $mod by zero")
    return remainderOf(a, b)
  }
  if (nullish(a) || nullish(b)) return null
  throw error(16611, `$mod only supports numeric types, not ${typeName(a)} and ${typeName(b)}`)
}

/** A double divisor counts as an integer only if it fits 32 bits. */
function remainderOf (a: NumberValue, b: NumberValue): NumberValue {
  const fractional = b instanceof Double && asInt32(b) === undefined
  return fractional && !(a instanceof Decimal128) ? new Double(toDouble(a) % b.value) : mod(a, b)
}

/** An operator on one number: null stays null, anything else that is no number is refused. */
export const numeric = (apply: (v: NumberValue) => Maybe): Operator => (spec, cx, name) =>
  unary((v: Maybe, _collation?: Collation) => {
    if (isNumber(v)) return apply(v)
    if (nullish(v)) return null
    throw error(28765, `${name} only supports numeric types, not ${typeName(v)}`)
  })(spec, cx, name)

function absolute (v: NumberValue): NumberValue {
  if (v === MIN_LONG) throw error(28680, "can't take $abs of long long min")
  return abs(v)
}

export const isNegative = (v: NumberValue): boolean => v instanceof Decimal128 ? isNegativeDecimal(v) && !isZero(v) : toDouble(v) < 0

export const arithmeticOperators: Operators = [
  ['$add', variadic(sum)],
  ['$multiply', variadic(product)],
  ['$subtract', binary(difference)],
  ['$divide', binary(quotient)],
  ['$mod', binary(remainder)],
  ['$abs', numeric(absolute)]
]
