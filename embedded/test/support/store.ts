import { Catalog } from '../../src/catalog/index.js'
import type { Collection } from '../../src/catalog/index.js'
import type { ParseContext } from '../../src/expressions/index.js'
import { createIndexes, insertRecord, readRecord, removeRecord, replaceRecord, validateCollection } from '../../src/indexes/index.js'
import { count, distinct, explain, find, findRecords } from '../../src/query/index.js'
import type { ExplainRequest, FindRequest } from '../../src/query/index.js'
import { openStorage } from '../../src/storage/index.js'
import type { Reader, Storage, Writer } from '../../src/storage/index.js'
import { Collation } from '../../src/values/collation.js'
import { encodeDocument } from '../../src/values/bson-write.js'
import { Doc } from '../../src/values/types.js'
import type { Value } from '../../src/values/types.js'
import { CONTEXT, told } from './expressions.js'
import { doc } from './filters.js'

const asDoc = (x: object): Doc => x instanceof Doc ? x : doc(x)

/** What a test says of a find, with literals. */
export type Ask = Partial<Omit<FindRequest, 'filter' | 'sort' | 'projection' | 'hint' | 'min' | 'max' | 'ctx'>> & {
  sort?: object, projection?: object, hint?: string | object, min?: object, max?: object, collation?: object
}

/** One collection in a storage of its own. */
export class TestStore {
  readonly storage: Storage = openStorage({ memory: true })
  readonly catalog = Catalog.open(this.storage)
  readonly ns = { db: 'test', coll: 'c' }

  constructor (options: object = {}) {
    this.write(w => this.catalog.create(w, this.ns, doc(options)))
  }

  write<T> (fn: (w: Writer) => T): T {
    return this.storage.write(fn)
  }

  read<T> (fn: (reader: Reader) => T): T {
    const snapshot = this.storage.snapshot()
    try {
      return fn(snapshot)
    } finally {
      snapshot.release()
    }
  }

  collection (reader: Reader): Collection {
    return this.catalog.collection(reader, this.ns)!
  }

  index (...specs: object[]): void {
    this.write(w => createIndexes(w, this.catalog, this.collection(w), specs.map(spec => named(asDoc(spec)))))
  }

  insert (...docs: object[]): void {
    this.write(w => { for (const x of docs) insertRecord(w, this.catalog, this.collection(w), Doc.raw(encodeDocument(asDoc(x)))) })
  }

  /** Replaces what a filter finds by what `change` makes of it; undefined removes it. */
  change (filter: object, change: (before: Doc) => Doc | undefined): void {
    this.write(w => {
      const collection = this.collection(w)
      for (const { record, doc: before } of [...findRecords(w, collection, { filter: asDoc(filter), ctx: CONTEXT })]) {
        const after = change(readRecord(w, collection, record)!)
        if (after === undefined) removeRecord(w, this.catalog, collection, record, before)
        else replaceRecord(w, this.catalog, collection, record, before, Doc.raw(encodeDocument(after)))
      }
    })
  }

  request (filter: object, { sort, projection, hint, min, max, collation, ...others }: Ask = {}): FindRequest {
    const optional = (x: object | undefined): Doc | undefined => x === undefined ? undefined : asDoc(x)
    const ctx: ParseContext = { ...CONTEXT, allowText: true, collation: collation === undefined ? undefined : Collation.parse(asDoc(collation)) }
    return {
      filter: asDoc(filter),
      sort: optional(sort),
      projection: optional(projection),
      hint: typeof hint === 'string' ? hint : optional(hint),
      min: optional(min),
      max: optional(max),
      ctx,
      ...others
    }
  }

  find (filter: object, ask: Ask = {}): Doc[] {
    return this.read(reader => [...find(reader, this.collection(reader), this.request(filter, ask))])
  }

  ids (filter: object, ask: Ask = {}): string[] {
    return this.find(filter, ask).map(found => told(found.get('_id')))
  }

  count (filter: object, ask: Ask = {}): number {
    return this.read(reader => count(reader, this.catalog, this.collection(reader), this.request(filter, ask)))
  }

  distinct (key: string, filter: object = {}, ask: Ask = {}): Value[] {
    return this.read(reader => distinct(reader, this.collection(reader), key, this.request(filter, ask)))
  }

  explain (filter: object, ask: Ask & Pick<ExplainRequest, 'kind' | 'distinctKey'> = {}): Explained {
    const { kind, distinctKey, ...others } = ask
    const request = { ...this.request(filter, others), kind, distinctKey }
    return new Explained(this.read(reader => explain(reader, this.collection(reader), 'test.c', request, 'executionStats')))
  }

  validate (): Doc {
    return this.read(reader => validateCollection(reader, this.catalog, this.collection(reader)))
  }

  async close (): Promise<void> {
    await this.storage.close()
  }
}

function named (spec: Doc): Doc {
  if (spec.has('name')) return spec
  const key = spec.get('key') as Doc
  return spec.copy().set('name', [...key].map(([path, value]) => `${path}_${typeof value === 'string' ? value : told(value).replace('.', '')}`).join('_'))
}

/** Reads an explain. */
export class Explained {
  constructor (readonly doc: Doc) {}

  get winning (): Doc {
    return (this.doc.get('queryPlanner') as Doc).get('winningPlan') as Doc
  }

  get stats (): Doc {
    return this.doc.get('executionStats') as Doc
  }

  /** The names of the stages, from the top down; branches in brackets. */
  get stages (): string {
    return stagesOf(this.winning)
  }

  get keys (): number {
    return numberOf(this.stats.get('totalKeysExamined'))
  }

  get docs (): number {
    return numberOf(this.stats.get('totalDocsExamined'))
  }

  get returned (): number {
    return numberOf(this.stats.get('nReturned'))
  }

  /** The bounds of the first index scan. */
  get bounds (): string {
    const scan = scanOf(this.winning)
    return scan === undefined ? '' : told(scan.get('indexBounds'))
  }

  get index (): string | undefined {
    return scanOf(this.winning)?.get('indexName') as string | undefined
  }
}

const numberOf = (v: Value | undefined): number => Number(told(v).replace(/^long /, ''))

const childrenOf = (stage: Doc): Doc[] => [...[stage.get('inputStage')].flatMap(x => x instanceof Doc ? [x] : []), ...(stage.get('inputStages') as Doc[] | undefined ?? [])]

function stagesOf (stage: Doc): string {
  const below = childrenOf(stage).map(stagesOf)
  const name = stage.get('stage') as string
  if (below.length === 0) return name
  return below.length === 1 ? `${name} ${below[0]}` : `${name} (${below.join(' | ')})`
}

function scanOf (stage: Doc): Doc | undefined {
  return stage.has('indexName') ? stage : childrenOf(stage).map(scanOf).find(found => found !== undefined)
}
