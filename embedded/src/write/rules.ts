import type { Collection } from '../catalog/types.js'
import { compileMatch } from '../matcher/match.js'
import type { Match } from '../matcher/match.js'
import { parseFilter } from '../matcher/parse.js'
import type { FilterNode } from '../matcher/ast.js'
import { asBuffer } from '../values/bson-read.js'
import { MAX_DOCUMENT } from '../values/bson-validate.js'
import { encodedSize } from '../values/bson-write.js'
import { docOf } from '../values/build.js'
import { MongoError } from '../values/errors.js'
import { typeName } from '../values/order.js'
import { Doc, Regex, Timestamp, Undefined } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import type { WriteContext } from './context.js'

const isView = (collection: Collection): boolean => collection.type === 'view'

export function refuseView (collection: Collection | undefined): void {
  if (collection !== undefined && isView(collection)) throw new MongoError(166, `Namespace ${collection.name} is a view, not a collection`)
}

export function checkId (id: Value): void {
  if (Array.isArray(id) || id instanceof Regex || id instanceof Undefined) {
    throw new MongoError(53, `The '_id' value cannot be of type ${typeName(id)}`)
  }
  if (id instanceof Doc) {
    for (const key of id.keys()) {
      if (key.startsWith('$') && key !== '$ref' && key !== '$id' && key !== '$db') {
        throw new MongoError(52, `_id fields may not contain '$'-prefixed fields: ${key} is not valid for storage.`)
      }
    }
  }
}

const isZero = (value: Maybe): boolean => value instanceof Timestamp && value.seconds === 0 && value.increment === 0

const EIGHT_ZEROS = Buffer.alloc(8)

/** MongoDB fills in an empty timestamp of the top level. */
export function fillTimestamps (doc: Doc, clusterTime: Timestamp): Doc {
  // most documents are raw and have none: that is seen without opening them
  if (doc.rawBytes !== undefined && !asBuffer(doc.rawBytes).includes(EIGHT_ZEROS)) return doc
  let filled = doc
  for (const [key, value] of doc) {
    if (!isZero(value) || key === '_id') continue
    if (filled === doc) filled = doc.copy()
    filled.set(key, clusterTime)
  }
  return filled
}

export function checkInsertSize (doc: Doc): void {
  const size = encodedSize(doc)
  if (size > MAX_DOCUMENT) throw new MongoError(10334, `object to insert too large. size in bytes: ${size}, max size: ${MAX_DOCUMENT}`)
}

export function checkUpdateSize (doc: Doc): void {
  if (encodedSize(doc) > MAX_DOCUMENT) throw new MongoError(17419, `Resulting document after update is larger than ${MAX_DOCUMENT}`)
}

type Validator = { readonly node: FilterNode, readonly match: Match }
const validators = new WeakMap<Doc, Validator>()

function validatorOf (w: WriteContext, collection: Collection): Validator | undefined {
  const spec = collection.validator
  if (spec === undefined || collection.validationLevel === 'off' || collection.validationAction === 'warn') return undefined
  let validator = validators.get(spec)
  if (validator === undefined) {
    const ctx = { now: w.now, collation: collection.collation }
    const node = parseFilter(spec, ctx)
    validator = { node, match: compileMatch(node, ctx) }
    validators.set(spec, validator)
  }
  return validator
}

/** @param before what is replaced: with level `moderate` a document that was invalid before may stay so */
export function validate (w: WriteContext, collection: Collection, after: Doc, before?: Doc): void {
  const validator = validatorOf(w, collection)
  if (validator === undefined || validator.match.test(after)) return
  if (before !== undefined && collection.validationLevel === 'moderate' && !validator.match.test(before)) return
  throw new MongoError(121, 'Document failed validation', {
    fields: { errInfo: docOf({ failingDocumentId: after.get('_id'), details: details(validator.node, collection.validator!, after) }) }
  })
}

function details (node: FilterNode, spec: Doc, doc: Doc): Doc {
  if (node.kind === 'jsonSchema') return docOf({ operatorName: '$jsonSchema', schemaRulesNotSatisfied: node.schema.explain(doc) })
  return docOf({ operatorName: spec.firstKey() ?? '', specifiedAs: spec, reason: 'expression did not match' })
}
