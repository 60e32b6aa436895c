import { formatDecimal } from '../values/decimal128.js'
import { typeName } from '../values/order.js'
import { isoString } from '../values/dates.js'
import { BsonDate, BsonSymbol, Code, Decimal128, Double, Int32, Timestamp } from '../values/types.js'
import type { Maybe } from '../values/types.js'
import { error, nullish } from './node.js'

const DIGITS = 16

/** A double as C prints it with %.16g. */
export function formatDouble (value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa, power] = value.toExponential(DIGITS - 1).split('e')
  const exponent = Number(power)
  const digits = mantissa.replace(/\.?0+$/, '')
  if (exponent < -4 || exponent >= DIGITS) return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  return value.toFixed(Math.max(0, digits.replace(/[-.]/g, '').length - 1 - exponent))
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function formatTimestamp ({ seconds, increment }: Timestamp): string {
  const at = new Date(seconds * 1000)
  return `${MONTHS[at.getUTCMonth()]} ${String(at.getUTCDate()).padStart(2)} ${at.toISOString().slice(11, 19)}:${increment.toString(16)}`
}

/** The text of a value where an operator wants a string and takes other types too; null and missing are empty. */
export function toText (v: Maybe): string {
  if (typeof v === 'string') return v
  if (nullish(v)) return ''
  if (v instanceof Int32) return String(v.value)
  if (typeof v === 'bigint') return String(v)
  if (v instanceof Double) return formatDouble(v.value)
  if (v instanceof Decimal128) return formatDecimal(v)
  if (v instanceof BsonDate) return isoString(v.ms)
  if (v instanceof BsonSymbol) return v.value
  if (v instanceof Code && v.scope === undefined) return v.code
  if (v instanceof Timestamp) return formatTimestamp(v)
  throw error(16007, `can't convert from BSON type ${typeName(v)} to String`)
}

// Only ASCII letters have two cases here, whatever the locale.
export const toUpper = (text: string): string => text.replace(/[a-z]+/g, letters => letters.toUpperCase())
export const toLower = (text: string): string => text.replace(/[A-Z]+/g, letters => letters.toLowerCase())
