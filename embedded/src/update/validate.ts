import { MongoError } from '../values/errors.js'
import { typeName } from '../values/order.js'
import { Doc, Regex, Undefined } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'

const MAX_DEPTH = 180
const DBREF = new Set(['$ref', '$id', '$db'])

/** A top-level field that an update makes: no operator may hide in its name. */
export function checkNewField (name: string): void {
  if (!name.startsWith('$') || DBREF.has(name)) return
  throw new MongoError(52, `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update's replacement document. ` +
    'Consider using an aggregation pipeline with $replaceWith.')
}

/** @throws MongoError 53 or 52 on what cannot be an _id */
export function checkId (id: Maybe): void {
  if (Array.isArray(id) || id instanceof Regex || id instanceof Undefined) {
    throw new MongoError(53, `The '_id' value cannot be of type ${typeName(id)}`)
  }
  const bad = id instanceof Doc ? [...id.keys()].find(name => name.startsWith('$') && !DBREF.has(name)) : undefined
  if (bad !== undefined) throw new MongoError(52, `_id fields may not contain '$'-prefixed fields: The dollar ($) prefixed field '${bad}' is not valid for storage.`)
}

/** How many levels of documents and arrays a value has below itself. */
export function depthOf (value: Value): number {
  let depth = 0
  const inner = value instanceof Doc ? value.values() : Array.isArray(value) ? value : []
  for (const element of inner) depth = Math.max(depth, 1 + depthOf(element))
  return depth
}

/** @throws MongoError 15 when fields are nested deeper than MongoDB stores them */
export function checkDepth (depth: number): void {
  if (depth > MAX_DEPTH) throw new MongoError(15, `Document exceeds maximum nesting depth of ${MAX_DEPTH}`)
}

/** The _id leads every stored document. */
export function idFirst (doc: Doc): Doc {
  const id = doc.get('_id')
  if (id === undefined || doc.firstKey() === '_id') return doc
  const out = Doc.of([['_id', id]])
  for (const [name, value] of doc) if (name !== '_id') out.set(name, value)
  return out
}
