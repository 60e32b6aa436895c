import { dateAdd, isTimeUnit } from '../values/date-arithmetic.js'
import type { TimeUnit } from '../values/date-arithmetic.js'
import { DAY, HOUR, MINUTE, SECOND, findTimeZone } from '../values/dates.js'
import { failedToParse } from '../values/errors.js'
import { BsonDate } from '../values/types.js'

export type { TimeUnit } from '../values/date-arithmetic.js'

const UTC = findTimeZone('UTC')!
const MILLISECONDS: ReadonlyMap<string, number> = new Map([
  ['week', 7 * DAY], ['day', DAY], ['hour', HOUR], ['minute', MINUTE], ['second', SECOND], ['millisecond', 1]
])

export function parseTimeUnit (text: string): TimeUnit {
  if (isTimeUnit(text)) return text
  throw failedToParse(`unknown time unit value: ${text}`)
}

/** The length of a unit; undefined for the ones that vary (month and longer). */
export const unitMilliseconds = (unit: TimeUnit): number | undefined => MILLISECONDS.get(unit)

export const addUnits = (date: BsonDate, unit: TimeUnit, amount: bigint): BsonDate => new BsonDate(dateAdd(date.ms, unit, amount, UTC))
