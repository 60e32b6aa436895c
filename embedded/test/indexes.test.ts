import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { extractKeys } from '../src/indexes/key-values.js'
import { describeIndexes, dropIndexes, parseIndexSpec } from '../src/indexes/index.js'
import { MongoError } from '../src/values/errors.js'
import { Doc } from '../src/values/types.js'
import { told } from './support/expressions.js'
import { codeOf, doc, stored } from './support/filters.js'
import { TestStore } from './support/store.js'

const keysOf = (of: object, ...paths: string[]): string[] => extractKeys(stored(of), paths.map(path => path.split('.'))).keys.map(key => key.map(told).join(' '))

t.test('keys: arrays give one for each element, paths through one array stay together', async t => {
  t.strictSame(keysOf({ a: 1 }, 'a', 'b'), ['1 missing'])
  t.strictSame(keysOf({ a: [1, 2, [3]] }, 'a'), ['1', '2', '[3]'])
  t.strictSame(keysOf({ a: [] }, 'a'), ['undefined undefined'])
  t.strictSame(keysOf({ a: [] }, 'a.b'), ['missing'])
  t.strictSame(keysOf({ a: [{ b: 1, c: 2 }, { b: [3, 4] }, 5] }, 'a.b', 'a.c'), ['1 2', '3 missing', '4 missing', 'missing missing'])
  t.strictSame(keysOf({ a: [[{ b: 1 }]] }, 'a.b'), ['missing'])
  t.strictSame(keysOf({ a: [7, { b: [8, 9] }] }, 'a.0'), ['7'])
  t.strictSame(keysOf({ a: [7, { b: [8, 9] }] }, 'a.1.b'), ['8', '9'])
  t.strictSame(keysOf({ a: [[1, 2]] }, 'a.0'), ['[1, 2]'])
  t.strictSame(keysOf({ a: { 0: 'x' } }, 'a.0'), ['"x"'])
  t.equal(codeOf(() => keysOf({ a: [1], b: [2] }, 'a', 'b')), 171)
  t.equal(codeOf(() => keysOf({ a: [{ 0: 1 }] }, 'a.0')), 16746)
  t.strictSame(keysOf({ a: [{ b: 1 }], c: 3 }, 'c', 'a.b'), ['3 1'])
})

function failure (run: () => unknown): MongoError {
  try {
    run()
  } catch (e) {
    if (e instanceof MongoError) return e
    throw e
  }
  throw new Error('no error')
}

t.test('a duplicate key: the sentence, the pattern, the value, and nothing half done', async t => {
  const store = new TestStore()
  t.teardown(() => store.close())
  store.index({ key: { email: 1 }, unique: true }, { key: { a: 1, tags: -1 }, unique: true, name: 'at' })
  store.insert({ _id: 1, email: 'x', a: 1, tags: ['p', 'q', 'q'] })
  const error = failure(() => store.insert({ _id: 2, email: 'x', a: 5 }))
  t.equal(error.message, 'E11000 duplicate key error collection: test.c index: email_1 dup key: { email: "x" }')
  t.strictSame([told(error.fields.keyPattern as Doc), told(error.fields.keyValue as Doc)], ['{email: 1}', '{email: "x"}'])
  t.match(failure(() => store.insert({ _id: 2, email: 'y', a: 1, tags: ['z', 'q'] })).message, /index: at dup key: { a: 1, tags: "q" }$/)
  t.match(failure(() => store.insert({ _id: 1, email: 'z' })).message, /index: _id_ dup key: { _id: 1 }$/)
  store.insert({ _id: 3, a: 2 })
  t.match(failure(() => store.insert({ _id: 4, a: 3 })).message, /dup key: { email: null }$/, 'missing is null')
  t.equal(codeOf(() => store.change({ _id: 3 }, before => before.copy().set('email', 'x'))), 11000)
  store.change({ _id: 1 }, before => before.copy().set('tags', ['q', 'r']))
  t.equal(store.count({}), 2)
  t.equal(store.validate().get('valid'), true)
})

t.test('unique with partial filter, sparse and collation', async t => {
  const store = new TestStore()
  t.teardown(() => store.close())
  store.index({ key: { a: 1 }, unique: true, partialFilterExpression: { on: true } }, { key: { s: 1 }, unique: true, sparse: true },
    { key: { n: 1 }, unique: true, sparse: true, collation: { locale: 'en', strength: 2 } })
  store.insert({ _id: 1, a: 1, on: true }, { _id: 2, a: 1 }, { _id: 3, a: 1 })
  t.equal(codeOf(() => store.insert({ _id: 4, a: 1, on: true })), 11000)
  t.equal(codeOf(() => store.change({ _id: 2 }, before => before.copy().set('on', true))), 11000)
  store.change({ _id: 1 }, before => before.copy().set('on', false))
  store.change({ _id: 2 }, before => before.copy().set('on', true))
  store.insert({ _id: 5, n: 'Ann' })
  t.equal(codeOf(() => store.insert({ _id: 6, n: 'ANN' })), 11000)
  store.insert({ _id: 7, n: 'Änn' })
  t.equal(store.validate().get('valid'), true)
})

t.test('a build over what is there; a failing one leaves nothing', async t => {
  const store = new TestStore()
  t.teardown(() => store.close())
  store.insert({ _id: 1, a: 1, b: [1], c: [2] }, { _id: 2, a: 1 })
  const error = failure(() => store.index({ key: { x: 1 } }, { key: { a: 1 }, unique: true }))
  t.match(error.message, /^Index build failed: [0-9a-f-]{36}: Collection test.c \( [0-9a-f-]{36} \) :: caused by :: E11000 .* index: a_1 dup key: { a: 1 }$/)
  t.equal(codeOf(() => store.index({ key: { b: 1, c: 1 } })), 171)
  t.equal(store.read(reader => store.collection(reader)).indexes.length, 1)
  store.index({ key: { a: -1 } })
  t.strictSame(store.ids({ a: 1 }, { hint: 'a_-1' }), ['1', '2'])
  t.equal(store.validate().get('valid'), true)
})

t.test('specifications', async t => {
  const store = new TestStore()
  t.teardown(() => store.close())
  const collection = store.read(reader => store.collection(reader))
  const parsed = (spec: object): string => told(parseIndexSpec(doc({ name: 'n', ...spec }), collection))
  t.equal(parsed({ key: { a: 1 }, unique: 1, sparse: false, background: true }), '{v: 2, key: {a: 1}, name: "n", unique: true, background: true}')
  t.equal(parsed({ key: { a: 'text', b: 1 } }),
    '{v: 2, key: {_fts: "text", _ftsx: 1, b: 1}, name: "n", weights: {a: 1}, default_language: "english", language_override: "language", textIndexVersion: 3}')
  t.match(parsed({ key: { a: 1 }, collation: { locale: 'en' } }), /collation: {locale: "en", caseLevel: false, .* version: "57.1"}/)
  const codes: [object, number][] = [
    [{ key: {} }, 67], [{ key: { a: 0 } }, 67], [{ key: { a: true } }, 67], [{ key: { a: 'foo' } }, 67], [{ key: { '': 1 } }, 67], [{ key: { 'a..b': 1 } }, 67],
    [{ key: { $a: 1 } }, 67], [{ key: { a: 1 }, nope: 1 }, 197], [{ key: 5 }, 14], [{}, 9], [{ key: { a: 1 }, name: 5 }, 14], [{ key: { a: 1 }, name: '' }, 67],
    [{ key: { a: 1 }, unique: 'x' }, 14], [{ key: { a: 1 }, v: 3 }, 67], [{ key: { a: 1 }, expireAfterSeconds: 'x' }, 67], [{ key: { a: 1, b: 1 }, expireAfterSeconds: 1 }, 67],
    [{ key: { a: 1 }, partialFilterExpression: { a: { $ne: 1 } } }, 67], [{ key: { a: 1 }, partialFilterExpression: { $nor: [{ a: 1 }] } }, 67],
    [{ key: { a: 1 }, partialFilterExpression: { a: { $bad: 1 } } }, 2], [{ key: { a: 1 }, partialFilterExpression: 5 }, 14],
    [{ key: { _id: 1 }, unique: true }, 197], [{ key: { a: 1 }, name: '_id_' }, 2], [{ key: { a: '2dsphere' } }, 115], [{ key: { '$**': 1 } }, 115],
    [{ key: { a: 1 }, wildcardProjection: {} }, 115], [{ key: { a: 'text' }, default_language: 'german' }, 115], [{ key: { a: 'text' }, weights: { a: 0 } }, 67],
    [{ key: { a: 'hashed' }, unique: true }, 16764], [{ key: { a: 'hashed', b: 'hashed' } }, 31303], [{ key: { a: 1 }, weights: { a: 1 } }, 67],
    [{ key: { a: 'text' }, collation: { locale: 'en' } }, 67], [{ key: { a: 1 }, collation: {} }, 2]
  ]
  for (const [spec, code] of codes) t.equal(codeOf(() => parsed(spec)), 'name' in spec || 'key' in spec || code !== 9 ? code : 9, told(doc(spec)))
})

t.test('conflicts with what exists, and dropping', async t => {
  const store = new TestStore()
  t.teardown(() => store.close())
  store.index({ key: { b: 1 } }, { key: { t: 'text' }, name: 'txt' })
  const names = (): string[] => store.read(reader => describeIndexes(store.collection(reader))).map(spec => spec.get('name') as string)
  store.index({ key: { b: 1 } }, { key: { _id: 1 }, name: '_id_' })
  t.strictSame(names(), ['_id_', 'b_1', 'txt'])
  t.equal(codeOf(() => store.index({ key: { b: 1 }, name: 'other' })), 85)
  t.equal(codeOf(() => store.index({ key: { b: 1 }, expireAfterSeconds: 5 })), 85)
  t.equal(codeOf(() => store.index({ key: { a: 1 }, name: 'b_1' })), 86)
  t.equal(codeOf(() => store.index({ key: { b: 1 }, unique: true })), 86)
  t.equal(codeOf(() => store.index({ key: { u: 'text' } })), 85)
  store.index({ key: { b: 1 }, unique: true, name: 'u' }, { key: { b: 1 }, collation: { locale: 'en' }, name: 'ci' })
  const drop = (which: string | string[] | Doc): void => { store.write(w => dropIndexes(w, store.catalog, store.collection(w), which)) }
  t.equal(codeOf(() => drop('no')), 27)
  t.equal(codeOf(() => drop('_id_')), 72)
  t.equal(codeOf(() => drop(doc({ b: 1 }))), 181)
  drop(['u', 'ci'])
  drop(doc({ b: 1 }))
  t.strictSame(names(), ['_id_', 'txt'])
  drop('*')
  t.strictSame(names(), ['_id_'])
})

t.test('long keys are cut and found all the same', async t => {
  const store = new TestStore()
  t.teardown(() => store.close())
  store.index({ key: { a: 1 }, unique: true })
  const long = (end: string): string => 'k'.repeat(6000) + end
  store.insert({ _id: 1, a: long('1') }, { _id: 2, a: long('2') }, { _id: 3, a: 'k' })
  t.strictSame(store.ids({ a: long('2') }), ['2'])
  t.strictSame(store.ids({ a: { $gt: long('1') } }), ['2'])
  t.strictSame(store.ids({ a: { $gte: 'k' } }, { sort: { a: -1 } }), ['2', '1', '3'])
  t.equal(codeOf(() => store.insert({ _id: 4, a: long('1') })), 11000)
  t.equal(store.count({ a: { $lt: long('2') } }), 2)
})

const value = fc.constantFrom<unknown>(null, 1, 2, 'a', 'b', [1, 2], [2, 3, 3], [], { x: 1 }, [{ x: 1 }, { x: [4, 5] }], 1.5, 7n)
const fields = fc.record({ a: value, b: fc.constantFrom<unknown>(1, 2, 'z', null), u: fc.integer({ min: 0, max: 6 }) }, { requiredKeys: [], noNullPrototype: true })
const step = fc.record({ id: fc.integer({ min: 0, max: 7 }), to: fc.option(fields, { nil: undefined }) })

t.test('after any inserts, updates and removals the indexes agree with the documents', async () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), steps => {
    const store = new TestStore()
    try {
      store.index({ key: { a: 1 } }, { key: { 'a.x': -1, b: 1 }, sparse: true }, { key: { u: 1 }, unique: true, partialFilterExpression: { b: { $gt: 0 } } },
        { key: { b: 1, a: 1 }, partialFilterExpression: { a: { $exists: true } }, name: 'p' })
      const kept = new Map<number, object>()
      for (const { id, to } of steps) {
        const change = (): void => {
          if (to === undefined) store.change({ _id: id }, () => undefined)
          else if (kept.has(id)) store.change({ _id: id }, () => stored({ _id: id, ...to }))
          else store.insert({ _id: id, ...to })
        }
        const code = codeOf(change)
        assert.ok(code === 0 || code === 11000)
        if (code !== 0) continue
        if (to === undefined) kept.delete(id)
        else kept.set(id, to)
      }
      const valid = store.validate()
      assert.equal(valid.get('valid'), true, told(valid))
      assert.deepEqual(store.ids({}).map(Number).sort((a, b) => a - b), [...kept.keys()].sort((a, b) => a - b))
    } finally {
      store.close().catch(() => {})
    }
  }), { numRuns: 200 })
})
