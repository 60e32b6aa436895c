import { docOf, int } from '../../values/build.js'
import { typeMismatch } from '../../values/errors.js'
import { typeName } from '../../values/order.js'
import { Doc } from '../../values/types.js'
import type { Value } from '../../values/types.js'
import { parseNonNegativeLong } from '../integers.js'
import { failure } from './schema.js'
import type { Keyword, KeywordReader, Schema } from './schema.js'
import { unorderedKey } from './unordered.js'

type Parse = (reader: KeywordReader) => Keyword | undefined

/** A keyword about arrays; `explain` is only asked about those. */
const onArrays = (test: (values: readonly Value[]) => boolean, explain: (values: Value[]) => Doc): Keyword => ({
  test: value => !Array.isArray(value) || test(value),
  explain: value => [explain(value as Value[])]
})

const itemCount = (keyword: string, holds: (length: bigint, limit: bigint) => boolean): Parse => reader => {
  const value = reader.get(keyword)
  if (value === undefined) return undefined
  const limit = parseNonNegativeLong(keyword, value)
  return onArrays(values => holds(BigInt(values.length), limit), values =>
    failure(keyword, reader.specifiedAs(keyword), 'array did not match specified length', { consideredValue: values, numberOfItems: int(values.length) }))
}

function firstDuplicate (values: readonly Value[]): Value | undefined {
  const seen = new Set<string>()
  return values.find(value => {
    const key = unorderedKey(value)
    const known = seen.has(key)
    seen.add(key)
    return known
  })
}

const uniqueItems: Parse = reader => {
  const value = reader.get('uniqueItems')
  if (value === undefined) return undefined
  if (typeof value !== 'boolean') throw typeMismatch("$jsonSchema keyword 'uniqueItems' must be a boolean")
  if (!value) return undefined
  return onArrays(values => firstDuplicate(values) === undefined, values =>
    failure('uniqueItems', reader.specifiedAs('uniqueItems'), 'found a duplicate item', { consideredValue: values, duplicatedValue: firstDuplicate(values) }))
}

/** Every element from an index on. */
function eachFrom (keyword: string, start: number, schema: Schema, reason: string): Keyword {
  const failing = (values: readonly Value[]): number => values.findIndex((value, i) => i >= start && !schema.test(value))
  return onArrays(values => failing(values) < 0, values => {
    const index = failing(values)
    return docOf({ operatorName: keyword, ...schema.annotations, reason, itemIndex: int(index), details: schema.explain(values[index]) })
  })
}

/** One schema for each place. */
function byIndex (schemas: readonly Schema[]): Keyword {
  const failing = (values: readonly Value[]): number[] => [...schemas.keys()].filter(i => i < values.length && !schemas[i].test(values[i]))
  return onArrays(values => failing(values).length === 0, values => docOf({
    operatorName: 'items',
    details: failing(values).map(i => docOf({ itemIndex: BigInt(i), details: schemas[i].explain(values[i]) }))
  }))
}

function items (reader: KeywordReader): { keyword: Keyword | undefined, rest: number | undefined } {
  const value = reader.get('items')
  if (value === undefined) return { keyword: undefined, rest: undefined }
  if (value instanceof Doc) return { keyword: eachFrom('items', 0, reader.nested(value, false), 'At least one item did not match the sub-schema'), rest: undefined }
  if (!Array.isArray(value)) throw typeMismatch(`$jsonSchema keyword 'items' must be an array or an object, not ${typeName(value)}`)
  const schemas = value.map(element => {
    if (element instanceof Doc) return reader.nested(element, false)
    throw typeMismatch(`$jsonSchema keyword 'items' requires that each element of the array is an object, but found a ${typeName(element)}`)
  })
  return { keyword: byIndex(schemas), rest: schemas.length }
}

/** Only counts after an array of `items`. */
function additionalItems (reader: KeywordReader, start: number | undefined): Keyword | undefined {
  const value = reader.get('additionalItems')
  if (value === undefined) return undefined
  if (typeof value !== 'boolean' && !(value instanceof Doc)) {
    throw typeMismatch(`$jsonSchema keyword 'additionalItems' must be either an object or a boolean, but got a ${typeName(value)}`)
  }
  if (value instanceof Doc) {
    const schema = reader.nested(value, false)
    return start === undefined ? undefined : eachFrom('additionalItems', start, schema, 'At least one additional item did not match the sub-schema')
  }
  if (value || start === undefined) return undefined
  return onArrays(values => values.length <= start, values =>
    failure('additionalItems', reader.specifiedAs('additionalItems'), 'found additional items', { additionalItems: values.slice(start) }))
}

export function arrayKeywords (reader: KeywordReader): Keyword[] {
  const { keyword, rest } = items(reader)
  const keywords = [
    itemCount('minItems', (length, min) => length >= min)(reader),
    itemCount('maxItems', (length, max) => length <= max)(reader),
    uniqueItems(reader),
    keyword,
    additionalItems(reader, rest)
  ]
  return keywords.filter(found => found !== undefined)
}
