import { MongoError, badValue, failedToParse, typeMismatch } from '../values/errors.js'
import { display } from '../values/format.js'
import { equal, hashKey, typeName } from '../values/order.js'
import { Doc, Regex } from '../values/types.js'
import type { Value } from '../values/types.js'
import type { ParseContext } from '../expressions/index.js'
import { parseLong } from '../matcher/integers.js'
import { compileElement, compileMatch } from '../matcher/match.js'
import { isOperator } from '../matcher/operators.js'
import { parseFilter } from '../matcher/parse.js'
import { NOOP } from './leaf.js'
import type { Leaf, Outcome, Place } from './leaf.js'
import { depthOf } from './validate.js'

export function addToSet (_path: string, operand: Value, { collation }: ParseContext): Leaf {
  const values = distinct(eachOf(operand), collation)
  return {
    kind: 'leaf',
    name: '$addToSet',
    depth: depthOf(values),
    update (current, place) {
      if (!Array.isArray(current)) {
        throw badValue(`Cannot apply $addToSet to non-array field. Field named '${lastOf(place)}' has non-array type ${typeName(current)}`)
      }
      const known = new Set(current.map(value => hashKey(value, collation)))
      const added = values.filter(value => !known.has(hashKey(value, collation)))
      return added.length === 0 ? NOOP : [...current, ...added]
    },
    create: () => values
  }
}

const lastOf = (place: Place): string => place.path[place.path.length - 1]

function distinct (values: readonly Value[], collation: ParseContext['collation']): Value[] {
  const firsts = new Map<string, Value>()
  for (const value of values) {
    const key = hashKey(value, collation)
    if (!firsts.has(key)) firsts.set(key, value)
  }
  return [...firsts.values()]
}

/** `$each` counts only as the first field. */
function eachOf (operand: Value): readonly Value[] {
  if (!(operand instanceof Doc) || operand.firstKey() !== '$each') return [operand]
  const each = operand.get('$each')!
  if (!Array.isArray(each)) throw typeMismatch(`The argument to $each in $addToSet must be an array but it was of type ${typeName(each)}`)
  if (operand.size > 1) throw badValue(`Found unexpected fields after $each in $addToSet: ${display(operand)}`)
  return each
}

export function pop (path: string, operand: Value): Leaf {
  const end = parseLong(path, operand)
  if (end !== 1n && end !== -1n) throw failedToParse(`$pop expects 1 or -1, found: ${display(operand)}`)
  return {
    kind: 'leaf',
    name: '$pop',
    update (current, place) {
      if (!Array.isArray(current)) throw typeMismatch(`Path '${place.path.join('.')}' contains an element of non-array type '${typeName(current)}'`)
      if (current.length === 0) return NOOP
      return end === 1n ? current.slice(0, -1) : current.slice(1)
    }
  }
}

function culling (name: string, drop: (element: Value) => boolean): Leaf {
  return {
    kind: 'leaf',
    name,
    update (current): Outcome {
      if (!Array.isArray(current)) throw nonArray(name)
      const kept = current.filter(element => !drop(element))
      return kept.length === current.length ? NOOP : kept
    }
  }
}

const nonArray = (name: string): MongoError => badValue(`Cannot apply ${name} to a non-array value`)

export function pullAll (_path: string, operand: Value, { collation }: ParseContext): Leaf {
  if (!Array.isArray(operand)) throw badValue(`$pullAll requires an array argument but was given a ${typeName(operand)}`)
  const keys = new Set(operand.map(value => hashKey(value, collation)))
  return culling('$pullAll', element => keys.has(hashKey(element, collation)))
}

/** A document is a filter on the documents in the array, operators and regexes are conditions on its elements, the rest is a value. */
export function pull (_path: string, operand: Value, ctx: ParseContext): Leaf {
  const elementwise = { ...ctx, allowText: false }
  if (operand instanceof Doc && !isCondition(operand)) {
    const match = compileMatch(parseFilter(operand, elementwise), ctx)
    return culling('$pull', element => element instanceof Doc && match.test(element))
  }
  if (operand instanceof Doc || operand instanceof Regex) {
    return culling('$pull', compileElement(parseFilter(Doc.of([['', operand]]), elementwise), ctx))
  }
  return culling('$pull', element => equal(element, operand, ctx.collation))
}

function isCondition (operand: Doc): boolean {
  const first = operand.firstKey()
  return first !== undefined && (isOperator(first) || first === '$not')
}
