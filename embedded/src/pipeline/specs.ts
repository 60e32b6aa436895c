import { nullish } from '../expressions/index.js'
import { MongoError, typeMismatch } from '../values/errors.js'
import { toDouble } from '../values/numbers.js'
import { typeName } from '../values/order.js'
import { Decimal128, Doc, Double, Int32, isDoc } from '../values/types.js'
import type { Value } from '../values/types.js'

export type FieldRule = {
  /** type names that are taken; any when left out */
  readonly types?: readonly string[]
  readonly required?: boolean
}
export type FieldRules = ReadonlyMap<string, FieldRule>
export type Fields = ReadonlyMap<string, Value>

export const NUMBERS: readonly string[] = ['int', 'long', 'double', 'decimal']

/** The fields of a specification that MongoDB parses by an IDL: null counts as left out. */
export function parseFields (where: string, spec: Doc, rules: FieldRules): Fields {
  const fields = new Map<string, Value>()
  for (const [name, value] of spec) {
    const rule = rules.get(name)
    if (rule === undefined) throw new MongoError(40415, `BSON field '${where}.${name}' is an unknown field.`)
    if (rule.types !== undefined && nullish(value)) continue
    checkType(`${where}.${name}`, value, rule)
    fields.set(name, value)
  }
  for (const [name, rule] of rules) {
    if (rule.required === true && !fields.has(name)) throw new MongoError(40414, `BSON field '${where}.${name}' is missing but a required field`)
  }
  return fields
}

function checkType (field: string, value: Value, { types }: FieldRule): void {
  const type = typeName(value)
  if (types === undefined || types.includes(type)) return
  const expected = types.length === 1 ? `type '${types[0]}'` : `types '[${types.join(', ')}]'`
  throw typeMismatch(`BSON field '${field}' is the wrong type '${type}', expected ${expected}`)
}

/** A number's integer part within 64 bits (as `safeNumberLong`), undefined for what is no number. */
export function wholeNumber (value: Value): number | undefined {
  if (value instanceof Int32) return value.value
  if (typeof value === 'bigint') return Number(value)
  if (!(value instanceof Double || value instanceof Decimal128)) return undefined
  const number = toDouble(value)
  return Number.isNaN(number) ? 0 : Math.trunc(Math.min(Math.max(number, -(2 ** 63)), 2 ** 63))
}

export function stringArray (where: string, value: Value): string[] {
  if (!Array.isArray(value)) throw typeMismatch(`BSON field '${where}' is the wrong type '${typeName(value)}', expected type 'array'`)
  return value.map((element, i) => {
    if (typeof element === 'string') return element
    throw typeMismatch(`BSON field '${where}.${i}' is the wrong type '${typeName(element)}', expected type 'string'`)
  })
}

/** A pipeline inside a stage. */
export function pipelineOf (value: Value): Doc[] {
  if (!Array.isArray(value)) throw typeMismatch("'pipeline' option must be specified as an array")
  return value.map(stage => {
    if (isDoc(stage)) return stage
    throw typeMismatch('Each element of the \'pipeline\' array must be an object')
  })
}
