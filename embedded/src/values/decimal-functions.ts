import {
  DECIMAL_INFINITY, DECIMAL_NAN, compareParts, decimalCompare, decimalDivide, decimalPad, finite, fromBigInt, pack, pow10, reduced, toDouble, toInteger, unpack
} from './decimal128.js'
import type { Parts } from './decimal128.js'
import type { Decimal128 } from './types.js'

// Correctly rounded to 34 digits, but for rare ties. The server computes these functions, except for the root, in binary
// floating point and can be off by one in the last digit: its 695.6^2 is 483859.3600000000000000000000000001.

// Fixed-point numbers: value * ONE. The places beyond 34 are for numbers near 1 and for large exponents.
const PLACES = 110
const ONE = pow10(PLACES)
/** So near to a whole number a logarithm is one. */
const CLOSE = pow10(20)
const ZERO = fromBigInt(0n)
const UNIT = fromBigInt(1n)
const TEN = fromBigInt(10n)
/** Beyond this, e^x overflows or vanishes. */
const MAX_EXP = 15000

const times = (a: bigint, b: bigint): bigint => a * b / ONE

/** The integer square root. */
function rootOf (n: bigint): bigint {
  if (n < 2n) return n
  let x = 1n << BigInt((n.toString(2).length + 1) >> 1)
  for (;;) {
    const next = (x + n / x) >> 1n
    if (next >= x) return x
    x = next
  }
}

/** ln of a fixed-point number from 0.1 to 10: square roots bring it near 1, where the series is short. */
function lnFixed (x: bigint): bigint {
  let y = x
  let doublings = 1n
  while (y > ONE * 11n / 10n || y < ONE * 9n / 10n) {
    y = rootOf(y * ONE)
    doublings *= 2n
  }
  const z = (y - ONE) * ONE / (y + ONE)
  const square = times(z, z)
  let sum = 0n
  let power = z
  for (let n = 1n; power !== 0n; n += 2n) {
    sum += power / n
    power = times(power, square)
  }
  return sum * 2n * doublings
}

let ln10: bigint | undefined
function LN10 (): bigint {
  ln10 ??= lnFixed(10n * ONE)
  return ln10
}

function expFixed (x: bigint): bigint {
  // e^x = (e^(x / 2^12))^(2^12)
  const small = x >> 12n
  let sum = ONE
  let term = ONE
  for (let n = 1n; term !== 0n && term !== -1n; n++) {
    term = times(term, small) / n
    sum += term
  }
  for (let i = 0; i < 12; i++) sum = times(sum, sum)
  return sum
}

const fixedParts = (x: bigint): Parts => finite(x < 0n, x < 0n ? -x : x, -PLACES)

function lnParts ({ coefficient, exponent }: Parts): bigint {
  const digits = coefficient.toString().length
  const mantissa = coefficient * ONE / pow10(digits - 1)
  return lnFixed(mantissa) + BigInt(exponent + digits - 1) * LN10()
}

/** e^x of a fixed-point x. */
function exponential (x: bigint): Parts {
  const tens = x / LN10()
  return finite(false, expFixed(x - tens * LN10()), Number(tens) - PLACES)
}

const toFixed = (p: Parts): bigint => {
  const places = p.exponent + PLACES
  const magnitude = places >= 0 ? p.coefficient * pow10(places) : p.coefficient / pow10(-places)
  return p.negative ? -magnitude : magnitude
}

const VANISHED = finite(false, 0n, -7000)

export function decimalExp (d: Decimal128): Decimal128 {
  const p = unpack(d)
  if (p.kind === 'nan') return DECIMAL_NAN
  if (p.kind === 'infinity') return p.negative ? ZERO : DECIMAL_INFINITY
  if (p.coefficient === 0n) return UNIT
  const size = toDouble(d)
  if (Math.abs(size) > MAX_EXP) return size < 0 ? pack(VANISHED) : DECIMAL_INFINITY
  return pack(exponential(toFixed(p)))
}

/** Natural logarithm; of 0 it is -Infinity, of negative numbers NaN. */
export function decimalLn (d: Decimal128): Decimal128 {
  const p = unpack(d)
  return logarithmOfSpecial(p) ?? pack(fixedParts(lnParts(p)))
}

function logarithmOfSpecial (p: Parts): Decimal128 | undefined {
  if (p.kind === 'finite' && p.coefficient === 0n) return pack({ ...p, kind: 'infinity', negative: true })
  if (p.kind === 'nan' || p.negative) return DECIMAL_NAN
  return p.kind === 'infinity' ? DECIMAL_INFINITY : undefined
}

export function decimalLog10 (d: Decimal128): Decimal128 {
  const p = unpack(d)
  const special = logarithmOfSpecial(p)
  if (special !== undefined) return special
  const { coefficient, exponent } = reduced(p)
  if (coefficient === 1n) return fromBigInt(BigInt(exponent))
  return pack(fixedParts(lnParts(p) * ONE / LN10()))
}

/** The logarithm to any base. */
export function decimalLog (d: Decimal128, base: Decimal128): Decimal128 {
  if (decimalCompare(base, TEN) === 0) return decimalLog10(d)
  const x = unpack(d)
  const b = unpack(base)
  if (logarithmOfSpecial(x) !== undefined || logarithmOfSpecial(b) !== undefined) return decimalDivide(decimalLn(d), decimalLn(base))
  const divisor = lnParts(b)
  if (divisor === 0n) return decimalDivide(decimalLn(d), ZERO)
  const quotient = lnParts(x) * ONE / divisor
  const whole = (quotient + (quotient < 0n ? -ONE : ONE) / 2n) / ONE
  const rest = quotient - whole * ONE
  return rest < CLOSE && rest > -CLOSE ? fromBigInt(whole) : pack(fixedParts(quotient))
}

export function decimalSqrt (d: Decimal128): Decimal128 {
  const p = unpack(d)
  if (p.kind === 'nan' || (p.negative && p.coefficient !== 0n)) return DECIMAL_NAN
  if (p.kind === 'infinity') return p.negative ? DECIMAL_NAN : d
  const ideal = Math.floor(p.exponent / 2)
  if (p.coefficient === 0n) return pack(finite(p.negative, 0n, ideal))
  const square = p.coefficient * pow10((p.exponent - ideal * 2) + 72)
  const root = rootOf(square)
  if (root * root !== square) return pack(finite(false, root * 10n + 1n, ideal - 37))
  return pack(reduced(finite(false, root, ideal - 36), ideal))
}

/** The power, written with all 34 digits as the server does it. */
export const decimalPow = (base: Decimal128, exponent: Decimal128): Decimal128 => decimalPad(power(base, exponent))

function power (base: Decimal128, exponent: Decimal128): Decimal128 {
  const b = unpack(base)
  const e = unpack(exponent)
  if (e.kind === 'finite' && e.coefficient === 0n) return UNIT
  if (b.kind === 'nan' || e.kind === 'nan') return DECIMAL_NAN
  const whole = e.kind === 'finite' && reduced(e).exponent >= 0 ? toInteger(exponent) : undefined
  const negative = b.negative && whole !== undefined && (whole & 1n) === 1n
  const special = powerOfSpecial(b, e, negative)
  if (special !== undefined) return special
  if (b.negative && whole === undefined) return DECIMAL_NAN
  const result = whole !== undefined && whole > 0n && whole < 200n ? wholePower(b, Number(whole)) : anyPower(b, e)
  return pack({ ...result, negative })
}

/** Where 0 or an infinity takes part. */
function powerOfSpecial (b: Parts, e: Parts, negative: boolean): Decimal128 | undefined {
  const isZero = b.kind === 'finite' && b.coefficient === 0n
  if (b.kind === 'infinity' || isZero) {
    const grows = (b.kind === 'infinity') !== e.negative
    return pack(grows ? { ...b, kind: 'infinity', negative } : finite(negative, 0n, 0))
  }
  if (e.kind !== 'infinity') return undefined
  const order = compareParts({ ...b, negative: false }, unpack(UNIT))
  if (order === 0) return UNIT
  return (order > 0) === e.negative ? ZERO : DECIMAL_INFINITY
}

function wholePower (b: Parts, exponent: number): Parts {
  const base = reduced(b)
  return finite(false, base.coefficient ** BigInt(exponent), base.exponent * exponent)
}

function anyPower (b: Parts, e: Parts): Parts {
  const log = lnParts(b)
  const size = toDouble(pack(e)) * Number(log) / Number(ONE)
  if (Math.abs(size) > MAX_EXP) return size < 0 ? VANISHED : { ...b, kind: 'infinity' }
  return exponential(times(log, toFixed(e)))
}
