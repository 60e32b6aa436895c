import { failedToParse, notSupported, typeMismatch } from '../../values/errors.js'
import { Doc } from '../../values/types.js'
import type { Value } from '../../values/types.js'
import { arrayKeywords } from './arrays.js'
import { logicKeywords } from './logic.js'
import { objectKeywords } from './objects.js'
import { scalarKeywords } from './scalars.js'
import { KeywordReader, Schema } from './schema.js'
import { typeKeyword } from './types.js'

const KEYWORDS = new Set([
  'additionalItems', 'additionalProperties', 'allOf', 'anyOf', 'bsonType', 'dependencies', 'description', 'enum', 'exclusiveMaximum', 'exclusiveMinimum',
  'items', 'maxItems', 'maxLength', 'maxProperties', 'maximum', 'minItems', 'minLength', 'minProperties', 'minimum', 'multipleOf', 'not', 'oneOf', 'pattern',
  'patternProperties', 'properties', 'required', 'title', 'type', 'uniqueItems'
])
/** Of JSON Schema, but not of MongoDB. */
const UNSUPPORTED = new Set(['$ref', '$schema', 'default', 'definitions', 'format', 'id'])

/** The argument of `$jsonSchema`. @throws MongoError */
export const parseJsonSchema = (schema: Doc): Schema => parse(schema, true)

function parse (schema: Doc, isRoot: boolean): Schema {
  const reader = new KeywordReader(keywordsOf(schema), isRoot, parse)
  const annotations = { title: text(reader, 'title'), description: text(reader, 'description') }
  const type = typeKeyword(reader)
  const scalars = [...scalarKeywords(reader), ...arrayKeywords(reader)]
  const keywords = [...objectKeywords(reader), ...logicKeywords(reader), ...type === undefined ? [] : [type]]
  return new Schema(isRoot ? keywords : [...scalars, ...keywords], annotations)
}

function keywordsOf (schema: Doc): Map<string, Value> {
  for (const name of schema.keys()) {
    if (UNSUPPORTED.has(name)) throw failedToParse(`$jsonSchema keyword '${name}' is not currently supported`)
    if (name === 'encrypt' || name === 'encryptMetadata') throw notSupported(`$jsonSchema keyword '${name}'`)
    if (!KEYWORDS.has(name)) throw failedToParse(`Unknown $jsonSchema keyword: ${name}`)
  }
  return new Map(schema)
}

function text (reader: KeywordReader, keyword: string): string | undefined {
  const value = reader.get(keyword)
  if (value === undefined || typeof value === 'string') return value
  throw typeMismatch(`$jsonSchema keyword '${keyword}' must be of type string`)
}
