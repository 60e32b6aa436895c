import { typeMismatch } from '../values/errors.js'
import { intOrLong } from '../values/numbers.js'
import { typeName } from '../values/order.js'
import { Int32 } from '../values/types.js'
import type { Maybe } from '../values/types.js'
import { numeric } from './arithmetic.js'
import { nullish, variadic } from './node.js'
import type { Operator, Operators } from './node.js'

const integer = (v: Maybe): bigint | undefined => v instanceof Int32 ? BigInt(v.value) : typeof v === 'bigint' ? v : undefined

/** @param neutral the result for no operands */
const bitwise = (neutral: bigint, apply: (a: bigint, b: bigint) => bigint): Operator => (spec, cx, name) => variadic((args, scope) => {
  let result = neutral
  let long = false
  for (const arg of args) {
    const value = arg.evaluate(scope)
    if (nullish(value)) return null
    const operand = integer(value)
    if (operand === undefined) throw typeMismatch(`${name} only supports int and long operands.`)
    long ||= typeof value === 'bigint'
    result = apply(result, operand)
  }
  return long ? result : intOrLong(result)
})(spec, cx, name)

const complement = numeric(v => {
  if (v instanceof Int32) return Int32.of(~v.value)
  if (typeof v === 'bigint') return ~v
  throw typeMismatch(`$bitNot only supports int and long, not: ${typeName(v)}.`)
})

export const bitOperators: Operators = [
  ['$bitAnd', bitwise(-1n, (a, b) => a & b)],
  ['$bitOr', bitwise(0n, (a, b) => a | b)],
  ['$bitXor', bitwise(0n, (a, b) => a ^ b)],
  ['$bitNot', complement]
]
