import { MongoError, badValue, failedToParse, notSupported } from '../values/errors.js'
import { display } from '../values/format.js'
import { isZero, toBigInt } from '../values/numbers.js'
import { hashKey } from '../values/order.js'
import { Doc, Regex, Undefined, isNumber } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import type { ParseContext } from '../expressions/context.js'
import type { BitsMode, CompareOp, FilterNode } from './ast.js'
import { parseBits } from './bits.js'
import { parseNonNegativeInt } from './integers.js'
import { conjunction, equality, isOperatorDocument, isPathless, parseDocument, parseOperators } from './parse.js'
import type { Level } from './parse.js'
import { parseRegex, parseRegexOperators, regexNode } from './regex.js'
import { parseTypes } from './types.js'

type Operand = { path: string, value: Value, siblings: Doc, ctx: ParseContext, level: Level }
type Parse = (operand: Operand) => FilterNode | undefined

const comparison = (op: CompareOp): Parse => ({ path, value }) => {
  if (value instanceof Regex && op !== 'eq') throw badValue(`Can't have RegEx as arg to predicate over field '${path === '' ? '(None)' : path}'.`)
  if (value instanceof Undefined) throw badValue('cannot compare to undefined')
  return { kind: 'compare', op, path, value }
}

function parseNotEqual ({ path, value }: Operand): FilterNode {
  if (value instanceof Regex) throw badValue("Can't have regex as arg to $ne.")
  return { kind: 'not', child: equality(path, value) }
}

const inList = (name: string): ((operand: Operand) => FilterNode) => ({ path, value, ctx }) => {
  if (!Array.isArray(value)) throw badValue(`${name} needs an array`)
  for (const element of value) {
    if (isOperatorDocument(element)) throw badValue('cannot nest $ under $in')
    if (element instanceof Undefined) throw badValue('InMatchExpression equality cannot be undefined')
  }
  const regexes = value.filter(element => element instanceof Regex).map(regex => parseRegex(regex.pattern, regex.options))
  const values = [...new Map(value.filter(element => !(element instanceof Regex)).map(element => [hashKey(element, ctx.collation), element])).values()]
  if (values.length + regexes.length === 0) return { kind: 'false' }
  if (values.length === 1 && regexes.length === 0) return equality(path, values[0])
  if (values.length === 0 && regexes.length === 1) return regexNode(path, regexes[0].pattern, regexes[0].options)
  return { kind: 'in', path, values, regexes }
}

const parseIn = inList('$in')
const parseNotIn = (operand: Operand): FilterNode => ({ kind: 'not', child: inList('$nin')(operand) })

function parseSize ({ path, value }: Operand): FilterNode {
  try {
    return { kind: 'size', path, size: parseNonNegativeInt('$size', value) }
  } catch (e) {
    throw e instanceof MongoError ? badValue(`Failed to parse $size. ${e.message}`) : e
  }
}

function parseExists ({ path, value }: Operand): FilterNode {
  const node: FilterNode = { kind: 'exists', path }
  return trueValue(value) ? node : { kind: 'not', child: node }
}

/** BSON's idea of truth: only false, null, undefined and zero are not true. */
export const trueValue = (value: Maybe): boolean =>
  isNumber(value) ? !isZero(value) : !(value === false || value === null || value === undefined || value instanceof Undefined)

function parseMod ({ path, value }: Operand): FilterNode {
  if (!Array.isArray(value)) throw badValue('malformed mod, needs to be an array')
  if (value.length < 2) throw badValue('malformed mod, not enough elements')
  if (value.length > 2) throw badValue('malformed mod, too many elements')
  const divisor = modOperand('divisor', value[0])
  const remainder = modOperand('remainder', value[1])
  if (divisor === 0n) throw badValue('divisor cannot be 0')
  return { kind: 'mod', path, divisor, remainder }
}

function modOperand (what: string, value: Value): bigint {
  if (!isNumber(value)) throw badValue(`malformed mod, ${what} not a number`)
  const whole = toBigInt(value)
  const why = whole === undefined ? 'Unable to coerce NaN/Inf to integral type' : 'Out of bounds coercing to integral value'
  if (whole === undefined || BigInt.asIntN(64, whole) !== whole) throw badValue(`malformed mod, ${what} value is invalid :: caused by :: ${why}`)
  return whole
}

function parseElemMatch ({ path, value, ctx }: Operand): FilterNode {
  if (!(value instanceof Doc)) throw badValue('$elemMatch needs an Object')
  if (isOperatorDocument(value, true) && !isPathless(value.firstKey()!)) {
    return { kind: 'elemMatchValue', path, children: parseOperators('', value, ctx, 'element'), spec: value }
  }
  return { kind: 'elemMatchObject', path, child: parseDocument(value, ctx, 'element'), spec: value }
}

const isElemMatch = (value: Value): value is Doc => value instanceof Doc && value.firstKey() === '$elemMatch'

function parseAll (operand: Operand): FilterNode {
  const { path, value } = operand
  if (!Array.isArray(value)) throw badValue('$all needs an array')
  if (value.length === 0) return { kind: 'false' }
  if (!isElemMatch(value[0])) return conjunction(value.map(element => parseAllElement(path, element)))
  return conjunction(value.map(element => {
    if (!isElemMatch(element)) throw badValue('$all/$elemMatch has to be consistent')
    return parseElemMatch({ ...operand, value: element.get('$elemMatch')! })
  }))
}

function parseAllElement (path: string, element: Value): FilterNode {
  if (element instanceof Regex) return regexNode(path, element.pattern, element.options)
  if (element instanceof Doc && isOperator(element.firstKey() ?? '')) throw badValue('no $ expressions in $all')
  return equality(path, element)
}

function parseOptions ({ value, siblings }: Operand): undefined {
  if (typeof value !== 'string') throw badValue('$options has to be a string')
  if (!siblings.has('$regex')) throw badValue('$options needs a $regex')
}

const bits = (mode: BitsMode, name: string): Parse => ({ path, value }) => ({ kind: 'bits', path, mode, ...parseBits(path, name, value) })

const refuse = (name: string): readonly [string, Parse] => [name, () => { throw notSupported(name) }]

const OPERATORS: ReadonlyMap<string, Parse> = new Map<string, Parse>([
  ['$eq', comparison('eq')], ['$gt', comparison('gt')], ['$gte', comparison('gte')], ['$lt', comparison('lt')], ['$lte', comparison('lte')],
  ['$ne', parseNotEqual], ['$in', parseIn], ['$nin', parseNotIn],
  ['$size', parseSize], ['$exists', parseExists], ['$mod', parseMod], ['$all', parseAll], ['$elemMatch', parseElemMatch],
  ['$type', ({ path, value }) => ({ kind: 'type', path, types: parseTypes(path, value) })],
  ['$regex', ({ path, value, siblings }) => parseRegexOperators(path, value, siblings.get('$options'))], ['$options', parseOptions],
  ['$bitsAllSet', bits('allSet', '$bitsAllSet')], ['$bitsAnySet', bits('anySet', '$bitsAnySet')],
  ['$bitsAllClear', bits('allClear', '$bitsAllClear')], ['$bitsAnyClear', bits('anyClear', '$bitsAnyClear')],
  refuse('$near'), refuse('$nearSphere'), refuse('$geoNear'), refuse('$geoWithin'), refuse('$within'), refuse('$geoIntersects'),
  refuse('$maxDistance'), refuse('$minDistance')
])

export const isOperator = (name: string): boolean => OPERATORS.has(name)

/** @returns no node for `$options`, which `$regex` reads */
export function parseOperator (name: string, operand: Operand): FilterNode[] {
  const parse = OPERATORS.get(name)
  if (parse === undefined) throw failedToParse(`not handled: ${name} ${display(operand.value)}`)
  const node = parse(operand)
  if (node === undefined) return []
  return node.kind === 'and' ? [...node.children] : [node]
}
