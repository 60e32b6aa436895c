import { asInt32 } from '../values/numbers.js'
import { compareStrings, typeName } from '../values/order.js'
import { display } from '../values/format.js'
import { Int32, isNumber } from '../values/types.js'
import type { Maybe } from '../values/types.js'
import { saturated } from './arithmetic.js'
import { argumentsOf, optional, present, required } from './arguments.js'
import { bound } from './arrays.js'
import type { Scope } from './context.js'
import { binary, error, fold, nullish, ranged, ternary, unary, variadic } from './node.js'
import type { Node, Operator, Operators } from './node.js'
import { toLower, toText, toUpper } from './text.js'

function concat (args: readonly Node[], scope: Scope): Maybe {
  let text = ''
  for (const arg of args) {
    const value = arg.evaluate(scope)
    if (nullish(value)) return null
    if (typeof value !== 'string') throw error(16702, `$concat only supports strings, not ${typeName(value)}`)
    text += value
  }
  checkLength(text.length)
  return text
}

const TEXT_LIMIT = 64 * 1024 * 1024

/** The server's buffers end at the same size: a loop that doubles a text must not take all memory. */
function checkLength (length: number): void {
  if (length > TEXT_LIMIT) throw error(13548, `BufBuilder attempted to grow() to ${length} bytes, past the 64MB limit.`)
}

function split (input: Maybe, separator: Maybe): Maybe {
  if (nullish(input) || nullish(separator)) return null
  if (typeof input !== 'string') {
    throw error(40085, `$split requires an expression that evaluates to a string as a first argument, found: ${typeName(input)}`)
  }
  if (typeof separator !== 'string') {
    throw error(40086, `$split requires an expression that evaluates to a string as a second argument, found: ${typeName(separator)}`)
  }
  if (separator === '') throw error(40087, '$split requires a non-empty separator')
  return input.split(separator)
}

const length = (code: number, measure: (text: string) => number): Operator => (spec, cx, name) => unary(v => {
  if (typeof v !== 'string') throw error(code, `${name} requires a string argument, found: ${typeName(v)}`)
  return Int32.of(measure(v))
})(spec, cx, name)

export function countPoints (text: string): number {
  let count = 0
  for (const _ of text) count++ // eslint-disable-line @typescript-eslint/no-unused-vars
  return count
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

function position (v: Maybe, code: number, what: string): number {
  if (!isNumber(v)) throw error(code, `$substrBytes:  ${what} must be a numeric type (is BSON type ${typeName(v)})`)
  return Number(saturated(v))
}

function substrBytes (input: Maybe, from: Maybe, count: Maybe): Maybe {
  const bytes = Buffer.from(toText(input))
  const start = position(from, 16034, 'starting index')
  const size = position(count, 16035, 'length')
  if (start < 0) throw error(50752, `$substrBytes:  starting index must be non-negative (got: ${start})`)
  const end = start + (size < 0 ? bytes.length : size)
  if (isContinuation(bytes[start])) throw error(28656, '$substrBytes:  Invalid range, starting index is a UTF-8 continuation byte.')
  if (isContinuation(bytes[end])) throw error(28657, '$substrBytes:  Invalid range, ending index is in the middle of a UTF-8 character.')
  return bytes.toString('utf8', start, Math.min(end, bytes.length))
}

function pointIndex (v: Maybe, codes: readonly [number, number], what: string): number {
  if (!isNumber(v)) throw error(codes[0], `$substrCP: ${what} must be a numeric type (is BSON type ${typeName(v)})`)
  const index = asInt32(v)
  if (index === undefined) throw error(codes[1], `$substrCP: ${what} cannot be represented as a 32-bit integral value: ${display(v)}`)
  return index
}

function substrPoints (input: Maybe, from: Maybe, count: Maybe): Maybe {
  const text = toText(input)
  const start = pointIndex(from, [34450, 34451], 'starting index')
  const size = pointIndex(count, [34452, 34453], 'length')
  if (size < 0) throw error(34454, '$substrCP: length must be a nonnegative integer.')
  if (start < 0) throw error(34455, '$substrCP: the starting index must be nonnegative integer.')
  return [...text].slice(start, start + size).join('')
}

type Find = (text: string, token: string, from: number, to: number | undefined) => number

/** @param codes the errors for a first and a second operand that is no string */
const search = (codes: readonly [number, number], find: Find): Operator => (spec, cx, name) =>
  ranged(2, 4, (args, scope) => {
    const text = args[0].evaluate(scope)
    if (nullish(text)) return null
    if (typeof text !== 'string') throw error(codes[0], `${name} requires a string as the first argument, found: ${typeName(text)}`)
    const token = args[1].evaluate(scope)
    if (typeof token !== 'string') throw error(codes[1], `${name} requires a string as the second argument, found: ${typeName(token)}`)
    const from = args.length > 2 ? bound(args[2].evaluate(scope), name, 'starting index') : 0
    const to = args.length > 3 ? bound(args[3].evaluate(scope), name, 'ending index') : undefined
    return Int32.of(find(text, token, from, to))
  })(spec, cx, name)

function findBytes (text: string, token: string, from: number, to: number | undefined): number {
  const bytes = Buffer.from(text)
  const end = Math.min(bytes.length, to ?? bytes.length)
  return from > bytes.length || end < from ? -1 : bytes.subarray(0, end).indexOf(token, from)
}

/** The end bounds where a match may begin, not where it must be over. */
function findPoints (text: string, token: string, from: number, to: number | undefined): number {
  if (text === '' && token === '') return 0
  let index = 0
  let unit = 0
  for (const point of text) {
    if (to !== undefined && index >= to) return -1
    if (index >= from && text.startsWith(token, unit)) return index
    index++
    unit += point.length
  }
  return -1
}

const WHITESPACE: ReadonlySet<string> = new Set('\0 \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a')

const trim = (left: boolean, right: boolean): Operator => (spec, cx, name) => {
  const args = argumentsOf(spec, ['input', 'chars'],
    () => error(50696, `${name} only supports an object as an argument, found ${typeName(spec)}`), field => error(50694, `${name} found an unknown argument: ${field}`))
  const input = cx.operand(required(args, 'input', 50695, `${name} requires an 'input' field`))
  const chars = optional(args, 'chars', cx)
  return fold(cx, present(input, chars), scope => {
    const text = input.evaluate(scope)
    if (nullish(text)) return null
    if (typeof text !== 'string') throw error(50699, `${name} requires its input to be a string, got ${display(text)} (of type ${typeName(text)}) instead.`)
    const unwanted = chars === undefined ? WHITESPACE : charsOf(chars.evaluate(scope), name)
    return unwanted === undefined ? null : trimmed(text, unwanted, left, right)
  })
}

function charsOf (v: Maybe, name: string): ReadonlySet<string> | undefined {
  if (nullish(v)) return undefined
  if (typeof v !== 'string') throw error(50700, `${name} requires 'chars' to be a string, got ${display(v)} (of type ${typeName(v)}) instead.`)
  return new Set(v)
}

function trimmed (text: string, unwanted: ReadonlySet<string>, left: boolean, right: boolean): string {
  const points = [...text]
  let start = 0
  let end = points.length
  if (left) while (start < end && unwanted.has(points[start])) start++
  if (right) while (end > start && unwanted.has(points[end - 1])) end--
  return points.slice(start, end).join('')
}

const replace = (apply: (text: string, find: string, replacement: string) => string): Operator => (spec, cx, name) => {
  const args = argumentsOf(spec, ['input', 'find', 'replacement'],
    () => error(51751, `${name} requires an object as an argument, found: ${typeName(spec)}`), field => error(51750, `${name} found an unknown argument: ${field}`))
  const input = cx.operand(required(args, 'input', 51749, `${name} requires 'input' to be specified`))
  const find = cx.operand(required(args, 'find', 51748, `${name} requires 'find' to be specified`))
  const replacement = cx.operand(required(args, 'replacement', 51747, `${name} requires 'replacement' to be specified`))
  return fold(cx, [input, find, replacement], scope => {
    const text = textOrNull(input.evaluate(scope), 51746, name, 'input')
    const wanted = textOrNull(find.evaluate(scope), 51745, name, 'find')
    const instead = textOrNull(replacement.evaluate(scope), 51744, name, 'replacement')
    return text === null || wanted === null || instead === null ? null : apply(text, wanted, instead)
  })
}

function textOrNull (v: Maybe, code: number, name: string, what: string): string | null {
  if (typeof v === 'string') return v
  if (nullish(v)) return null
  throw error(code, `${name} requires that '${what}' be a string, found: ${display(v)}`)
}

const replaceOne = (text: string, find: string, replacement: string): string => text.replace(find, () => replacement)

function replaceAll (text: string, find: string, replacement: string): string {
  const parts = find === '' ? ['', ...text, ''] : text.split(find)
  checkLength(text.length + (parts.length - 1) * replacement.length)
  return parts.join(replacement)
}

export const stringOperators: Operators = [
  ['$concat', variadic(concat)],
  ['$split', binary(split)],
  ['$strLenCP', length(34471, countPoints)],
  ['$strLenBytes', length(34473, text => Buffer.byteLength(text))],
  ['$substrCP', ternary(substrPoints)],
  ['$substrBytes', ternary(substrBytes)],
  ['$substr', ternary(substrBytes)],
  ['$indexOfCP', search([40093, 40094], findPoints)],
  ['$indexOfBytes', search([40091, 40092], findBytes)],
  ['$toUpper', unary(v => toUpper(toText(v)))],
  ['$toLower', unary(v => toLower(toText(v)))],
  ['$strcasecmp', binary((a, b) => Int32.of(Math.sign(compareStrings(toUpper(toText(a)), toUpper(toText(b))))))],
  ['$trim', trim(true, true)],
  ['$ltrim', trim(true, false)],
  ['$rtrim', trim(false, true)],
  ['$replaceOne', replace(replaceOne)],
  ['$replaceAll', replace(replaceAll)]
]
