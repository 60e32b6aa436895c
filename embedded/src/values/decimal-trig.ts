import { DECIMAL_INFINITY, DECIMAL_NAN, DECIMAL_NEGATIVE_INFINITY, finite, pack, pow10, unpack } from './decimal128.js'
import type { Decimal128 } from './types.js'

// Fixed-point numbers, value * ONE: the places beyond 34 are for what cancels out.
const PLACES = 120
const ONE = pow10(PLACES)
/** Results keep this many digits before they are rounded to 34. */
const KEPT = 50

const times = (a: bigint, b: bigint): bigint => a * b / ONE
const over = (a: bigint, b: bigint): bigint => a * ONE / b
const abs = (n: bigint): bigint => n < 0n ? -n : n

function root (n: bigint): bigint {
  if (n < 2n) return n
  let x = 1n << BigInt((n.toString(2).length + 1) >> 1)
  for (let next = (x + n / x) >> 1n; next < x; next = (x + n / x) >> 1n) x = next
  return x
}

const rootFixed = (x: bigint): bigint => root(x * ONE)

function fixed (d: Decimal128, places = PLACES): bigint {
  const { negative, coefficient, exponent } = unpack(d)
  const shift = exponent + places
  const n = shift >= 0 ? coefficient * pow10(shift) : coefficient / pow10(-shift)
  return negative ? -n : n
}

function toDecimal (x: bigint): Decimal128 {
  const digits = abs(x)
  const drop = Math.max(0, digits.toString().length - KEPT)
  return pack(finite(x < 0n, digits / pow10(drop), drop - PLACES))
}

/** Sum of first * factor / (a * b) and so on: the series of sine, cosine and their hyperbolic forms. */
function series (first: bigint, square: bigint, from: bigint): bigint {
  let term = first
  let sum = 0n
  for (let n = from; term !== 0n; n += 2n) {
    sum += term
    term = times(term, square) / (n * (n + 1n))
  }
  return sum
}

/** arctan(1 / n) in units of `one`. */
function arctanInverse (n: bigint, one: bigint): bigint {
  let power = one / n
  let sum = 0n
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += (k % 4n === 1n ? power : -power) / k
    power /= n * n
  }
  return sum
}

/** Machin's formula. */
const piOf = (one: bigint): bigint => 4n * (4n * arctanInverse(5n, one) - arctanInverse(239n, one))
const PI = piOf(ONE * 1000n) / 1000n

/** The angle within one turn, as a fixed-point number. */
function reduced (d: Decimal128): bigint {
  const { coefficient, exponent } = unpack(d)
  const extra = Math.max(0, exponent + coefficient.toString().length)
  if (extra === 0) return fixed(d)
  const turn = 2n * piOf(pow10(PLACES + extra + 5)) / 100000n
  return fixed(d, PLACES + extra) % turn / pow10(extra)
}

function arctan (x: bigint): bigint {
  if (abs(x) > ONE) return (x < 0n ? -PI : PI) / 2n - arctan(over(ONE, x))
  let z = x
  for (let i = 0; i < 4; i++) z = over(z, ONE + rootFixed(ONE + times(z, z)))
  const square = -times(z, z)
  let power = z
  let sum = 0n
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += power / k
    power = times(power, square)
  }
  return sum * 16n
}

/** ln of (1 + z) / (1 - z), halved. */
function artanh (z: bigint): bigint {
  if (abs(z) > ONE / 10n) return 2n * artanh(over(z, ONE + rootFixed(ONE - times(z, z))))
  const square = times(z, z)
  let power = z
  let sum = 0n
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += power / k
    power = times(power, square)
  }
  return sum
}

function exp (x: bigint): bigint {
  let halvings = 0
  let y = x
  for (; abs(y) > ONE / 100n; halvings++) y /= 2n
  let sum = ONE
  let term = ONE
  for (let n = 1n; term !== 0n; n++) {
    term = times(term, y) / n
    sum += term
  }
  for (; halvings > 0; halvings--) sum = times(sum, sum)
  return sum
}

const isSpecial = (d: Decimal128): boolean => unpack(d).kind !== 'finite'

/** @param special the result for infinities; NaN gives NaN */
const lift = (apply: (d: Decimal128) => bigint, special: (negative: boolean) => Decimal128) => (d: Decimal128): Decimal128 => {
  const { kind, negative } = unpack(d)
  if (kind === 'nan') return DECIMAL_NAN
  return kind === 'infinity' ? special(negative) : toDecimal(apply(d))
}

const none = (): Decimal128 => DECIMAL_NAN
const infinity = (negative: boolean): Decimal128 => negative ? DECIMAL_NEGATIVE_INFINITY : DECIMAL_INFINITY
const quarter = (negative: boolean): Decimal128 => toDecimal((negative ? -PI : PI) / 2n)
const unit = (negative: boolean): Decimal128 => toDecimal(negative ? -ONE : ONE)

const sine = (x: bigint): bigint => series(x, -times(x, x), 2n)
const cosine = (x: bigint): bigint => series(ONE, -times(x, x), 1n)
const arcsine = (x: bigint): bigint => abs(x) === ONE ? (x < 0n ? -PI : PI) / 2n : arctan(over(x, rootFixed(ONE - times(x, x))))

/** Beyond this, e^x overflows the decimals' range. */
const LARGEST = 14200n * ONE

const hyperbolic = (sign: 1n | -1n) => (d: Decimal128): Decimal128 => {
  const x = fixed(d)
  if (isSpecial(d) || abs(x) > LARGEST) return unpack(d).kind === 'nan' ? DECIMAL_NAN : infinity(sign < 0n && unpack(d).negative)
  if (abs(x) < ONE) return toDecimal(sign > 0n ? series(ONE, times(x, x), 1n) : series(x, times(x, x), 2n))
  const grown = exp(abs(x))
  const sum = (grown + sign * over(ONE, grown)) / 2n
  return toDecimal(sign < 0n && x < 0n ? -sum : sum)
}

function hyperbolicTangent (d: Decimal128): bigint {
  const x = fixed(d)
  if (abs(x) < ONE) return over(series(x, times(x, x), 2n), series(ONE, times(x, x), 1n))
  const size = abs(x) > 150n * ONE ? ONE : ONE - over(2n * ONE, exp(2n * abs(x)) + ONE)
  return x < 0n ? -size : size
}

/** arsinh x = artanh(x / sqrt(1 + x^2)); for large x that is ln 2x. */
function areaSine (d: Decimal128): bigint {
  const x = fixed(d)
  return abs(x) < ONE * 1000n ? artanh(over(x, rootFixed(ONE + times(x, x)))) : signed(x, logarithm(abs(x) + root(x * x + ONE * ONE)))
}

const signed = (like: bigint, n: bigint): bigint => like < 0n ? -n : n

function areaCosine (d: Decimal128): bigint {
  const x = fixed(d)
  return logarithm(x + root(x * x - ONE * ONE))
}

/** The natural logarithm of a number above 1. */
function logarithm (x: bigint): bigint {
  const power = x.toString().length - ONE.toString().length
  const mantissa = x / pow10(Math.max(0, power))
  return 2n * artanh(over(mantissa - ONE, mantissa + ONE)) + BigInt(Math.max(0, power)) * TEN_LOG
}
const TEN_LOG = 2n * artanh(over(9n * ONE, 11n * ONE))

export const decimalSin = lift(d => sine(reduced(d)), none)
export const decimalCos = lift(d => cosine(reduced(d)), none)
export const decimalTan = lift(d => over(sine(reduced(d)), cosine(reduced(d))), none)
export const decimalAsin = lift(d => arcsine(fixed(d)), none)
export const decimalAcos = lift(d => PI / 2n - arcsine(fixed(d)), none)
export const decimalAtan = lift(d => arctan(fixed(d)), quarter)
export const decimalSinh = hyperbolic(-1n)
export const decimalCosh = hyperbolic(1n)
export const decimalTanh = lift(hyperbolicTangent, unit)
export const decimalAsinh = lift(areaSine, infinity)
export const decimalAcosh = lift(areaCosine, infinity)
export const decimalAtanh = (d: Decimal128): Decimal128 =>
  isSpecial(d) ? DECIMAL_NAN : abs(fixed(d)) === ONE ? infinity(unpack(d).negative) : toDecimal(artanh(fixed(d)))
export const decimalToRadians = lift(d => fixed(d) * PI / (180n * ONE), infinity)
export const decimalToDegrees = lift(d => fixed(d) * 180n * ONE / PI, infinity)

export function decimalAtan2 (y: Decimal128, x: Decimal128): Decimal128 {
  const [a, b] = [unpack(y), unpack(x)]
  if (a.kind === 'nan' || b.kind === 'nan') return DECIMAL_NAN
  // An infinity outweighs anything but another one.
  const isFar = a.kind === 'infinity' || b.kind === 'infinity'
  const size = (p: typeof a, n: bigint): bigint => !isFar ? n : p.kind === 'infinity' ? (p.negative ? -ONE : ONE) : 0n
  const [height, width] = [size(a, fixed(y)), size(b, fixed(x))]
  if (width === 0n && height !== 0n) return quarter(a.negative)
  const base = width === 0n ? 0n : arctan(over(height, width))
  return toDecimal(b.negative ? base + (a.negative ? -PI : PI) : base)
}
