import { toInteger } from '../values/decimal128.js'
import { MongoError, badValue } from '../values/errors.js'
import { display } from '../values/format.js'
import { MIN_LONG, isIntegral, toBigInt } from '../values/numbers.js'
import type { NumberValue } from '../values/numbers.js'
import { Binary, Decimal128, isNumber } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import type { BitsMode } from './ast.js'
import { parseNonNegativeInt, parseNonNegativeLong } from './integers.js'

/** The bits that an operator asks for: as positions (for binary data) and as a mask (for numbers). */
export type BitSet = { readonly positions: readonly number[], readonly mask: bigint }

export function parseBits (path: string, operator: string, value: Value): BitSet {
  if (Array.isArray(value)) return ofPositions(value.map(parsePosition))
  if (isNumber(value)) return ofMask(parseNonNegativeLong(operator, value))
  if (value instanceof Binary) return ofBinary(value.bytes)
  throw badValue(`${path} takes an Array, a number, or a BinData but received: ${operator}: ${display(value)}`)
}

function parsePosition (value: Value, i: number): number {
  try {
    return parseNonNegativeInt(String(i), value)
  } catch (e) {
    throw e instanceof MongoError ? badValue(`Failed to parse bit position. ${e.message}`) : e
  }
}

/** Numbers are sign-extended: every bit from 63 on is the sign. */
const ofPositions = (positions: readonly number[]): BitSet =>
  ({ positions, mask: positions.reduce((mask, position) => mask | 1n << BigInt(Math.min(position, 63)), 0n) })

function ofMask (mask: bigint): BitSet {
  const positions = []
  for (let bit = 0; bit < 64; bit++) if ((mask >> BigInt(bit) & 1n) === 1n) positions.push(bit)
  return { positions, mask }
}

/** MongoDB builds the mask for numbers from signed bytes: one of 0x80 or more also sets all the bits above it. */
function ofBinary (bytes: Uint8Array): BitSet {
  const positions: number[] = []
  let mask = 0n
  bytes.forEach((byte, i) => {
    if (byte === 0) return
    mask |= i < 8 ? BigInt.asUintN(64, BigInt.asIntN(8, BigInt(byte)) << BigInt(i * 8)) : 1n << 63n
    for (let bit = 0; bit < 8; bit++) if ((byte & 1 << bit) !== 0) positions.push(i * 8 + bit)
  })
  return { positions, mask }
}

type Decide = { number (value: bigint, mask: bigint): boolean, binary (isSet: (position: number) => boolean, positions: readonly number[]): boolean }

const MODES: Readonly<Record<BitsMode, Decide>> = {
  allSet: { number: (v, mask) => (v & mask) === mask, binary: (isSet, positions) => positions.every(isSet) },
  anySet: { number: (v, mask) => (v & mask) !== 0n, binary: (isSet, positions) => positions.some(isSet) },
  allClear: { number: (v, mask) => (v & mask) === 0n, binary: (isSet, positions) => !positions.some(isSet) },
  anyClear: { number: (v, mask) => (v & mask) !== mask, binary: (isSet, positions) => !positions.every(isSet) }
}

export function bitsTest (mode: BitsMode, { positions, mask }: BitSet): (v: Maybe) => boolean {
  const decide = MODES[mode]
  return v => {
    if (v instanceof Binary) return decide.binary(position => position < v.bytes.length * 8 && (v.bytes[position >> 3] & 1 << (position & 7)) !== 0, positions)
    const whole = isNumber(v) ? wholeNumber(v) : undefined
    return whole !== undefined && decide.number(BigInt.asUintN(64, whole), mask)
  }
}

/** Doubles with a fraction or beyond 64 bits do not match; decimals are rounded, and what does not fit is the smallest long. */
function wholeNumber (v: NumberValue): bigint | undefined {
  if (v instanceof Decimal128) return inLong(toInteger(v, 'half-even')) ?? MIN_LONG
  return isIntegral(v) ? inLong(toBigInt(v)) : undefined
}

const inLong = (whole: bigint | undefined): bigint | undefined => whole !== undefined && BigInt.asIntN(64, whole) === whole ? whole : undefined
