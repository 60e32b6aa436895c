import { compare, hashKey, typeName } from '../values/order.js'
import type { Collation } from '../values/collation.js'
import type { Maybe, Value } from '../values/types.js'
import type { Scope } from './context.js'
import { binary, error, nullish, operands, truthy, unary, variadic, fold } from './node.js'
import type { Node, Operator, Operators } from './node.js'

/** The distinct values of an array by what makes them equal; of equal ones the first stays. */
function distinct (array: readonly Value[], collation?: Collation, into = new Map<string, Value>()): Map<string, Value> {
  for (const value of array) {
    const key = hashKey(value, collation)
    if (!into.has(key)) into.set(key, value)
  }
  return into
}

const ordered = (set: ReadonlyMap<string, Value>, collation?: Collation): Value[] => [...set.values()].sort((a, b) => compare(a, b, collation))

function union (args: readonly Node[], scope: Scope, collation?: Collation): Maybe {
  const all = new Map<string, Value>()
  for (const arg of args) {
    const array = arg.evaluate(scope)
    if (nullish(array)) return null
    if (!Array.isArray(array)) throw error(17043, `All operands of $setUnion must be arrays. One argument is of type: ${typeName(array)}`)
    distinct(array, collation, all)
  }
  return ordered(all, collation)
}

function intersection (args: readonly Node[], scope: Scope, collation?: Collation): Maybe {
  let common: Map<string, Value> | undefined
  for (const arg of args) {
    const array = arg.evaluate(scope)
    if (nullish(array)) return null
    if (!Array.isArray(array)) throw error(17047, `All operands of $setIntersection must be arrays. One argument is of type: ${typeName(array)}`)
    common = common === undefined ? distinct(array, collation) : shared(common, distinct(array, collation))
  }
  return common === undefined ? [] : ordered(common, collation)
}

/** Of two equal values the one from the smaller set stays, the former on a draw. */
function shared (a: Map<string, Value>, b: Map<string, Value>): Map<string, Value> {
  const [few, many] = a.size > b.size ? [b, a] : [a, b]
  return new Map([...few].filter(([key]) => many.has(key)))
}

function difference (a: Maybe, b: Maybe, collation?: Collation): Maybe {
  if (nullish(a) || nullish(b)) return null
  if (!Array.isArray(a)) throw error(17048, `both operands of $setDifference must be arrays. First argument is of type: ${typeName(a)}`)
  if (!Array.isArray(b)) throw error(17049, `both operands of $setDifference must be arrays. Second argument is of type: ${typeName(b)}`)
  const without = distinct(b, collation)
  const rest = distinct(a, collation)
  return [...rest].filter(([key]) => !without.has(key)).map(([, value]) => value)
}

const setEquals: Operator = (spec, cx) => {
  const args = operands(spec, cx)
  if (args.length < 2) throw error(17045, `$setEquals needs at least two arguments had: ${args.length}`)
  const { collation } = cx.ctx
  const constants = args.map((arg, i) => arg.isConstant ? keysOf(arg.constant, i, 5887502, collation) : undefined)
  return fold(cx, args, scope => {
    let first: ReadonlySet<string> | undefined
    for (let i = 0; i < args.length; i++) {
      const keys = constants[i] ?? keysOf(args[i].evaluate(scope), i, 17044, collation)
      first ??= keys
      if (first.size !== keys.size || ![...keys].every(key => first!.has(key))) return false
    }
    return true
  })
}

function keysOf (array: Maybe, index: number, code: number, collation?: Collation): ReadonlySet<string> {
  if (!Array.isArray(array)) throw error(code, `All operands of $setEquals must be arrays. ${index + 1}-th argument is of type: ${typeName(array)}`)
  return new Set(distinct(array, collation).keys())
}

/** With a constant second operand the server uses other code, and other error numbers. */
const isSubset: Operator = (spec, cx, name) => {
  const args = operands(spec, cx)
  const [a, b] = args
  const { collation } = cx.ctx
  if (args.length !== 2 || !b.isConstant || a.isConstant) return subsetOfAny(spec, cx, name)
  const keys = keysOfSecond(b.constant, 17311, collation, [])
  return fold(cx, [a], scope => contained(a.evaluate(scope), keys, 17310, collation))
}

const subsetOfAny: Operator = binary((a, b, collation) => contained(a, keysOfSecond(b, 17042, collation, a), 17046, collation))

function keysOfSecond (b: Maybe, code: number, collation: Collation | undefined, a: Maybe): ReadonlyMap<string, Value> {
  // The first operand is looked at first, so its error goes before this one.
  if (!Array.isArray(a)) return new Map()
  if (!Array.isArray(b)) throw error(code, `both operands of $setIsSubset must be arrays. Second argument is of type: ${typeName(b)}`)
  return distinct(b, collation)
}

function contained (a: Maybe, keys: ReadonlyMap<string, Value>, code: number, collation?: Collation): boolean {
  if (!Array.isArray(a)) throw error(code, `both operands of $setIsSubset must be arrays. First argument is of type: ${typeName(a)}`)
  return a.every(value => keys.has(hashKey(value, collation)))
}

const elements = (code: number, test: (array: readonly Value[]) => boolean): Operator => (spec, cx, name) => unary(array => {
  if (!Array.isArray(array)) throw error(code, `${name}'s argument must be an array, but is ${typeName(array)}`)
  return test(array)
})(spec, cx, name)

export const setOperators: Operators = [
  ['$setUnion', variadic(union)],
  ['$setIntersection', variadic(intersection)],
  ['$setDifference', binary(difference)],
  ['$setEquals', setEquals],
  ['$setIsSubset', isSubset],
  ['$allElementsTrue', elements(17040, array => array.every(truthy))],
  ['$anyElementTrue', elements(17041, array => array.some(truthy))]
]
