import type { Catalog } from '../catalog/index.js'
import { rangeOf, recordBefore } from '../catalog/keys.js'
import type { Collection, Index } from '../catalog/types.js'
import { KEYSPACE } from '../storage/types.js'
import type { Reader } from '../storage/types.js'
import { validateDocument } from '../values/bson-validate.js'
import { count, docOf } from '../values/build.js'
import { Doc } from '../values/types.js'
import { entriesOf, storedKey, storedValue } from './entries.js'

type Tally = { readonly index: Index, entries: number, missing: number }

/** Checks records against entries and totals, as `validate` reports them. */
export function validateCollection (reader: Reader, catalog: Catalog, collection: Collection): Doc {
  const tallies: Tally[] = collection.indexes.map(index => ({ index, entries: 0, missing: 0 }))
  const errors: string[] = []
  let records = 0
  let invalid = 0
  for (const { key, value } of reader.range(rangeOf(KEYSPACE.records, collection.id))) {
    records++
    if (isValid(value)) check(reader, Doc.raw(value), recordBefore(key, key.length), tallies)
    else invalid++
  }
  if (invalid > 0) errors.push(`${invalid} documents are not valid BSON`)
  if (records !== catalog.count(reader, collection)) errors.push(`the stored number of documents is ${catalog.count(reader, collection)}, there are ${records}`)
  const details = tallies.map(tally => [tally.index.name, checkIndex(reader, tally)] as [string, Doc])
  for (const [name, detail] of details) if (detail.get('valid') !== true) errors.push(`index '${name}' does not agree with the documents`)
  return docOf({
    ns: collection.name,
    nInvalidDocuments: count(invalid),
    nNonCompliantDocuments: count(0),
    nrecords: count(records),
    nIndexes: count(collection.indexes.length),
    keysPerIndex: Doc.of(tallies.map(({ index, entries }) => [index.name, count(entries)])),
    indexDetails: Doc.of(details),
    valid: errors.length === 0,
    repaired: false,
    warnings: [],
    errors,
    extraIndexEntries: [],
    missingIndexEntries: [],
    corruptRecords: []
  })
}

function isValid (bytes: Buffer): boolean {
  try {
    validateDocument(bytes)
    return true
  } catch {
    return false
  }
}

function check (reader: Reader, doc: Doc, record: number, tallies: readonly Tally[]): void {
  for (const tally of tallies) {
    const { entries } = entriesOf(tally.index, doc)
    tally.entries += entries.length
    for (const entry of entries) {
      const stored = reader.get(storedKey(tally.index, entry, record))
      if (stored === undefined || !stored.equals(storedValue(tally.index, entry, record))) tally.missing++
    }
  }
}

function checkIndex (reader: Reader, { index, entries, missing }: Tally): Doc {
  let stored = 0
  const range = reader.range(rangeOf(KEYSPACE.entries, index.id))
  while (range.next().done !== true) stored++
  return docOf({ valid: missing === 0 && stored === entries, keysTraversed: count(stored) })
}
