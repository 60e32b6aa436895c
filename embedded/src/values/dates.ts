import { MongoError } from './errors.js'

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** A day of the proleptic Gregorian calendar; months count from 1. */
export type CivilDate = { readonly year: number, readonly month: number, readonly day: number }
export type DateParts = CivilDate & { readonly hour: number, readonly minute: number, readonly second: number, readonly millisecond: number }
export type IsoWeek = { readonly year: number, readonly week: number, readonly day: number }

/** Days since 1970-01-01; the month and the day may be out of range and carry over. */
export function daysOf (year: number, month: number, day: number): number {
  const months = year * 12 + month - 1
  const y = Math.floor(months / 12)
  const m = months - y * 12 + 1
  // Years that begin in March put the leap day last: Howard Hinnant, "chrono-compatible low-level date algorithms".
  const shifted = m <= 2 ? y - 1 : y
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (m > 2 ? m - 3 : m + 9) + 2) / 5)
  return era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719468 + day - 1
}

export function civilOf (days: number): CivilDate {
  const shifted = days + 719468
  const era = Math.floor(shifted / 146097)
  const dayOfEra = shifted - era * 146097
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const m = Math.floor((5 * dayOfYear + 2) / 153)
  const month = m < 10 ? m + 3 : m - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day: dayOfYear - Math.floor((153 * m + 2) / 5) + 1 }
}

export const daysInMonth = (year: number, month: number): number => daysOf(year, month + 1, 1) - daysOf(year, month, 1)

/** 0 is Sunday. */
export const weekdayOf = (days: number): number => ((days + 4) % 7 + 7) % 7

export const dayOfYear = (days: number): number => days - daysOf(civilOf(days).year, 1, 1) + 1

export function isoWeekOf (days: number): IsoWeek {
  const day = (weekdayOf(days) + 6) % 7 + 1
  const thursday = days - day + 4
  const { year } = civilOf(thursday)
  return { year, week: Math.floor((thursday - daysOf(year, 1, 1)) / 7) + 1, day }
}

/** Days since 1970 of a week date; week and day may carry over. */
export function daysOfIsoWeek (year: number, week: number, day: number): number {
  const fourth = daysOf(year, 1, 4)
  return fourth - (weekdayOf(fourth) + 6) % 7 + (week - 1) * 7 + day - 1
}

/** @param local milliseconds of a clock on the wall, as if it stood at UTC */
export function partsOf (local: number): DateParts {
  const days = Math.floor(local / DAY)
  const time = local - days * DAY
  const { year, month, day } = civilOf(days)
  return {
    year,
    month,
    day,
    hour: Math.floor(time / HOUR),
    minute: Math.floor(time % HOUR / MINUTE),
    second: Math.floor(time % MINUTE / SECOND),
    millisecond: time % SECOND
  }
}

const pad = (n: number, width: number): string => String(n).padStart(width, '0')

export const outOfRange = (n: number): MongoError =>
  new MongoError(18537, `Could not convert date to string: date component was outside the supported range of 0-9999: ${n}`)

/** 2025-01-02T03:04:05.678Z, for the years 0 to 9999. */
export function isoString (ms: number): string {
  const p = partsOf(ms)
  if (p.year < 0 || p.year > 9999) throw outOfRange(p.year)
  return `${pad(p.year, 4)}-${pad(p.month, 2)}-${pad(p.day, 2)}T${pad(p.hour, 2)}:${pad(p.minute, 2)}:${pad(p.second, 2)}.${pad(p.millisecond, 3)}Z`
}

/** One day's offset, and the moment in it when another one begins. */
type OffsetDay = { readonly before: number, readonly after: number, readonly from: number }

const CACHED_DAYS = 4096
const CACHED_YEARS = 512
const LAST_MS = 8.64e15

/** A time zone: a fixed offset from UTC or the rules of a name in the IANA database. */
export class TimeZone {
  static readonly utc = new TimeZone(0, undefined)
  readonly #days = new Map<number, OffsetDay>()
  readonly #winters = new Map<number, number>()

  constructor (private readonly fixed: number, private readonly format: Intl.DateTimeFormat | undefined) {}

  get isUtc (): boolean {
    return this.format === undefined && this.fixed === 0
  }

  /** The offset from UTC in milliseconds at a moment. */
  offsetAt (ms: number): number {
    if (this.format === undefined) return this.fixed
    const { before, after, from } = this.#day(Math.floor(ms / DAY))
    return ms < from ? before : after
  }

  /** The clock on the wall at a moment, as milliseconds. */
  toLocal (ms: number): number {
    return ms + this.offsetAt(ms)
  }

  /**
   * The moment when the clock on the wall shows `local`, decided as timelib does: what is skipped in spring moves
   * forward; of two moments in autumn `summer` chooses the one in summer time. timelib's own default is what was in
   * force at the epoch.
   */
  toUtc (local: number, summer = this.isSummer(0)): number {
    if (this.format === undefined) return local - this.fixed
    const current = this.offsetAt(local)
    const after = this.offsetAt(local - current)
    if (current === after) return local - (this.#otherOffset(local, current, summer) ?? current)
    const change = this.#changeBefore(local - current)
    const skipped = local - after >= change + current - after && local - after < change
    return local - (skipped ? current : after)
  }

  isSummer (ms: number): boolean {
    return this.format !== undefined && this.offsetAt(ms) > this.#winterOffset(civilOf(Math.floor(ms / DAY)).year)
  }

  #winterOffset (year: number): number {
    const known = this.#winters.get(year)
    if (known !== undefined) return known
    if (this.#winters.size >= CACHED_YEARS) this.#winters.clear()
    const made = Math.min(this.offsetAt(daysOf(year, 1, 1) * DAY), this.offsetAt(daysOf(year, 7, 1) * DAY))
    this.#winters.set(year, made)
    return made
  }

  /** The offset on the other side of a change near by, if the clock on the wall can mean that and `summer` asks for it. */
  #otherOffset (local: number, offset: number, summer: boolean): number | undefined {
    const isSummer = this.isSummer(local)
    if (summer && offset >= 0 && !isSummer) {
      const earlier = this.offsetAt(local - offset - 2 * HOUR)
      return earlier !== offset && local - earlier < this.#changeBefore(local - offset) ? earlier : undefined
    }
    if (summer || offset > 0 || !isSummer) return undefined
    const later = this.offsetAt(local - offset + 2 * HOUR)
    return later !== offset && local - later >= this.#changeBefore(local - offset + 2 * HOUR) ? later : undefined
  }

  /** The last change of the offset at or before a moment that lies within two days of one. */
  #changeBefore (ms: number): number {
    const today = Math.floor(ms / DAY)
    for (let day = today; day > today - 3; day--) {
      const { from } = this.#day(day)
      if (from <= ms && from !== -Infinity) return from
    }
    return -Infinity
  }

  #day (day: number): OffsetDay {
    const known = this.#days.get(day)
    if (known !== undefined) return known
    if (this.#days.size >= CACHED_DAYS) this.#days.clear()
    const made = this.#measure(day * DAY)
    this.#days.set(day, made)
    return made
  }

  #measure (start: number): OffsetDay {
    const before = this.#ask(start)
    const after = this.#ask(start + DAY)
    if (before === after) return { before, after, from: -Infinity }
    let low = start
    let high = start + DAY
    while (high - low > SECOND) {
      const middle = low + Math.floor((high - low) / 2 / SECOND) * SECOND
      if (this.#ask(middle) === before) low = middle
      else high = middle
    }
    return { before, after, from: high }
  }

  #ask (ms: number): number {
    const text = this.format!.format(Math.max(-LAST_MS, Math.min(LAST_MS, ms)))
    const m = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(text)
    if (m === null) return 0
    return (m[1] === '-' ? -1 : 1) * (Number(m[2]) * HOUR + Number(m[3]) * MINUTE + Number(m[4] ?? 0) * SECOND)
  }
}

const OFFSET = /^([+-])(\d\d)(?::?(\d\d))?$/
/** Names are spelt as in the database; the runtime would take any case. */
const NAME = /^[A-Z][\w+-]*(?:\/[A-Z\d][\w+-]*)*$/
const CACHED_ZONES = 1024
const zones = new Map<string, TimeZone>()

/** @param id a name of the IANA database, or ±hh, ±hhmm, ±hh:mm */
export function findTimeZone (id: string): TimeZone | undefined {
  const known = zones.get(id)
  if (known !== undefined) return known
  const made = makeZone(id)
  if (made === undefined) return undefined
  if (zones.size >= CACHED_ZONES) zones.clear()
  zones.set(id, made)
  return made
}

function makeZone (id: string): TimeZone | undefined {
  const m = OFFSET.exec(id)
  if (m !== null) return new TimeZone((m[1] === '-' ? -1 : 1) * (Number(m[2]) * HOUR + Number(m[3] ?? 0) * MINUTE), undefined)
  if (!NAME.test(id)) return undefined
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: id, timeZoneName: 'longOffset' })
    return format.resolvedOptions().timeZone === 'UTC' ? TimeZone.utc : new TimeZone(0, format)
  } catch {
    return undefined
  }
}
