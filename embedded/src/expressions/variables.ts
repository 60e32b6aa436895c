import { failedToParse } from '../values/errors.js'
import { display } from '../values/format.js'
import { asInt32 } from '../values/numbers.js'
import { typeName } from '../values/order.js'
import { isDoc } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import { argumentsOf, optional, required } from './arguments.js'
import type { Arguments } from './arguments.js'
import type { Compiler } from './compiler.js'
import type { Scope } from './context.js'
import { error, nullish, open, orNull, truthy } from './node.js'
import type { Node, Operator, Operators } from './node.js'

const NOT_ASCII = /[^\x00-\x7f]/ // eslint-disable-line no-control-regex

const startsWell = (name: string, letters: RegExp): boolean => letters.test(name[0]) || NOT_ASCII.test(name[0])

function checkRest (name: string, kind: string): void {
  for (const c of name.slice(1)) {
    if (!/\w/.test(c) && !NOT_ASCII.test(c)) throw failedToParse(`'${name}' contains an invalid character for a ${kind}: '${c}'`)
  }
}

function checkName (name: string, letters: RegExp, kind: string): void {
  if (name === '') throw failedToParse('empty variable names are not allowed')
  if (!startsWell(name, letters)) throw failedToParse(`'${name}' starts with an invalid character for a ${kind}`)
  checkRest(name, kind)
}

export const checkReadName = (name: string): void => checkName(name, /[a-zA-Z]/, 'variable name')

/** CURRENT is the one system variable that a user may bind anew. */
export function checkWriteName (name: string): void {
  if (name !== 'CURRENT') checkName(name, /[a-z]/, 'user variable name')
}

const bound = (scope: Scope, name: string, value: Maybe): Scope =>
  ({ root: scope.root, vars: scope.vars.with(name, value), system: scope.system, meta: scope.meta })

const letOperator: Operator = (spec, cx) => {
  const args = argumentsOf(spec, ['vars', 'in'],
    () => error(16874, '$let only supports an object as its argument'), name => error(16875, `Unrecognized parameter to $let: ${name}`))
  const vars = required(args, 'vars', 16876, "Missing 'vars' parameter to $let")
  const body = required(args, 'in', 16877, "Missing 'in' parameter to $let")
  if (!isDoc(vars)) throw error(10065, 'invalid parameter: expected an object (vars)')
  const values = Array.from(vars, ([name, value]) => ({ name, node: cx.operand(value) }))
  for (const { name } of values) checkWriteName(name)
  const inner = cx.bind(values.map(({ name }) => name)).operand(body)
  if (values.length === 0) return inner
  return open([...values.map(({ node }) => node), inner], scope => {
    let within = scope
    for (const { name, node } of values) within = bound(within, name, node.evaluate(scope))
    return inner.evaluate(within)
  })
}

/** The name after `as`; anything but a string counts as an empty name, which is refused. */
function nameOf (args: Arguments): string {
  const as = args.get('as')
  if (as === undefined) return 'this'
  const name = typeof as === 'string' ? as : ''
  checkWriteName(name)
  return name
}

const mapOperator: Operator = (spec, cx) => {
  const args = argumentsOf(spec, ['input', 'as', 'in'],
    () => error(16878, '$map only supports an object as its argument'), name => error(16879, `Unrecognized parameter to $map: ${name}`))
  const from = required(args, 'input', 16880, "Missing 'input' parameter to $map")
  const body = required(args, 'in', 16882, "Missing 'in' parameter to $map")
  const input = cx.operand(from)
  const name = nameOf(args)
  const each = cx.bind([name]).operand(body)
  return open([input, each], scope => {
    const array = input.evaluate(scope)
    if (nullish(array)) return null
    if (!Array.isArray(array)) throw error(16883, `input to $map must be an array not ${typeName(array)}`)
    return array.map(element => orNull(each.evaluate(bound(scope, name, element))))
  })
}

const filterOperator: Operator = (spec, cx) => {
  const args = argumentsOf(spec, ['input', 'as', 'cond', 'limit'],
    () => error(28646, '$filter only supports an object as its argument'), name => error(28647, `Unrecognized parameter to $filter: ${name}`))
  const from = required(args, 'input', 28648, "Missing 'input' parameter to $filter")
  const test = required(args, 'cond', 28650, "Missing 'cond' parameter to $filter")
  const input = cx.operand(from)
  const name = nameOf(args)
  const condition = cx.bind([name]).operand(test)
  const limit = optional(args, 'limit', cx)
  return open([input, condition, ...(limit === undefined ? [] : [limit])], scope => {
    const array = input.evaluate(scope)
    if (nullish(array)) return null
    if (!Array.isArray(array)) throw error(28651, `input to $filter must be an array not ${typeName(array)}`)
    const most = limit === undefined ? Infinity : filterLimit(limit.evaluate(scope))
    return passing(array, most, element => truthy(condition.evaluate(bound(scope, name, element))))
  })
}

function filterLimit (limit: Maybe): number {
  if (nullish(limit)) return Infinity
  const count = asInt32(limit)
  if (count === undefined) throw error(327391, `$filter: limit must be represented as a 32-bit integral value: ${display(limit)}`)
  if (count <= 0) throw error(327392, `$filter: limit must be greater than 0: ${count}`)
  return count
}

function passing (array: readonly Value[], most: number, test: (element: Value) => boolean): Value[] {
  const found: Value[] = []
  for (const element of array) {
    if (!test(element)) continue
    found.push(element)
    if (found.length >= most) break
  }
  return found
}

const reduceOperator: Operator = (spec, cx) => {
  const args = argumentsOf(spec, ['input', 'initialValue', 'in'],
    () => error(40075, `$reduce requires an object as an argument, found: ${typeName(spec)}`), name => error(40076, `$reduce found an unknown argument: ${name}`))
  const [input, initial] = reduceInputs(args, cx)
  const step = cx.bind(['this', 'value']).operand(required(args, 'in', 40079, "$reduce requires 'in' to be specified"))
  return open([input, initial, step], scope => {
    const array = input.evaluate(scope)
    if (nullish(array)) return null
    if (!Array.isArray(array)) throw error(40080, `$reduce requires that 'input' be an array, found: ${display(array)}`)
    let value = initial.evaluate(scope)
    for (const element of array) value = step.evaluate(bound(bound(scope, 'this', element), 'value', value))
    return value
  })
}

const reduceInputs = (args: Arguments, cx: Compiler): [Node, Node] => [
  cx.operand(required(args, 'input', 40077, "$reduce requires 'input' to be specified")),
  cx.operand(required(args, 'initialValue', 40078, "$reduce requires 'initialValue' to be specified"))
]

export const variableOperators: Operators = [['$let', letOperator], ['$map', mapOperator], ['$filter', filterOperator], ['$reduce', reduceOperator]]
