import { dateAdd, dateDiff, dateTrunc, findWeekday, isTimeUnit } from '../values/date-arithmetic.js'
import type { TimeUnit } from '../values/date-arithmetic.js'
import { failedToParse } from '../values/errors.js'
import { display } from '../values/format.js'
import { MIN_LONG, asLong } from '../values/numbers.js'
import { typeName } from '../values/order.js'
import { BsonDate } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import { argumentsOf, optional, present, required, valueOf } from './arguments.js'
import { millisecondsOf, zoneArgument } from './date-values.js'
import { attempt, error, fold, nullish, orNull } from './node.js'
import type { Node, Operator, Operators } from './node.js'

const SUNDAY = 0

function unitOf (v: Maybe, operator: string): TimeUnit {
  if (typeof v !== 'string') throw error(5439013, `${operator} requires 'unit' to be a string, but got ${typeName(v)}`)
  if (!isTimeUnit(v)) throw failedToParse(`${operator} parameter 'unit' value parsing failed :: caused by :: unknown time unit value: ${v}`)
  return v
}

function weekdayArgument (v: Maybe, operator: string): number {
  if (typeof v !== 'string') throw error(5439015, `${operator} requires 'startOfWeek' to be a string, but got ${typeName(v)}`)
  const day = findWeekday(v)
  if (day === undefined) throw error(5439016, `${operator} parameter 'startOfWeek' value cannot be recognized as a day of a week: ${v}`)
  return day
}

/** A unit that is constant is read once, and refused once, as the server does when it optimizes. */
const unitFailure = (unit: Node, operator: string): Node[] =>
  unit.isConstant && !nullish(unit.constant) ? [attempt(() => unitOf(unit.constant, operator))] : []

const addition = (sign: 1n | -1n): Operator => (spec, cx, operator) => {
  const args = argumentsOf(spec, ['startDate', 'unit', 'amount', 'timezone'],
    () => error(5166400, `${operator} expects an object as its argument`),
    name => error(5166401, `Unrecognized argument to ${operator}: ${name}. Expected arguments are startDate, unit, amount, and optionally timezone.`))
  const needed = (name: string): Node => cx.operand(required(args, name, 5166402, `${operator} requires startDate, unit, and amount to be present`))
  const [start, unit, amount] = [needed('startDate'), needed('unit'), needed('amount')]
  const timezone = optional(args, 'timezone', cx)
  const zone = zoneArgument(timezone)
  return fold(cx, [start, unit, amount, ...present(timezone), ...unitFailure(unit, operator)], scope => {
    const from = start.evaluate(scope)
    const unitName = unit.evaluate(scope)
    const count = amount.evaluate(scope)
    const at = zone(scope)
    if (nullish(from) || nullish(unitName) || nullish(count) || at === undefined) return null
    const ms = millisecondsOf(from)
    if (ms === undefined) throw error(5166403, `${operator} requires startDate to be convertible to a date`)
    return new BsonDate(dateAdd(ms, unitOf(unitName, operator), sign * amountOf(count, operator), at))
  })
}

function amountOf (v: Value, operator: string): bigint {
  const amount = asLong(v)
  if (amount === undefined) throw error(5166405, `${operator} expects integer amount of time units`)
  if (amount === MIN_LONG && operator === '$dateSubtract') throw error(6045000, `invalid $dateSubtract 'amount' parameter value: ${amount}`)
  return amount
}

function requiredDate (v: Value, operator: string, name: string, code: number): number {
  const ms = millisecondsOf(v)
  if (ms === undefined) throw error(code, `${operator} requires '${name}' to be a date, but got ${typeName(v)}`)
  return ms
}

const difference: Operator = (spec, cx, operator) => {
  const args = argumentsOf(spec, ['startDate', 'endDate', 'unit', 'timezone', 'startOfWeek'],
    () => error(5166301, '$dateDiff only supports an object as its argument'), name => error(5166302, `Unrecognized argument to $dateDiff: ${name}`))
  const start = cx.operand(required(args, 'startDate', 5166303, "Missing 'startDate' parameter to $dateDiff"))
  const end = cx.operand(required(args, 'endDate', 5166304, "Missing 'endDate' parameter to $dateDiff"))
  const unit = cx.operand(required(args, 'unit', 5166305, "Missing 'unit' parameter to $dateDiff"))
  const timezone = optional(args, 'timezone', cx)
  const weekday = optional(args, 'startOfWeek', cx)
  const zone = zoneArgument(timezone)
  return fold(cx, [start, end, unit, ...present(timezone, weekday), ...unitFailure(unit, operator)], scope => {
    const from = start.evaluate(scope)
    const to = end.evaluate(scope)
    const unitName = unit.evaluate(scope)
    const firstDay = unitName === 'week' ? valueOf(weekday, scope, 'sunday') : 'sunday'
    if (nullish(from) || nullish(to) || nullish(unitName) || nullish(firstDay)) return null
    const at = zone(scope)
    if (at === undefined) return null
    const first = requiredDate(from, operator, 'startDate', 5166307)
    const last = requiredDate(to, operator, 'endDate', 5166307)
    return dateDiff(first, last, unitOf(unitName, operator), at, weekdayArgument(firstDay, operator))
  })
}

const truncation: Operator = (spec, cx, operator) => {
  const args = argumentsOf(spec, ['date', 'unit', 'binSize', 'timezone', 'startOfWeek'],
    () => error(5439007, '$dateTrunc only supports an object as its argument'),
    name => error(5439008, `Unrecognized argument to $dateTrunc: ${name}. Expected arguments are date, unit, and optionally, binSize, timezone, startOfWeek`))
  const date = cx.operand(required(args, 'date', 5439009, "Missing 'date' parameter to $dateTrunc"))
  const unit = cx.operand(required(args, 'unit', 5439010, "Missing 'unit' parameter to $dateTrunc"))
  const bin = optional(args, 'binSize', cx)
  const timezone = optional(args, 'timezone', cx)
  const weekday = optional(args, 'startOfWeek', cx)
  const zone = zoneArgument(timezone)
  return fold(cx, [date, unit, ...present(bin, timezone, weekday), ...unitFailure(unit, operator), ...binFailure(bin)], scope => {
    const value = date.evaluate(scope)
    const size = valueOf(bin, scope, 1n)
    const unitName = unit.evaluate(scope)
    const firstDay = unitName === 'week' ? valueOf(weekday, scope, 'sunday') : 'sunday'
    if (nullish(value) || nullish(size) || nullish(unitName) || nullish(firstDay)) return null
    const at = zone(scope)
    if (at === undefined) return null
    const ms = requiredDate(value, operator, 'date', 5439012)
    return new BsonDate(dateTrunc(ms, unitOf(unitName, operator), binSize(size), at, unitName === 'week' ? weekdayArgument(firstDay, operator) : SUNDAY))
  })
}

const binFailure = (bin: Node | undefined): Node[] =>
  bin?.isConstant === true && !nullish(bin.constant) ? [attempt(() => binSize(orNull(bin.constant)))] : []

function binSize (v: Value): bigint {
  const size = asLong(v)
  if (size === undefined) throw error(5439017, `$dateTrunc requires 'binSize' to be a 64-bit integer, but got value '${display(v)}' of type ${typeName(v)}`)
  if (size <= 0n) throw error(5439018, `$dateTrunc requires 'binSize' to be greater than 0, but got value ${size}`)
  return size
}

export const dateUnitOperators: Operators = [
  ['$dateAdd', addition(1n)],
  ['$dateSubtract', addition(-1n)],
  ['$dateDiff', difference],
  ['$dateTrunc', truncation]
]
