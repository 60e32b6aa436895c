import { MAX_INT32, MIN_INT32, isNaNValue, toDouble } from '../values/numbers.js'
import type { NumberValue } from '../values/numbers.js'

/** A number as a 32-bit integer: truncated and clamped, NaN is 0. */
export const int32Of = (value: NumberValue): number => isNaNValue(value) ? 0 : Math.trunc(Math.min(Math.max(toDouble(value), MIN_INT32), MAX_INT32))
