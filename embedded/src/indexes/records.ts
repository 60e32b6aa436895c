import type { Catalog } from '../catalog/index.js'
import { recordKey, totalsKey } from '../catalog/keys.js'
import type { Collection, Index, RecordId } from '../catalog/types.js'
import type { Reader, Writer } from '../storage/types.js'
import { encodeDocument } from '../values/bson-write.js'
import { asBuffer } from '../values/bson-read.js'
import { Doc } from '../values/types.js'
import { changedRoots, rootsOf } from './changed.js'
import { checkUnique, deleteEntries, entriesOf, putEntries } from './entries.js'
import type { IndexEntries } from './entries.js'

/** Stores a document with all its index entries and totals. Everything is checked before anything is written. @throws 11000, 171 */
export function insertRecord (writer: Writer, catalog: Catalog, collection: Collection, doc: Doc): RecordId {
  const bytes = encodeDocument(doc)
  const all = collection.indexes.map(index => entriesOf(index, doc))
  for (const entries of all) checkUnique(writer, collection, entries, undefined)
  const record = catalog.recordIds.next(writer, collection.id)
  writer.put(recordKey(collection.id, record), bytes, null)
  for (const entries of all) putEntries(writer, catalog, entries, record, true)
  writer.add(totalsKey(collection.id), 1, bytes.length)
  return record
}

/** @param before the stored document @param after with the same _id */
export function replaceRecord (writer: Writer, catalog: Catalog, collection: Collection, record: RecordId, before: Doc, after: Doc): void {
  const oldBytes = asBuffer(before.rawBytes ?? encodeDocument(before))
  const bytes = encodeDocument(after)
  const key = recordKey(collection.id, record)
  writer.claim(key)
  const changes = affected(collection.indexes, oldBytes, bytes).map(index => difference(entriesOf(index, before), entriesOf(index, after)))
  for (const { added } of changes) checkUnique(writer, collection, added, record)
  for (const { removed } of changes) deleteEntries(writer, removed, record)
  for (const { added } of changes) putEntries(writer, catalog, added, record, false)
  writer.put(key, bytes, oldBytes)
  if (bytes.length !== oldBytes.length) writer.add(totalsKey(collection.id), 0, bytes.length - oldBytes.length)
}

function affected (indexes: readonly Index[], before: Uint8Array, after: Uint8Array): Index[] {
  const changed = changedRoots(before, after)
  return indexes.filter(index => {
    const roots = rootsOf(index)
    if (roots === 'all') return true
    for (const root of roots) if (changed.has(root)) return true
    return false
  })
}

function difference (before: IndexEntries, after: IndexEntries): { removed: IndexEntries, added: IndexEntries } {
  const old = new Map(before.entries.map(entry => [entry.key.toString('latin1'), entry]))
  const added = after.entries.filter(entry => {
    const name = entry.key.toString('latin1')
    const was = old.get(name)
    if (was === undefined || !was.extra.equals(entry.extra)) return true
    old.delete(name)
    return false
  })
  // What is written anew under the same key needs no deletion.
  for (const entry of added) old.delete(entry.key.toString('latin1'))
  return { removed: { ...before, entries: [...old.values()] }, added: { ...after, entries: added } }
}

export function removeRecord (writer: Writer, _catalog: Catalog, collection: Collection, record: RecordId, doc: Doc): void {
  const key = recordKey(collection.id, record)
  writer.claim(key)
  for (const index of collection.indexes) deleteEntries(writer, entriesOf(index, doc), record)
  const bytes = asBuffer(doc.rawBytes ?? encodeDocument(doc))
  writer.delete(key, bytes)
  writer.add(totalsKey(collection.id), -1, -bytes.length)
}

/** The stored document, for example to read again after a wait. */
export function readRecord (reader: Reader, collection: Collection, record: RecordId): Doc | undefined {
  const bytes = reader.get(recordKey(collection.id, record))
  return bytes === undefined ? undefined : Doc.raw(bytes)
}
