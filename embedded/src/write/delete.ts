import type { Collection, Namespace } from '../catalog/types.js'
import type { Vars } from '../expressions/context.js'
import { removeRecord } from '../indexes/index.js'
import { findRecords } from '../query/index.js'
import type { Found } from '../query/index.js'
import { parseFilter } from '../matcher/parse.js'
import type { Collation } from '../values/collation.js'
import type { Doc } from '../values/types.js'
import { parseContext } from './context.js'
import type { WriteContext } from './context.js'
import { refuseView } from './rules.js'
import { collationFor } from './update.js'

export type DeleteStatement = {
  readonly filter: Doc
  readonly single: boolean
  readonly collation?: Collation | 'simple'
  readonly hint?: string | Doc
  readonly sort?: Doc
  readonly variables?: Vars
}

/** @returns what was deleted: for a single one the document too */
export function deleteDocuments (w: WriteContext, ns: Namespace, statement: DeleteStatement): { deleted: number, doc: Doc | undefined } {
  const collection = w.catalog.collection(w.writer, ns)
  refuseView(collection)
  const ctx = parseContext(w, collationFor(statement.collation, collection), statement.variables)
  const parsed = parseFilter(statement.filter, ctx)
  if (collection === undefined) return { deleted: 0, doc: undefined }
  const found = [...findRecords(w.writer, collection, {
    filter: statement.filter,
    parsed,
    sort: statement.sort,
    hint: statement.hint,
    limit: statement.single ? 1 : undefined,
    ctx,
    checkInterrupt: w.checkInterrupt
  })]
  for (const hit of found) removeFound(w, collection, hit)
  return { deleted: found.length, doc: found[0]?.doc }
}

export function removeFound (w: WriteContext, collection: Collection, hit: Found): void {
  removeRecord(w.writer, w.catalog, collection, hit.record, hit.doc)
  w.record({ type: 'delete', collection, id: hit.doc.get('_id')! })
}
