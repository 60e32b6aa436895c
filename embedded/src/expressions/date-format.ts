import { DAY, HOUR, MINUTE, SECOND, TimeZone, dayOfYear, daysInMonth, daysOf, daysOfIsoWeek, isoWeekOf, outOfRange, partsOf, weekdayOf } from '../values/dates.js'
import type { DateParts } from '../values/dates.js'
import { weekOfYear } from './date-parts.js'
import { readZone } from './date-zones.js'
import { error } from './node.js'

export const MONTH_NAMES = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']

/** A clock on the wall with its parts and its offset from UTC. */
type Moment = { readonly local: number, readonly parts: DateParts, readonly offset: number }

function padded (n: number, width: number): string {
  if (n < 0 || n > 9999) throw outOfRange(n)
  return String(n).padStart(width, '0')
}

function offsetText (offset: number): string {
  const minutes = Math.abs(Math.trunc(offset / MINUTE))
  return `${offset < 0 ? '-' : '+'}${padded(Math.floor(minutes / 60), 2)}${padded(minutes % 60, 2)}`
}

const daysAt = ({ local }: Moment): number => Math.floor(local / DAY)

const PRINT: ReadonlyMap<string, (m: Moment) => string> = new Map<string, (m: Moment) => string>([
  ['Y', m => padded(m.parts.year, 4)],
  ['m', m => padded(m.parts.month, 2)],
  ['d', m => padded(m.parts.day, 2)],
  ['b', m => MONTH_NAMES[m.parts.month - 1].slice(0, 3)],
  ['B', m => MONTH_NAMES[m.parts.month - 1]],
  ['H', m => padded(m.parts.hour, 2)],
  ['M', m => padded(m.parts.minute, 2)],
  ['S', m => padded(m.parts.second, 2)],
  ['L', m => padded(m.parts.millisecond, 3)],
  ['j', m => padded(dayOfYear(daysAt(m)), 3)],
  ['w', m => String(weekdayOf(daysAt(m)) + 1)],
  ['U', m => padded(weekOfYear(m.local), 2)],
  ['u', m => String(isoWeekOf(daysAt(m)).day)],
  ['V', m => padded(isoWeekOf(daysAt(m)).week, 2)],
  ['G', m => padded(isoWeekOf(daysAt(m)).year, 4)],
  ['z', m => offsetText(m.offset)],
  ['Z', m => String(Math.trunc(m.offset / MINUTE))],
  ['%', () => '%']
])

type Token = { readonly specifier: string } | { readonly text: string }

/** @throws 18535, 18536 */
function tokens (format: string, isKnown: (specifier: string) => boolean): Token[] {
  const found: Token[] = []
  const points = [...format]
  for (let i = 0; i < points.length; i++) {
    if (points[i] !== '%') {
      found.push({ text: points[i] })
      continue
    }
    const specifier = points[++i]
    if (specifier === undefined) throw error(18535, "Unmatched '%' at end of format string")
    if (!isKnown(specifier)) throw error(18536, `Invalid format character '%${specifier}' in format string`)
    found.push({ specifier })
  }
  return found
}

export type DateFormat = { print (ms: number, zone: TimeZone): string }

export function parsePrintFormat (format: string): DateFormat {
  const parts = tokens(format, specifier => PRINT.has(specifier)).map(token => 'text' in token ? token.text : PRINT.get(token.specifier)!)
  return {
    print: (ms, zone) => {
      const offset = zone.offsetAt(ms)
      const moment = { local: ms + offset, parts: partsOf(ms + offset), offset }
      let text = ''
      for (const part of parts) text += typeof part === 'string' ? part : part(moment)
      return text
    }
  }
}

/** What a text says about a date; what it does not say is undefined. */
export type DateFields = {
  year?: number
  month?: number
  day?: number
  dayOfYear?: number
  isoYear?: number
  isoWeek?: number
  isoDay?: number
  hour?: number
  minute?: number
  second?: number
  millisecond?: number
  /** milliseconds that its own zone is ahead of UTC */
  offset?: number
}

type Rule = { readonly pattern: RegExp, readonly set: (fields: DateFields, text: string) => void }

export const monthOf = (text: string): number => MONTH_NAMES.findIndex(name => name.slice(0, 3).toLowerCase() === text.slice(0, 3).toLowerCase()) + 1

const READ: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['Y', { pattern: /\d{4}/y, set: (f, t) => { f.year = Number(t) } }],
  ['m', { pattern: /\d{1,2}/y, set: (f, t) => { f.month = Number(t) } }],
  ['d', { pattern: /\d{1,2}/y, set: (f, t) => { f.day = Number(t) } }],
  ['b', { pattern: /jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec/iy, set: (f, t) => { f.month = monthOf(t) } }],
  ['B', { pattern: new RegExp(MONTH_NAMES.join('|'), 'iy'), set: (f, t) => { f.month = monthOf(t) } }],
  ['H', { pattern: /\d{1,2}/y, set: (f, t) => { f.hour = Number(t) } }],
  ['M', { pattern: /\d{2}/y, set: (f, t) => { f.minute = Number(t) } }],
  ['S', { pattern: /\d{2}/y, set: (f, t) => { f.second = Number(t) } }],
  ['L', { pattern: /\d{1,3}/y, set: (f, t) => { f.millisecond = Number(t.padEnd(3, '0')) } }],
  ['j', { pattern: /\d{1,3}/y, set: (f, t) => { f.dayOfYear = Number(t) } }],
  ['u', { pattern: /\d/y, set: (f, t) => { f.isoDay = Number(t) } }],
  ['V', { pattern: /\d{2}/y, set: (f, t) => { f.isoWeek = Number(t) } }],
  ['G', { pattern: /\d{4}/y, set: (f, t) => { f.isoYear = Number(t) } }],
  ['Z', { pattern: /[+-]\d{1,4}/y, set: (f, t) => { f.offset = Number(t) * MINUTE } }],
  ['%', { pattern: /%/y, set: () => {} }]
])

export type DateReader = { read (text: string): DateFields }

export class DateSyntaxError extends Error {}

export function parseReadFormat (format: string): DateReader {
  const parts = tokens(format, specifier => specifier === 'z' || READ.has(specifier))
  return { read: text => readAll(text, parts) }
}

function readAll (text: string, parts: readonly Token[]): DateFields {
  const fields: DateFields = {}
  let at = 0
  for (const token of parts) at = readToken(text, at, token, fields)
  if (at < text.length) throw new DateSyntaxError(`${at}: Trailing data '${text[at]}'`)
  return fields
}

function readToken (text: string, at: number, token: Token, fields: DateFields): number {
  if ('text' in token) {
    if (!text.startsWith(token.text, at)) throw new DateSyntaxError(`${at}: The format separator does not match '${text[at] ?? ''}'`)
    return at + token.text.length
  }
  if (token.specifier === 'z') return readOffset(text, at, fields)
  const { pattern, set } = READ.get(token.specifier)!
  pattern.lastIndex = at
  const match = pattern.exec(text)
  if (match === null) throw new DateSyntaxError(`${at}: Unexpected data found for %${token.specifier}`)
  set(fields, match[0])
  return at + match[0].length
}

function readOffset (text: string, at: number, fields: DateFields): number {
  const zone = readZone(text, at)
  if (zone === undefined) throw new DateSyntaxError(`${at}: The timezone could not be found in the database`)
  fields.offset = zone.offset
  return zone.end
}

const INCOMPLETE = 'an incomplete date/time string has been found, with elements missing'

/** The moment that the fields mean; those of a text with a zone of its own may not go with another zone. */
export function resolve (fields: DateFields, zone: TimeZone): number {
  const { hour = 0, minute = 0, second = 0, millisecond = 0, offset } = fields
  if (hour > 23 || minute > 59 || second > 59) throw new DateSyntaxError('The parsed time was invalid')
  const local = daysIn(fields) * DAY + hour * HOUR + minute * MINUTE + second * SECOND + millisecond
  if (offset === undefined) return zone.toUtc(local)
  if (!zone.isUtc) throw new DateSyntaxError('you cannot pass in a date/time string with time zone information together with a timezone argument')
  return local - offset
}

function daysIn ({ year, month, day, dayOfYear, isoYear, isoWeek, isoDay }: DateFields): number {
  if (isoYear !== undefined && isoWeek !== undefined && month === undefined && day === undefined) {
    if (isoWeek < 1 || isoWeek > 53 || (isoDay !== undefined && (isoDay < 1 || isoDay > 7))) throw new DateSyntaxError('The parsed date was invalid')
    return daysOfIsoWeek(isoYear, isoWeek, isoDay ?? 1)
  }
  if (year === undefined) throw new DateSyntaxError(INCOMPLETE)
  if (dayOfYear !== undefined) return daysOf(year, 1, dayOfYear)
  if (month === undefined || day === undefined) throw new DateSyntaxError(INCOMPLETE)
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) throw new DateSyntaxError('The parsed date was invalid')
  return daysOf(year, month, day)
}
