import type { Collection } from '../catalog/types.js'
import { Collation } from '../values/collation.js'
import { int, numeric } from '../values/build.js'
import { badValue, failedToParse, MongoError, notSupported, typeMismatch } from '../values/errors.js'
import { display } from '../values/format.js'
import { equal, typeName } from '../values/order.js'
import { Doc, isNumber } from '../values/types.js'
import type { Maybe } from '../values/types.js'
import { checkPartialFilter } from './partial-spec.js'
import { isTextKey, textSpecFields } from './text-spec.js'

export const cannotCreate = (message: string): MongoError => new MongoError(67, message)

const GEO: ReadonlySet<string> = new Set(['2d', '2dsphere', '2dsphere_bucket', 'geoHaystack'])
const KNOWN_PLUGINS: ReadonlySet<string> = new Set(['hashed', 'text', ...GEO])
const FLAGS: ReadonlySet<string> = new Set(['unique', 'sparse', 'background'])
const TEXT_OPTIONS: ReadonlySet<string> = new Set(['weights', 'default_language', 'language_override', 'textIndexVersion'])
/** Fields of a specification whose features this engine does not have. */
const UNSUPPORTED: ReadonlySet<string> = new Set(['wildcardProjection', 'clustered', 'storageEngine', 'prepareUnique', 'bits', 'min', 'max', 'bucketSize', '2dsphereIndexVersion', 'columnstoreProjection'])
/** What a client may send along; it has no meaning any more. */
const IGNORED: ReadonlySet<string> = new Set(['ns', 'dropDups', 'buildUUID', 'originalSpec', 'disallowNewDuplicateKeys'])

/** The specification as stored, or the error of a bad one. */
export function parseIndexSpec (given: Doc, collection: Collection): Doc {
  try {
    return normalized(given, collection)
  } catch (error) {
    if (!(error instanceof MongoError) || error.code === 115) throw error
    throw new MongoError(error.code, `Error in specification ${display(given)} :: caused by :: ${error.message}`)
  }
}

function normalized (given: Doc, collection: Collection): Doc {
  const { key, name } = keyAndName(given)
  if (isIdKey(key) && name !== '_id_') return normalized(given.copy().set('name', '_id_'), collection)
  if (name === '_id_' && !isIdKey(key)) {
    throw badValue(`The index name '_id_' is reserved for the _id index, which must have key pattern {_id: 1}, found key: ${display(key)}`)
  }
  const stored = Doc.of([['v', int(2)], ['key', key], ['name', name]])
  for (const [field, value] of given) if (field !== 'key' && field !== 'name') addField(stored, field, value, given)
  addCollation(stored, given, collection)
  if (isIdKey(key)) checkIdIndex(stored, given)
  checkCombination(stored)
  return isTextKey(key) ? textSpecFields(stored) : stored
}

function keyAndName (given: Doc): { key: Doc, name: string } {
  const key = given.get('key')
  if (key === undefined) throw failedToParse("The 'key' field is a required property of an index specification")
  if (!(key instanceof Doc)) throw typeMismatch(`The field 'key' must be an object, but got ${typeName(key)}`)
  checkKeyPattern(key)
  const name = given.get('name')
  if (name === undefined) throw failedToParse("The 'name' field is a required property of an index specification")
  if (typeof name !== 'string') throw typeMismatch(`The field 'name' must be a string, but got ${typeName(name)}`)
  if (name === '') throw cannotCreate('The index name cannot be empty')
  if (name.includes('\0')) throw cannotCreate('The index name cannot contain an embedded null')
  if (name === '*') throw badValue("The index name '*' is not valid.")
  return { key, name }
}

const isIdKey = (key: Doc): boolean => key.size === 1 && key.firstKey() === '_id' && numeric(key.get('_id')) === 1

function checkKeyPattern (key: Doc): void {
  if (key.size === 0) throw cannotCreate('Index keys cannot be empty.')
  if (key.size > 32) throw cannotCreate(`Index key pattern has ${key.size} fields, the maximum is 32`)
  const plugin = [...key.values()].find(value => typeof value === 'string') as string | undefined
  if (plugin !== undefined && !KNOWN_PLUGINS.has(plugin)) throw cannotCreate(`Unknown index plugin '${plugin}'`)
  for (const [path, kind] of key) {
    checkKind(kind, plugin)
    if (!(kind === 'text' && path === '$**')) checkPath(path)
  }
  if (plugin !== undefined && GEO.has(plugin)) throw notSupported(`a ${plugin} index`)
}

function checkKind (kind: Maybe, plugin: string | undefined): void {
  if (kind === undefined || (!isNumber(kind) && typeof kind !== 'string')) {
    throw cannotCreate(`Values in v:2 index key pattern cannot be of type ${typeName(kind)}. Only numbers > 0, numbers < 0, and strings are allowed.`)
  }
  if (typeof kind === 'string') {
    if (kind !== plugin) throw cannotCreate("Can't use more than one index plugin for a single index.")
    return
  }
  const value = numeric(kind)
  if (value === 0) throw cannotCreate('Values in the index key pattern cannot be 0.')
  if (Number.isNaN(value)) throw cannotCreate('Values in the index key pattern cannot be NaN.')
}

const REFERENCE_PARTS: ReadonlySet<string> = new Set(['$db', '$id', '$ref'])

function checkPath (path: string): void {
  if (path === '') throw cannotCreate('Index keys cannot be an empty field.')
  if (path === '$**' || path.endsWith('.$**')) throw notSupported('a wildcard index')
  path.split('.').forEach((part, i) => {
    if (part === '') throw cannotCreate('Index keys cannot contain an empty field.')
    if (part.startsWith('$') && !(i > 0 && REFERENCE_PARTS.has(part))) {
      throw cannotCreate("Index key contains an illegal field name: field name starts with '$'.")
    }
  })
}

function addField (stored: Doc, field: string, value: Maybe, given: Doc): void {
  if (value === undefined || IGNORED.has(field) || field === 'collation') return
  if (UNSUPPORTED.has(field)) throw notSupported(`the index option '${field}'`)
  if (field === 'v') checkVersion(value)
  else if (FLAGS.has(field)) addFlag(stored, field, value)
  else if (field === 'hidden') addHidden(stored, value)
  else if (field === 'expireAfterSeconds') addExpiry(stored, value, given)
  else if (field === 'partialFilterExpression') {
    if (!(value instanceof Doc)) throw typeMismatch(`The field 'partialFilterExpression' must be an object, but got ${typeName(value)}`)
    checkPartialFilter(value)
    stored.set(field, value)
  } else if (TEXT_OPTIONS.has(field)) stored.set(field, value)
  else throw new MongoError(197, `The field '${field}' is not valid for an index specification. Specification: ${display(given)}`)
}

function checkVersion (value: Maybe): void {
  const version = numeric(value)
  if (Number.isNaN(version)) throw typeMismatch(`The field 'v' must be a number, but got ${typeName(value)}`)
  if (version === 1) throw notSupported('an index of version 1')
  if (version !== 2) throw cannotCreate(`Invalid index version v:${version}`)
}

function addFlag (stored: Doc, field: string, value: Maybe): void {
  if (typeof value !== 'boolean' && (value === undefined || !isNumber(value))) {
    throw typeMismatch(`The field '${field} has value ${field}: ${display(value)}, which is not convertible to bool`)
  }
  if (value === true || (value !== false && numeric(value) !== 0)) stored.set(field, true)
}

function addHidden (stored: Doc, value: Maybe): void {
  if (typeof value !== 'boolean') throw typeMismatch(`The field 'hidden' must be a bool, but got ${typeName(value)}`)
  if (value) stored.set('hidden', true)
}

const MAX_EXPIRY = 2147483647

function addExpiry (stored: Doc, value: Maybe, given: Doc): void {
  const key = given.get('key') as Doc
  if (value === undefined || !isNumber(value)) {
    throw cannotCreate(`TTL index 'expireAfterSeconds' option must be numeric, but received a type of '${typeName(value)}'. Index spec: ${display(given)}`)
  }
  const seconds = numeric(value)
  if (key.size > 1) throw cannotCreate(`TTL indexes are single-field indexes, compound indexes do not support TTL. Index spec: ${display(given)}`)
  if (isIdKey(key)) return
  const problem = seconds < 0
    ? "TTL index 'expireAfterSeconds' option cannot be less than 0"
    : seconds > MAX_EXPIRY ? `TTL index 'expireAfterSeconds' option must be within an acceptable range, try a lower number: ${seconds}` : ''
  if (problem !== '') throw cannotCreate(`. Index spec: ${display(given)} :: caused by :: ${problem}`)
  stored.set('expireAfterSeconds', Number.isNaN(seconds) ? int(0) : value)
}

/** The index's own collation, else that of the collection; the simple one is not stored. */
function addCollation (stored: Doc, given: Doc, collection: Collection): void {
  const spec = given.get('collation')
  if (spec === undefined) {
    if (collection.collation !== undefined) stored.set('collation', collection.collation.toDoc())
    return
  }
  if (!(spec instanceof Doc)) throw typeMismatch(`The field 'collation' must be an object, but got ${typeName(spec)}`)
  if (spec.size === 0) throw badValue("The field 'collation' cannot be an empty object.")
  const collation = Collation.parse(spec)
  if (collation !== undefined) stored.set('collation', collation.toDoc())
  if (isIdKey(given.get('key') as Doc) && !equal(stored.get('collation'), collection.collation?.toDoc())) {
    throw badValue(`The _id index must have the same collation as the collection. Index collation: ${display(spec)}, collection collation: ${
      display(collection.collation?.toDoc() ?? Doc.of())}`)
  }
}

const ID_FIELDS: ReadonlySet<string> = new Set(['v', 'key', 'name', 'collation'])

function checkIdIndex (stored: Doc, given: Doc): void {
  if (stored.get('hidden') === true) throw badValue("can't hide _id index")
  for (const field of given.keys()) {
    if (!ID_FIELDS.has(field) && !IGNORED.has(field) && field !== 'background') {
      throw new MongoError(197, `The field '${field}' is not valid for an _id index specification. Specification: ${display(given)}`)
    }
  }
}

function checkCombination (stored: Doc): void {
  const key = stored.get('key') as Doc
  const kinds = new Set(key.values())
  const partial = stored.has('partialFilterExpression')
  if (partial && stored.get('sparse') === true) throw cannotCreate('cannot mix "partialFilterExpression" and "sparse" options')
  if (kinds.has('hashed')) checkHashedIndex(stored, key)
  if (!kinds.has('text')) {
    const option = [...TEXT_OPTIONS].find(field => stored.has(field))
    if (option !== undefined) throw cannotCreate(`Invalid index option: '${option}' is only for text indexes`)
  } else if (stored.has('collation')) {
    throw cannotCreate(`Index type 'text' does not support collation: ${display(stored.get('collation'))}`)
  }
}

function checkHashedIndex (stored: Doc, key: Doc): void {
  if ([...key.values()].filter(kind => kind === 'hashed').length > 1) {
    throw new MongoError(31303, `A maximum of one index field is allowed to be hashed but found more. Key pattern: ${display(key)}`)
  }
  if (stored.get('unique') === true) {
    throw new MongoError(16764, 'Currently hashed indexes cannot guarantee uniqueness. Use a regular index.')
  }
}
