import { MongoError } from '../values/errors.js'
import { display } from '../values/format.js'
import { compare } from '../values/order.js'
import { Doc, Timestamp } from '../values/types.js'
import type { Value } from '../values/types.js'
import { identical } from './identical.js'
import { checkNewField } from './validate.js'

/** The new contents in place of the old; an _id that is not given stays (and MongoDB takes that for a change). */
export function replaced (doc: Doc, replacement: Doc): { doc: Doc, changed: boolean } {
  const id = doc.get('_id')
  const given = replacement.get('_id')
  if (id !== undefined && given !== undefined && compare(id, given) !== 0) {
    throw new MongoError(66, `After applying the update, the (immutable) field '_id' was found to have been altered to _id: ${display(given)}`)
  }
  const out = given === undefined && id === undefined ? replacement : withId(replacement, given ?? id!)
  return { doc: out, changed: !identical(replacement, doc) }
}

function withId (replacement: Doc, id: Value): Doc {
  if (replacement.firstKey() === '_id') return replacement
  const out = Doc.of([['_id', id]])
  for (const [name, value] of replacement) if (name !== '_id') out.set(name, value)
  return out
}

/** @throws MongoError 52 on operators among the fields */
export function checkReplacement (replacement: Doc): void {
  for (const name of replacement.keys()) checkNewField(name)
}

/** Top-level timestamps that are zero stand for the time of the write. */
export function fillTimestamps (replacement: Doc, timestamp: Timestamp): Doc {
  let out = replacement
  for (const [name, value] of replacement) {
    if (!(value instanceof Timestamp) || value.seconds !== 0 || value.increment !== 0 || name === '_id') continue
    if (out === replacement) out = replacement.copy()
    out.set(name, timestamp)
  }
  return out
}
