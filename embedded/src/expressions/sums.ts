import { Sum, divide, toDouble } from '../values/numbers.js'
import { display } from '../values/format.js'
import { compare, typeName } from '../values/order.js'
import { Doc, Double, Int32, isDoc, isNumber } from '../values/types.js'
import type { Collation } from '../values/collation.js'
import type { Maybe, Value } from '../values/types.js'
import { error, fold, nullish, operands } from './node.js'
import type { Operator, Operators } from './node.js'

type Accumulate = (values: Iterable<Maybe>, collation?: Collation) => Maybe

/** An accumulator as an expression: over the elements if its only operand is an array, else over its operands. */
const accumulator = (accumulate: Accumulate): Operator => (spec, cx) => {
  const args = operands(spec, cx)
  const { collation } = cx.ctx
  if (args.length !== 1) return fold(cx, args, scope => accumulate(args.map(arg => arg.evaluate(scope)), collation))
  const [only] = args
  return fold(cx, args, scope => {
    const value = only.evaluate(scope)
    return accumulate(Array.isArray(value) ? value : [value], collation)
  })
}

const sum: Accumulate = values => {
  const total = new Sum()
  for (const value of values) if (isNumber(value)) total.add(value)
  return total.result()
}

const average: Accumulate = values => {
  const total = new Sum()
  let count = 0
  for (const value of values) {
    if (!isNumber(value)) continue
    total.add(value)
    count++
  }
  return count === 0 ? null : divide(total.result(), Int32.of(count))
}

/** @param sign 1 for the lowest, -1 for the highest; of equal values the first stays */
const extreme = (sign: 1 | -1): Accumulate => (values, collation) => {
  let best: Maybe
  for (const value of values) {
    if (nullish(value)) continue
    if (best === undefined || compare(value, best, collation) * sign < 0) best = value
  }
  return best ?? null
}

/** @param less 0 for the population, 1 for a sample */
const deviation = (less: 0 | 1): Accumulate => values => {
  let count = 0
  let mean = 0
  let squares = 0
  for (const value of values) {
    if (!isNumber(value)) continue
    const x = toDouble(value)
    const delta = x - mean
    count++
    mean += delta / count
    squares += delta * (x - mean)
  }
  return count <= less ? null : new Double(Math.sqrt(squares / (count - less)))
}

const merge: Accumulate = values => {
  const fields = new Map<string, Value>()
  for (const value of values) {
    if (nullish(value)) continue
    if (!isDoc(value)) throw error(40400, `$mergeObjects requires object inputs, but input ${display(value)} is of type ${typeName(value)}`)
    for (const [name, field] of value) fields.set(name, field)
  }
  return Doc.of(fields)
}

export const sumOperators: Operators = [
  ['$sum', accumulator(sum)],
  ['$avg', accumulator(average)],
  ['$min', accumulator(extreme(1))],
  ['$max', accumulator(extreme(-1))],
  ['$stdDevPop', accumulator(deviation(0))],
  ['$stdDevSamp', accumulator(deviation(1))],
  ['$mergeObjects', accumulator(merge)]
]
