import { MongoError } from '../values/errors.js'
import { display } from '../values/format.js'
import { asInt32, toDouble } from '../values/numbers.js'
import { equal, typeName } from '../values/order.js'
import { Int32, isNumber } from '../values/types.js'
import type { Collation } from '../values/collation.js'
import type { Maybe, Value } from '../values/types.js'
import { argumentsOf } from './arguments.js'
import type { Arguments } from './arguments.js'
import type { Compiler } from './compiler.js'
import type { Scope } from './context.js'
import { binary, error, nullish, open, orNull, ranged, unary, variadic } from './node.js'
import type { Node, Operator, Operators } from './node.js'

const RANGE_LIMIT = 100 * 1024 * 1024
const VALUE_SIZE = 16
/** More elements than any document can hold; the server itself would go on until its memory ends. */
const LENGTH_LIMIT = 2 ** 24

/** The place that a negative index counts from the end means; undefined if there is none. */
const elementAt = (array: readonly Value[], index: number): Maybe => array[index < 0 ? array.length + index : index]

function elementOf (array: Maybe, index: Maybe): Maybe {
  if (nullish(array) || nullish(index)) return null
  if (!Array.isArray(array)) throw error(28689, `$arrayElemAt's first argument must be an array, but is ${typeName(array)}`)
  if (!isNumber(index)) throw error(28690, `$arrayElemAt's second argument must be a numeric value, but is ${typeName(index)}`)
  const at = asInt32(index)
  if (at === undefined) throw error(28691, `$arrayElemAt's second argument must be representable as a 32-bit integer: ${toDouble(index)}`)
  return elementAt(array, at)
}

const end = (index: number): Operator => (spec, cx, name) => unary(array => {
  if (nullish(array)) return null
  if (!Array.isArray(array)) throw error(28689, `${name}'s argument must be an array, but is ${typeName(array)}`)
  return elementAt(array, index)
})(spec, cx, name)

function concatenation (args: readonly Node[], scope: Scope): Maybe {
  const all: Value[] = []
  for (const arg of args) {
    const array = arg.evaluate(scope)
    if (nullish(array)) return null
    if (!Array.isArray(array)) throw error(28664, `$concatArrays only supports arrays, not ${typeName(array)}`)
    if (all.length + array.length > LENGTH_LIMIT) throw new MongoError(146, '$concatArrays would use too much memory')
    for (const element of array) all.push(element)
  }
  return all
}

function includes (value: Maybe, array: Maybe, collation?: Collation): boolean {
  if (!Array.isArray(array)) throw error(40081, `$in requires an array as a second argument, found: ${typeName(array)}`)
  return array.some(element => equal(value, element, collation))
}

function indexOf (args: readonly Node[], scope: Scope, collation?: Collation): Maybe {
  const array = args[0].evaluate(scope)
  if (nullish(array)) return null
  if (!Array.isArray(array)) throw error(40090, `$indexOfArray requires an array as a first argument, found: ${typeName(array)}`)
  const from = args.length > 2 ? bound(args[2].evaluate(scope), '$indexOfArray', 'starting index') : 0
  const to = args.length > 3 ? Math.min(array.length, bound(args[3].evaluate(scope), '$indexOfArray', 'ending index')) : array.length
  const wanted = args[1].evaluate(scope)
  for (let i = from; i < to; i++) if (equal(array[i], wanted, collation)) return Int32.of(i)
  return Int32.of(-1)
}

/** An optional start or end of a search. */
export function bound (v: Maybe, operator: string, what: string): number {
  const index = asInt32(v)
  if (index === undefined) throw error(40096, `${operator}requires an integral ${what}, found a value of type: ${typeName(v)}, with value: ${display(v)}`)
  if (index < 0) throw error(40097, `${operator} requires a nonnegative ${what}, found: ${display(v)}`)
  return index
}

type RangePart = { readonly article: string, readonly word: string, readonly codes: readonly [number, number], readonly colon: string }
const START: RangePart = { article: 'a', word: 'starting', codes: [34443, 34444], colon: ': ' }
const END: RangePart = { article: 'an', word: 'ending', codes: [34445, 34446], colon: ': ' }
const STEP: RangePart = { article: 'a', word: 'step', codes: [34447, 34448], colon: ':' }

function rangePart (v: Maybe, { article, word, codes, colon }: RangePart): number {
  if (!isNumber(v)) throw error(codes[0], `$range requires a numeric ${word} value, found value of type${colon}${typeName(v)}`)
  const n = asInt32(v)
  if (n === undefined) throw error(codes[1], `$range requires ${article} ${word} value that can be represented as a 32-bit integer, found value: ${display(v)}`)
  return n
}

function range (args: readonly Node[], scope: Scope): Maybe {
  const start = args[0].evaluate(scope)
  const stop = args[1].evaluate(scope)
  const from = rangePart(start, START)
  const to = rangePart(stop, END)
  const step = args.length > 2 ? rangePart(args[2].evaluate(scope), STEP) : 1
  if (step === 0) throw error(34449, '$range requires a non-zero step value')
  return series(from, to, step)
}

function series (from: number, to: number, step: number): Value[] {
  const size = Math.max(0, Math.ceil((to - from) / step))
  if (size * VALUE_SIZE > RANGE_LIMIT) {
    throw new MongoError(146, `$range would use too much memory (${size * VALUE_SIZE} bytes) and cannot spill to disk. Memory limit: ${RANGE_LIMIT} bytes`)
  }
  return Array.from({ length: size }, (_, i) => Int32.of(from + i * step))
}

function reversed (array: Maybe): Maybe {
  if (nullish(array)) return null
  if (!Array.isArray(array)) throw error(34435, `The argument to $reverseArray must be an array, but was of type: ${typeName(array)}`)
  return array.toReversed()
}

function size (array: Maybe): Maybe {
  if (!Array.isArray(array)) throw error(17124, `The argument to $size must be an array, but was of type: ${typeName(array)}`)
  return Int32.of(array.length)
}

function slice (args: readonly Node[], scope: Scope): Maybe {
  const array = args[0].evaluate(scope)
  const second = args[1].evaluate(scope)
  if (nullish(array) || nullish(second)) return null
  if (!Array.isArray(array)) throw error(28724, `First argument to $slice must be an array, but is of type: ${typeName(array)}`)
  if (!isNumber(second)) throw error(28725, `Second argument to $slice must be a numeric value, but is of type: ${typeName(second)}`)
  const position = asInt32(second)
  if (position === undefined) throw error(28726, `Second argument to $slice can't be represented as a 32-bit integer: ${toDouble(second)}`)
  if (args.length === 2) return position >= 0 ? array.slice(0, position) : array.slice(position)
  const third = args[2].evaluate(scope)
  if (nullish(third)) return null
  const from = position < 0 ? Math.max(0, array.length + position) : position
  return array.slice(from, from + sliceCount(third))
}

function sliceCount (v: Maybe): number {
  if (!isNumber(v)) throw error(28727, `Third argument to $slice must be numeric, but is of type: ${typeName(v)}`)
  const count = asInt32(v)
  if (count === undefined) throw error(28728, `Third argument to $slice can't be represented as a 32-bit integer: ${toDouble(v)}`)
  if (count <= 0) throw error(28729, `Third argument to $slice must be positive: ${count}`)
  return count
}

const zip: Operator = (spec, cx) => {
  const args = argumentsOf(spec, ['inputs', 'defaults', 'useLongestLength'],
    () => error(34460, `$zip only supports an object as an argument, found ${typeName(spec)}`), name => error(34464, `$zip found an unknown argument: ${name}`))
  const inputs = listOf(args, 'inputs', 34461, cx)
  const defaults = listOf(args, 'defaults', 34462, cx)
  const longest = args.get('useLongestLength') ?? false
  if (typeof longest !== 'boolean') throw error(34463, `useLongestLength must be a bool, found ${typeName(longest)}`)
  if (inputs.length === 0) throw error(34465, '$zip requires at least one input array')
  if (!longest && defaults.length > 0) throw error(34466, 'cannot specify defaults unless useLongestLength is true')
  if (defaults.length > 0 && defaults.length !== inputs.length) throw error(34467, 'defaults and inputs must have the same length')
  return open([...inputs, ...defaults], scope => zipped(inputs, defaults, longest, scope))
}

function listOf (args: Arguments, name: string, code: number, cx: Compiler): Node[] {
  const list = args.get(name)
  if (list === undefined) return []
  if (!Array.isArray(list)) throw error(code, `${name} must be an array of expressions, found ${typeName(list)}`)
  return list.map(element => cx.operand(element))
}

function zipped (inputs: readonly Node[], defaults: readonly Node[], longest: boolean, scope: Scope): Maybe {
  const arrays: Value[][] = []
  for (const input of inputs) {
    const array = input.evaluate(scope)
    if (nullish(array)) return null
    if (!Array.isArray(array)) throw error(34468, `$zip found a non-array expression in input: ${display(array)}`)
    arrays.push(array)
  }
  const lengths = arrays.map(array => array.length)
  const shortest = Math.min(...lengths)
  const length = longest ? Math.max(...lengths) : shortest
  const fill = length > shortest ? defaults.map(node => orNull(node.evaluate(scope))) : []
  return Array.from({ length }, (_, row) => arrays.map((array, column) => row < array.length ? array[row] : fill[column] ?? null))
}

export const arrayOperators: Operators = [
  ['$arrayElemAt', binary(elementOf)],
  ['$first', end(0)],
  ['$last', end(-1)],
  ['$concatArrays', variadic(concatenation)],
  ['$in', binary(includes)],
  ['$indexOfArray', ranged(2, 4, indexOf)],
  ['$isArray', unary(v => Array.isArray(v))],
  ['$range', ranged(2, 3, range)],
  ['$reverseArray', unary(reversed)],
  ['$size', unary(size)],
  ['$slice', ranged(2, 3, slice)],
  ['$zip', zip]
]
