import type { Catalog } from '../catalog/index.js'
import { prefixOf, recordBytes } from '../catalog/keys.js'
import type { Collection, Index, RecordId } from '../catalog/types.js'
import { encodeKey, fitKey, isFittedKey } from '../keys/key.js'
import { KEYSPACE } from '../storage/types.js'
import type { Writer } from '../storage/types.js'
import { textTermsOf } from '../text/entries.js'
import { MongoError } from '../values/errors.js'
import type { Doc, Maybe } from '../values/types.js'
import { duplicateKey } from './duplicate.js'
import { extractKeys } from './key-values.js'
import type { KeyValues } from './key-values.js'
import { isIndexed } from './partial.js'
import { typesOf } from './stored-types.js'

/** lmdb takes keys of 4,026 bytes with the storage's pages; some are needed around the values. */
export const ENTRY_LIMIT = 3900

/** One entry of an index for one document. `key` lacks the index's prefix and the record id that makes keys of a not unique index distinct. */
export type IndexEntry = { readonly key: Buffer, readonly values: KeyValues, readonly extra: Buffer }

export type IndexEntries = { readonly index: Index, readonly entries: readonly IndexEntry[], readonly arrays: readonly number[] }

const NOTHING = Buffer.alloc(0)
const prefixes = new WeakMap<Index, Buffer>()
const pathsOf = new WeakMap<Index, readonly (readonly string[])[]>()

export function entryPrefix (index: Index): Buffer {
  let prefix = prefixes.get(index)
  if (prefix === undefined) prefixes.set(index, prefix = prefixOf(KEYSPACE.entries, index.id))
  return prefix
}

function paths (index: Index): readonly (readonly string[])[] {
  let parts = pathsOf.get(index)
  if (parts === undefined) pathsOf.set(index, parts = index.fields.map(field => field.parts))
  return parts
}

/** The entries that a document has in an index. */
export function entriesOf (index: Index, doc: Doc): IndexEntries {
  if (!isIndexed(index, doc)) return { index, entries: [], arrays: [] }
  if (index.text !== undefined) return { index, entries: textEntries(index, doc), arrays: [] }
  const { keys, arrays } = extractKeys(doc, paths(index))
  if (arrays.length > 0) checkHashed(index, arrays)
  const wanted = index.sparse ? keys.filter(values => values.some(value => value !== undefined)) : keys
  return { index, entries: wanted.length === 1 ? [entryOf(index, wanted[0])] : distinctEntries(index, wanted), arrays }
}

function checkHashed (index: Index, arrays: readonly number[]): void {
  if (index.fields.some(({ hashed }, i) => hashed && arrays[i] > 0)) throw new MongoError(16766, 'hashed indexes do not currently support array values')
}

const directions = new WeakMap<Index, readonly (1 | -1)[]>()

export function directionsOf (index: Index): readonly (1 | -1)[] {
  let known = directions.get(index)
  if (known === undefined) directions.set(index, known = index.fields.map(field => field.direction))
  return known
}

function entryOf (index: Index, values: KeyValues): IndexEntry {
  return { key: fitKey(encodeKey(values, directionsOf(index), index.collation), ENTRY_LIMIT), values, extra: typesOf(values) ?? NOTHING }
}

function distinctEntries (index: Index, keys: readonly KeyValues[]): IndexEntry[] {
  const entries = new Map<string, IndexEntry>()
  for (const values of keys) {
    const entry = entryOf(index, values)
    const name = entry.key.toString('latin1')
    if (!entries.has(name)) entries.set(name, entry)
  }
  return [...entries.values()]
}

/** Per term of the text: the equality fields before it, the term, and as the entry's value the weight that it has in the document. */
function textEntries (index: Index, doc: Doc): IndexEntry[] {
  const spec = index.text!
  const { keys: [before], arrays } = extractKeys(doc, spec.prefix.map(path => path.split('.')))
  if (arrays.length > 0) throw new MongoError(16675, 'cannot have a multi-key as a prefix to a text index')
  return Array.from(textTermsOf(spec, doc), ([term, score]) => {
    const extra = Buffer.allocUnsafe(8)
    extra.writeDoubleLE(score)
    return { key: textKey(before, term), values: before, extra }
  })
}

export function textKey (before: readonly Maybe[], term: string): Buffer {
  return fitKey(encodeKey([...before, term], [...before.map(() => 1 as const), 1]), ENTRY_LIMIT)
}

export function storedKey ({ id, unique }: Index, { key }: IndexEntry, record: RecordId): Buffer {
  const stored = Buffer.allocUnsafe(key.length + (unique ? 5 : 11))
  stored[0] = KEYSPACE.entries
  stored.writeUInt32BE(id, 1)
  key.copy(stored, 5)
  if (!unique) stored.writeUIntBE(record, key.length + 5, 6)
  return stored
}

export function storedValue ({ unique }: Index, { extra }: IndexEntry, record: RecordId): Buffer {
  if (!unique) return extra
  return extra.length === 0 ? recordBytes(record) : Buffer.concat([recordBytes(record), extra])
}

/** @throws 11000 when another record has one of the keys */
export function checkUnique (writer: Writer, collection: Collection, { index, entries }: IndexEntries, own: RecordId | undefined): void {
  if (!index.unique) return
  for (const entry of entries) {
    const key = storedKey(index, entry, 0)
    writer.claim(key)
    const held = writer.get(key)
    if (held !== undefined && (own === undefined || held.readUIntBE(0, 6) !== own)) throw duplicateKey(collection, index, entry.values)
  }
}

/** @param isNew the record had no entries before: with the uniqueness checked, none of the keys is there */
export function putEntries (writer: Writer, catalog: Catalog, { index, entries, arrays }: IndexEntries, record: RecordId, isNew: boolean): void {
  for (const entry of entries) {
    if (isFittedKey(entry.key, ENTRY_LIMIT)) catalog.flags.raiseTruncated(writer, index)
    writer.put(storedKey(index, entry, record), storedValue(index, entry, record), isNew ? null : undefined)
  }
  arrays.forEach((parts, field) => {
    for (let part = 0; parts >> part !== 0; part++) if ((parts >> part & 1) === 1) catalog.flags.raiseMultikey(writer, index, field, part)
  })
}

export function deleteEntries (writer: Writer, { index, entries }: IndexEntries, record: RecordId): void {
  for (const entry of entries) writer.delete(storedKey(index, entry, record), storedValue(index, entry, record))
}
