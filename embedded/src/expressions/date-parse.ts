import { DAY, MINUTE, civilOf, weekdayOf, daysOf } from '../values/dates.js'
import { DateSyntaxError, MONTH_NAMES, monthOf } from './date-format.js'
import type { DateFields } from './date-format.js'
import { readZone } from './date-zones.js'

/** Month names in full or with three letters, and the Roman numbers that timelib takes too. */
const MONTH = `(?<monthName>${MONTH_NAMES.map(name => name.length === 3 ? name : `${name}|${name.slice(0, 3)}`).join('|')}|sept)`
const MONTH_NUMBER = '(?<month>1[0-2]|0?[0-9])'
const MONTH_TWO = '(?<month>1[0-2]|0[0-9])'
const DAY_NUMBER = '(?<day>3[01]|[0-2]?[0-9])'
const DAY_TWO = '(?<day>3[01]|[0-2][0-9])'
const YEAR_FOUR = '(?<year>\\d{4})'
const YEAR = '(?<year>\\d{1,4})'
const SUFFIX = '(?:[ \\t]*(?:st|nd|rd|th))?'
const HOUR_24 = '(?<hour>2[0-4]|[01]?[0-9])'
const MINUTES = '(?<minute>[0-5][0-9]|0?[0-9])'
const SECONDS = '(?<second>60|[0-5][0-9]|0?[0-9])'
const TWO = (name: string): string => `(?<${name}>\\d{2})`
const FRACTION = '[.,:](?<fraction>\\d+)'

/** The forms that timelib knows, less the relative ones; at each place the longest match counts, and the first of equals. */
const DATES = [
  `[+-]?${YEAR_FOUR}-${MONTH_TWO}-${DAY_TWO}`,
  `${YEAR_FOUR}/${MONTH_NUMBER}/${DAY_NUMBER}/?`,
  `${YEAR}-${MONTH_NUMBER}-${DAY_NUMBER}`,
  `${YEAR_FOUR}-${MONTH_NUMBER}(?<day>)`,
  `${YEAR_FOUR}${MONTH_TWO}${DAY_TWO}`,
  `${YEAR_FOUR}\\.?(?<dayOfYear>00[1-9]|0[1-9][0-9]|[12][0-9][0-9]|3[0-5][0-9]|36[0-6])`,
  `${MONTH_NUMBER}/${DAY_NUMBER}/${YEAR}`,
  `${DAY_NUMBER}[.\\t-]${MONTH_NUMBER}[.-]${YEAR_FOUR}`,
  `${DAY_NUMBER}[.\\t]${MONTH_NUMBER}\\.${TWO('year')}`,
  `${DAY_NUMBER}${SUFFIX}[ \\t.-]*${MONTH}[ \\t.-]*${YEAR}`,
  `${MONTH}[ .\\t-]*${YEAR_FOUR}(?<day>)`,
  `${YEAR_FOUR}[ .\\t-]*${MONTH}(?<day>)`,
  `${MONTH}[ .\\t-]*${DAY_NUMBER}[,.stndrh\\t ]+${YEAR}`,
  `${YEAR_FOUR}-${MONTH}-${DAY_TWO}`,
  `${MONTH}[ .\\t-]*${DAY_NUMBER}[,.stndrh\\t ]*`,
  `${DAY_NUMBER}${SUFFIX}[ .\\t-]*${MONTH}`,
  `${YEAR_FOUR}-?W(?<isoWeek>0[1-9]|[1-4][0-9]|5[0-3])(?:-?(?<isoDay>[0-7]))?`,
  `${YEAR_FOUR}`
]
const TIMES = [
  `t?${HOUR_24}[:.]${MINUTES}[:.]${SECONDS}(?:${FRACTION})?`,
  `t?${HOUR_24}[:.]${MINUTES}`,
  `t?(?<hour>1[0-2]|0?[1-9])(?:[:.]?${MINUTES}(?:[:.]?${SECONDS})?)?[ \\t]*(?<meridian>[ap])\\.?m\\.?`,
  `t(?<hour>2[0-4]|[01][0-9])(?:${TWO('minute')}(?:${TWO('second')}(?:${FRACTION})?)?)?`
]
const BOTH = [`${YEAR_FOUR}:?${MONTH_TWO}:?${DAY_TWO}[t ](?<hour>2[0-4]|[01][0-9])[:.]?${TWO('minute')}[:.]?${TWO('second')}`]
const OTHERS = ['@(?<stamp>-?\\d+)(?:\\.(?<fraction>\\d{1,6}))?', '(?<weekday>(?:sun|mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?)(?:day)?)\\.?(?![a-z])']

const RULES = [...DATES, ...TIMES, ...BOTH, ...OTHERS].map(source => new RegExp(source, 'iy'))
const BLANKS = /[ \t.,]+/y

type Groups = Readonly<Record<string, string | undefined>>
type Parsing = { readonly fields: DateFields, weekday?: number, hasDate: boolean, hasTime: boolean }

/** Reads a date in the many forms that the server takes without a format. */
export function parseDate (text: string): DateFields {
  const state: Parsing = { fields: {}, hasDate: false, hasTime: false }
  let at = 0
  if (text.trim() === '') throw new DateSyntaxError('0: Empty string')
  while (at < text.length) at = step(text, at, state)
  return moveToWeekday(state)
}

function step (text: string, at: number, state: Parsing): number {
  const best = longest(text, at)
  if (best !== null) {
    take(best.groups as Groups, state)
    return at + best[0].length
  }
  BLANKS.lastIndex = at
  const blanks = BLANKS.exec(text)
  if (blanks !== null) return at + blanks[0].length
  const zone = readZone(text, at)
  if (zone === undefined || zone.end === at) throw new DateSyntaxError(`${at}: Unexpected character '${text[at]}'`)
  if (state.fields.offset !== undefined) throw new DateSyntaxError(`${at}: Double timezone specification '${text[at]}'`)
  state.fields.offset = zone.offset
  return zone.end
}

function longest (text: string, at: number): RegExpExecArray | null {
  let best: RegExpExecArray | null = null
  for (const rule of RULES) {
    rule.lastIndex = at
    const match = rule.exec(text)
    if (match !== null && (best === null || match[0].length > best[0].length)) best = match
  }
  return best
}

function take (g: Groups, state: Parsing): void {
  if (g.stamp !== undefined) return takeStamp(g, state)
  if (g.weekday !== undefined) {
    state.weekday = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'].indexOf(g.weekday.slice(0, 3).toLowerCase())
    return
  }
  if (g.year !== undefined || g.monthName !== undefined || g.day !== undefined) takeDate(g, state)
  if (g.hour !== undefined) takeTime(g, state)
}

const numberOf = (text: string | undefined): number | undefined => text === undefined || text === '' ? undefined : Number(text)

function takeDate (g: Groups, state: Parsing): void {
  if (state.hasDate) throw new DateSyntaxError('Double date specification')
  state.hasDate = true
  const { fields } = state
  const year = g.year === undefined ? undefined : fullYear(g.year)
  const month = g.monthName === undefined ? numberOf(g.month) : monthOf(g.monthName)
  if (g.isoWeek !== undefined) Object.assign(fields, { isoYear: year, isoWeek: numberOf(g.isoWeek), isoDay: numberOf(g.isoDay) })
  else if (g.dayOfYear !== undefined) Object.assign(fields, { year, dayOfYear: numberOf(g.dayOfYear) })
  else Object.assign(fields, { year, month, day: g.day === '' ? 1 : numberOf(g.day) })
}

const fullYear = (text: string): number => text.length > 2 ? Number(text) : Number(text) + (Number(text) < 70 ? 2000 : 1900)

function takeTime (g: Groups, state: Parsing): void {
  if (state.hasTime) throw new DateSyntaxError('Double time specification')
  state.hasTime = true
  const hour = Number(g.hour)
  const { fields } = state
  fields.hour = g.meridian === undefined ? hour : hour % 12 + (g.meridian.toLowerCase() === 'p' ? 12 : 0)
  fields.minute = numberOf(g.minute) ?? 0
  fields.second = numberOf(g.second) ?? 0
  if (g.fraction !== undefined) fields.millisecond = Math.trunc(Number(`0.${g.fraction}`) * 1000 + 1e-6)
}

function takeStamp (g: Groups, state: Parsing): void {
  const ms = Number(g.stamp) * 1000 + (g.fraction === undefined ? 0 : Math.trunc(Number(`0.${g.fraction}`) * 1000))
  const days = Math.floor(ms / DAY)
  const time = ms - days * DAY
  takeDate({ year: '1970', month: '1', day: '1' }, state)
  Object.assign(state.fields, civilOf(days), { hour: Math.floor(time / 60 / MINUTE), minute: Math.floor(time / MINUTE) % 60, offset: 0 })
  Object.assign(state.fields, { second: Math.floor(time / 1000) % 60, millisecond: time % 1000 })
  state.hasTime = true
}

/** A weekday that does not fit the date moves it to the next such day. */
function moveToWeekday ({ fields, weekday }: Parsing): DateFields {
  const { year, month, day } = fields
  if (weekday === undefined || year === undefined || month === undefined || day === undefined) return fields
  const days = daysOf(year, month, day)
  return { ...fields, ...civilOf(days + (weekday - weekdayOf(days) + 7) % 7) }
}
