import {
  compareParts, decimalAbs, decimalAdd, decimalCompare, decimalDivide, decimalMod, decimalMultiply, decimalNegate, decimalSubtract, exactParts,
  finite, fromBigInt, fromDouble, isFiniteDecimal, isNaNDecimal, isZeroDecimal, reduced, toDouble as decimalToDouble, toInteger, unpack
} from './decimal128.js'
import { badValue } from './errors.js'
import { Decimal128, Double, Int32 } from './types.js'
import type { Maybe } from './types.js'

export type NumberValue = Int32 | bigint | Double | Decimal128

export const MIN_INT32 = -2147483648
export const MAX_INT32 = 2147483647
export const MIN_LONG = -(1n << 63n)
export const MAX_LONG = (1n << 63n) - 1n
const TWO_63 = 2 ** 63

const fitsInt32 = (n: bigint): boolean => n >= -2147483648n && n <= 2147483647n
const fitsLong = (n: bigint): boolean => n >= MIN_LONG && n <= MAX_LONG

export function toDouble (v: NumberValue): number {
  if (v instanceof Int32 || v instanceof Double) return v.value
  return typeof v === 'bigint' ? Number(v) : decimalToDouble(v)
}

/** MongoDB's conversion of an operand: doubles keep 15 digits. */
export function toDecimal (v: NumberValue, digits: 15 | 34 = 15): Decimal128 {
  if (v instanceof Decimal128) return v
  return v instanceof Double ? fromDouble(v.value, digits) : fromBigInt(integer(v))
}

const integer = (v: Int32 | bigint): bigint => typeof v === 'bigint' ? v : BigInt(v.value)

/** The integer part, undefined for NaN and infinities. */
export function toBigInt (v: NumberValue): bigint | undefined {
  if (v instanceof Int32) return BigInt(v.value)
  if (typeof v === 'bigint') return v
  if (v instanceof Decimal128) return toInteger(v)
  return Number.isFinite(v.value) ? BigInt(Math.trunc(v.value)) : undefined
}

export const isNaNValue = (v: Maybe): boolean =>
  v instanceof Double ? Number.isNaN(v.value) : v instanceof Decimal128 && isNaNDecimal(v)

export const isFiniteValue = (v: NumberValue): boolean =>
  v instanceof Double ? Number.isFinite(v.value) : !(v instanceof Decimal128) || isFiniteDecimal(v)

export function isZero (v: NumberValue): boolean {
  if (v instanceof Int32 || v instanceof Double) return v.value === 0
  return typeof v === 'bigint' ? v === 0n : isZeroDecimal(v)
}

/** A number without a fraction, of whatever type. */
export function isIntegral (v: Maybe): v is NumberValue {
  if (v instanceof Int32 || typeof v === 'bigint') return true
  if (v instanceof Double) return Number.isInteger(v.value)
  return v instanceof Decimal128 && isFiniteDecimal(v) && reduced(unpack(v)).exponent >= 0
}

/** The value as a JavaScript integer if it is a number without a fraction that fits 32 bits. */
export function asInt32 (v: Maybe): number | undefined {
  if (v instanceof Int32) return v.value
  const long = asLong(v)
  return long !== undefined && fitsInt32(long) ? Number(long) : undefined
}

/** The value as a 64-bit integer if it is a number without a fraction that fits. */
export function asLong (v: Maybe): bigint | undefined {
  if (typeof v === 'bigint') return v
  if (!isIntegral(v)) return undefined
  const long = toBigInt(v)!
  return fitsLong(long) ? long : undefined
}

/** Int32 if it fits, else long. */
export const intOrLong = (n: bigint): Int32 | bigint => fitsInt32(n) ? Int32.of(Number(n)) : n

type IntegerOperation = (a: bigint, b: bigint) => bigint
type DoubleOperation = (a: number, b: number) => number
type DecimalOperation = (a: Decimal128, b: Decimal128) => Decimal128
type Operation = { ints: IntegerOperation, doubles: DoubleOperation, decimals: DecimalOperation }

/** The result in the widest type of the two; undefined if a 64-bit result does not fit. */
function widened (a: NumberValue, b: NumberValue, { ints, doubles, decimals }: Operation, digits: 15 | 34 = 15): NumberValue | undefined {
  if (a instanceof Decimal128 || b instanceof Decimal128) return decimals(toDecimal(a, digits), toDecimal(b))
  if (a instanceof Double || b instanceof Double) return new Double(doubles(toDouble(a), toDouble(b)))
  if (a instanceof Int32 && b instanceof Int32) return small(a.value, b.value, ints, doubles)
  const result = ints(integer(a), integer(b))
  return fitsLong(result) ? result : undefined
}

function small (a: number, b: number, ints: IntegerOperation, doubles: DoubleOperation): Int32 | bigint {
  const result = doubles(a, b)
  if (result >= MIN_INT32 && result <= MAX_INT32) return Int32.of(result === 0 ? 0 : result)
  return Number.isSafeInteger(result) ? BigInt(result) : ints(BigInt(a), BigInt(b))
}

const PLUS: Operation = { ints: (a, b) => a + b, doubles: (a, b) => a + b, decimals: decimalAdd }
const MINUS: Operation = { ints: (a, b) => a - b, doubles: (a, b) => a - b, decimals: decimalSubtract }
const TIMES: Operation = { ints: (a, b) => a * b, doubles: (a, b) => a * b, decimals: decimalMultiply }

/** As $inc adds: undefined if the sum of two integers leaves 64 bits. */
export const safeAdd = (a: NumberValue, b: NumberValue): NumberValue | undefined => widened(a, b, PLUS)
/** As $mul multiplies: undefined if the product of two integers leaves 64 bits. */
export const safeMultiply = (a: NumberValue, b: NumberValue): NumberValue | undefined => widened(a, b, TIMES)

/** As $add: an overflow of 64 bits goes on as a double; a double on the left, being a running sum, keeps 34 digits. */
export const add = (a: NumberValue, b: NumberValue): NumberValue =>
  widened(a, b, PLUS, 34) ?? new Double(toDouble(a) + toDouble(b))

export const subtract = (a: NumberValue, b: NumberValue): NumberValue =>
  widened(a, b, MINUS) ?? new Double(toDouble(a) - toDouble(b))

export const multiply = (a: NumberValue, b: NumberValue): NumberValue =>
  safeMultiply(a, b) ?? new Double(toDouble(a) * toDouble(b))

/** As $divide: a double, or a decimal if one operand is. */
export function divide (a: NumberValue, b: NumberValue): NumberValue {
  if (isZero(b)) throw badValue("can't $divide by zero")
  if (a instanceof Decimal128 || b instanceof Decimal128) return decimalDivide(toDecimal(a), toDecimal(b))
  return new Double(toDouble(a) / toDouble(b))
}

/** As $mod: the sign is that of the dividend. */
export function mod (a: NumberValue, b: NumberValue): NumberValue {
  if (isZero(b)) throw badValue("can't $mod by zero")
  if (a instanceof Decimal128 || b instanceof Decimal128) return decimalMod(toDecimal(a), toDecimal(b))
  if (a instanceof Double || (b instanceof Double && !Number.isInteger(b.value))) return new Double(toDouble(a) % toDouble(b))
  return integerMod(a, b)
}

function integerMod (a: Int32 | bigint, b: Int32 | bigint | Double): NumberValue {
  const long = asLong(b)
  if (long === undefined) return new Double(toDouble(a) % toDouble(b))
  const rest = integer(a) % long
  return typeof a === 'bigint' || typeof b === 'bigint' ? rest : Int32.of(Number(rest))
}

export function negate (v: NumberValue): NumberValue {
  if (v instanceof Int32) return intOrLong(-BigInt(v.value))
  if (v instanceof Double) return new Double(-v.value)
  if (v instanceof Decimal128) return decimalNegate(v)
  return v === MIN_LONG ? new Double(TWO_63) : -v
}

export function abs (v: NumberValue): NumberValue {
  if (v instanceof Double) return new Double(Math.abs(v.value))
  if (v instanceof Decimal128) return decimalAbs(v)
  return toDouble(v) < 0 ? negate(v) : v
}

/** Numeric order over all four types: NaN lowest, -0 equal to 0, exact for longs and decimals against doubles. */
export function compareNumbers (a: NumberValue, b: NumberValue): number {
  if (a instanceof Decimal128 || b instanceof Decimal128) return compareDecimals(a, b)
  const x = typeof a === 'bigint' ? a : a.value
  const y = typeof b === 'bigint' ? b : b.value
  // JavaScript compares a bigint with a number exactly.
  if (x < y) return -1
  if (x > y) return 1
  return Number(y !== y) - Number(x !== x) // eslint-disable-line no-self-compare
}

function compareDecimals (a: NumberValue, b: NumberValue): number {
  if (a instanceof Decimal128 && b instanceof Decimal128) return decimalCompare(a, b)
  return compareParts(exactly(a), exactly(b))
}

/** Sign, digits and exponent of any number, exactly. */
export function exactly (v: NumberValue): ReturnType<typeof unpack> {
  if (v instanceof Decimal128) return unpack(v)
  if (v instanceof Double) return Number.isFinite(v.value) ? exactParts(v.value) : unpack(fromDouble(v.value))
  const n = integer(v)
  return finite(n < 0n, n < 0n ? -n : n, 0)
}

/** The same text for equal numbers of any type. */
export function numberKey (v: NumberValue): string {
  if (v instanceof Int32 || typeof v === 'bigint') return String(typeof v === 'bigint' ? v : v.value)
  if (v instanceof Decimal128) return decimalKey(v)
  const n = v.value
  if (n === 0) return '0'
  return Number.isInteger(n) && Math.abs(n) > 2 ** 53 && Math.abs(n) <= TWO_63 ? BigInt(n).toString() : `${n}`
}

function decimalKey (d: Decimal128): string {
  const asDouble = new Double(decimalToDouble(d))
  if (!isFiniteDecimal(d) || compareNumbers(d, asDouble) === 0) return numberKey(asDouble)
  const long = asLong(d)
  if (long !== undefined) return String(long)
  const { negative, coefficient, exponent } = reduced(unpack(d))
  return `${negative ? '-' : ''}${coefficient}d${exponent}`
}

/** A sum as a pair of doubles, which loses nothing within 106 bits; MongoDB's DoubleDoubleSummation. */
class PairSum {
  #sum = -0
  #rest = -0
  // Infinities spoil the pair: the plain sum tells them.
  #plain = -0

  addDouble (x: number): void {
    this.#plain += x
    const sum = this.#sum + x
    const part = sum - this.#sum
    const lost = (this.#sum - (sum - part)) + (x - part) + this.#rest
    this.#sum = sum + lost
    this.#rest = lost - (this.#sum - sum)
  }

  addLong (x: bigint): void {
    const low = BigInt.asIntN(32, x)
    this.addDouble(Number(low))
    this.addDouble(Number(x - low))
  }

  get double (): number {
    return Number.isNaN(this.#sum) ? this.#plain : this.#sum
  }

  /** The sum of integers, of any size. */
  get integer (): bigint {
    return BigInt(this.#sum) + BigInt(this.#rest)
  }

  get decimal (): Decimal128 {
    if (Number.isNaN(this.#sum)) return fromDouble(this.#plain, 34)
    return decimalAdd(fromDouble(this.#sum, 34), fromDouble(this.#rest, 34))
  }
}

/** As $sum and $avg add: in the widest type seen, integers and doubles without losing bits on the way; what is no number is left out. */
export class Sum {
  count = 0
  #widest: 'int' | 'long' | 'double' | 'decimal' = 'int'
  readonly #pair = new PairSum()
  #decimals: Decimal128 | undefined

  add (v: Maybe): void {
    if (v instanceof Int32) this.#pair.addDouble(v.value)
    else if (v instanceof Double) this.#addDouble(v.value)
    else if (typeof v === 'bigint') this.#addLong(v)
    else if (v instanceof Decimal128) this.#addDecimal(v)
    else return
    this.count++
  }

  #addDouble (x: number): void {
    this.#pair.addDouble(x)
    if (this.#widest !== 'decimal') this.#widest = 'double'
  }

  #addLong (x: bigint): void {
    this.#pair.addLong(x)
    if (this.#widest === 'int') this.#widest = 'long'
  }

  #addDecimal (d: Decimal128): void {
    this.#decimals = decimalAdd(this.#decimals ?? fromBigInt(0n), d)
    this.#widest = 'decimal'
  }

  result (): NumberValue {
    if (this.#widest === 'decimal') return this.#decimal()
    if (this.#widest === 'double') return new Double(this.#pair.double)
    const total = this.#pair.integer
    if (!fitsLong(total)) return new Double(this.#pair.double)
    return this.#widest === 'int' ? intOrLong(total) : total
  }

  /** @returns null if there was no number */
  average (): NumberValue | null {
    if (this.count === 0) return null
    if (this.#widest === 'decimal') return decimalDivide(this.#decimal(), fromBigInt(BigInt(this.count)))
    return new Double(this.#pair.double / this.count)
  }

  #decimal (): Decimal128 {
    return decimalAdd(this.#decimals!, this.#pair.decimal)
  }
}
