import { finite, fromBigInt, fromDouble, isFiniteDecimal, pack, pow10, decimalQuantize, toDouble as decimalToDouble, toInteger, unpack } from '../values/decimal128.js'
import type { Rounding } from '../values/decimal128.js'
import { display } from '../values/format.js'
import { MAX_LONG, MIN_LONG, asInt32, intOrLong } from '../values/numbers.js'
import type { NumberValue } from '../values/numbers.js'
import { typeName } from '../values/order.js'
import { Decimal128, Double, isNumber } from '../values/types.js'
import type { Maybe } from '../values/types.js'
import { numeric, saturated } from './arithmetic.js'
import { error, nullish, ranged } from './node.js'
import type { Operator, Operators } from './node.js'

const DIGITS = 34
const MIN_EXPONENT = -6176
const MAX_PLACES = 100n
const MIN_PLACES = -20n

/** With all 34 digits written out, where the exponent allows it. */
function widest (d: Decimal128): { exponent: number, decimal: () => Decimal128 } {
  const { negative, coefficient, exponent } = unpack(d)
  if (coefficient === 0n) return { exponent: MIN_EXPONENT, decimal: () => d }
  const room = Math.min(DIGITS - coefficient.toString().length, exponent - MIN_EXPONENT)
  return { exponent: exponent - room, decimal: () => pack(finite(negative, coefficient * pow10(room), exponent - room)) }
}

/** Rounds to a multiple of 10^exponent; where that would take more than 34 digits, states as many as there are. */
function quantize (d: Decimal128, exponent: number, rounding: Rounding): Decimal128 {
  if (!isFiniteDecimal(d)) return d
  const most = widest(d)
  return most.exponent > exponent ? most.decimal() : decimalQuantize(d, exponent, rounding)
}

const whole = (rounding: Rounding, doubles: (x: number) => number): Operator => numeric(v => {
  if (v instanceof Double) return new Double(doubles(v.value))
  return v instanceof Decimal128 ? quantize(v, 0, rounding) : v
})

const placed = (rounding: Rounding): Operator => (spec, cx, name) => ranged(1, 2, (args, scope) => {
  const v = args[0].evaluate(scope)
  if (nullish(v)) return null
  if (!isNumber(v)) throw error(51081, `${name} only supports numeric types, not ${typeName(v)}`)
  const given = args.length > 1 ? args[1].evaluate(scope) : undefined
  if (args.length > 1 && nullish(given)) return null
  return round(v, args.length > 1 ? placesOf(given, name) : 0, rounding, name)
})(spec, cx, name)

function placesOf (given: Maybe, name: string): number {
  if (!isNumber(given)) throw error(16004, `can't convert from BSON type ${typeName(given)} to long`)
  if (asInt32(given) === undefined) throw error(51082, `precision argument to  ${name} must be a integral value`)
  const places = saturated(given)
  if (places < MIN_PLACES || places > MAX_PLACES) {
    throw error(51083, `cannot apply ${name} with precision value ${places} value must be in [-20, 100]`)
  }
  return Number(places)
}

function round (v: NumberValue, places: number, rounding: Rounding, name: string): NumberValue {
  if (v instanceof Decimal128) return quantize(v, -places, rounding)
  if (v instanceof Double) return Number.isFinite(v.value) ? new Double(decimalToDouble(quantize(fromDouble(v.value, 34), -places, rounding))) : v
  if (places >= 0) return v
  const from = typeof v === 'bigint' ? v : BigInt(v.value)
  const rounded = toInteger(quantize(fromBigInt(from), -places, rounding))
  if (rounded === undefined || rounded > MAX_LONG || rounded < MIN_LONG) {
    throw error(51080, `invalid conversion from Decimal128 result in ${name} resulting from arguments: [${display(v)}, ${places}]`)
  }
  return typeof v === 'bigint' ? rounded : intOrLong(rounded)
}

export const roundingOperators: Operators = [
  ['$ceil', whole('ceil', Math.ceil)],
  ['$floor', whole('floor', Math.floor)],
  ['$round', placed('half-even')],
  ['$trunc', placed('down')]
]
