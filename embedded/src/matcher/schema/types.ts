import { badValue, failedToParse, typeMismatch } from '../../values/errors.js'
import { TYPE_NUMBERS, typeName } from '../../values/order.js'
import type { Value } from '../../values/types.js'
import { failure } from './schema.js'
import type { Keyword, KeywordReader } from './schema.js'

const NUMBERS = ['double', 'int', 'long', 'decimal']

/** What JSON Schema calls types. */
const JSON_TYPES: ReadonlyMap<string, readonly string[]> = new Map([
  ['array', ['array']], ['boolean', ['bool']], ['null', ['null']], ['number', NUMBERS], ['object', ['object']], ['string', ['string']]
])

function bsonTypes (name: string): readonly string[] {
  if (name === 'number') return NUMBERS
  if (TYPE_NUMBERS.has(name)) return [name]
  throw badValue(`Unknown type name alias: ${name}`)
}

function jsonTypes (name: string): readonly string[] {
  if (name === 'integer') throw failedToParse("$jsonSchema type 'integer' is not currently supported.")
  const types = JSON_TYPES.get(name)
  if (types === undefined) throw badValue(`Unknown type name alias: ${name}`)
  return types
}

function namesOf (keyword: string, value: Value): string[] {
  const names = Array.isArray(value) ? value : [value]
  if (!names.every(name => typeof name === 'string')) throw typeMismatch(`$jsonSchema keyword '${keyword}' must be either a string or an array of strings`)
  if (names.length === 0) throw failedToParse(`$jsonSchema keyword '${keyword}' must name at least one type`)
  if (new Set(names).size !== names.length) throw failedToParse(`$jsonSchema keyword '${keyword}' has duplicate value: ${names.join(', ')}`)
  return names as string[]
}

/** `type` or `bsonType`. */
export function typeKeyword (reader: KeywordReader): Keyword | undefined {
  const keyword = reader.get('type') !== undefined ? 'type' : 'bsonType'
  const value = reader.get(keyword)
  if (value === undefined) return undefined
  if (keyword === 'type' && reader.get('bsonType') !== undefined) throw failedToParse("Cannot specify both $jsonSchema keywords 'type' and 'bsonType'")
  const types = new Set(namesOf(keyword, value).flatMap(keyword === 'type' ? jsonTypes : bsonTypes))
  return {
    test: considered => types.has(typeName(considered)),
    explain: considered => [failure(keyword, reader.specifiedAs(keyword), 'type did not match', {
      consideredValue: considered, consideredType: typeName(considered)
    })]
  }
}
