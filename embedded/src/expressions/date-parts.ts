import { DAY, HOUR, MINUTE, SECOND, TimeZone, dayOfYear, daysOf, daysOfIsoWeek, isoWeekOf, partsOf, weekdayOf } from '../values/dates.js'
import { display } from '../values/format.js'
import { asLong } from '../values/numbers.js'
import { typeName } from '../values/order.js'
import { docOf, int } from '../values/build.js'
import { BsonDate, isDoc } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import { argumentsOf, optional, present, required } from './arguments.js'
import type { Compiler } from './compiler.js'
import type { Scope } from './context.js'
import { toMilliseconds, zoneArgument } from './date-values.js'
import { error, fold, nullish } from './node.js'
import type { Node, Operator, Operators } from './node.js'

const daysAt = (local: number): number => Math.floor(local / DAY)

export function weekOfYear (local: number): number {
  const days = daysAt(local)
  return Math.floor((dayOfYear(days) - (weekdayOf(days) + 1) + 7) / 7)
}

/** An operator on `<date>`, `[ <date> ]` or `{ date, timezone }`; `extract` gets the clock on the wall. */
const part = (extract: (local: number) => Value): Operator => (spec, cx, name) => {
  const [date, timezone] = dateAndZone(spec, cx, name)
  const zone = zoneArgument(timezone)
  return fold(cx, present(date, timezone), scope => {
    const value = date.evaluate(scope)
    if (nullish(value)) return null
    const at = zone(scope)
    return at === undefined ? null : extract(at.toLocal(toMilliseconds(value)))
  })
}

function dateAndZone (spec: Value, cx: Compiler, name: string): [Node, Node | undefined] {
  if (Array.isArray(spec)) {
    if (spec.length !== 1) throw error(40536, `${name} accepts exactly one argument if given an array, but was given ${spec.length}`)
    return [cx.operand(spec[0]), undefined]
  }
  if (!isDoc(spec) || spec.firstKey()?.startsWith('$') === true) return [cx.operand(spec), undefined]
  const args = argumentsOf(spec, ['date', 'timezone'], () => error(40539, ''), field => error(40535, `unrecognized option to ${name}: "${field}"`))
  const date = required(args, 'date', 40539, `missing 'date' argument to ${name}, provided: ${name}: ${display(spec)}`)
  return [cx.operand(date), optional(args, 'timezone', cx)]
}

const dateToParts: Operator = (spec, cx) => {
  const args = argumentsOf(spec, ['date', 'timezone', 'iso8601'],
    () => error(40524, '$dateToParts only supports an object as its argument'), name => error(40520, `Unrecognized argument to $dateToParts: ${name}`))
  const date = cx.operand(required(args, 'date', 40522, "Missing 'date' parameter to $dateToParts"))
  const timezone = optional(args, 'timezone', cx)
  const iso = optional(args, 'iso8601', cx)
  const zone = zoneArgument(timezone)
  return fold(cx, present(date, timezone, iso), scope => {
    const value = date.evaluate(scope)
    const at = zone(scope)
    const isIso = iso === undefined ? false : flag(iso.evaluate(scope))
    if (at === undefined || isIso === undefined || nullish(value)) return null
    return partsDocument(at.toLocal(toMilliseconds(value)), isIso)
  })
}

function flag (v: Maybe): boolean | undefined {
  if (nullish(v)) return undefined
  if (typeof v !== 'boolean') throw error(40521, `iso8601 must evaluate to a bool, found ${typeName(v)}`)
  return v
}

function partsDocument (local: number, iso: boolean): Value {
  const p = partsOf(local)
  const week = isoWeekOf(daysAt(local))
  const date = iso
    ? { isoWeekYear: int(week.year), isoWeek: int(week.week), isoDayOfWeek: int(week.day) }
    : { year: int(p.year), month: int(p.month), day: int(p.day) }
  return docOf({ ...date, hour: int(p.hour), minute: int(p.minute), second: int(p.second), millisecond: int(p.millisecond) })
}

const NATURAL = ['year', 'month', 'day']
const ISO = ['isoWeekYear', 'isoWeek', 'isoDayOfWeek']
const TIME = ['hour', 'minute', 'second', 'millisecond']
const ALL_PARTS = [...NATURAL, ...ISO, ...TIME]
const UNBOUNDED: ReadonlySet<string> = new Set(['year', 'isoWeekYear', 'second', 'millisecond'])
const MIN_PART = -32768n
const MAX_PART = 32767n

const dateFromParts: Operator = (spec, cx) => {
  const args = argumentsOf(spec, [...ALL_PARTS, 'timezone'],
    () => error(40519, '$dateFromParts only supports an object as its argument'), name => error(40518, `Unrecognized argument to $dateFromParts: ${name}`))
  const isNatural = args.has('year')
  if (!isNatural && !args.has('isoWeekYear')) throw error(40516, "$dateFromParts requires either 'year' or 'isoWeekYear' to be present")
  if (isNatural && ISO.some(name => args.has(name))) throw error(40489, '$dateFromParts does not allow mixing natural dates with ISO dates')
  if (!isNatural && NATURAL.some(name => args.has(name))) throw error(40525, '$dateFromParts does not allow mixing ISO dates with natural dates')
  const nodes = new Map(ALL_PARTS.map(name => [name, optional(args, name, cx)]))
  const timezone = optional(args, 'timezone', cx)
  const zone = zoneArgument(timezone)
  return fold(cx, present(...nodes.values(), timezone), scope => {
    const time = numbers(nodes, TIME, 0, scope)
    const at = zone(scope)
    const date = time === undefined || at === undefined ? undefined : numbers(nodes, isNatural ? NATURAL : ISO, 1, scope)
    return time === undefined || at === undefined || date === undefined ? null : assembled(date, time, isNatural, at)
  })
}

/** The given parts as integers; undefined if one is null. */
function numbers (nodes: ReadonlyMap<string, Node | undefined>, names: readonly string[], otherwise: number, scope: Scope): number[] | undefined {
  const found: number[] = []
  for (const name of names) {
    const node = nodes.get(name)
    const value = node?.evaluate(scope)
    if (node !== undefined && nullish(value)) return undefined
    found.push(node === undefined ? otherwise : partNumber(value, name))
  }
  return found
}

function partNumber (v: Maybe, name: string): number {
  const n = asLong(v)
  if (n === undefined) throw error(40515, `'${name}' must evaluate to an integer, found ${typeName(v)} with value ${display(v)}`)
  if (!UNBOUNDED.has(name) && (n < MIN_PART || n > MAX_PART)) {
    throw error(31034, `'${name}' must evaluate to a value in the range [${MIN_PART}, ${MAX_PART}]; value ${n} is not in range`)
  }
  return Number(n)
}

function assembled (date: readonly number[], time: readonly number[], isNatural: boolean, zone: TimeZone): BsonDate {
  const [year, second, third] = date
  if (year < 0 || year > 9999) {
    throw isNatural
      ? error(40523, `'year' must evaluate to an integer in the range 0 to 9999, found ${year}`)
      : error(31095, `'isoWeekYear' must evaluate to an integer in the range 0 to 9999, found ${year}`)
  }
  const days = isNatural ? daysOf(year, second, third) : daysOfIsoWeek(year, second, third)
  return new BsonDate(zone.toUtc(days * DAY + time[0] * HOUR + time[1] * MINUTE + time[2] * SECOND + time[3]))
}

export const datePartOperators: Operators = [
  ['$year', part(local => int(partsOf(local).year))],
  ['$month', part(local => int(partsOf(local).month))],
  ['$dayOfMonth', part(local => int(partsOf(local).day))],
  ['$hour', part(local => int(partsOf(local).hour))],
  ['$minute', part(local => int(partsOf(local).minute))],
  ['$second', part(local => int(partsOf(local).second))],
  ['$millisecond', part(local => int(partsOf(local).millisecond))],
  ['$dayOfWeek', part(local => int(weekdayOf(daysAt(local)) + 1))],
  ['$dayOfYear', part(local => int(dayOfYear(daysAt(local))))],
  ['$week', part(local => int(weekOfYear(local)))],
  ['$isoDayOfWeek', part(local => int(isoWeekOf(daysAt(local)).day))],
  ['$isoWeek', part(local => int(isoWeekOf(daysAt(local)).week))],
  ['$isoWeekYear', part(local => BigInt(isoWeekOf(daysAt(local)).year))],
  ['$dateToParts', dateToParts],
  ['$dateFromParts', dateFromParts]
]
