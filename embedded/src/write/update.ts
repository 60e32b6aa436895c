import type { Collection, Namespace } from '../catalog/types.js'
import type { Vars } from '../expressions/context.js'
import { replaceRecord } from '../indexes/index.js'
import { parseFilter } from '../matcher/parse.js'
import { findRecords } from '../query/index.js'
import type { Found } from '../query/index.js'
import { compileUpdate, seedFromFilter } from '../update/update.js'
import type { Updater } from '../update/update.js'
import { Collation } from '../values/collation.js'
import { MAX_DOCUMENT } from '../values/bson-validate.js'
import { encodeDocument, encodedSize } from '../values/bson-write.js'
import { failedToParse, MongoError } from '../values/errors.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import { parseContext } from './context.js'
import type { WriteContext } from './context.js'
import { deltaSize, describeChanges } from './diff.js'
import { checkCappedSize, collectionFor, insertDocument, withId } from './insert.js'
import { checkUpdateSize, refuseView, validate } from './rules.js'

export type UpdateStatement = {
  readonly filter: Doc
  readonly update: Doc | readonly Doc[]
  readonly multi: boolean
  readonly upsert: boolean
  readonly arrayFilters?: readonly Doc[]
  readonly collation?: Collation | 'simple'
  readonly hint?: string | Doc
  readonly sort?: Doc
  readonly variables?: Vars
  /** `c`: constants of a pipeline update */
  readonly constants?: Doc
  readonly bypassValidation: boolean
  /** `$merge` gives the document that an upsert inserts */
  readonly supplied?: Doc
}

export type UpdateOutcome = { matched: number, modified: number, upsertedId: Value | undefined, before: Doc | undefined, after: Doc | undefined }

/** The collation of a command, else that of its collection; 'simple' is a command's way to ask for none. */
export const collationFor = (asked: Collation | 'simple' | undefined, collection: Collection | undefined): Collation | undefined =>
  asked === 'simple' ? undefined : asked ?? collection?.collation

export function updateDocuments (w: WriteContext, ns: Namespace, statement: UpdateStatement): UpdateOutcome {
  const collection = w.catalog.collection(w.writer, ns)
  refuseView(collection)
  const ctx = parseContext(w, collationFor(statement.collation, collection), statement.variables)
  const node = parseFilter(statement.filter, ctx)
  const updater = compileUpdate(statement.update, {
    ctx, arrayFilters: statement.arrayFilters, isUpsert: statement.upsert, constants: statement.constants
  })
  if (statement.multi && updater.kind === 'replacement') throw failedToParse('multi update is not supported for replacement-style update')
  const outcome: UpdateOutcome = { matched: 0, modified: 0, upsertedId: undefined, before: undefined, after: undefined }
  const found = collection === undefined
    ? []
    : [...findRecords(w.writer, collection, {
        filter: statement.filter,
        parsed: node,
        sort: statement.sort,
        hint: statement.hint,
        limit: statement.multi ? undefined : 1,
        ctx,
        checkInterrupt: w.checkInterrupt
      })]
  for (const hit of found) {
    const after = updateOne(w, collection!, hit, updater, statement.bypassValidation)
    outcome.matched++
    outcome.before = hit.doc
    outcome.after = after ?? hit.doc
    if (after !== undefined) outcome.modified++
  }
  if (outcome.matched > 0 || !statement.upsert) return outcome
  const seed = updater.kind === 'replacement' ? onlyId(seedFromFilter(node)) : seedFromFilter(node)
  const made = statement.supplied ?? updater.apply(seed, { insert: true }).doc
  const inserted = upsert(w, ns, made, statement.bypassValidation)
  return { ...outcome, upsertedId: inserted.get('_id')!, after: inserted }

  function onlyId (doc: Doc): Doc {
    const id = doc.get('_id')
    return Doc.of(id === undefined ? [] : [['_id', id]])
  }
}

/** @returns the new document, undefined when nothing changed */
function updateOne (w: WriteContext, collection: Collection, hit: Found, updater: Updater, bypassValidation: boolean): Doc | undefined {
  const position = updater.needsPosition ? hit.position() : undefined
  const { doc, changed, changes } = updater.apply(hit.doc, { position, insert: false })
  if (!changed) return undefined
  checkUpdateSize(doc)
  if (collection.capped !== undefined) checkCappedSize(collection, encodedSize(hit.doc), encodedSize(doc))
  if (!bypassValidation) validate(w, collection, doc, hit.doc)
  const after = Doc.raw(encodeDocument(doc))
  replaceRecord(w.writer, w.catalog, collection, hit.record, hit.doc, after)
  const id = after.get('_id')!
  const told = updater.kind === 'operators' ? changes ?? describeChanges(hit.doc, after) : undefined
  const found = updater.kind === 'pipeline' ? describeChanges(hit.doc, after) : told
  // a delta that is no smaller than the document is logged as a replacement
  const isDelta = found !== undefined && (told !== undefined || deltaSize(found) < encodedSize(after))
  w.record(isDelta ? { type: 'update', collection, id, changes: found } : { type: 'replace', collection, id, doc: after })
  return after
}

function upsert (w: WriteContext, ns: Namespace, made: Doc, bypassValidation: boolean): Doc {
  const collection = collectionFor(w, ns)
  const doc = withId(made)
  if (encodedSize(doc) > MAX_DOCUMENT) throw new MongoError(17420, `Document to upsert is larger than ${MAX_DOCUMENT}`)
  return insertDocument(w, collection, doc, { bypassValidation })
}
