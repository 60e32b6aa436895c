import { badValue, failedToParse, typeMismatch } from '../values/errors.js'
import { display } from '../values/format.js'
import { asLong } from '../values/numbers.js'
import { TYPE_NUMBERS } from '../values/order.js'
import { isNumber } from '../values/types.js'
import type { Value } from '../values/types.js'

const NAME_BY_NUMBER = new Map([...TYPE_NUMBERS].map(([name, number]) => [number, name]))
const NUMBERS = ['double', 'int', 'long', 'decimal']

/** The types that `$type` (or a schema's bsonType) names; 'number' stands for four. */
export function parseTypes (path: string, value: Value): ReadonlySet<string> {
  const types = new Set((Array.isArray(value) ? value : [value]).flatMap(typesOf))
  if (types.size === 0) throw failedToParse(`${path} must match at least one type`)
  return types
}

function typesOf (value: Value): readonly string[] {
  if (typeof value === 'string') return namedTypes(value)
  if (isNumber(value)) return [numberedType(value)]
  throw typeMismatch('type must be represented as a number or a string')
}

function namedTypes (name: string): readonly string[] {
  if (name === 'number') return NUMBERS
  if (!TYPE_NUMBERS.has(name)) throw badValue(`Unknown type name alias: ${name}`)
  return [name]
}

function numberedType (value: Value): string {
  const number = asLong(value)
  if (number === 0n) throw badValue('Invalid numerical type code: 0. Instead use {$exists:false}.')
  const name = number === undefined ? undefined : NAME_BY_NUMBER.get(Number(number))
  if (name === undefined) throw badValue(`Invalid numerical type code: ${display(value).replace(/\.0$/, '')}`)
  return name
}
