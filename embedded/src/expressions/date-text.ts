import { MongoError } from '../values/errors.js'
import { display } from '../values/format.js'
import { isoString } from '../values/dates.js'
import type { TimeZone } from '../values/dates.js'
import { typeName } from '../values/order.js'
import { BsonDate } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import { argumentsOf, optional, present, required } from './arguments.js'
import type { Scope } from './context.js'
import { DateSyntaxError, parsePrintFormat, parseReadFormat, resolve } from './date-format.js'
import type { DateFormat, DateReader } from './date-format.js'
import { parseDate } from './date-parse.js'
import { toMilliseconds, zoneArgument } from './date-values.js'
import { error, fold, nullish } from './node.js'
import type { Node, Operator, Operators } from './node.js'

const ISO_LOCAL = parsePrintFormat('%Y-%m-%dT%H:%M:%S.%L')
/** The format if none is given: only UTC has a Z behind it. */
const ISO: DateFormat = { print: (ms, zone) => zone.isUtc ? isoString(ms) : ISO_LOCAL.print(ms, zone) }
const FREE: DateReader = { read: parseDate }

/** The format that an argument gives: undefined for null, parsed once if it is constant. */
function formatArgument<T> (node: Node | undefined, otherwise: T, parse: (v: Maybe) => T | undefined): (scope: Scope) => T | undefined {
  if (node === undefined) return () => otherwise
  if (!node.isConstant) return scope => parse(node.evaluate(scope))
  const parsed = parse(node.constant)
  return () => parsed
}

function printFormat (v: Maybe): DateFormat | undefined {
  if (nullish(v)) return undefined
  if (typeof v !== 'string') throw error(18533, `$dateToString requires that 'format' be a string, found: ${typeName(v)} with value ${display(v)}`)
  return parsePrintFormat(v)
}

function readFormat (v: Maybe): DateReader | undefined {
  if (nullish(v)) return undefined
  if (typeof v !== 'string') throw error(40684, `$dateFromString requires that 'format' be a string, found: ${typeName(v)} with value ${display(v)}`)
  return parseReadFormat(v)
}

const dateToString: Operator = (spec, cx) => {
  const args = argumentsOf(spec, ['format', 'date', 'timezone', 'onNull'],
    () => error(18629, '$dateToString only supports an object as its argument'), name => error(18534, `Unrecognized argument to $dateToString: ${name}`))
  const date = cx.operand(required(args, 'date', 18628, "Missing 'date' parameter to $dateToString"))
  const format = optional(args, 'format', cx)
  const timezone = optional(args, 'timezone', cx)
  const onNull = optional(args, 'onNull', cx)
  const formatOf = formatArgument(format, ISO, printFormat)
  const zone = zoneArgument(timezone)
  return fold(cx, present(date, format, timezone, onNull), scope => {
    const value = date.evaluate(scope)
    const printer = formatOf(scope)
    const at = zone(scope)
    if (nullish(value)) return onNull === undefined ? null : onNull.evaluate(scope)
    return at === undefined || printer === undefined ? null : printer.print(toMilliseconds(value), at)
  })
}

const dateFromString: Operator = (spec, cx) => {
  const args = argumentsOf(spec, ['dateString', 'timezone', 'format', 'onNull', 'onError'],
    () => error(40540, `$dateFromString only supports an object as an argument, found: ${typeName(spec)}`),
    name => error(40541, `Unrecognized argument to $dateFromString: ${name}`))
  const text = cx.operand(required(args, 'dateString', 40542, "Missing 'dateString' parameter to $dateFromString"))
  const timezone = optional(args, 'timezone', cx)
  const format = optional(args, 'format', cx)
  const onNull = optional(args, 'onNull', cx)
  const onError = optional(args, 'onError', cx)
  const readerOf = formatArgument(format, FREE, readFormat)
  const zone = zoneArgument(timezone)
  return fold(cx, present(text, timezone, format, onNull, onError), scope => {
    const value = text.evaluate(scope)
    const reader = readerOf(scope)
    const at = zone(scope)
    if (nullish(value)) return onNull === undefined ? null : onNull.evaluate(scope)
    return recover(() => read(value, at, reader), onError, scope)
  })
}

function read (value: Value, zone: TimeZone | undefined, reader: DateReader | undefined): Maybe {
  if (typeof value !== 'string') {
    throw new MongoError(241, `$dateFromString requires that 'dateString' be a string, found: ${typeName(value)} with value ${display(value)}`)
  }
  return zone === undefined || reader === undefined ? null : dateFromText(value, zone, reader)
}

/** @throws MongoError 241 for a text that is no date */
export function dateFromText (text: string, zone: TimeZone, reader = FREE): BsonDate {
  try {
    return new BsonDate(resolve(reader.read(text), zone))
  } catch (e) {
    if (e instanceof DateSyntaxError) throw new MongoError(241, `Error parsing date string '${text}'; ${e.message}`)
    throw e
  }
}

/** A failed conversion gives what `onError` says, if that was given. */
export function recover (convert: () => Maybe, onError: Node | undefined, scope: Scope): Maybe {
  try {
    return convert()
  } catch (e) {
    if (onError !== undefined && e instanceof MongoError && e.code === 241) return onError.evaluate(scope)
    throw e
  }
}

export const dateTextOperators: Operators = [['$dateToString', dateToString], ['$dateFromString', dateFromString]]
