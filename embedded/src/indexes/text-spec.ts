import { int, numeric } from '../values/build.js'
import { MongoError, notSupported } from '../values/errors.js'
import { Doc, isNumber } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'

const cannotCreate = (message: string): MongoError => new MongoError(67, message)

export const isTextKey = (key: Doc): boolean => [...key.values()].includes('text')

const MAX_WEIGHT = 1_000_000_000

/** The stored form of a text index: `_fts` and `_ftsx` stand for the text fields, whose names go into the weights. */
export function textSpecFields (stored: Doc): Doc {
  const { key, fields } = splitKey(stored.get('key') as Doc)
  const weights = weightsOf(stored.get('weights'), fields)
  const spec = stored.copy().set('key', key)
  for (const name of ['weights', 'default_language', 'language_override', 'textIndexVersion']) spec.delete(name)
  return spec
    .set('weights', weights)
    .set('default_language', languageOf(stored.get('default_language')))
    .set('language_override', overrideOf(stored.get('language_override')))
    .set('textIndexVersion', versionOf(stored.get('textIndexVersion')))
}

function splitKey (given: Doc): { key: Doc, fields: string[] } {
  const key = Doc.of()
  const fields: string[] = []
  let ended = false
  // A specification that was listed and is created again has its fields in the weights already.
  for (const [path, kind] of given) {
    const isText = kind === 'text' || path === '_ftsx'
    if (isText && ended) throw cannotCreate("'text' fields in index must all be adjacent")
    if (!isText) {
      if (fields.length > 0 || key.has('_fts')) ended = true
      key.set(path, kind)
      continue
    }
    if (!key.has('_fts')) key.set('_fts', 'text').set('_ftsx', int(1))
    if (path !== '_fts' && path !== '_ftsx') fields.push(path)
  }
  return { key, fields }
}

function weightsOf (given: Maybe, fields: readonly string[]): Doc {
  const weights = new Map<string, Value>(fields.map(field => [field, int(1)]))
  if (typeof given === 'string') weights.set(given, int(1))
  else if (given instanceof Doc) for (const [path, weight] of given) weights.set(checkWeightPath(path), checkWeight(weight))
  else if (given !== undefined) throw cannotCreate("text index option 'weights' must be an object or a string")
  if (weights.size === 0) throw cannotCreate('text index option \'weights\' must specify fields or the wildcard')
  return Doc.of([...weights].sort(([a], [b]) => a < b ? -1 : 1))
}

function checkWeightPath (path: string): string {
  if (path !== '$**' && path.split('.').some(part => part === '' || part.startsWith('$'))) {
    throw cannotCreate("weight cannot have '$'-prefixed or empty path components")
  }
  return path
}

function checkWeight (weight: Value): Value {
  if (!isNumber(weight)) throw cannotCreate('weight for text index needs numeric type')
  const value = numeric(weight)
  if (!(value > 0 && value < MAX_WEIGHT)) throw cannotCreate(`text index weight must be in the exclusive interval (0,${MAX_WEIGHT}) but found: ${value}`)
  return int(Math.trunc(value))
}

function languageOf (given: Maybe): string {
  if (given === undefined) return 'english'
  if (typeof given !== 'string') throw cannotCreate('default_language needs a string type')
  if (given !== 'none' && given !== 'english' && given !== 'en') throw notSupported(`a text index with the default language '${given}'`)
  return given
}

function overrideOf (given: Maybe): string {
  if (given === undefined) return 'language'
  if (typeof given !== 'string' || given === '') throw cannotCreate('language_override must be a non-empty string')
  return given
}

function versionOf (given: Maybe): Value {
  if (given === undefined || numeric(given) === 3) return int(3)
  if (numeric(given) === 1 || numeric(given) === 2) throw notSupported('a text index of version 1 or 2')
  throw cannotCreate('bad textIndexVersion')
}
