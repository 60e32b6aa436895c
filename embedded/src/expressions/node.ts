import { MongoError } from '../values/errors.js'
import { isZero } from '../values/numbers.js'
import { Undefined, isNumber } from '../values/types.js'
import type { Collation } from '../values/collation.js'
import type { Maybe, Value } from '../values/types.js'
import type { Compiler } from './compiler.js'
import type { Scope } from './context.js'
import type { Evaluate } from './expression.js'

/**
 * A compiled expression. `failure` is an error of a constant part: it is raised for the whole expression, as when
 * MongoDB optimizes, unless `$switch` drops the branch that holds it.
 */
export class Node {
  constructor (readonly evaluate: Evaluate, readonly isConstant: boolean, readonly constant: Maybe, readonly failure?: MongoError) {}
}

/** Compiles the operand of one operator; `name` is the operator with its dollar. */
export type Operator = (spec: Value, cx: Compiler, name: string) => Node
export type Operators = readonly (readonly [string, Operator])[]

export const error = (code: number, message: string): MongoError => new MongoError(code, message)

export const literal = (value: Maybe): Node => new Node(() => value, true, value)

function failed (failure: MongoError): Node {
  const raise = (): never => { throw failure }
  return new Node(raise, false, undefined, failure)
}

/** A node that is never computed in advance. */
export function open (children: readonly Node[], evaluate: Evaluate): Node {
  for (const child of children) if (child.failure !== undefined) return failed(child.failure)
  return new Node(evaluate, false, undefined)
}

/** A node whose value is computed in advance if all its children are constant. */
export function fold (cx: Compiler, children: readonly Node[], evaluate: Evaluate): Node {
  return children.every(child => child.isConstant) ? attempt(() => evaluate(cx.nowhere)) : open(children, evaluate)
}

/** A constant, or the error that its computation raises. */
export function attempt (compute: () => Maybe): Node {
  try {
    return literal(compute())
  } catch (e) {
    if (e instanceof MongoError) return failed(e)
    throw e
  }
}

/** Null, missing, or BSON undefined. */
export const nullish = (v: Maybe): v is null | undefined => v === undefined || v === null || v instanceof Undefined

export function truthy (v: Maybe): boolean {
  if (typeof v === 'boolean') return v
  return isNumber(v) ? !isZero(v) : !nullish(v)
}

export const orNull = (v: Maybe): Value => v === undefined ? null : v

/** An operator's operands: the elements of an array, or the one value that stands alone. */
export const operands = (spec: Value, cx: Compiler): Node[] =>
  Array.isArray(spec) ? spec.map(element => cx.operand(element)) : [cx.operand(spec)]

function exactly (count: number, spec: Value, cx: Compiler, name: string): Node[] {
  const nodes = operands(spec, cx)
  if (nodes.length !== count) throw error(16020, `Expression ${name} takes exactly ${count} arguments. ${nodes.length} were passed in.`)
  return nodes
}

export const unary = (apply: (a: Maybe, collation?: Collation) => Maybe): Operator => (spec, cx, name) => {
  const [a] = exactly(1, spec, cx, name) as [Node]
  const { collation } = cx.ctx
  return fold(cx, [a], scope => apply(a.evaluate(scope), collation))
}

export const binary = (apply: (a: Maybe, b: Maybe, collation?: Collation) => Maybe): Operator => (spec, cx, name) => {
  const [a, b] = exactly(2, spec, cx, name) as [Node, Node]
  const { collation } = cx.ctx
  return fold(cx, [a, b], scope => apply(a.evaluate(scope), b.evaluate(scope), collation))
}

export const ternary = (apply: (a: Maybe, b: Maybe, c: Maybe) => Maybe): Operator => (spec, cx, name) => {
  const [a, b, c] = exactly(3, spec, cx, name) as [Node, Node, Node]
  return fold(cx, [a, b, c], scope => apply(a.evaluate(scope), b.evaluate(scope), c.evaluate(scope)))
}

/** Evaluates the arguments itself, so that it can stop at the first null. */
export type Variadic = (args: readonly Node[], scope: Scope, collation?: Collation) => Maybe

export const variadic = (apply: Variadic): Operator => (spec, cx) => {
  const args = operands(spec, cx)
  const { collation } = cx.ctx
  return fold(cx, args, scope => apply(args, scope, collation))
}

export const ranged = (min: number, max: number, apply: Variadic): Operator => (spec, cx, name) => {
  const args = operands(spec, cx)
  if (args.length < min || args.length > max) {
    throw error(28667, `Expression ${name} takes at least ${min} arguments, and at most ${max}, but ${args.length} were passed in.`)
  }
  const { collation } = cx.ctx
  return fold(cx, args, scope => apply(args, scope, collation))
}
