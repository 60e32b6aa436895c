import { failedToParse } from '../values/errors.js'
import { display } from '../values/format.js'
import { isIntegral, toBigInt } from '../values/numbers.js'
import { isNumber } from '../values/types.js'
import type { Maybe } from '../values/types.js'
import { isNaNValue } from '../values/numbers.js'

const MIN = -(1n << 63n)
const MAX = (1n << 63n) - 1n

/** A whole number as operators take them. @throws MongoError 9 */
export function parseLong (name: string, value: Maybe): bigint {
  const shown = `${name}: ${display(value)}`
  if (!isNumber(value)) throw failedToParse(`Expected a number in: ${shown}`)
  if (isNaNValue(value)) throw failedToParse(`Expected an integer, but found NaN in: ${shown}`)
  const whole = toBigInt(value)
  if (whole === undefined || whole < MIN || whole > MAX) throw failedToParse(`Cannot represent as a 64-bit integer: ${shown}`)
  if (!isIntegral(value)) throw failedToParse(`Expected an integer: ${shown}`)
  return whole
}

export function parseNonNegativeLong (name: string, value: Maybe): bigint {
  const whole = parseLong(name, value)
  if (whole < 0n) throw failedToParse(`Expected a non-negative number in: ${name}: ${display(value)}`)
  return whole
}

export function parseNonNegativeInt (name: string, value: Maybe): number {
  const whole = parseLong(name, value)
  if (whole > 2147483647n || whole < -2147483648n) throw failedToParse(`Cannot represent ${name}: ${display(value)} in an int`)
  if (whole < 0n) throw failedToParse(`Expected a non-negative number in: ${name}: ${display(value)}`)
  return Number(whole)
}
