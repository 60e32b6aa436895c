import { badValue } from '../values/errors.js'
import { display } from '../values/format.js'
import { saturated } from './arithmetic.js'
import { toDouble } from '../values/numbers.js'
import { compare, typeName } from '../values/order.js'
import { isDoc, isNumber } from '../values/types.js'
import type { Collation } from '../values/collation.js'
import type { Maybe, Value } from '../values/types.js'
import { argumentsOf, required } from './arguments.js'
import { error, fold, nullish } from './node.js'
import type { Operator, Operators } from './node.js'
import { splitPath } from './paths.js'

type Select = (array: readonly Value[], n: number, collation?: Collation) => Value[]

const selection = (select: Select): Operator => (spec, cx, operator) => {
  const args = argumentsOf(spec, ['n', 'input'],
    () => error(5787900, `specification must be an object; found ${operator}: ${display(spec)}`), name => error(5787901, `Unknown argument for 'n' operator: ${name}`))
  const count = cx.operand(required(args, 'n', 5787906, "Missing value for 'n'"))
  const input = cx.operand(required(args, 'input', 5787907, "Missing value for 'input'"))
  const { collation } = cx.ctx
  return fold(cx, [count, input], scope => {
    const n = countOf(count.evaluate(scope))
    const array = input.evaluate(scope)
    if (!Array.isArray(array)) throw error(5788200, 'Input must be an array')
    return select(array, n, collation)
  })
}

function countOf (v: Maybe): number {
  if (!isNumber(v)) throw error(5787902, `Value for 'n' must be of integral type, but found ${display(v)}`)
  const n = saturated(v)
  if (Number(n) !== toDouble(v)) throw error(5787903, `Value for 'n' must be of integral type, but found ${display(v)}`)
  if (n <= 0n) throw error(5787908, `'n' must be greater than 0, found ${n}`)
  return Number(n)
}

/** @param sign 1 for the lowest first */
const extremes = (sign: 1 | -1): Select => (array, n, collation) =>
  array.filter(value => !nullish(value)).sort((a, b) => sign * compare(a, b, collation)).slice(0, n)

type Order = (a: Value, b: Value) => number

const sortArray: Operator = (spec, cx) => {
  const args = argumentsOf(spec, ['input', 'sortBy'],
    () => error(2942500, `$sortArray requires an object as an argument, found: ${typeName(spec)}`), name => error(2942501, `$sortArray found an unknown argument: ${name}`))
  const input = cx.operand(required(args, 'input', 2942502, "$sortArray requires 'input' to be specified"))
  const order = orderOf(required(args, 'sortBy', 2942503, "$sortArray requires 'sortBy' to be specified"), cx.ctx.collation)
  return fold(cx, [input], scope => {
    const array = input.evaluate(scope)
    if (nullish(array)) return null
    if (!Array.isArray(array)) throw error(2942504, `The input argument to $sortArray must be an array, but was of type: ${typeName(array)}`)
    return array.toSorted(order)
  })
}

function orderOf (sortBy: Value, collation?: Collation): Order {
  if (isDoc(sortBy)) return fieldOrder(Array.from(sortBy, ([path, sign]) => ({ parts: sortPath(path), sign: signOf(sign) })), collation)
  if (!isNumber(sortBy)) throw badValue('The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields')
  const sign = toDouble(sortBy)
  if (sign !== 1 && sign !== -1) throw error(2942506, 'The $sort element value must be either 1 or -1')
  return (a, b) => sign * compare(a, b, collation)
}

function sortPath (path: string): string[] {
  if (path === '') throw badValue('The $sort field cannot be empty')
  if (path.startsWith('.') || path.endsWith('.') || path.includes('..')) throw badValue(`The $sort field is a dotted field but has an empty part: ${path}`)
  return splitPath(path)
}

function signOf (v: Value): number {
  const sign = isNumber(v) ? toDouble(v) : 0
  if (sign !== 1 && sign !== -1) throw badValue('The $sort element value must be either 1 or -1')
  return sign
}

type SortField = { readonly parts: readonly string[], readonly sign: number }

function fieldOrder (fields: readonly SortField[], collation?: Collation): Order {
  if (fields.length === 0) throw badValue('The $sort pattern is empty when it should be a set of fields.')
  return (a, b) => {
    for (const { parts, sign } of fields) {
      const order = compare(fieldOf(a, parts), fieldOf(b, parts), collation)
      if (order !== 0) return sign * order
    }
    return 0
  }
}

/** Unlike paths elsewhere, these step into arrays by position only; what is missing sorts as null. */
function fieldOf (value: Value, parts: readonly string[]): Value {
  if (!isDoc(value)) return null
  let at: Maybe = value
  for (const part of parts) {
    if (isDoc(at)) at = at.get(part)
    else at = Array.isArray(at) && /^\d+$/.test(part) ? at[Number(part)] : undefined
  }
  return at ?? null
}

export const selectionOperators: Operators = [
  ['$firstN', selection((array, n) => array.slice(0, n))],
  ['$lastN', selection((array, n) => array.slice(-n))],
  ['$minN', selection(extremes(1))],
  ['$maxN', selection(extremes(-1))],
  ['$sortArray', sortArray]
]
