import { MongoError, badValue } from '../values/errors.js'
import type { Collation } from '../values/collation.js'
import { toDouble } from '../values/numbers.js'
import { compare, typeName } from '../values/order.js'
import { Doc, isNumber } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import type { ParseContext } from '../expressions/index.js'
import { parseLong } from '../matcher/integers.js'
import { NOOP, dotted } from './leaf.js'
import type { Leaf, Outcome } from './leaf.js'
import { describeId } from './messages.js'
import { depthOf } from './validate.js'

type Order = (a: Value, b: Value) => number

type Push = {
  readonly values: readonly Value[]
  readonly position: number
  readonly slice: number | undefined
  readonly order: Order | undefined
}

const CLAUSES = new Set(['$each', '$slice', '$sort', '$position'])

export function push (_path: string, operand: Value, ctx: ParseContext): Leaf {
  const spec = parsePush(operand, ctx.collation)
  return {
    kind: 'leaf',
    name: '$push',
    depth: depthOf(spec.values as Value[]),
    update (current, place) {
      if (Array.isArray(current)) return outcome(current, spec)
      throw badValue(`The field '${dotted(place.path)}' must be an array but is of type ${typeName(current)} in document {${describeId(place.root)}}`)
    },
    create: () => pushed([], spec),
    appended: (before, after) => appendedCount(before, after, spec)
  }
}

function parsePush (operand: Value, collation: Collation | undefined): Push {
  if (!(operand instanceof Doc) || !operand.has('$each')) return { values: [operand], position: Infinity, slice: undefined, order: undefined }
  for (const clause of operand.keys()) if (!CLAUSES.has(clause)) throw badValue(`Unrecognized clause in $push: ${clause}`)
  const values = operand.get('$each')!
  if (!Array.isArray(values)) throw badValue(`The argument to $each in $push must be an array but it was of type: ${typeName(values)}`)
  const slice = whole(operand, '$slice', type => `The value for $slice must be an integer value but was given type: ${type}`)
  const order = parseSort(operand.get('$sort'), collation)
  const position = whole(operand, '$position', type => `The value for $position must be an integer value, not of type: ${type}`)
  return { values, position: position ?? Infinity, slice, order }
}

function whole (operand: Doc, clause: string, message: (type: string) => string): number | undefined {
  const value = operand.get(clause)
  if (value === undefined) return undefined
  try {
    return Number(parseLong(clause, value))
  } catch (e) {
    throw e instanceof MongoError ? badValue(message(typeName(value))) : e
  }
}

function parseSort (sort: Maybe, collation: Collation | undefined): Order | undefined {
  if (sort === undefined) return undefined
  if (isNumber(sort)) {
    const direction = parseDirection(sort)
    return (a, b) => compare(a, b, collation) * direction
  }
  if (!(sort instanceof Doc)) throw badValue('The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields')
  if (sort.firstKey() === undefined) throw badValue('The $sort pattern is empty when it should be a set of fields.')
  return byFields(Array.from(sort, ([field, value]) => ({ path: sortPath(field, value), direction: parseDirection(value) })), collation)
}

function parseDirection (value: Value): number {
  const direction = isNumber(value) ? toDouble(value) : 0
  if (direction !== 1 && direction !== -1) throw badValue('The $sort element value must be either 1 or -1')
  return direction
}

function sortPath (field: string, value: Value): readonly string[] {
  parseDirection(value)
  const path = field.split('.')
  if (field === '') throw badValue('The $sort field cannot be empty')
  if (path.includes('')) throw badValue(`The $sort field is a dotted field but has an empty part: ${field}`)
  return path
}

type Key = { readonly path: readonly string[], readonly direction: number }

/** Elements that are no documents, and missing fields, count as null. */
function byFields (keys: readonly Key[], collation: Collation | undefined): Order {
  return (a, b) => {
    for (const { path, direction } of keys) {
      const order = compare(fieldAt(a, path), fieldAt(b, path), collation)
      if (order !== 0) return order * direction
    }
    return 0
  }
}

function fieldAt (value: Value, path: readonly string[]): Value {
  let at: Maybe = value
  for (const part of path) at = at instanceof Doc ? at.get(part) : undefined
  return at ?? null
}

function pushed (current: readonly Value[], { values, position, slice, order }: Push): Value[] {
  const at = position < 0 ? Math.max(0, current.length + position) : Math.min(position, current.length)
  const result = [...current.slice(0, at), ...values, ...current.slice(at)]
  if (order !== undefined) result.sort(order)
  if (slice === undefined) return result
  return slice >= 0 ? result.slice(0, slice) : result.slice(slice)
}

/** Whatever is pushed counts as a change, also when a slice takes it away again. */
function outcome (current: readonly Value[], spec: Push): Outcome {
  const result = pushed(current, spec)
  const untouched = spec.values.length === 0 && result.length === current.length && result.every((value, i) => value === current[i])
  return untouched ? NOOP : result
}

function appendedCount (before: Maybe, after: Value, { values, position, order }: Push): number | undefined {
  if (!Array.isArray(before) || !Array.isArray(after) || before.length === 0 || order !== undefined || position <= before.length) return undefined
  return after.length === before.length + values.length ? values.length : undefined
}
