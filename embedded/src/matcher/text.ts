import { MongoError, badValue, notSupported, typeMismatch } from '../values/errors.js'
import { typeName } from '../values/order.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import type { FilterNode } from './ast.js'
import type { Level } from './parse.js'

const FIELDS = new Set(['$search', '$language', '$caseSensitive', '$diacriticSensitive'])
const ENGLISH_OR_NONE = new Set(['none', 'english', 'en'])
/** Languages that MongoDB stems and this engine does not. */
const OTHERS = new Set(('da danish nl dutch fi finnish fr french de german hu hungarian it italian nb norwegian pt portuguese ro romanian ' +
  'ru russian es spanish sv swedish tr turkish').split(' '))

export function parseText (value: Value, allowed: boolean, level: Level): FilterNode {
  if (level === 'element') throw badValue('$text can only be applied to the top-level document')
  if (!allowed) throw badValue('$text is not allowed in this context')
  if (!(value instanceof Doc)) throw badValue('$text expects an object')
  const search = value.get('$search')
  if (search === undefined) throw new MongoError(4, 'Missing expected field "$search"')
  if (typeof search !== 'string') throw wrongType('$search', search, 'string')
  for (const key of value.keys()) if (!FIELDS.has(key)) throw badValue('extra fields in $text')
  return {
    kind: 'text', search, language: languageOf(value), caseSensitive: flag(value, '$caseSensitive'), diacriticSensitive: flag(value, '$diacriticSensitive')
  }
}

const wrongType = (field: string, value: Value, expected: string): MongoError =>
  typeMismatch(`"${field}" had the wrong type. Expected ${expected}, found ${typeName(value)}`)

function languageOf (spec: Doc): string | undefined {
  const language = spec.get('$language')
  if (language === undefined) return undefined
  if (typeof language !== 'string') throw wrongType('$language', language, 'string')
  const name = language.toLowerCase()
  if (OTHERS.has(name)) throw notSupported(`text search in ${name}`)
  if (!ENGLISH_OR_NONE.has(name)) throw badValue(`unsupported language: "${language}" for text index version 3`)
  return name
}

function flag (spec: Doc, field: string): boolean {
  const value = spec.get(field)
  if (value === undefined) return false
  if (typeof value !== 'boolean') throw wrongType(field, value, 'bool')
  return value
}
