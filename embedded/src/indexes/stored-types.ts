import { Decimal128, Double, Int32, isNumber } from '../values/types.js'
import type { Maybe } from '../values/types.js'

/** How to read a number of a key back: keys hold all four types alike. A whole number within 32 bits is an int and another a double unless this says more. */
const STORED = { usual: 0, double: 1, long: 2, other: 3 } as const

function storedType (v: Maybe): number {
  if (v instanceof Int32) return STORED.usual
  if (v instanceof Double) return Object.is(v.value, -0) ? STORED.other : Number.isInteger(v.value) && v.value === (v.value | 0) ? STORED.double : STORED.usual
  if (typeof v === 'bigint') return STORED.long
  return v instanceof Decimal128 ? STORED.other : STORED.usual
}

/** A byte for each field when a number needs one, so that a covered plan gives the very value back. */
export function typesOf (values: readonly Maybe[]): Buffer | undefined {
  if (!values.some(value => value !== undefined && isNumber(value) && storedType(value) !== STORED.usual)) return undefined
  return Buffer.from(values.map(storedType))
}
