import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { find } from '../src/query/index.js'
import { ParkableReader } from '../src/storage/index.js'
import { MongoError } from '../src/values/errors.js'
import { bson, date, dbl, told } from './support/expressions.js'
import { codeOf } from './support/filters.js'
import { TestStore } from './support/store.js'

const scalar = fc.constantFrom<unknown>(
  0, 1, 2, 3, -1, dbl(1), dbl(1.5), dbl(NaN), 5n, 'a', 'ab', 'b', 'B', '', null, true, false, date('2024-01-01'), {}, { x: 1 }, { x: 1, y: 'a' }
)
const value = fc.oneof({ weight: 6, arbitrary: scalar }, { weight: 2, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.array(fc.array(scalar, { maxLength: 2 }), { maxLength: 2 }) })
const inner = fc.record({ x: value, y: scalar }, { requiredKeys: [], noNullPrototype: true })
const field = fc.oneof({ weight: 5, arbitrary: value }, { weight: 2, arbitrary: inner },
  { weight: 2, arbitrary: fc.array(fc.oneof(inner, scalar), { maxLength: 3 }) })
/** Only one field may hold arrays where indexes of two fields are made: others refuse parallel arrays. */
const plain = fc.oneof(scalar, fc.record({ x: scalar, y: scalar }, { requiredKeys: [], noNullPrototype: true }))
const document = fc.record({ a: field, b: plain, c: scalar }, { requiredKeys: [], noNullPrototype: true })

const path = fc.constantFrom('a', 'a', 'a.x', 'a.y', 'a.0', 'b', 'b', 'b.x', 'c', '_id')
const operand = fc.oneof({ weight: 8, arbitrary: scalar }, { weight: 1, arbitrary: fc.array(scalar, { maxLength: 2 }) })

const leaf: fc.Arbitrary<object> = fc.oneof(
  { weight: 6, arbitrary: operand },
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom('$gt', '$gte', '$lt', '$lte', '$ne', '$eq'), operand).map(([op, v]) => ({ [op]: v })) },
  { weight: 3, arbitrary: fc.tuple(operand, operand).map(([low, high]) => ({ $gte: low, $lt: high })) },
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom('$in', '$nin'), fc.array(operand, { maxLength: 4 })).map(([op, v]) => ({ [op]: v })) },
  { weight: 2, arbitrary: fc.boolean().map(yes => ({ $exists: yes })) },
  { weight: 1, arbitrary: fc.constantFrom('int', 'string', 'number', 'array', 'null', 'object', 'bool').map(type => ({ $type: type })) },
  { weight: 1, arbitrary: fc.constantFrom('^a', '^ab', 'b', '^B', '^').map(pattern => ({ $regex: pattern })) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('$gt', '$lte'), operand).map(([op, v]) => ({ $not: { [op]: v } })) },
  { weight: 2, arbitrary: fc.tuple(scalar, scalar).map(([low, high]) => ({ $elemMatch: { $gte: low, $lte: high } })) },
  { weight: 2, arbitrary: fc.tuple(scalar, scalar).map(([x, y]) => ({ $elemMatch: { x, y } })) },
  { weight: 1, arbitrary: fc.constant({ $mod: [2, 1] }) },
  { weight: 1, arbitrary: fc.array(scalar, { minLength: 1, maxLength: 2 }).map(all => ({ $all: all })) }
) as fc.Arbitrary<object>

const comparison = fc.tuple(fc.constantFrom('$gt', '$eq', '$lt'), fc.constantFrom('$a', '$b', '$b.x', '$c'), scalar)
  .map(([op, at, v]) => ({ $expr: { [op]: [at, { $literal: v }] } }))

const { filter } = fc.letrec<{ filter: object, condition: object }>(tie => ({
  filter: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map(conditions => conditions.length === 1 ? conditions[0] : { $and: conditions }),
  condition: fc.oneof({ depthSize: 'small' },
    { weight: 6, arbitrary: fc.tuple(path, leaf).map(([at, test]) => ({ [at]: test })) },
    { weight: 1, arbitrary: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }).map(branches => ({ $or: branches })) },
    { weight: 1, arbitrary: fc.array(tie('filter'), { minLength: 1, maxLength: 2 }).map(branches => ({ $nor: branches })) },
    { weight: 1, arbitrary: comparison })
}))

const direction = fc.constantFrom(1, -1)
const sortParts = fc.array(fc.tuple(fc.constantFrom('a', 'a.x', 'a.0', 'b', 'b.x', 'c'), direction), { minLength: 1, maxLength: 3 })
const sort = fc.option(sortParts, { nil: undefined, freq: 2 })
  .map(parts => parts === undefined ? undefined : Object.fromEntries([...parts, ['_id', 1]]))

const indexes = fc.subarray<object>([
  { key: { a: 1 } }, { key: { a: -1, c: 1 } }, { key: { 'a.x': 1, 'a.y': -1 } }, { key: { b: 1, a: 1 } }, { key: { 'a.x': 1, b: 1 }, sparse: true },
  { key: { c: 1, 'b.x': -1 } }, { key: { b: -1 }, sparse: true }, { key: { c: 1 }, partialFilterExpression: { b: { $gt: 0 } } },
  { key: { a: 1, b: 1 }, partialFilterExpression: { a: { $exists: true } }, name: 'partial' },
  { key: { b: 1 }, partialFilterExpression: { c: { $in: ['a', 'b'] } }, name: 'partial_in' }, { key: { c: 'hashed' } }, { key: { 'a.0': 1 } }, { key: { b: 1, c: -1, a: 1 } },
  { key: { c: 1 }, collation: { locale: 'en', strength: 2 }, name: 'ci' }, { key: { a: 1 }, collation: { locale: 'en', strength: 1 }, name: 'a_ci' }
], { minLength: 1, maxLength: 5 })

const collation = fc.option(fc.constantFrom({ locale: 'en', strength: 2 }, { locale: 'en', strength: 1 }), { nil: undefined, freq: 1 })
const bounds = fc.record({ limit: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }), skip: fc.integer({ min: 0, max: 2 }) })

const ask = fc.record({ filter, sort, collation, bounds })

/** A parallel array or an ambiguous position cannot be indexed: such a document is left out. */
function insertAll (store: TestStore, docs: readonly object[]): void {
  docs.forEach((x, i) => {
    const code = codeOf(() => store.insert({ _id: i, ...x }))
    assert.ok([0, 171, 16746, 16766].includes(code), `insert: ${code}`)
  })
}

const outcome = (run: () => string[]): string => {
  try {
    return run().join(' ')
  } catch (e) {
    if (e instanceof MongoError) return `error ${e.code}`
    throw e
  }
}

t.test('whatever the indexes, a find gives what a scan of the collection gives', async () => {
  fc.assert(fc.property(fc.array(document, { minLength: 1, maxLength: 25 }), indexes, fc.array(ask, { minLength: 5, maxLength: 5 }), (docs, specs, asks) => {
    const store = new TestStore()
    try {
      store.index(...specs)
      insertAll(store, docs)
      for (const { filter, sort, collation, bounds } of asks) {
        const scanned = outcome(() => store.ids(filter, { sort, collation, hint: { $natural: 1 } }).sort())
        const planned = outcome(() => store.ids(filter, { sort, collation }).sort())
        assert.equal(planned, scanned, 'the same documents')
        if (sort === undefined) continue
        const inOrder = outcome(() => store.ids(filter, { sort, collation, ...bounds, hint: { $natural: 1 } }))
        assert.equal(outcome(() => store.ids(filter, { sort, collation, ...bounds })), inOrder, 'in the same order')
      }
      assert.equal(store.validate().get('valid'), true, told(store.validate()))
    } finally {
      store.close().catch(() => {})
    }
  }), { numRuns: 300 })
})

t.test('counts, distinct values and hinted plans agree with a scan, too', async () => {
  fc.assert(fc.property(fc.array(document, { minLength: 1 }), indexes, fc.array(filter, { minLength: 4, maxLength: 4 }), (docs, specs, asked) => {
    const store = new TestStore()
    try {
      store.index(...specs)
      insertAll(store, docs)
      for (const filter of asked) {
        const scanned = outcome(() => [String(store.count(filter, { hint: { $natural: 1 } }))])
        assert.equal(outcome(() => [String(store.count(filter))]), scanned)
        // A hinted partial or sparse index may miss documents, as in MongoDB.
        if (specs.some(spec => 'sparse' in spec || 'partialFilterExpression' in spec)) continue
        for (const name of names(store)) {
          if (name.includes('hashed')) continue
          assert.equal(outcome(() => [String(store.count(filter, { hint: name }))]), scanned, `with ${name}`)
        }
      }
    } finally {
      store.close().catch(() => {})
    }
  }), { numRuns: 150 })
})

const names = (store: TestStore): string[] => store.read(reader => store.collection(reader).indexes.map(({ name }) => name))

const people = (store: TestStore, count = 100): void => {
  store.insert(...Array.from({ length: count }, (_, i) => ({ _id: i, name: `n${i % 10}`, age: i % 20, at: i, team: i % 4 })))
}

t.test('equality, then sort, then range; an index in reverse; documents examined are those returned', async t => {
  const store = new TestStore()
  t.teardown(() => store.close())
  store.index({ key: { team: 1, age: 1, at: -1 } }, { key: { name: 1 } })
  people(store)
  const page = store.explain({ team: 1, age: 5 }, { sort: { at: -1 }, limit: 3 })
  t.equal(page.stages, 'LIMIT FETCH IXSCAN')
  t.strictSame([page.keys, page.docs, page.returned], [3, 3, 3])
  t.equal(page.bounds, '{team: ["[1, 1]"], age: ["[5, 5]"], at: ["[MaxKey, MinKey]"]}')
  t.equal(store.explain({ team: 1, age: 5 }, { sort: { at: 1 } }).winning.get('inputStage') instanceof Object, true)
  t.equal(store.explain({ team: 1, age: 5 }, { sort: { at: 1 } }).bounds, '{team: ["[1, 1]"], age: ["[5, 5]"], at: ["[MinKey, MaxKey]"]}')
  t.equal(store.explain({ team: 1 }, { sort: { name: 1 } }).stages, 'SORT FETCH IXSCAN')
  t.equal(store.explain({ team: 1, age: { $gte: 3, $lt: 6 } }).bounds, '{team: ["[1, 1]"], age: ["[3, 6)"], at: ["[MaxKey, MinKey]"]}')
  t.equal(store.explain({ at: 3 }).stages, 'COLLSCAN')
  t.equal(store.explain({ at: 3 }, { sort: { name: 1 } }).stages, 'FETCH IXSCAN', 'an index for the sort alone')
  const skipping = store.explain({ team: 1, at: { $gte: 90 } })
  t.strictSame([skipping.docs, skipping.returned], [skipping.returned, skipping.returned], 'further bounds are checked in the index')
})

t.test('several values of the fields before the sort are merged', async t => {
  const store = new TestStore()
  t.teardown(() => store.close())
  store.index({ key: { team: 1, age: 1, at: 1 } })
  people(store)
  const merged = store.explain({ team: { $in: [1, 2] }, age: { $in: [2, 5] } }, { sort: { at: -1 }, limit: 4 })
  t.match(merged.stages, /^LIMIT FETCH SORT_MERGE \(IXSCAN( \| IXSCAN){3}\)$/)
  t.ok(merged.docs <= 4, `${merged.docs} documents`)
  t.strictSame(store.ids({ team: { $in: [1, 2] } }, { sort: { at: 1 }, limit: 4 }), ['1', '2', '5', '6'])
  t.equal(store.explain({ team: { $in: [1, 2] } }, { sort: { team: 1, age: 1 } }).stages, 'FETCH IXSCAN')
})

t.test('$or takes an index for each branch, or none at all', async t => {
  const store = new TestStore()
  t.teardown(() => store.close())
  store.index({ key: { name: 1 } }, { key: { age: 1 } })
  people(store)
  t.equal(store.explain({ $or: [{ name: 'n1' }, { age: 3 }] }).stages, 'FETCH OR (IXSCAN | IXSCAN)')
  t.equal(store.explain({ $or: [{ name: 'n1' }, { at: 3 }] }).stages, 'COLLSCAN')
  t.equal(store.count({ $or: [{ name: 'n1' }, { age: 1 }] }), 10)
})

t.test('bounds on one array are not intersected, unless by $elemMatch; each document comes once', async t => {
  const store = new TestStore()
  t.teardown(() => store.close())
  store.index({ key: { a: 1 } }, { key: { 'o.k': 1, 'o.v': 1 } })
  store.insert({ _id: 1, a: [1, 9], o: [{ k: 1, v: 1 }, { k: 2, v: 9 }] }, { _id: 2, a: [5, 6], o: [{ k: 1, v: 9 }] })
  t.strictSame(store.ids({ a: { $gt: 3, $lt: 8 } }).sort(), ['1', '2'], 'one element above 3, another below 8')
  t.strictSame(store.ids({ a: { $elemMatch: { $gt: 3, $lt: 8 } } }), ['2'])
  t.equal(store.explain({ a: { $elemMatch: { $gt: 3, $lt: 8 } } }).bounds, '{a: ["(3, 8)"]}')
  t.strictSame(store.ids({ 'o.k': 1, 'o.v': 9 }), ['1', '2'])
  t.equal(store.explain({ 'o.k': 1, 'o.v': 9 }).bounds, '{o.k: ["[1, 1]"], o.v: ["[MinKey, MaxKey]"]}')
  t.equal(store.explain({ o: { $elemMatch: { k: 1, v: 9 } } }).bounds, '{o.k: ["[1, 1]"], o.v: ["[9, 9]"]}')
  t.strictSame(store.ids({ a: { $gte: 0 } }), ['1', '2'])
  t.strictSame(store.ids({ a: { $gt: 5 } }, { sort: { a: 1 } }), ['1', '2'], 'the least element counts, whether the filter is about it or not')
})

t.test('what implies the filter of a partial index, and what a sparse one can answer', async t => {
  const store = new TestStore()
  t.teardown(() => store.close())
  store.index({ key: { age: 1 }, partialFilterExpression: { team: { $gt: 1 }, name: { $exists: true } } }, { key: { at: 1 }, sparse: true })
  people(store)
  const uses = (filter: object): boolean => store.explain(filter).index !== undefined
  t.ok(uses({ age: 1, team: 2, name: 'n1' }))
  t.ok(uses({ age: 1, team: { $gte: 2 }, name: { $in: ['n1', 'n2'] } }))
  t.notOk(uses({ age: 1, team: 2 }))
  t.notOk(uses({ age: 1, team: { $gte: 1 }, name: 'x' }))
  t.notOk(uses({ age: 1, team: 2, name: null }))
  t.notOk(uses({ age: 1, $or: [{ team: 2, name: 'x' }, { team: 0 }] }))
  t.ok(uses({ age: 1, $or: [{ team: 2, name: 'x' }, { team: 3, name: 'y' }] }))
  t.ok(uses({ at: 3 }))
  t.ok(uses({ at: { $exists: true } }))
  t.notOk(uses({ at: null }))
  t.equal(store.explain({}, { sort: { at: 1 } }).stages, 'SORT COLLSCAN')
})

t.test('covered plans and counts read no document', async t => {
  const store = new TestStore()
  t.teardown(() => store.close())
  store.index({ key: { team: 1, at: -1, _id: 1 } })
  people(store)
  store.insert({ _id: 'd', team: 9, at: dbl(3) }, { _id: 'l', team: 9, at: 3n }, { _id: 'n', team: 9 })
  const covered = store.explain({ team: 1 }, { projection: { at: 1, _id: 1 } })
  t.equal(covered.stages, 'PROJECTION_COVERED IXSCAN')
  t.equal(covered.docs, 0)
  t.strictSame(store.find({ team: 9 }, { projection: { at: 1, _id: 1 } }).map(told), ['{at: 3., _id: "d"}', '{at: long 3, _id: "l"}', '{_id: "n"}'])
  const counted = store.explain({ team: 1 }, { kind: 'count' })
  t.equal(counted.stages, 'COUNT COUNT_SCAN')
  t.equal(counted.docs, 0)
  t.equal(store.explain({}, { kind: 'count' }).stages, 'RECORD_STORE_FAST_COUNT')
  t.equal(store.count({ team: 9 }), 3)
})

t.test('prefix expressions, the way by _id, hints, min and max', async t => {
  const store = new TestStore()
  t.teardown(() => store.close())
  store.index({ key: { name: 1 } }, { key: { age: 1 }, hidden: true })
  people(store)
  t.equal(store.explain({ name: { $regex: '^n1' } }).bounds, '{name: ["[\\"n1\\", \\"n2\\")", "[/^n1/, /^n1/]"]}'.replaceAll('\\"', '"'))
  t.equal(store.explain({ name: { $regex: 'n1' } }).bounds, '{name: ["["", {})", "[/n1/, /n1/]"]}')
  t.equal(store.explain({ _id: 7 }).stages, 'IDHACK')
  t.equal(store.explain({ _id: { $in: [1, 2] } }).stages, 'FETCH IXSCAN')
  t.equal(store.explain({ age: 1 }).stages, 'COLLSCAN', 'a hidden index is not used')
  t.equal(store.explain({ at: 1 }, { hint: 'name_1' }).stages, 'FETCH IXSCAN')
  t.equal(store.explain({ name: 'n1' }, { hint: { $natural: -1 } }).stages, 'COLLSCAN')
  t.equal(codeOf(() => store.ids({}, { hint: 'age_1' })), 2)
  t.equal(codeOf(() => store.ids({}, { hint: 'no' })), 2)
  t.equal(codeOf(() => store.ids({}, { min: { name: 'n1' } })), 51173)
  t.equal(codeOf(() => store.ids({}, { min: { age: 1 }, hint: 'name_1' })), 51174)
  t.equal(store.ids({}, { min: { name: 'n1' }, max: { name: 'n3' }, hint: 'name_1' }).length, 20)
  t.strictSame(store.find({ _id: 3 }, { returnKey: true, hint: 'name_1' }).map(told), ['{name: "n3"}'])
})

t.test('a sort that takes more memory than MongoDB gives it is an error, unless few documents are wanted', async t => {
  const store = new TestStore()
  t.teardown(() => store.close())
  const large = 'x'.repeat(4_000_000)
  for (let i = 0; i < 27; i++) store.insert({ _id: i, n: -i, large })
  t.equal(codeOf(() => store.ids({}, { sort: { n: 1 } })), 292)
  t.strictSame(store.ids({}, { sort: { n: 1 }, limit: 2 }), ['26', '25'])
})

t.test('a cursor that lets its snapshot go after each document goes on where it was', async t => {
  const store = new TestStore()
  t.teardown(() => store.close())
  store.index({ key: { team: 1, age: 1, at: 1 } }, { key: { name: 1 } }, { key: { tags: 1 } })
  store.insert(...Array.from({ length: 60 }, (_, i) => ({ _id: i, name: `n${i % 7}`, age: i % 3, at: i, team: i % 4, tags: [i % 5, i % 11] })))
  const asks: [object, object][] = [
    [{}, {}], [{}, { hint: { $natural: -1 } }], [{ team: { $in: [1, 3] } }, { sort: { at: -1 } }], [{ team: { $in: [1, 2] }, age: 1 }, { sort: { at: 1 } }],
    [{ $or: [{ name: 'n1' }, { team: 2 }] }, {}], [{ tags: { $gte: 2 } }, {}], [{ team: 1, at: { $gt: 20 } }, {}], [{}, { sort: { age: 1, name: 1, _id: 1 } }]
  ]
  for (const [filter, ask] of asks) {
    const reader = new ParkableReader(store.storage.snapshot())
    const seen: string[] = []
    for (const found of find(reader, store.collection(reader), store.request(filter, ask))) {
      seen.push(told(found.get('_id')))
      reader.park()
      store.change({ _id: 0 }, before => before.copy().set('noise', bson(seen.length)))
      reader.resume(store.storage.snapshot())
    }
    reader.release()
    t.strictSame(seen, store.ids(filter, ask), told(bson(filter)))
  }
})
