import { compare, typeName } from '../values/order.js'
import { Int32, isDoc } from '../values/types.js'
import type { Value } from '../values/types.js'
import { argumentsOf, required } from './arguments.js'
import type { Compiler } from './compiler.js'
import { binary, error, fold, literal, nullish, open, operands, truthy, unary } from './node.js'
import type { Node, Operator, Operators } from './node.js'

/** @param decisive the operand that settles the result: false for `$and`, true for `$or` */
const junction = (decisive: boolean): Operator => (spec, cx) => {
  const args = operands(spec, cx)
  const settled = args.some(arg => arg.isConstant && truthy(arg.constant) === decisive)
  if (settled) return fold(cx, args.filter(arg => arg.isConstant || arg.failure !== undefined), () => decisive)
  const rest = args.filter(arg => !arg.isConstant)
  return fold(cx, rest, scope => {
    for (const arg of rest) if (truthy(arg.evaluate(scope)) === decisive) return decisive
    return !decisive
  })
}

const comparison = (test: (order: number) => boolean): Operator => binary((a, b, collation) => test(compare(a, b, collation)))

const conditional: Operator = (spec, cx, name) => {
  const [test, then, otherwise] = isDoc(spec) ? namedCondition(spec, cx) : listedCondition(spec, cx, name)
  return fold(cx, [test, then, otherwise], scope => (truthy(test.evaluate(scope)) ? then : otherwise).evaluate(scope))
}

function namedCondition (spec: Value, cx: Compiler): [Node, Node, Node] {
  const args = argumentsOf(spec, ['if', 'then', 'else'],
    () => error(17080, "Missing 'if' parameter to $cond"), name => error(17083, `Unrecognized parameter to $cond: ${name}`))
  const test = required(args, 'if', 17080, "Missing 'if' parameter to $cond")
  const then = required(args, 'then', 17081, "Missing 'then' parameter to $cond")
  const otherwise = required(args, 'else', 17082, "Missing 'else' parameter to $cond")
  return [cx.operand(test), cx.operand(then), cx.operand(otherwise)]
}

function listedCondition (spec: Value, cx: Compiler, name: string): [Node, Node, Node] {
  const args = operands(spec, cx)
  if (args.length !== 3) throw error(16020, `Expression ${name} takes exactly 3 arguments. ${args.length} were passed in.`)
  return args as [Node, Node, Node]
}

const ifNull: Operator = (spec, cx) => {
  const args = operands(spec, cx)
  if (args.length < 2) throw error(1257300, `$ifNull needs at least two arguments, had: ${args.length}`)
  const last = args.length - 1
  return fold(cx, args, scope => {
    for (let i = 0; i < last; i++) {
      const value = args[i].evaluate(scope)
      if (!nullish(value)) return value
    }
    return args[last].evaluate(scope)
  })
}

type Branch = { readonly test: Node, readonly then: Node }

function branchOf (spec: Value, cx: Compiler): Branch {
  const args = argumentsOf(spec, ['case', 'then'],
    () => error(40062, `$switch expected each branch to be an object, found: ${typeName(spec)}`),
    name => error(40063, `$switch found an unknown argument to a branch: ${name}`))
  const test = required(args, 'case', 40064, "$switch requires each branch have a 'case' expression")
  const then = required(args, 'then', 40065, "$switch requires each branch have a 'then' expression.")
  return { test: cx.operand(test), then: cx.operand(then) }
}

function branchesOf (spec: Value | undefined, cx: Compiler): Branch[] {
  if (spec === undefined) return []
  if (!Array.isArray(spec)) throw error(40061, `$switch expected an array for 'branches', found: ${typeName(spec)}`)
  return spec.map(branch => branchOf(branch, cx))
}

const switchOperator: Operator = (spec, cx) => {
  const args = argumentsOf(spec, ['branches', 'default'],
    () => error(40060, `$switch requires an object as an argument, found: ${typeName(spec)}`), name => error(40067, `$switch found an unknown argument: ${name}`))
  const branches = branchesOf(args.get('branches'), cx)
  const given = args.get('default')
  if (branches.length === 0) throw error(40068, '$switch requires at least one branch')
  return reduced(branches, given === undefined ? undefined : cx.operand(given))
}

/** Drops the branches that can never be taken, with the errors of their constants, as MongoDB does. */
function reduced (branches: readonly Branch[], given: Node | undefined): Node {
  if (given?.failure !== undefined) return given
  const certain = branches.findIndex(({ test }) => test.isConstant && truthy(test.constant))
  const otherwise = certain < 0 ? given : branches[certain].then
  const kept = (certain < 0 ? branches : branches.slice(0, certain)).filter(({ test }) => !test.isConstant)
  if (kept.length > 0) return choice(kept, otherwise)
  if (otherwise === undefined) throw error(40069, 'Cannot execute a switch statement where all the cases evaluate to false without a default')
  return otherwise
}

function choice (branches: readonly Branch[], otherwise: Node | undefined): Node {
  const children = [...branches.flatMap(({ test, then }) => [test, then]), ...(otherwise === undefined ? [] : [otherwise])]
  return open(children, scope => {
    for (const { test, then } of branches) if (truthy(test.evaluate(scope))) return then.evaluate(scope)
    if (otherwise === undefined) throw error(40066, '$switch could not find a matching branch for an input, and no default was specified.')
    return otherwise.evaluate(scope)
  })
}

export const logicOperators: Operators = [
  ['$and', junction(false)],
  ['$or', junction(true)],
  ['$not', unary(v => !truthy(v))],
  ['$eq', comparison(order => order === 0)],
  ['$ne', comparison(order => order !== 0)],
  ['$gt', comparison(order => order > 0)],
  ['$gte', comparison(order => order >= 0)],
  ['$lt', comparison(order => order < 0)],
  ['$lte', comparison(order => order <= 0)],
  ['$cmp', binary((a, b, collation) => Int32.of(Math.sign(compare(a, b, collation))))],
  ['$cond', conditional],
  ['$ifNull', ifNull],
  ['$switch', switchOperator],
  ['$literal', spec => literal(spec)],
  ['$const', spec => literal(spec)]
]
