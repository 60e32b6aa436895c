import { Collation } from '../values/collation.js'
import { count, numeric } from '../values/build.js'
import { badValue, MongoError, notSupported, typeMismatch } from '../values/errors.js'
import { typeName } from '../values/order.js'
import { Doc } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'

const invalid = (message: string): MongoError => new MongoError(72, message)

const LEVELS: ReadonlySet<string> = new Set(['off', 'moderate', 'strict'])
const ACTIONS: ReadonlySet<string> = new Set(['error', 'warn'])

/** The options of a collection or view as they are stored and listed, in MongoDB's order. */
export function checkOptions (given: Doc): Doc {
  refuseUnsupported(given)
  const options = Doc.of()
  if (given.has('viewOn') || given.has('pipeline')) return viewOptions(given, options)
  cappedOptions(given, options)
  validationOptions(given, options)
  collationOption(given, options)
  return options
}

function refuseUnsupported (given: Doc): void {
  if (given.has('expireAfterSeconds')) {
    throw invalid("'expireAfterSeconds' is only supported on time-series collections or when the 'clusteredIndex' option is specified")
  }
  for (const name of ['storageEngine', 'indexOptionDefaults', 'autoIndexId']) if (given.has(name)) throw notSupported(`the create option '${name}'`)
  const images = given.get('changeStreamPreAndPostImages')
  if (images instanceof Doc && images.get('enabled') !== false) throw notSupported("the create option 'changeStreamPreAndPostImages'")
  const idIndex = given.get('idIndex')
  if (idIndex instanceof Doc && idIndex.get('collation') !== undefined) throw notSupported("a collation in the create option 'idIndex'")
}

function viewOptions (given: Doc, options: Doc): Doc {
  const viewOn = given.get('viewOn')
  if (typeof viewOn !== 'string') throw invalid("'pipeline' requires 'viewOn' to also be specified")
  for (const name of ['capped', 'size', 'max', 'validator', 'validationLevel', 'validationAction', 'idIndex']) {
    if (given.has(name) && given.get(name) !== false) throw invalid(`Cannot specify both 'viewOn' and '${name}'`)
  }
  if (viewOn === '') throw badValue("'viewOn' cannot be empty")
  const pipeline = given.get('pipeline') ?? []
  if (!Array.isArray(pipeline)) throw wrongType('pipeline', pipeline, 'array')
  collationOption(given, options)
  return options.set('viewOn', viewOn).set('pipeline', pipeline)
}

const wrongType = (field: string, value: Maybe, expected: string): MongoError =>
  typeMismatch(`BSON field 'create.${field}' is the wrong type '${typeName(value)}', expected type '${expected}'`)

const isTrue = (v: Maybe): boolean => v === true || (numeric(v) !== 0 && !Number.isNaN(numeric(v)))

function cappedOptions (given: Doc, options: Doc): void {
  const size = given.get('size')
  const max = given.get('max')
  if (!isTrue(given.get('capped'))) {
    if (size !== undefined || max !== undefined) throw invalid("the 'capped' field needs to be true when either the 'size' or 'max' fields are present")
    return
  }
  if (size === undefined) throw invalid("the 'size' field is required when 'capped' is true")
  options.set('capped', true).set('size', cappedSize(size))
  if (max !== undefined && numeric(max) > 0) options.set('max', count(Math.trunc(numeric(max))))
}

const MAX_CAPPED = 2 ** 50

/** A multiple of 256, at least 4096. */
export function cappedSize (size: Value): Value {
  const bytes = Math.trunc(numeric(size))
  if (!(bytes >= 1 && bytes <= MAX_CAPPED)) {
    throw badValue(`BSON field 'size' value must be >= 1 and <= ${MAX_CAPPED}, actual value '${bytes}'`)
  }
  return count(Math.max(4096, Math.ceil(bytes / 256) * 256))
}

export function validationOptions (given: Doc, options: Doc): void {
  const validator = given.get('validator')
  if (validator !== undefined) {
    if (!(validator instanceof Doc)) throw wrongType('validator', validator, 'object')
    if (validator.size > 0) options.set('validator', validator)
    else options.delete('validator')
  }
  setOneOf(given, options, 'validationLevel', LEVELS)
  setOneOf(given, options, 'validationAction', ACTIONS)
}

function setOneOf (given: Doc, options: Doc, field: string, allowed: ReadonlySet<string>): void {
  const value = given.get(field)
  if (value === undefined) return
  if (typeof value !== 'string' || !allowed.has(value)) throw badValue(`Enumeration value '${String(value)}' for field 'create.${field}' is not a valid value.`)
  options.set(field, value)
}

function collationOption (given: Doc, options: Doc): void {
  const spec = given.get('collation')
  if (!(spec instanceof Doc) || spec.size === 0) return
  const collation = Collation.parse(spec)
  if (collation !== undefined) options.set('collation', collation.toDoc())
}
