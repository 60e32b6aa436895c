import { docOf, int } from '../../values/build.js'
import { badValue, failedToParse, typeMismatch } from '../../values/errors.js'
import { typeName } from '../../values/order.js'
import { Doc } from '../../values/types.js'
import type { Value } from '../../values/types.js'
import { failure } from './schema.js'
import type { Keyword, KeywordReader, Schema } from './schema.js'
import { unorderedKey } from './unordered.js'

type Parse = (reader: KeywordReader) => Keyword | undefined

function schemasOf (reader: KeywordReader, keyword: string): Schema[] | undefined {
  const value = reader.get(keyword)
  if (value === undefined) return undefined
  if (!Array.isArray(value)) throw typeMismatch(`$jsonSchema keyword '${keyword}' must be an array`)
  if (value.length === 0) throw badValue(`$jsonSchema keyword '${keyword}' must be a non-empty array`)
  return value.map(element => {
    if (element instanceof Doc) return reader.nested(element, reader.isRoot)
    throw typeMismatch(`$jsonSchema keyword '${keyword}' must be an array of objects, but found an element of type ${typeName(element)}`)
  })
}

const notSatisfied = (operatorName: string, schemas: readonly Schema[], value: Value): Doc => docOf({
  operatorName,
  schemasNotSatisfied: schemas.flatMap((schema, i) =>
    schema.test(value) ? [] : [docOf({ index: int(i), ...schema.annotations, details: schema.explain(value) })])
})

const combining = (keyword: string, holds: (schemas: readonly Schema[], value: Value) => boolean): Parse => reader => {
  const schemas = schemasOf(reader, keyword)
  if (schemas === undefined) return undefined
  return { test: value => holds(schemas, value), explain: value => [notSatisfied(keyword, schemas, value)] }
}

const oneOf: Parse = reader => {
  const schemas = schemasOf(reader, 'oneOf')
  if (schemas === undefined) return undefined
  const matching = (value: Value): number[] => [...schemas.keys()].filter(i => schemas[i].test(value))
  return {
    test: value => matching(value).length === 1,
    explain (value) {
      const indexes = matching(value)
      if (indexes.length === 0) return [notSatisfied('oneOf', schemas, value)]
      return [docOf({ operatorName: 'oneOf', reason: 'more than one subschema matched', matchingSchemaIndexes: indexes.map(int) })]
    }
  }
}

const not: Parse = reader => {
  const value = reader.get('not')
  if (value === undefined) return undefined
  if (!(value instanceof Doc)) throw typeMismatch(`$jsonSchema keyword 'not' must be an object, but found an element of type ${typeName(value)}`)
  const schema = reader.nested(value, reader.isRoot)
  return {
    test: considered => !schema.test(considered),
    explain: () => [docOf({ operatorName: 'not', reason: 'child expression matched' })]
  }
}

const enumeration: Parse = reader => {
  const value = reader.get('enum')
  if (value === undefined) return undefined
  if (!Array.isArray(value)) throw typeMismatch(`$jsonSchema keyword 'enum' must be an array, but found an element of type ${typeName(value)}`)
  if (value.length === 0) throw failedToParse("$jsonSchema keyword 'enum' cannot be an empty array")
  const keys = new Set(value.map(unorderedKey))
  if (keys.size !== value.length) throw failedToParse("$jsonSchema keyword 'enum' array cannot contain duplicate values.")
  return {
    test: considered => keys.has(unorderedKey(considered)),
    explain: considered => [failure('enum', reader.specifiedAs('enum'), 'value was not found in enum', { consideredValue: considered })]
  }
}

const PARSERS: readonly Parse[] = [
  combining('allOf', (schemas, value) => schemas.every(schema => schema.test(value))),
  combining('anyOf', (schemas, value) => schemas.some(schema => schema.test(value))),
  oneOf, not, enumeration
]

export const logicKeywords = (reader: KeywordReader): Keyword[] => PARSERS.map(parse => parse(reader)).filter(keyword => keyword !== undefined)
