import { DAY, HOUR, MINUTE, SECOND, daysInMonth, daysOf, partsOf, weekdayOf } from './dates.js'
import type { CivilDate, TimeZone } from './dates.js'
import { MongoError } from './errors.js'
import { MAX_LONG, MIN_LONG } from './numbers.js'

export type TimeUnit = 'year' | 'quarter' | 'month' | 'week' | 'day' | 'hour' | 'minute' | 'second' | 'millisecond'

const UNITS: ReadonlySet<string> = new Set<TimeUnit>(['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second', 'millisecond'])
export const isTimeUnit = (name: string): name is TimeUnit => UNITS.has(name)

/** The length of the units whose length does not depend on the calendar or the zone. */
const FIXED: ReadonlyMap<TimeUnit, number> = new Map([['hour', HOUR], ['minute', MINUTE], ['second', SECOND], ['millisecond', 1]])
const MONTHS: ReadonlyMap<TimeUnit, number> = new Map([['year', 12], ['quarter', 3], ['month', 1]])

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
/** @returns 0 for Sunday; undefined if it is no day's name or the first three letters of one */
export function findWeekday (name: string): number | undefined {
  const lower = name.toLowerCase()
  const index = WEEKDAYS.findIndex(day => day === lower || day.slice(0, 3) === lower)
  return index < 0 ? undefined : index
}

const MAX_DAYS = 213503982335n
const MAX_YEARS = MAX_DAYS / 365n + 1n
const MAX_AMOUNT: ReadonlyMap<TimeUnit, bigint> = new Map([
  ['year', MAX_YEARS], ['quarter', MAX_YEARS * 4n], ['month', MAX_YEARS * 12n], ['week', MAX_DAYS / 7n], ['day', MAX_DAYS],
  ['hour', MAX_DAYS * 24n], ['minute', MAX_DAYS * 1440n], ['second', MAX_DAYS * 86400n]
])

/** A date later (or earlier) by an amount; days and more keep the clock on the wall, months end with their last day. */
export function dateAdd (ms: number, unit: TimeUnit, amount: bigint, zone: TimeZone): number {
  const limit = MAX_AMOUNT.get(unit)
  if (limit !== undefined && (amount >= limit || amount <= -limit)) throw new MongoError(5976500, `invalid dateAdd 'amount' parameter value: ${amount} ${unit}`)
  const length = FIXED.get(unit)
  const sum = length === undefined ? addCalendar(ms, unit, Number(amount), zone) : addFixed(ms, amount * BigInt(length))
  if (sum >= 2 ** 63 || sum < -(2 ** 63)) throw new MongoError(5166406, 'dateAdd overflowed')
  return sum
}

const addFixed = (ms: number, difference: bigint): number => Number(BigInt(ms) + difference)

function addCalendar (ms: number, unit: TimeUnit, amount: number, zone: TimeZone): number {
  const local = zone.toLocal(ms)
  const moved = unit === 'week' || unit === 'day' ? local + amount * (unit === 'week' ? 7 : 1) * DAY : addMonths(local, amount * MONTHS.get(unit)!)
  return zone.toUtc(moved, zone.isSummer(ms))
}

function addMonths (local: number, amount: number): number {
  const { year, month, day } = partsOf(local)
  const time = local - Math.floor(local / DAY) * DAY
  const index = year * 12 + month - 1 + amount
  const toYear = Math.floor(index / 12)
  const toMonth = index - toYear * 12 + 1
  return daysOf(toYear, toMonth, Math.min(day, daysInMonth(toYear, toMonth))) * DAY + time
}

const monthIndex = ({ year, month }: CivilDate): number => year * 12 + month - 1

/** How often the unit begins anew between two dates. */
export function dateDiff (start: number, end: number, unit: TimeUnit, zone: TimeZone, startOfWeek: number): bigint {
  if (unit === 'millisecond') return millisecondsBetween(start, end)
  const from = zone.toLocal(start)
  const to = zone.toLocal(end)
  const fixed = FIXED.get(unit)
  if (fixed !== undefined) return BigInt(Math.floor(to / fixed) - Math.floor(from / fixed) + Math.trunc((from - start - (to - end)) / fixed))
  return BigInt(calendarDiff(from, to, unit, startOfWeek))
}

function millisecondsBetween (start: number, end: number): bigint {
  const result = BigInt(end) - BigInt(start)
  if (result > MAX_LONG || result < MIN_LONG) throw new MongoError(5166308, 'dateDiff overflowed')
  return result
}

function calendarDiff (from: number, to: number, unit: TimeUnit, startOfWeek: number): number {
  const first = Math.floor(from / DAY)
  const last = Math.floor(to / DAY)
  if (unit === 'day') return last - first
  if (unit === 'week') return (last - first + dayOfWeek(first, startOfWeek) - dayOfWeek(last, startOfWeek)) / 7
  const months = MONTHS.get(unit)!
  return Math.floor(monthIndex(partsOf(to)) / months) - Math.floor(monthIndex(partsOf(from)) / months)
}

const dayOfWeek = (days: number, startOfWeek: number): number => (weekdayOf(days) - startOfWeek + 7) % 7

const floorTo = (value: bigint, size: bigint): bigint => value - ((value % size) + size) % size

const REFERENCE = Date.UTC(2000, 0, 1)
const MAX_BINS = 100_000_000_000n

/** The begin of the bin that holds a date; bins are counted from the year 2000. */
export function dateTrunc (ms: number, unit: TimeUnit, binSize: bigint, zone: TimeZone, startOfWeek: number): number {
  const reference = referencePoint(unit, zone, startOfWeek)
  const fixed = FIXED.get(unit)
  if (fixed !== undefined) return truncFixed(ms, reference, binSize * BigInt(fixed))
  if (binSize > MAX_BINS) throw new MongoError(5439006, 'dateTrunc unsupported binSize value')
  const distance = BigInt(calendarDiff(zone.toLocal(reference), zone.toLocal(ms), unit, startOfWeek))
  return dateAdd(reference, unit, floorTo(distance, binSize), zone)
}

function truncFixed (ms: number, reference: number, bin: bigint): number {
  if (bin > MAX_LONG) throw new MongoError(5439002, 'dateTrunc overflowed')
  const distance = ms - reference
  if (bin <= BigInt(Number.MAX_SAFE_INTEGER) && Number.isSafeInteger(distance)) {
    const size = Number(bin)
    return ms - ((distance % size) + size) % size
  }
  const start = BigInt(reference) + floorTo(BigInt(ms) - BigInt(reference), bin)
  if (start < MIN_LONG) throw new MongoError(5439001, 'dateTrunc overflowed')
  return Number(start)
}

function referencePoint (unit: TimeUnit, zone: TimeZone, startOfWeek: number): number {
  const start = REFERENCE - zone.offsetAt(REFERENCE)
  // 2000-01-01 was a Saturday: weeks are counted from the first one that begins in January.
  return unit === 'week' ? start + (startOfWeek - 6 + 7) % 7 * DAY : start
}
