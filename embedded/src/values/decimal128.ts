import { Decimal128 } from './types.js'

const DIGITS = 34
const BIAS = 6176
const MIN_EXPONENT = -6176
const MAX_EXPONENT = 6111
const LIMIT = 10n ** 34n

/** The number (-1)^negative * coefficient * 10^exponent, or an infinity or NaN. */
export type Parts = {
  readonly kind: 'finite' | 'infinity' | 'nan'
  readonly negative: boolean
  readonly coefficient: bigint
  readonly exponent: number
}

const POWERS: bigint[] = [1n]
/** 10^n; small powers are kept. */
export function pow10 (n: number): bigint {
  if (n > 80) return 10n ** BigInt(n)
  for (let i = POWERS.length; i <= n; i++) POWERS.push(POWERS[i - 1] * 10n)
  return POWERS[n]
}

const digitsOf = (coefficient: bigint): number => coefficient === 0n ? 1 : coefficient.toString().length

export const finite = (negative: boolean, coefficient: bigint, exponent: number): Parts => ({ kind: 'finite', negative, coefficient, exponent })
const special = (kind: 'infinity' | 'nan', negative = false): Parts => ({ kind, negative, coefficient: 0n, exponent: 0 })
const NAN = special('nan')
const infinity = (negative: boolean): Parts => special('infinity', negative)

/** Takes the 16 bytes of the binary integer encoding apart. */
export function unpack (d: Decimal128): Parts {
  const view = new DataView(d.bytes.buffer, d.bytes.byteOffset, 16)
  const high = view.getBigUint64(8, true)
  const negative = high >> 63n === 1n
  const combination = Number((high >> 58n) & 31n)
  if (combination === 31) return special('nan', negative)
  if (combination === 30) return infinity(negative)
  // The form with an implied 100 in front always exceeds 34 digits: such a coefficient counts as 0.
  if (combination >= 24) return finite(negative, 0n, Number((high >> 47n) & 0x3fffn) - BIAS)
  const coefficient = ((high & 0x1ffffffffffffn) << 64n) | view.getBigUint64(0, true)
  return finite(negative, coefficient < LIMIT ? coefficient : 0n, Number((high >> 49n) & 0x3fffn) - BIAS)
}

/** Rounds half to even to what 34 digits and the exponent's range can hold. */
export function pack (p: Parts): Decimal128 {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  const fitted = p.kind === 'finite' ? fit(p) : p
  const sign = fitted.negative ? 1n << 63n : 0n
  if (fitted.kind === 'nan') view.setBigUint64(8, sign | (31n << 58n), true)
  else if (fitted.kind === 'infinity') view.setBigUint64(8, sign | (30n << 58n), true)
  else {
    view.setBigUint64(0, fitted.coefficient & 0xffffffffffffffffn, true)
    view.setBigUint64(8, sign | (BigInt(fitted.exponent + BIAS) << 49n) | (fitted.coefficient >> 64n), true)
  }
  return new Decimal128(bytes)
}

function fit (p: Parts): Parts {
  const drop = Math.max(digitsOf(p.coefficient) - DIGITS, MIN_EXPONENT - p.exponent)
  const rounded = drop > 0 ? carry(shiftRight(p, drop)) : p
  if (rounded.exponent <= MAX_EXPONENT) return rounded
  if (rounded.coefficient === 0n) return finite(p.negative, 0n, MAX_EXPONENT)
  const pad = rounded.exponent - MAX_EXPONENT
  if (digitsOf(rounded.coefficient) + pad > DIGITS) return infinity(p.negative)
  return finite(p.negative, rounded.coefficient * pow10(pad), MAX_EXPONENT)
}

const carry = (p: Parts): Parts => p.coefficient === LIMIT ? finite(p.negative, LIMIT / 10n, p.exponent + 1) : p

export type Rounding = 'half-even' | 'down' | 'up' | 'floor' | 'ceil'

function shiftRight (p: Parts, drop: number, rounding: Rounding = 'half-even'): Parts {
  // More than this many digits never matter: the rest only says whether something was cut off.
  const unit = pow10(Math.min(drop, p.coefficient.toString().length + 1))
  const quotient = p.coefficient / unit
  const rest = p.coefficient % unit
  return finite(p.negative, roundsUp(p.negative, quotient, rest, unit, rounding) ? quotient + 1n : quotient, p.exponent + drop)
}

function roundsUp (negative: boolean, quotient: bigint, rest: bigint, unit: bigint, rounding: Rounding): boolean {
  if (rest === 0n || rounding === 'down') return false
  if (rounding === 'up') return true
  if (rounding === 'floor') return negative
  if (rounding === 'ceil') return !negative
  const twice = rest * 2n
  return twice > unit || (twice === unit && (quotient & 1n) === 1n)
}

export const DECIMAL_NAN = pack(NAN)
export const DECIMAL_INFINITY = pack(infinity(false))
export const DECIMAL_NEGATIVE_INFINITY = pack(infinity(true))

const SYNTAX = /^([+-])?(?:(\d+)\.?(\d*)|\.(\d+))(?:[eE]([+-]?\d+))?$/
const SPECIAL = /^([+-])?(inf|infinity|nan)$/i

/** @returns undefined for a text that is no decimal number; one with too many digits is rounded */
export function parseDecimal (text: string): Decimal128 | undefined {
  const named = SPECIAL.exec(text)
  if (named !== null) return pack(named[2].toLowerCase() === 'nan' ? NAN : infinity(named[1] === '-'))
  const m = SYNTAX.exec(text)
  if (m === null) return undefined
  const whole = m[2] ?? ''
  const fraction = m[3] ?? m[4] ?? ''
  const digits = (whole + fraction).replace(/^0+(?=.)/, '')
  return pack(shortened(m[1] === '-', digits, clampExponent(m[5]) - fraction.length))
}

const clampExponent = (text: string | undefined): number => text === undefined ? 0 : Math.max(-1e8, Math.min(1e8, Number(text)))

/** Keeps a text of a million digits from becoming a number of a million digits: the tail only matters as "something more". */
function shortened (negative: boolean, digits: string, exponent: number): Parts {
  if (digits.length <= 80) return finite(negative, BigInt(digits), exponent)
  const sticky = /[1-9]/.test(digits.slice(79)) ? '1' : '0'
  return finite(negative, BigInt(digits.slice(0, 79) + sticky), exponent + digits.length - 80)
}

/** As the server prints it: scientific for a positive exponent or six zeros behind the point. */
export function formatDecimal (d: Decimal128): string {
  const p = unpack(d)
  const sign = p.negative ? '-' : ''
  if (p.kind === 'nan') return 'NaN'
  if (p.kind === 'infinity') return `${sign}Infinity`
  const digits = p.coefficient.toString()
  const adjusted = p.exponent + digits.length - 1
  if (p.exponent > 0 || adjusted < -6) return sign + scientific(digits, adjusted)
  if (p.exponent === 0) return sign + digits
  const padded = digits.padStart(1 - p.exponent, '0')
  return `${sign}${padded.slice(0, p.exponent)}.${padded.slice(p.exponent)}`
}

function scientific (digits: string, adjusted: number): string {
  const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`
  return `${mantissa}E${adjusted < 0 ? '-' : '+'}${Math.abs(adjusted)}`
}

const doubleBits = new DataView(new ArrayBuffer(8))

/** The exact value of a finite double. */
export function exactParts (value: number): Parts {
  doubleBits.setFloat64(0, value)
  const bits = doubleBits.getBigUint64(0)
  const biased = Number((bits >> 52n) & 0x7ffn)
  const fraction = bits & 0xfffffffffffffn
  const mantissa = biased === 0 ? fraction : fraction | (1n << 52n)
  const power = Math.max(biased, 1) - 1075
  const negative = bits >> 63n === 1n
  if (mantissa === 0n) return finite(negative, 0n, 0)
  if (power >= 0) return finite(negative, mantissa << BigInt(power), 0)
  return withoutTwos(negative, mantissa, -power)
}

function withoutTwos (negative: boolean, mantissa: bigint, power: number): Parts {
  let m = mantissa
  let k = power
  while (k > 0 && (m & 1n) === 0n) {
    m >>= 1n
    k--
  }
  // m / 2^k = m * 5^k / 10^k
  return finite(negative, m * 5n ** BigInt(k), -k)
}

const specialDouble = (value: number): Parts | undefined =>
  Number.isNaN(value) ? NAN : Number.isFinite(value) ? undefined : infinity(value < 0)

/**
 * A double as a decimal of 15 or 34 significant digits. MongoDB takes 15 where a value is converted and 34 where a sum
 * that began as a double goes on as a decimal. With 15 the zeros at the end go: 0.1 is 0.1.
 */
export function fromDouble (value: number, digits: 15 | 34 = 15): Decimal128 {
  const odd = specialDouble(value)
  if (odd !== undefined) return pack(odd)
  const exact = exactParts(value)
  const drop = digitsOf(exact.coefficient) - digits
  return pack(drop > 0 ? shiftRight(exact, drop) : digits === 15 ? padded(exact, -drop) : exact)
}

/** A conversion with 15 digits states all 15 of them, unless the number is 0. */
const padded = (p: Parts, digits: number): Parts =>
  p.coefficient === 0n ? p : finite(p.negative, p.coefficient * pow10(digits), p.exponent - digits)

export const fromBigInt = (value: bigint): Decimal128 => pack(finite(value < 0n, value < 0n ? -value : value, 0))

/** The nearest double. */
export function toDouble (d: Decimal128): number {
  const p = unpack(d)
  if (p.kind === 'nan') return NaN
  if (p.kind === 'infinity') return p.negative ? -Infinity : Infinity
  return Number(`${p.negative ? '-' : ''}${p.coefficient}e${p.exponent}`)
}

/** Rounds to an integer of any size; NaN and infinities have none. */
export function toInteger (d: Decimal128, rounding: Rounding = 'down'): bigint | undefined {
  const p = unpack(d)
  if (p.kind !== 'finite') return undefined
  const whole = p.exponent < 0 ? shiftRight(p, -p.exponent, rounding).coefficient : p.coefficient * pow10(p.exponent)
  return p.negative ? -whole : whole
}

export const isNaNDecimal = (d: Decimal128): boolean => (d.bytes[15] & 0x7c) === 0x7c
export const isFiniteDecimal = (d: Decimal128): boolean => (d.bytes[15] & 0x78) !== 0x78
export const isNegativeDecimal = (d: Decimal128): boolean => d.bytes[15] > 127
export const isZeroDecimal = (d: Decimal128): boolean => isFiniteDecimal(d) && unpack(d).coefficient === 0n

export function decimalNegate (d: Decimal128): Decimal128 {
  const bytes = Uint8Array.from(d.bytes)
  bytes[15] ^= 0x80
  return new Decimal128(bytes)
}

export const decimalAbs = (d: Decimal128): Decimal128 => isNegativeDecimal(d) ? decimalNegate(d) : d

const signed = (p: Parts): bigint => p.negative ? -p.coefficient : p.coefficient

// Beyond this distance of the exponents the smaller number cannot reach the digits that are kept, only say "a bit more".
const FAR = 75

export function decimalAdd (a: Decimal128, b: Decimal128): Decimal128 {
  const x = unpack(a)
  const y = unpack(b)
  if (x.kind !== 'finite' || y.kind !== 'finite') return addSpecial(x, y)
  const [high, low] = x.exponent >= y.exponent ? [x, y] : [y, x]
  const gap = high.exponent - low.exponent
  if (gap > FAR && high.coefficient !== 0n) return addFar(high, low)
  const sum = signed(high) * (high.coefficient === 0n ? 1n : pow10(gap)) + signed(low)
  const negative = sum === 0n ? x.negative && y.negative : sum < 0n
  return pack(finite(negative, sum < 0n ? -sum : sum, low.exponent))
}

function addFar (high: Parts, low: Parts): Decimal128 {
  const bit = low.coefficient === 0n ? 0n : low.negative === high.negative ? 1n : -1n
  return pack(finite(high.negative, high.coefficient * pow10(FAR) + bit, high.exponent - FAR))
}

function addSpecial (x: Parts, y: Parts): Decimal128 {
  if (x.kind === 'nan' || y.kind === 'nan') return DECIMAL_NAN
  if (x.kind === 'infinity' && y.kind === 'infinity' && x.negative !== y.negative) return DECIMAL_NAN
  return pack(x.kind === 'infinity' ? x : y)
}

export const decimalSubtract = (a: Decimal128, b: Decimal128): Decimal128 => decimalAdd(a, isNaNDecimal(b) ? b : decimalNegate(b))

export function decimalMultiply (a: Decimal128, b: Decimal128): Decimal128 {
  const x = unpack(a)
  const y = unpack(b)
  const negative = x.negative !== y.negative
  if (x.kind === 'finite' && y.kind === 'finite') return pack(finite(negative, x.coefficient * y.coefficient, x.exponent + y.exponent))
  const isZero = (p: Parts): boolean => p.kind === 'finite' && p.coefficient === 0n
  return x.kind === 'nan' || y.kind === 'nan' || isZero(x) || isZero(y) ? DECIMAL_NAN : pack(infinity(negative))
}

export function decimalDivide (a: Decimal128, b: Decimal128): Decimal128 {
  const x = unpack(a)
  const y = unpack(b)
  const negative = x.negative !== y.negative
  if (x.kind === 'nan' || y.kind === 'nan') return DECIMAL_NAN
  if (x.kind === 'infinity') return y.kind === 'infinity' ? DECIMAL_NAN : pack(infinity(negative))
  if (y.kind === 'infinity') return pack(finite(negative, 0n, MIN_EXPONENT))
  if (y.coefficient === 0n) return x.coefficient === 0n ? DECIMAL_NAN : pack(infinity(negative))
  return pack(quotient(negative, x, y))
}

function quotient (negative: boolean, x: Parts, y: Parts): Parts {
  const ideal = x.exponent - y.exponent
  if (x.coefficient === 0n) return finite(negative, 0n, ideal)
  const scale = Math.max(0, DIGITS + 2 + digitsOf(y.coefficient) - digitsOf(x.coefficient))
  const dividend = x.coefficient * pow10(scale)
  const whole = dividend / y.coefficient
  if (dividend % y.coefficient !== 0n) return finite(negative, whole * 10n + 1n, ideal - scale - 1)
  return reduced(finite(negative, whole, ideal - scale), ideal)
}

/** Without zeros at the end, as far as the exponent may grow. */
export function reduced (p: Parts, limit = Infinity): Parts {
  let { coefficient, exponent } = p
  while (coefficient !== 0n && exponent < limit && coefficient % 10n === 0n) {
    coefficient /= 10n
    exponent++
  }
  return finite(p.negative, coefficient, exponent)
}

/** The rest with the sign of the dividend, exact as fmod is. */
export function decimalMod (a: Decimal128, b: Decimal128): Decimal128 {
  const x = unpack(a)
  const y = unpack(b)
  if (x.kind !== 'finite' || y.kind === 'nan' || (y.kind === 'finite' && y.coefficient === 0n)) return DECIMAL_NAN
  if (y.kind === 'infinity') return a
  const exponent = Math.min(x.exponent, y.exponent)
  // A divisor that is larger by more than all digits leaves the dividend as it is.
  if (y.exponent - exponent > DIGITS) return a
  const divisor = y.coefficient * pow10(y.exponent - exponent)
  return pack(finite(x.negative, x.coefficient * powerModulo(x.exponent - exponent, divisor) % divisor, exponent))
}

function powerModulo (exponent: number, modulus: bigint): bigint {
  let result = 1n
  let base = 10n
  for (let e = exponent; e > 0; e >>= 1) {
    if ((e & 1) === 1) result = result * base % modulus
    base = base * base % modulus
  }
  return result
}

/** Total order with NaN lowest, -0 equal to 0 and 1.0 equal to 1. */
export const decimalCompare = (a: Decimal128, b: Decimal128): number => compareParts(unpack(a), unpack(b))

const rank = (p: Parts): number => p.kind === 'nan' ? -2 : p.kind === 'infinity' ? (p.negative ? -1 : 1) : 0

export function compareParts (x: Parts, y: Parts): number {
  if (x.kind !== 'finite' || y.kind !== 'finite') return rank(x) - rank(y)
  if (x.coefficient === 0n || y.coefficient === 0n || x.negative !== y.negative) return signOf(x) - signOf(y)
  const order = compareMagnitudes(x, y)
  return x.negative ? 0 - order : order
}

const signOf = (p: Parts): number => p.coefficient === 0n ? 0 : p.negative ? -1 : 1

function compareMagnitudes (x: Parts, y: Parts): number {
  const gap = x.exponent - y.exponent
  const order = digitsOf(x.coefficient) - digitsOf(y.coefficient) + gap
  if (order !== 0) return order
  const left = gap > 0 ? x.coefficient * pow10(gap) : x.coefficient
  const right = gap < 0 ? y.coefficient * pow10(-gap) : y.coefficient
  return left < right ? -1 : left > right ? 1 : 0
}

/**
 * Rounds to a multiple of 10^exponent and states that exponent, as $round and $trunc do. Where that would need more than
 * 34 digits the number stays, written with all 34.
 */
export function decimalQuantize (d: Decimal128, exponent: number, rounding: Rounding = 'half-even'): Decimal128 {
  return quantized(d, exponent, rounding) ?? decimalPad(d)
}

/** As $ceil and $floor: to a whole number with exponent 0, NaN if that needs more than 34 digits. */
export const decimalWhole = (d: Decimal128, rounding: Rounding): Decimal128 => quantized(d, 0, rounding) ?? DECIMAL_NAN

function quantized (d: Decimal128, exponent: number, rounding: Rounding): Decimal128 | undefined {
  const p = unpack(d)
  if (p.kind !== 'finite') return d
  const gap = exponent - p.exponent
  if (p.coefficient === 0n) return pack(finite(p.negative, 0n, exponent))
  if (digitsOf(p.coefficient) - gap > DIGITS) return undefined
  const moved = gap > 0 ? shiftRight(p, gap, rounding) : finite(p.negative, p.coefficient * pow10(-gap), exponent)
  return digitsOf(moved.coefficient) > DIGITS ? undefined : pack(moved)
}

const LOWEST_ZERO = pack(finite(false, 0n, MIN_EXPONENT))
/** The number with as many zeros at its end as 34 digits allow. */
export const decimalPad = (d: Decimal128): Decimal128 => decimalAdd(d, LOWEST_ZERO)
