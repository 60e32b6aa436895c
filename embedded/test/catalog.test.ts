import t from 'tap'
import { Catalog } from '../src/catalog/index.js'
import type { Collection, CollModChanges } from '../src/catalog/index.js'
import { createIndexes, insertRecord, readRecord } from '../src/indexes/index.js'
import { openStorage, TransactionView } from '../src/storage/index.js'
import type { Reader, Storage } from '../src/storage/index.js'
import { docOf } from '../src/values/build.js'
import { told } from './support/expressions.js'
import { codeOf, doc, stored } from './support/filters.js'
import { TestStore } from './support/store.js'

function opened (t: { teardown (fn: () => unknown): void }): { storage: Storage, catalog: Catalog } {
  const storage = openStorage({ memory: true })
  t.teardown(() => storage.close())
  return { storage, catalog: Catalog.open(storage) }
}

function read<T> (storage: Storage, fn: (reader: Reader) => T): T {
  const snapshot = storage.snapshot()
  try {
    return fn(snapshot)
  } finally {
    snapshot.release()
  }
}

const ns = (coll: string, db = 'd'): { db: string, coll: string } => ({ db, coll })

t.test('collections and databases by name, hostile names among them', async t => {
  const { storage, catalog } = opened(t)
  for (const [coll, db] of [['b', 'd'], ['a', 'd'], ['a.b', 'd'], ['__proto__', 'd2'], ['x', '__proto__']]) {
    storage.write(w => catalog.create(w, ns(coll, db)))
  }
  read(storage, reader => {
    t.strictSame(catalog.databases(reader), ['__proto__', 'd', 'd2'])
    t.strictSame(catalog.collections(reader, 'd').map(({ name }) => name), ['d.a', 'd.a.b', 'd.b'])
    t.equal(catalog.collection(reader, ns('constructor')), undefined)
    t.equal(catalog.collection(reader, ns('__proto__', 'd2'))?.indexes.length, 1)
    const { uuid } = catalog.collection(reader, ns('b'))!
    t.equal(catalog.collectionByUuid(reader, 'd', uuid)?.name, 'd.b')
  })
  t.equal(codeOf(() => storage.write(w => catalog.create(w, ns('z', 'D')))), 13297, 'a database that differs by case alone')
})

t.test('options are checked and kept in order', async t => {
  const { storage, catalog } = opened(t)
  const create = (coll: string, options: object): Collection => storage.write(w => catalog.create(w, ns(coll), doc(options)))
  const capped = create('cap', { max: 5, size: 5000, capped: true })
  t.equal(told(capped.options), '{capped: true, size: 5120, max: 5}')
  t.strictSame(capped.capped, { size: 5120, max: 5 })
  t.equal(create('cap', { capped: true, size: 5000, max: 5 }).id, capped.id, 'the same once more')
  t.equal(codeOf(() => create('cap', {})), 48)
  t.equal(codeOf(() => create('x', { capped: true })), 72)
  t.equal(codeOf(() => create('x', { size: 10 })), 72)
  t.equal(codeOf(() => create('x', { pipeline: [] })), 72)
  t.equal(codeOf(() => create('x', { viewOn: 'a', capped: true, size: 1 })), 72)
  t.equal(codeOf(() => create('x', { validationLevel: 'much' })), 2)
  t.equal(codeOf(() => create('x', { expireAfterSeconds: 5 })), 72)
  t.equal(codeOf(() => create('x', { storageEngine: {} })), 115)
  const view = create('v', { viewOn: 'a', pipeline: [{ $match: {} }] })
  t.equal(view.type, 'view')
  t.equal(view.indexes.length, 0)
  const collated = create('ci', { collation: { locale: 'en', strength: 2 } })
  t.equal(collated.collation?.compare('A', 'a'), 0)
  t.match(told(collated.indexes[0].spec), /_id_.*strength: 2/)
})

t.test('what a failed write has done is gone, and a transaction is seen by itself alone', async t => {
  const { storage, catalog } = opened(t)
  t.throws(() => storage.write(w => { catalog.create(w, ns('gone')); throw new Error('no') }))
  t.equal(read(storage, reader => catalog.collection(reader, ns('gone'))), undefined)
  const view = new TransactionView(storage.snapshot(), () => {})
  const made = catalog.create(view, ns('inside'))
  const record = insertRecord(view, catalog, made, stored({ _id: 1, a: 'x' }))
  t.equal(catalog.count(view, made), 1)
  t.equal(read(storage, reader => catalog.collection(reader, ns('inside'))), undefined)
  storage.write(w => catalog.create(w, ns('outside')))
  t.equal(catalog.collection(view, ns('outside')), undefined)
  storage.write(w => view.applyTo(w))
  const seen = read(storage, reader => readRecord(reader, catalog.collection(reader, ns('inside'))!, record))
  t.equal(told(seen), '{_id: 1, a: "x"}')
  t.equal(read(storage, reader => catalog.count(reader, made)), 1)
})

t.test('two transactions never get the same record, and their counts add up', async t => {
  const { storage, catalog } = opened(t)
  const collection = storage.write(w => catalog.create(w, ns('c')))
  const views = [1, 2].map(() => new TransactionView(storage.snapshot(), () => {}))
  const records = views.map((view, i) => insertRecord(view, catalog, collection, stored({ _id: i })))
  storage.write(w => insertRecord(w, catalog, collection, stored({ _id: 'plain' })))
  for (const view of views) storage.write(w => view.applyTo(w))
  t.equal(new Set(records).size, 2)
  t.equal(read(storage, reader => catalog.count(reader, collection)), 3)
  const again = Catalog.open(storage)
  t.equal(storage.write(w => insertRecord(w, again, collection, stored({ _id: 9 }))), 4)
})

t.test('rename, drop and what is left after a large drop', async t => {
  const { storage, catalog } = opened(t)
  const collection = storage.write(w => catalog.create(w, ns('big')))
  storage.write(w => createIndexes(w, catalog, collection, [doc({ key: { a: 1 }, name: 'a_1' })]))
  storage.write(w => {
    const indexed = catalog.collection(w, ns('big'))!
    for (let i = 0; i < 3000; i++) insertRecord(w, catalog, indexed, stored({ _id: i, a: i }))
  })
  storage.write(w => catalog.create(w, ns('other')))
  t.equal(codeOf(() => storage.write(w => catalog.rename(w, ns('no'), ns('x'), false))), 26)
  t.equal(codeOf(() => storage.write(w => catalog.rename(w, ns('big'), ns('other'), false))), 48)
  t.equal(codeOf(() => storage.write(w => catalog.rename(w, ns('big'), ns('big'), false))), 20)
  const renamed = storage.write(w => catalog.rename(w, ns('big'), ns('other'), true))
  t.equal(read(storage, reader => catalog.count(reader, renamed)), 3000)
  t.equal(renamed.uuid.equals(collection.uuid), true)
  storage.write(w => catalog.drop(w, renamed))
  t.equal(read(storage, reader => catalog.databases(reader)).length, 0)
  await catalog.purge()
  const left = read(storage, reader => [...reader.range({ start: Buffer.from([3]), end: Buffer.from([6]) })].length)
  t.equal(left, 0, 'no record and no index entry')
  const fresh = storage.write(w => catalog.create(w, ns('big')))
  t.ok(fresh.id > renamed.id, 'ids are not used again')
})

t.test('collMod', async t => {
  const store = new TestStore()
  t.teardown(() => store.close())
  store.index({ key: { at: 1 }, expireAfterSeconds: 60 }, { key: { b: 1 } })
  const modify = (changes: CollModChanges): string => told(store.write(w => store.catalog.collMod(w, store.collection(w), changes)).reply)
  t.equal(modify({ index: { keyPattern: doc({ at: 1 }), expireAfterSeconds: 5n } }), '{expireAfterSeconds_old: long 60, expireAfterSeconds_new: long 5}')
  t.equal(modify({ index: { name: 'b_1', hidden: true } }), '{hidden_old: false, hidden_new: true}')
  t.equal(modify({ index: { name: 'b_1', hidden: true } }), '{}')
  t.equal(modify({ index: { name: 'b_1', expireAfterSeconds: 5n } }), '{expireAfterSeconds_new: long 5}')
  t.equal(codeOf(() => modify({ index: { name: 'no', hidden: true } })), 27)
  t.equal(codeOf(() => modify({ index: { name: '_id_', hidden: true } })), 2)
  t.equal(codeOf(() => modify({ index: { name: 'b_1' } })), 72)
  t.equal(codeOf(() => modify({ viewOn: 'x' })), 72)
  modify({ validator: docOf({ a: 1n }), validationLevel: 'moderate' })
  const { validator, validationLevel } = store.read(reader => store.collection(reader))
  t.strictSame([told(validator), validationLevel], ['{a: long 1}', 'moderate'])
  modify({ validator: docOf({}) })
  t.equal(store.read(reader => store.collection(reader)).validator, undefined)
})
