import { decimalExp, decimalLn, decimalLog, decimalLog10, decimalPow, decimalSqrt } from '../values/decimal-functions.js'
import { compareNumbers, isNaNValue, isZero, toDecimal, toDouble } from '../values/numbers.js'
import type { NumberValue } from '../values/numbers.js'
import { typeName } from '../values/order.js'
import { Decimal128, Double, Int32, isNumber } from '../values/types.js'
import type { Maybe } from '../values/types.js'
import { isNegative, numeric } from './arithmetic.js'
import { formatDouble } from './text.js'
import { binary, error, nullish } from './node.js'
import type { Operators } from './node.js'

const isPositive = (v: NumberValue): boolean => compareNumbers(v, Int32.of(0)) > 0
const fits = (v: NumberValue): boolean => isPositive(v) || isNaNValue(v)
const print = (v: NumberValue): string => formatDouble(toDouble(v))

function exp (v: NumberValue): NumberValue {
  return v instanceof Decimal128 ? decimalExp(v) : new Double(Math.exp(toDouble(v)))
}

function ln (v: NumberValue): NumberValue {
  if (!fits(v)) throw error(28766, `$ln's argument must be a positive number, but is ${print(v)}`)
  return v instanceof Decimal128 ? decimalLn(v) : new Double(Math.log(toDouble(v)))
}

function log10 (v: NumberValue): NumberValue {
  if (!fits(v)) throw error(28761, `$log10's argument must be a positive number, but is ${print(v)}`)
  return v instanceof Decimal128 ? decimalLog10(v) : new Double(Math.log10(toDouble(v)))
}

function log (v: Maybe, base: Maybe): Maybe {
  if (nullish(v) || nullish(base)) return null
  if (!isNumber(v)) throw error(28756, `$log's argument must be numeric, not ${typeName(v)}`)
  if (!isNumber(base)) throw error(28757, `$log's base must be numeric, not ${typeName(base)}`)
  if (!fits(v)) throw error(28758, `$log's argument must be a positive number, but is ${print(v)}`)
  if (!fits(base) || toDouble(base) === 1) throw error(28759, `$log's base must be a positive number not equal to 1, but is ${print(base)}`)
  if (v instanceof Decimal128 || base instanceof Decimal128) return decimalLog(toDecimal(v), toDecimal(base))
  return new Double(Math.log(toDouble(v)) / Math.log(toDouble(base)))
}

function sqrt (v: NumberValue): NumberValue {
  if (isNegative(v)) throw error(28714, "$sqrt's argument must be greater than or equal to 0")
  return v instanceof Decimal128 ? decimalSqrt(v) : new Double(Math.sqrt(toDouble(v)))
}

function pow (base: Maybe, exponent: Maybe): Maybe {
  if (nullish(base) || nullish(exponent)) return null
  if (!isNumber(base)) throw error(28762, `$pow's base must be numeric, not ${typeName(base)}`)
  if (!isNumber(exponent)) throw error(28763, `$pow's exponent must be numeric, not ${typeName(exponent)}`)
  if (isZero(base) && isNegative(exponent)) throw error(28764, '$pow cannot take a base of 0 and a negative exponent')
  if (base instanceof Decimal128 || exponent instanceof Decimal128) return decimalPow(toDecimal(base), toDecimal(exponent))
  if (base instanceof Double || exponent instanceof Double) return new Double(powDouble(toDouble(base), toDouble(exponent)))
  return powInteger(base as Int32 | bigint, exponent as Int32 | bigint)
}

/** C says 1 where JavaScript says NaN. */
function powDouble (base: number, exponent: number): number {
  return base === 1 || (base === -1 && !Number.isFinite(exponent) && !Number.isNaN(exponent)) ? 1 : base ** exponent
}

function powInteger (base: Int32 | bigint, exponent: Int32 | bigint): NumberValue {
  const b = typeof base === 'bigint' ? base : BigInt(base.value)
  const e = typeof exponent === 'bigint' ? exponent : BigInt(exponent.value)
  const result = powExact(b, e)
  if (result === undefined || BigInt.asIntN(64, result) !== result) return new Double(powDouble(Number(b), Number(e)))
  const isInt = base instanceof Int32 && exponent instanceof Int32 && BigInt.asIntN(32, result) === result
  return isInt ? Int32.of(Number(result)) : result
}

/** Undefined where the result is no integer or surely too large. */
function powExact (base: bigint, exponent: bigint): bigint | undefined {
  if (base === 1n || (base === 0n && exponent > 0n)) return base
  if (base === -1n) return exponent % 2n === 0n ? 1n : -1n
  return exponent < 0n || exponent > 63n ? undefined : base ** exponent
}

export const mathOperators: Operators = [
  ['$exp', numeric(exp)],
  ['$ln', numeric(ln)],
  ['$log10', numeric(log10)],
  ['$log', binary(log)],
  ['$sqrt', numeric(sqrt)],
  ['$pow', binary(pow)]
]
