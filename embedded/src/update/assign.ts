import { badValue } from '../values/errors.js'
import { display } from '../values/format.js'
import { compare, typeName } from '../values/order.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import type { ParseContext } from '../expressions/index.js'
import { identical } from './identical.js'
import { NOOP, REMOVE } from './leaf.js'
import type { Leaf } from './leaf.js'
import { depthOf } from './validate.js'

export function set (name: string, operand: Value): Leaf {
  return {
    kind: 'leaf',
    name,
    depth: depthOf(operand),
    insertOnly: name === '$setOnInsert',
    update: current => identical(current, operand) ? NOOP : operand,
    create: () => operand
  }
}

export const unset: Leaf = { kind: 'leaf', name: '$unset', update: () => REMOVE, toleratesNonViable: true }

export function minMax (name: '$min' | '$max', operand: Value, { collation }: ParseContext): Leaf {
  const direction = name === '$min' ? 1 : -1
  return {
    kind: 'leaf',
    name,
    depth: depthOf(operand),
    update: current => compare(operand, current, collation) * direction < 0 ? operand : NOOP,
    create: () => operand
  }
}

/** `true`, `false` (which is taken for true) or `{ $type: 'date' | 'timestamp' }` */
export function currentDate (path: string, operand: Value): Leaf {
  const type = dateType(path, operand)
  return {
    kind: 'leaf',
    name: '$currentDate',
    update: (_current, place) => type === 'date' ? place.now : place.timestamp,
    create: place => type === 'date' ? place.now : place.timestamp
  }
}

function dateType (path: string, operand: Value): 'date' | 'timestamp' {
  if (typeof operand === 'boolean') return 'date'
  if (!(operand instanceof Doc)) {
    throw badValue(`${typeName(operand)} is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).`)
  }
  for (const key of operand.keys()) if (key !== '$type') throw badValue(`Unrecognized $currentDate option: ${key}`)
  const type = operand.get('$type')
  if (type === 'date') return 'date'
  if (type === 'timestamp') return 'timestamp'
  throw badValue(`The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}, got ${path}: ${display(operand)}`)
}
