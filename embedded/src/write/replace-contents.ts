import { randomUUID } from 'node:crypto'
import type { Namespace } from '../catalog/types.js'
import { createIndexes } from '../indexes/index.js'
import { MongoError } from '../values/errors.js'
import type { Doc } from '../values/types.js'
import type { WriteContext } from './context.js'
import { insertDocument } from './insert.js'
import { refuseView } from './rules.js'

/** `$out`: a new collection takes the place of the old one, with its options and indexes. Streams see what MongoDB does: a rename. */
export function replaceContents (w: WriteContext, ns: Namespace, docs: Iterable<Doc>): void {
  const all = [...docs]
  const old = w.catalog.collection(w.writer, ns)
  refuseView(old)
  if (old?.capped !== undefined) throw new MongoError(17152, `namespace '${old.name}' is capped so it can't be used for $out`)
  if (old !== undefined) w.catalog.drop(w.writer, old)
  let collection = w.catalog.create(w.writer, ns, old?.options)
  const further = old?.indexes.filter(index => !index.isId).map(index => index.spec) ?? []
  if (further.length > 0) collection = createIndexes(w.writer, w.catalog, collection, further).collection
  const silent: WriteContext = { ...w, record: () => {} }
  for (const doc of all) insertDocument(silent, collection, doc)
  const temporary = { ...collection, ns: { db: ns.db, coll: `tmp.agg_out.${randomUUID()}` } }
  w.record({ type: 'rename', collection: temporary, to: ns, dropTarget: old !== undefined })
}
