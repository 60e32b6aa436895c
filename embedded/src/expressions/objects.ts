import { display } from '../values/format.js'
import { typeName } from '../values/order.js'
import { Doc, isDoc } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import { argumentsOf, required } from './arguments.js'
import type { Arguments } from './arguments.js'
import type { Compiler } from './compiler.js'
import { error, nullish, open, unary } from './node.js'
import type { Node, Operator, Operators } from './node.js'

function toPairs (object: Maybe): Maybe {
  if (nullish(object)) return null
  if (!isDoc(object)) throw error(40390, `$objectToArray requires a document input, found: ${typeName(object)}`)
  return Array.from(object, ([k, v]) => Doc.of([['k', k], ['v', v]]))
}

function fromPairs (array: Maybe): Maybe {
  if (nullish(array)) return null
  if (!Array.isArray(array)) throw error(40386, `$arrayToObject requires an array input, found: ${typeName(array)}`)
  if (array.length === 0) return Doc.of()
  const [first] = array
  if (Array.isArray(first)) return Doc.of(array.map(listedPair))
  if (isDoc(first)) return Doc.of(array.map(namedPair))
  throw error(40398, `Unrecognised input type format for $arrayToObject: ${typeName(first)}`)
}

const CONSISTENT = '$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects.'

function listedPair (pair: Value): [string, Value] {
  if (!Array.isArray(pair)) throw error(40396, `${CONSISTENT} Array was detected, now found: ${typeName(pair)}`)
  if (pair.length !== 2) throw error(40397, `$arrayToObject requires an array of size 2 arrays,found array of size: ${pair.length}`)
  const [key, value] = pair
  if (typeof key !== 'string') {
    throw error(40395, `$arrayToObject requires an array of key-value pairs, where the key must be of type string. Found key type: ${typeName(key)}`)
  }
  checkKey(key, 4940400)
  return [key, value]
}

function namedPair (pair: Value): [string, Value] {
  if (!isDoc(pair)) throw error(40391, `${CONSISTENT} Object was detected, now found: ${typeName(pair)}`)
  if (pair.size !== 2) throw error(40392, `$arrayToObject requires an object keys of 'k' and 'v'. Found incorrect number of keys:${pair.size}`)
  const key = pair.get('k')
  const value = pair.get('v')
  if (key === undefined || value === undefined) {
    throw error(40393, `$arrayToObject requires an object with keys 'k' and 'v'. Missing either or both keys from: ${display(pair)}`)
  }
  if (typeof key !== 'string') {
    throw error(40394, `$arrayToObject requires an object with keys 'k' and 'v', where the value of 'k' must be of type string. Found type: ${typeName(key)}`)
  }
  checkKey(key, 4940401)
  return [key, value]
}

function checkKey (key: string, code: number): void {
  if (key.includes('\0')) throw error(code, 'Key field cannot contain an embedded null byte')
}

type FieldCodes = { readonly path: number, readonly expression: number, readonly type: number }

/** A field name must be a constant string. */
function fieldName (spec: Value, cx: Compiler, operator: string, codes: FieldCodes): string {
  if (typeof spec === 'string' && spec.startsWith('$')) {
    throw error(codes.path, `A field path reference which is not allowed in this context. Did you mean {$literal: '${spec}'}?`)
  }
  const node = cx.operand(spec)
  const isPlain = isDoc(spec) ? spec.has('$literal') || spec.has('$const') : !Array.isArray(spec)
  if (!isPlain) throw error(codes.expression, `${operator} requires 'field' to evaluate to a constant, but got a non-constant argument`)
  if (typeof node.constant !== 'string') {
    throw error(codes.type, `${operator} requires 'field' to evaluate to type String, but got ${typeName(node.constant)}`)
  }
  return node.constant
}

const GET_CODES: FieldCodes = { path: 5654600, expression: 5654601, type: 5654602 }
const SET_CODES: FieldCodes = { path: 4161108, expression: 4161106, type: 4161107 }

/** a name that is a path too, so that one field is read and not the document */
const PLAIN_NAME = /^[^.$\0]+$/

const getField: Operator = (spec, cx, operator) => {
  const long = isDoc(spec) && spec.firstKey()?.startsWith('$') !== true
  const [field, input] = long ? getArguments(spec, operator) : [spec, '$$CURRENT']
  const name = fieldName(field, cx, operator, GET_CODES)
  if (input === '$$CURRENT' && PLAIN_NAME.test(name)) return cx.operand(`$${name}`)
  const from = cx.operand(input)
  return open([from], scope => {
    const object = from.evaluate(scope)
    if (isDoc(object)) return object.get(name)
    return object === undefined || !nullish(object) ? undefined : null
  })
}

function getArguments (spec: Value, operator: string): [Value, Value] {
  const args = argumentsOf(spec, ['field', 'input'], notObject(operator, 3041704), name => error(3041701, `${operator} found an unknown argument: ${name}`))
  return [required(args, 'field', 3041702, `${operator} requires 'field' to be specified`), required(args, 'input', 3041703, `${operator} requires 'input' to be specified`)]
}

const notObject = (operator: string, code: number) => () => error(code, `${operator} only supports an object as its argument`)

const setArguments = (spec: Value, allowed: readonly string[], operator: string): Arguments =>
  argumentsOf(spec, allowed, notObject(operator, 4161100), name => error(4161101, `${operator} found an unknown argument: ${name}`))

function change (args: Arguments, value: Value, cx: Compiler, operator: string): Node {
  const field = required(args, 'field', 4161102, `${operator} requires 'field' to be specified`)
  const from = required(args, 'input', 4161109, `${operator} requires 'input' to be specified`)
  const name = fieldName(field, cx, operator, SET_CODES)
  const input = cx.operand(from)
  const given = cx.operand(value)
  return open([input, given], scope => {
    const object = input.evaluate(scope)
    if (nullish(object)) return null
    if (!isDoc(object)) throw error(4161105, `${operator} requires 'input' to evaluate to type Object`)
    return changed(object, name, given.evaluate(scope))
  })
}

function changed (object: Doc, name: string, value: Maybe): Doc {
  const copy = object.copy()
  if (value === undefined) copy.delete(name)
  else copy.set(name, value)
  return copy
}

const setField: Operator = (spec, cx, operator) => {
  const args = setArguments(spec, ['field', 'input', 'value'], operator)
  required(args, 'field', 4161102, `${operator} requires 'field' to be specified`)
  return change(args, required(args, 'value', 4161103, `${operator} requires 'value' to be specified`), cx, operator)
}

const unsetField: Operator = (spec, cx, operator) => change(setArguments(spec, ['field', 'input'], operator), '$$REMOVE', cx, operator)

export const objectOperators: Operators = [
  ['$objectToArray', unary(toPairs)],
  ['$arrayToObject', unary(fromPairs)],
  ['$getField', getField],
  ['$setField', setField],
  ['$unsetField', unsetField]
]
