import { count, docOf, numeric } from '../values/build.js'
import { badValue, MongoError } from '../values/errors.js'
import { display } from '../values/format.js'
import { equal } from '../values/order.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import { cappedSize, validationOptions } from './create-options.js'
import { definitionOf } from './definition.js'
import type { Definition } from './definition.js'
import type { Collection, Index } from './types.js'

export type CollModChanges = {
  index?: { name?: string, keyPattern?: Doc, expireAfterSeconds?: Value, hidden?: boolean }
  validator?: Doc
  validationLevel?: string
  validationAction?: string
  viewOn?: string
  pipeline?: Value[]
  cappedSize?: number
  cappedMax?: number
}

const invalid = (message: string): MongoError => new MongoError(72, message)

export function modified (collection: Collection, changes: CollModChanges): { definition: Definition, reply: Doc } {
  const reply = Doc.of()
  const options = collection.type === 'view' ? modifiedView(collection, changes) : modifiedOptions(collection, changes)
  const definition = { ...definitionOf(collection), options }
  if (changes.index === undefined) return { definition, reply }
  const index = indexFor(collection, changes.index)
  const spec = modifiedIndex(index, changes.index, reply)
  return { definition: { ...definition, indexes: definition.indexes.map(known => known.id === index.id ? { id: index.id, spec } : known) }, reply }
}

function modifiedView (collection: Collection, { viewOn, pipeline, ...others }: CollModChanges): Doc {
  const other = Object.entries(others).find(([, value]) => value !== undefined)
  if (other !== undefined) throw invalid(`option not supported on a view: ${other[0]}`)
  const options = collection.options.copy()
  if (viewOn === '') throw invalid("'viewOn' cannot be empty")
  if (viewOn !== undefined) options.set('viewOn', viewOn)
  if (pipeline !== undefined) options.set('pipeline', pipeline)
  return options
}

function modifiedOptions (collection: Collection, changes: CollModChanges): Doc {
  if (changes.viewOn !== undefined || changes.pipeline !== undefined) throw invalid("'viewOn' and 'pipeline' are only supported on a view")
  const options = collection.options.copy()
  const { validator, validationLevel, validationAction } = changes
  validationOptions(docOf({ validator, validationLevel, validationAction }), options)
  if (changes.cappedSize !== undefined || changes.cappedMax !== undefined) {
    if (collection.capped === undefined) throw invalid('cannot change the size or the maximum of documents of a collection that is not capped')
    if (changes.cappedSize !== undefined) options.set('size', cappedSize(BigInt(changes.cappedSize)))
    if (changes.cappedMax !== undefined && changes.cappedMax > 0) options.set('max', count(changes.cappedMax))
    else if (changes.cappedMax !== undefined) options.delete('max')
  }
  return options
}

function indexFor (collection: Collection, { name, keyPattern, expireAfterSeconds, hidden }: NonNullable<CollModChanges['index']>): Index {
  if ((name === undefined) === (keyPattern === undefined)) throw invalid('Must specify either index name or key pattern, and not both')
  if (expireAfterSeconds === undefined && hidden === undefined) throw invalid('no expireAfterSeconds, hidden, unique, or prepareUnique field')
  const found = collection.indexes.filter(index => name !== undefined ? index.name === name : equal(index.key, keyPattern!))
  if (found.length === 0) throw new MongoError(27, `cannot find index ${name ?? display(keyPattern)} for ns ${collection.name}`)
  if (found.length > 1) {
    throw new MongoError(181, `index keyPattern ${display(keyPattern)} matches ${found.length} indexes, must use index name. Conflicting indexes: ` +
      found.map(index => display(index.spec)).join(', '))
  }
  return found[0]
}

function modifiedIndex (index: Index, change: NonNullable<CollModChanges['index']>, reply: Doc): Doc {
  const spec = index.spec.copy()
  if (change.expireAfterSeconds !== undefined) setExpiry(index, spec, change.expireAfterSeconds, reply)
  if (change.hidden !== undefined && change.hidden !== index.hidden) {
    if (index.isId) throw badValue("can't hide _id index")
    if (change.hidden) spec.set('hidden', true)
    else spec.delete('hidden')
    reply.set('hidden_old', index.hidden).set('hidden_new', change.hidden)
  }
  return spec
}

const MAX_EXPIRY = 2147483647

function setExpiry (index: Index, spec: Doc, value: Value, reply: Doc): void {
  const seconds = Math.trunc(numeric(value))
  if (index.isId) throw invalid('the _id field does not support TTL indexes')
  if (index.fields.length !== 1 || index.text !== undefined) throw invalid('TTL indexes are single-field indexes, compound indexes do not support TTL')
  if (seconds < 0) throw invalid("TTL index 'expireAfterSeconds' option cannot be less than 0")
  if (!(seconds <= MAX_EXPIRY)) throw invalid(`TTL index 'expireAfterSeconds' option must be within an acceptable range, try a lower number: ${seconds}`)
  if (index.expireAfterSeconds === seconds) return
  if (index.expireAfterSeconds !== undefined) reply.set('expireAfterSeconds_old', BigInt(index.expireAfterSeconds))
  reply.set('expireAfterSeconds_new', BigInt(seconds))
  spec.set('expireAfterSeconds', count(seconds))
}
