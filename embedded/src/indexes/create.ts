import { randomUUID } from 'node:crypto'
import type { Catalog } from '../catalog/index.js'
import { rangeOf, recordBefore } from '../catalog/keys.js'
import type { Collection, Index, RecordId } from '../catalog/types.js'
import { KEYSPACE } from '../storage/types.js'
import type { Writer } from '../storage/types.js'
import { MongoError } from '../values/errors.js'
import { display } from '../values/format.js'
import { equal } from '../values/order.js'
import { Doc } from '../values/types.js'
import { checkUnique, entriesOf, putEntries } from './entries.js'
import { parseIndexSpec } from './spec.js'

const MAX_INDEXES = 64

const uuidText = (bytes: Buffer): string => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

type CreateIndexesResult = { collection: Collection, before: number, after: number, note: string | undefined }

/** Checks, conflicts (85, 86), builds over what is there; on an error the caller's write is undone, so nothing remains. */
export function createIndexes (writer: Writer, catalog: Catalog, collection: Collection, specs: readonly Doc[]): CreateIndexesResult {
  const before = collection.indexes.length
  const wanted = specs.map(spec => parseIndexSpec(spec, collection))
  let current = collection
  for (const spec of wanted) {
    if (isThere(current, spec)) continue
    if (current.indexes.length >= MAX_INDEXES) throw new MongoError(67, `add index fails, too many indexes for ${current.name} key:${display(spec.get('key'))}`)
    const added = catalog.addIndex(writer, current, spec)
    build(writer, catalog, added.collection, added.index)
    current = added.collection
  }
  const after = current.indexes.length
  return { collection: current, before, after, note: after === before ? 'all indexes already exist' : undefined }
}

/** What makes an index another one than those with the same key pattern. */
const SIGNATURE = ['collation', 'partialFilterExpression', 'unique', 'sparse'] as const

const sameSignature = (a: Doc, b: Doc): boolean =>
  equal(a.get('key'), b.get('key')) && SIGNATURE.every(field => equal(a.get(field), b.get(field)))

const FORM: ReadonlySet<string> = new Set(['v', 'name', 'key', 'background'])

function sameOptions (a: Doc, b: Doc): boolean {
  const names = new Set([...a.keys(), ...b.keys()])
  return [...names].every(name => FORM.has(name) || equal(a.get(name), b.get(name)))
}

/** @returns whether this very index exists. @throws 85, 86 when another one is in its way */
function isThere ({ indexes }: Collection, spec: Doc): boolean {
  const named = indexes.find(index => index.name === spec.get('name'))
  const both = (index: Index): string => `Requested index: ${display(spec)}, existing index: ${display(index.spec)}`
  if (named !== undefined) {
    if (!sameSignature(named.spec, spec) && !isTextPair(named, spec)) {
      throw new MongoError(86, 'An existing index has the same name as the requested index. When index names are not specified, they are auto generated ' +
        `and can cause conflicts. Please refer to our documentation. ${both(named)}`)
    }
    if (!sameOptions(named.spec, spec)) {
      throw new MongoError(85, `An equivalent index already exists with the same name but different options. ${both(named)}`)
    }
    return true
  }
  const alike = indexes.find(index => sameSignature(index.spec, spec) || isTextPair(index, spec))
  if (alike === undefined) return false
  if (sameOptions(alike.spec, spec)) throw new MongoError(85, `Index already exists with a different name: ${alike.name}`)
  throw new MongoError(85, `An equivalent index already exists with a different name and options. ${both(alike)}`)
}

/** A collection can have one text index. */
const isTextPair = (index: Index, spec: Doc): boolean => index.text !== undefined && (spec.get('key') as Doc).has('_fts')

function build (writer: Writer, catalog: Catalog, collection: Collection, index: Index): void {
  try {
    for (const [record, doc] of documents(writer, collection)) {
      const entries = entriesOf(index, doc)
      checkUnique(writer, collection, entries, undefined)
      putEntries(writer, catalog, entries, record, true)
    }
  } catch (error) {
    if (!(error instanceof MongoError)) throw error
    throw new MongoError(error.code, `Index build failed: ${randomUUID()}: Collection ${collection.name} ( ${uuidText(collection.uuid)} ) :: caused by :: ${error.message}`,
      { fields: error.fields })
  }
}

const AT_ONCE = 1000

/** In pieces, as a range under way and puts into the same storage do not mix well. */
export function * documents (writer: Writer, collection: Collection): IterableIterator<[RecordId, Doc]> {
  const { start: first, end } = rangeOf(KEYSPACE.records, collection.id)
  for (let start: Buffer = first; ;) {
    const piece: [RecordId, Doc][] = []
    for (const { key, value } of writer.range({ start, end })) {
      piece.push([recordBefore(key, key.length), Doc.raw(value)])
      start = Buffer.concat([key, Buffer.alloc(1)])
      if (piece.length === AT_ONCE) break
    }
    yield * piece
    if (piece.length < AT_ONCE) return
  }
}

/** @param which the `index` field of dropIndexes: a name, names, a key pattern or '*' */
export function dropIndexes (
  writer: Writer, catalog: Catalog, collection: Collection, which: string | readonly string[] | Doc
): { collection: Collection, before: number } {
  const before = collection.indexes.length
  let current = collection
  for (const index of chosen(collection, which)) current = catalog.removeIndex(writer, current, index)
  return { collection: current, before }
}

function chosen (collection: Collection, which: string | readonly string[] | Doc): Index[] {
  if (which === '*') return collection.indexes.filter(index => !index.isId)
  const indexes = which instanceof Doc ? [byPattern(collection, which)] : [which].flat().map(name => byName(collection, name))
  if (indexes.some(index => index.isId)) throw new MongoError(72, 'cannot drop _id index')
  return indexes
}

function byName (collection: Collection, name: string): Index {
  const index = collection.indexes.find(index => index.name === name)
  if (index === undefined) throw new MongoError(27, `index not found with name [${name}]`)
  return index
}

function byPattern (collection: Collection, pattern: Doc): Index {
  const found = collection.indexes.filter(index => equal(index.key, pattern))
  if (found.length === 0) throw new MongoError(27, `can't find index with key: ${display(pattern)}`)
  if (found.length > 1) {
    throw new MongoError(181, `${found.length} indexes found for key: ${display(pattern)}, identify by name instead. Conflicting indexes: ` +
      found.map(index => display(index.spec)).join(', '))
  }
  return found[0]
}
