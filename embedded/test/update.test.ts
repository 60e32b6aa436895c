import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { parseFilter } from '../src/matcher/parse.js'
import { compileUpdate, seedFromFilter } from '../src/update/update.js'
import type { UpdateOptions, UpdateResult } from '../src/update/update.js'
import { Collation } from '../src/values/collation.js'
import { encodeDocument } from '../src/values/bson-write.js'
import { Doc, Double, Int32, Timestamp } from '../src/values/types.js'
import type { Maybe, Value } from '../src/values/types.js'
import { CONTEXT, bson, dec, told } from './support/expressions.js'
import { codeOf, doc, opened, stored } from './support/filters.js'

type Options = Partial<UpdateOptions> & { position?: number, insert?: boolean }

function run (update: object | object[], x: object | Doc, { position, insert = false, ...options }: Options = {}): UpdateResult {
  const spec = Array.isArray(update) ? update.map(doc) : doc(update)
  return compileUpdate(spec, { ctx: CONTEXT, ...options }).apply(stored(x), { position, insert })
}

const result = (update: object | object[], x: object, options?: Options): string => told(run(update, x, options).doc)

t.test('assignment', async t => {
  const cases: [update: object, x: object, result: string][] = [
    [{ $set: { a: 2, n: 1 } }, { a: 1, b: 1 }, '{a: 2, b: 1, n: 1}'], [{ $set: { 'z.y': 1, c: 2, 'a.b': 3 } }, {}, '{a: {b: 3}, c: 2, z: {y: 1}}'],
    [{ $set: { 'a.10': 1, 'a.9': 2 } }, { a: {} }, '{a: {9: 2, 10: 1}}'], [{ $set: { 'a.0': 1 } }, {}, '{a: {0: 1}}'],
    [{ $set: { 'a.3': 1 } }, { a: [5] }, '{a: [5, null, null, 1]}'],
    [{ $set: { 'a.1.b': 1 } }, { a: [5] }, '{a: [5, {b: 1}]}'], [{ $unset: { a: 1, 'b.c': 1 } }, { a: 1, b: { c: 1, d: 2 } }, '{b: {d: 2}}'],
    [{ $unset: { 'a.1': 1 } }, { a: [1, 2, 3] }, '{a: [1, null, 3]}'], [{ $unset: { 'a.x.y': 1 } }, { a: 5 }, '{a: 5}'],
    [{ $min: { a: 1, b: 5, c: 1 } }, { a: 2, b: 3 }, '{a: 1, b: 3, c: 1}'],
    [{ $max: { a: 'x' } }, { a: 5 }, '{a: "x"}'], [{ $rename: { a: 'b' } }, { a: 1, b: 2, c: 3 }, '{b: 1, c: 3}'],
    [{ $rename: { a: 'n.m' } }, { a: [1] }, '{n: {m: [1]}}'],
    [{ $rename: { nope: 'b' } }, { b: 2 }, '{b: 2}'], [{ $setOnInsert: { a: 1 } }, { b: 1 }, '{b: 1}'],
    [{ $set: { '__proto__.x': 1 } }, {}, '{__proto__: {x: 1}}'],
    [{ $currentDate: { a: true, b: { $type: 'date' } } }, {}, '{a: 2025-01-02T03:04:05.678Z, b: 2025-01-02T03:04:05.678Z}'],
    [{ $set: {} }, { a: 1 }, '{a: 1}']
  ]
  for (const [update, x, expected] of cases) t.equal(result(update, x), expected, told(doc(update)))
  t.ok(run({ $currentDate: { a: { $type: 'timestamp' } } }, {}).doc.get('a') instanceof Timestamp)
})

t.test('arithmetic keeps types and widens as MongoDB does', async t => {
  const cases: [update: object, a: Maybe, expected: string][] = [
    [{ $inc: { a: 1 } }, new Int32(1), '2'], [{ $inc: { a: 1 } }, new Int32(2147483647), 'long 2147483648'],
    [{ $inc: { a: 1n } }, new Int32(1), 'long 2'],
    [{ $inc: { a: 1.5 } }, new Int32(1), '2.5'], [{ $inc: { a: dec('0.10') } }, new Int32(1), 'decimal 1.10'], [{ $inc: { a: 2 } }, undefined, '2'],
    [{ $mul: { a: 2 } }, new Int32(1073741824), 'long 2147483648'], [{ $mul: { a: 2.5 } }, undefined, '0.'],
    [{ $mul: { a: 3n } }, undefined, 'long 0'],
    [{ $bit: { a: { and: 6 } } }, new Int32(5), '4'], [{ $bit: { a: { or: 2n, xor: 1 } } }, new Int32(5), 'long 6'],
    [{ $bit: { a: { or: 5 } } }, undefined, '5']
  ]
  for (const [update, a, expected] of cases) {
    const { doc: out } = run(update, a === undefined ? Doc.of() : Doc.of([['a', a]]))
    t.equal(told(out.get('a')), expected, told(doc(update)))
  }
})

t.test('arrays', async t => {
  const x = { a: [3, 1, 2], o: [{ k: 1, v: 2 }, { k: 2, v: 1 }] }
  const cases: [update: object, field: string, expected: string][] = [
    [{ $push: { a: 4 } }, 'a', '[3, 1, 2, 4]'], [{ $push: { a: [4] } }, 'a', '[3, 1, 2, [4]]'],
    [{ $push: { a: { $each: [5, 4], $sort: 1 } } }, 'a', '[1, 2, 3, 4, 5]'],
    [{ $push: { a: { $each: [9], $position: 1 } } }, 'a', '[3, 9, 1, 2]'], [{ $push: { a: { $each: [9], $position: -1 } } }, 'a', '[3, 1, 9, 2]'],
    [{ $push: { a: { $each: [9], $slice: -2 } } }, 'a', '[2, 9]'], [{ $push: { a: { $each: [], $slice: 0 } } }, 'a', '[]'],
    [{ $push: { n: { $each: [1, 2] } } }, 'n', '[1, 2]'],
    [{ $push: { o: { $each: [{ k: 0 }], $sort: { v: 1, k: -1 } } } }, 'o', '[{k: 0}, {k: 2, v: 1}, {k: 1, v: 2}]'],
    [{ $addToSet: { a: { $each: [1n, 7, 7] } } }, 'a', '[3, 1, 2, 7]'], [{ $addToSet: { o: { k: 1, v: 2 } } }, 'o', '[{k: 1, v: 2}, {k: 2, v: 1}]'],
    [{ $addToSet: { o: { v: 2, k: 1 } } }, 'o', '[{k: 1, v: 2}, {k: 2, v: 1}, {v: 2, k: 1}]'], [{ $pop: { a: 1 } }, 'a', '[3, 1]'],
    [{ $pop: { a: -1 } }, 'a', '[1, 2]'],
    [{ $pull: { a: { $gte: 2 } } }, 'a', '[1]'], [{ $pull: { a: 1n } }, 'a', '[3, 2]'],
    [{ $pull: { o: { k: { $lt: 2 } } } }, 'o', '[{k: 2, v: 1}]'], [{ $pull: { o: {} } }, 'o', '[]'],
    [{ $pull: { o: { $or: [{ k: 1 }, { v: 1 }] } } }, 'o', '[]'], [{ $pullAll: { a: [1, 2] } }, 'a', '[3]'], [{ $pull: { 'o.v': 1 } }, 'o', '28']
  ]
  for (const [update, field, expected] of cases) {
    const code = codeOf(() => run(update, x))
    t.equal(code === 0 ? told(run(update, x).doc.get(field)) : String(code), expected, told(doc(update)))
  }
  const ctx = { ...CONTEXT, collation: Collation.parse(doc({ locale: 'en', strength: 2 })) }
  t.equal(result({ $pull: { a: 'X' } }, { a: ['x', 'y'] }, { ctx }), '{a: ["y"]}')
  t.equal(result({ $addToSet: { a: 'X' } }, { a: ['x'] }, { ctx }), '{a: ["x"]}')
})

t.test('positions: $, $[] and $[identifier]', async t => {
  const x = { a: [{ b: 1, c: [1, 2] }, { b: 2, c: [3] }] }
  const filtered = (...filters: object[]): Options => ({ arrayFilters: filters.map(doc) })
  const cases: [update: object, options: Options, result: string][] = [
    [{ $set: { 'a.$.b': 9 } }, { position: 1 }, '{a: [{b: 1, c: [1, 2]}, {b: 9, c: [3]}]}'],
    [{ $inc: { 'a.$[].b': 1 } }, {}, '{a: [{b: 2, c: [1, 2]}, {b: 3, c: [3]}]}'],
    [{ $set: { 'a.$[e].b': 9 } }, filtered({ 'e.b': { $gte: 2 } }), '{a: [{b: 1, c: [1, 2]}, {b: 9, c: [3]}]}'],
    [{ $set: { 'a.$[].c.$[n]': 0 } }, filtered({ n: { $gt: 1 } }), '{a: [{b: 1, c: [1, 0]}, {b: 2, c: [0]}]}'],
    [{ $set: { 'a.$[e].x': 1, 'a.$[f].y': 2 } }, filtered({ 'e.b': 1 }, { $or: [{ 'f.b': 1 }, { 'f.b': 7 }] }),
      '{a: [{b: 1, c: [1, 2], x: 1, y: 2}, {b: 2, c: [3]}]}'],
    [{ $set: { 'a.$.x': 1, 'a.0.y': 2 } }, { position: 0 }, '{a: [{b: 1, c: [1, 2], x: 1, y: 2}, {b: 2, c: [3]}]}']
  ]
  for (const [update, options, expected] of cases) t.equal(result(update, x, options), expected, told(doc(update)))
})

t.test('errors', async t => {
  const x = { _id: 1, s: 'x', n: 5, t: [1], z: null, max: (1n << 63n) - 1n }
  const cases: [update: object, code: number, options?: Options][] = [
    [{ $set: { _id: 2 } }, 66], [{ $unset: { _id: 1 } }, 66], [{ $set: { '_id.x': 2 } }, 28], [{ $inc: { s: 1 } }, 14], [{ $inc: { n: 'x' } }, 14],
    [{ $inc: { max: 1 } }, 2],
    [{ $push: { n: 1 } }, 2], [{ $addToSet: { n: 1 } }, 2], [{ $pull: { n: 1 } }, 2], [{ $pop: { n: 1 } }, 14], [{ $pop: { t: 2 } }, 9],
    [{ $bit: { n: { and: 1.5 } } }, 2],
    [{ $bit: { s: { and: 1 } } }, 2], [{ $bit: { n: {} } }, 2], [{ $set: { 'n.x': 1 } }, 28], [{ $set: { 'z.x': 1 } }, 28],
    [{ $set: { 't.x': 1 } }, 28], [{ $pull: { 'n.x': 1 } }, 28],
    [{ $set: { a: 1, 'a.b': 2 } }, 40], [{ $set: { n: 1 }, $inc: { n: 1 } }, 40], [{ $set: { 't.0': 1, 't.$': 1 } }, 40, { position: 0 }],
    [{ $foo: { n: 1 } }, 9],
    [{ $set: { n: 1 }, x: 1 }, 9], [{ $set: 5 }, 9], [{ $rename: { n: 'n' } }, 2], [{ $rename: { n: 'n.x' } }, 2], [{ $rename: { 't.0': 'q' } }, 2],
    [{ $rename: { n: 't.0' } }, 2],
    [{ $rename: { n: 5 } }, 2], [{ $set: { 'a..b': 1 } }, 56], [{ $set: { '': 1 } }, 56], [{ $set: { $x: 1 } }, 52], [{ $set: { 't.$': 1 } }, 2],
    [{ $set: { 't.$[e]': 1 } }, 2],
    [{ $set: { n: 1 } }, 9, { arrayFilters: [doc({ e: 1 })] }], [{ $set: { 't.$[e]': 1 } }, 9, { arrayFilters: [doc({ e: 1 }), doc({ e: 2 })] }],
    [{ $set: { 't.$[E]': 1 } }, 2, { arrayFilters: [doc({ E: 1 })] }], [{ $set: { 'n.$[]': 1 } }, 2], [{ $set: { 'q.$[]': 1 } }, 2],
    [{ $set: { '$[].x': 1 } }, 2],
    [{ $push: { t: { $each: 5 } } }, 2], [{ $push: { t: { $each: [], $sort: 0 } } }, 2], [{ $push: { t: { $each: [], $foo: 1 } } }, 2],
    [{ $addToSet: { t: { $each: 1 } } }, 14],
    [{ $pullAll: { t: 1 } }, 2], [{ $currentDate: { q: 'x' } }, 2], [{ $set: { 't.2000000': 1 } }, 34], [{ _id: 2 }, 66], [{ a: 1, $b: 1 }, 52],
    [{ a: 1 }, 9, { multi: true }]
  ]
  for (const [update, code, options] of cases) t.equal(codeOf(() => run(update, x, options)), code, told(doc(update)))
  let deep: object = {}
  for (let i = 0; i < 181; i++) deep = { a: deep }
  t.equal(codeOf(() => run({ $set: { a: deep } }, x)), 15)
})

t.test('what counts as no change', async t => {
  const x = { _id: 1, n: 1, a: [1, 2], o: { b: 1 } }
  const same: object[] = [
    { $set: { n: 1, 'o.b': 1 } }, { $inc: { n: 0 } }, { $mul: { n: 1 } }, { $min: { n: 1n } }, { $addToSet: { a: 1 } }, { $pull: { a: 9 } },
    { $push: { a: { $each: [] } } },
    { $push: { a: { $each: [], $sort: 1 } } }, { $unset: { q: 1 } }, { $bit: { n: { or: 1 } } }, { $set: { o: { b: 1 } } },
    { _id: 1, n: 1, a: [1, 2], o: { b: 1 } }, { $set: { a: [1, 2] } }
  ]
  for (const update of same) {
    const raw = stored(x)
    const outcome = compileUpdate(doc(update), { ctx: CONTEXT }).apply(raw, { insert: false })
    t.notOk(outcome.changed, told(doc(update)))
    t.equal(outcome.doc, raw)
  }
  const changed: object[] = [
    { $set: { n: new Double(1) } }, { $inc: { n: 0n } }, { $push: { a: { $each: [9], $slice: 2 } } }, { $push: { a: { $each: [], $sort: -1 } } },
    { n: 1, a: [1, 2], o: { b: 1 } }
  ]
  for (const update of changed) t.ok(run(update, x).changed, told(doc(update)))
})

t.test('replacement and pipeline', async t => {
  t.equal(result({ b: 1 }, { _id: 5, a: 1 }), '{_id: 5, b: 1}')
  t.equal(result({ b: 1, _id: 5 }, { _id: 5, a: 1 }), '{_id: 5, b: 1}')
  t.equal(result({}, { _id: 5, a: 1 }), '{_id: 5}')
  t.equal(result([{ $set: { n: { $add: ['$a', 1] } } }, { $unset: 'a' }], { _id: 5, a: 1 }), '{_id: 5, n: 2}')
  t.equal(result([{ $replaceWith: { x: '$a' } }], { _id: 5, a: 1 }), '{_id: 5, x: 1}')
  t.equal(result([{ $project: { a: 1 } }, { $addFields: { t: '$$NOW' } }], { _id: 5, a: 1, b: 1 }), '{_id: 5, a: 1, t: 2025-01-02T03:04:05.678Z}')
  t.equal(result([{ $set: { a: '$$c' } }], { _id: 5 }, { constants: doc({ c: 7 }) }), '{_id: 5, a: 7}')
  const codes: [object[], number, Options?][] = [
    [[{ $match: {} }], 72], [[{ $set: { _id: 9 } }], 66], [[{ $replaceWith: '$n' }], 40228], [[{ $set: { a: { $nope: 1 } } }], 168],
    [[{ $nope: 1 }], 72], [[{}], 40323],
    [[{ $set: { a: 1 } }], 9, { arrayFilters: [doc({ e: 1 })] }], [[{ $unset: [] }], 31119]
  ]
  for (const [stages, code, options] of codes) t.equal(codeOf(() => run(stages, { _id: 5, n: 1 }, options)), code, told(bson(stages)))
})

t.test('upserts start from the equalities of the filter', async t => {
  const seed = (filter: object): string => told(seedFromFilter(parseFilter(doc(filter), CONTEXT)))
  const cases: [filter: object, seed: string][] = [
    [{ b: 1, a: 2 }, '{a: 2, b: 1}'], [{ 'a.b': 1, c: { $gt: 1 } }, '{a: {b: 1}}'], [{ $and: [{ a: 1 }, { b: { $eq: 2 } }] }, '{a: 1, b: 2}'],
    [{ $or: [{ a: 1 }] }, '{a: 1}'],
    [{ $or: [{ a: 1 }, { b: 1 }] }, '{}'], [{ a: { $in: [1] }, b: { $in: [1, 2] } }, '{a: 1}'], [{ a: { $all: [1] } }, '{a: 1}'],
    [{ a: /x/, b: null }, '{b: null}'], [{ a: { $ne: 1 } }, '{}']
  ]
  for (const [filter, expected] of cases) t.equal(seed(filter), expected, told(doc(filter)))
  t.equal(codeOf(() => seed({ a: 1, $and: [{ a: 2 }] })), 54)
  t.equal(codeOf(() => seed({ 'a.b': 1, a: { c: 1 } })), 54)
  t.equal(codeOf(() => seed({ $expr: { $eq: ['$a', 1] } })), 224)
  t.equal(told(seedFromFilter(parseFilter(doc({ _id: 1, a: 1 }), CONTEXT), true)), '{_id: 1}')
  t.equal(result({ $set: { b: 1 }, $setOnInsert: { _id: 7, c: 1 } }, {}, { insert: true }), '{_id: 7, b: 1, c: 1}')
  t.equal(codeOf(() => run({ $set: { _id: [1] } }, {}, { insert: true })), 53)
})

t.test('what a change stream is told', async t => {
  const x = { _id: 1, n: 1, a: [1, 2], o: { b: 1 }, l: [{ v: 1 }, { v: 2 }] }
  const pad = 'x'.repeat(200)
  const cases: [update: object | object[], updated: string, removed?: string[]][] = [
    [{ $set: { n: 2, 'o.c': 1 }, $unset: { 'o.b': 1 } }, '{n: 2, o.c: 1}', ['o.b']], [{ $push: { a: { $each: [3, 4] } } }, '{a.2: 3, a.3: 4}'],
    [{ $push: { a: { $each: [0], $position: 0 } } }, '{a: [0, 1, 2]}'], [{ $set: { 'x.y.z': 1 } }, '{x: {y: {z: 1}}}'],
    [{ $set: { 'l.$[].v': 5 } }, '{l: [{v: 5}, {v: 5}]}'],
    [{ $set: { 'l.1.v': 5 } }, '{l.1.v: 5}'], [{ $rename: { n: 'm' } }, '{m: 1}', ['n']], [{ $pull: { a: 1 } }, '{a: [2]}'],
    [{ $inc: { n: 1 }, $set: { 'o.b': 1 } }, '{n: 2}'],
    [[{ $set: { n: 2, 'o.b': 7, 'p.b': 7 } }, { $unset: 'a' }], '{n: 2, o: {b: 7}, p.b: 7}', ['a']]
  ]
  for (const [update, updated, removed = []] of cases) {
    const { changes } = run(update, { ...x, p: { b: 1, pad }, pad })
    t.equal(told(Doc.of(changes!.updated)), updated, told(bson(update)))
    t.same(changes!.removed, removed)
  }
  t.same(run([{ $set: { a: [pad] } }], { a: [pad, 2, 3], pad }).changes!.truncated, [{ field: 'a', newSize: 1 }])
  t.equal(run([{ $replaceWith: { z: 1 } }], x).changes, undefined, 'a change as large as the document is a replacement')
  t.equal(run({ z: 1 }, x).changes, undefined)
})

/** Does what a listener does with an update event. */
function follow (before: Doc, { changes }: UpdateResult): Doc {
  const out = opened(before)
  for (const path of changes!.removed) change(out, path.split('.'), undefined)
  for (const [path, value] of changes!.updated) change(out, path.split('.'), value)
  return out
}

function change (target: Value, path: readonly string[], value: Value | undefined): void {
  const [name, ...rest] = path as [string, ...string[]]
  if (Array.isArray(target)) {
    const index = Number(name)
    while (target.length < index) target.push(null)
    if (rest.length > 0) change(target[index], rest, value)
    else target[index] = value ?? null
  } else if (target instanceof Doc) {
    if (rest.length > 0) change(target.get(name)!, rest, value)
    else if (value === undefined) target.delete(name)
    else target.set(name, value)
  }
}

t.test('the description leads to the new document, and the old one stays as it was', async () => {
  const path = fc.constantFrom('a', 'b', 'c', 'a.x', 'a.y', 'b.0', 'b.2', 'b.$[]', 'b.1.x', 'c.x.y', 'n')
  const small = fc.oneof(fc.integer({ min: 0, max: 3 }).map(n => new Int32(n) as Value), fc.constantFrom<Value>('s', null, [new Int32(1)], doc({ x: 1 })))
  const operation = fc.oneof(
    fc.tuple(fc.constantFrom('$set', '$unset', '$min', '$max', '$push', '$addToSet', '$pull'), path, small),
    fc.tuple(fc.constantFrom('$inc', '$mul', '$pop'), path, fc.constantFrom<Value>(new Int32(1), new Int32(-1))),
    fc.tuple(fc.constant('$rename'), path, fc.constantFrom<Value>('r', 'r.s', 'c'))
  )
  const document = fc.record({
    a: fc.oneof(small, fc.constant(doc({ x: 1, y: [1] }))),
    b: fc.oneof(small, fc.array(small, { maxLength: 3 }) as fc.Arbitrary<Value>),
    c: fc.oneof(small, fc.constant(doc({ x: { y: 2 } })))
  })
  fc.assert(fc.property(fc.array(operation, { minLength: 1, maxLength: 3 }), document, (operations, fields) => {
    const update = Doc.of()
    for (const [operator, at, operand] of operations) update.set(operator, (update.get(operator) as Doc | undefined ?? Doc.of()).set(at, operand))
    const before = stored(Doc.of(Object.entries(fields)))
    const bytes = encodeDocument(before).toString('hex')
    if (codeOf(() => compileUpdate(update, { ctx: CONTEXT }).apply(before, { insert: false })) !== 0) return
    const outcome = compileUpdate(update, { ctx: CONTEXT }).apply(before, { insert: false })
    assert.equal(encodeDocument(before).toString('hex'), bytes)
    if (!outcome.changed) return
    assert.equal(told(sortFields(follow(before, outcome))), told(sortFields(opened(outcome.doc))))
  }), { numRuns: 3000 })
})

function sortFields (v: Value): Value {
  if (Array.isArray(v)) return v.map(sortFields)
  if (!(v instanceof Doc)) return v
  return Doc.of(Array.from(v, ([name, value]): [string, Value] => [name, sortFields(value)]).sort(([a], [b]) => a < b ? -1 : 1))
}
