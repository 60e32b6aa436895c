import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { compileAddFields, compileProjection, compileUnset } from '../src/projection/projection.js'
import { Doc } from '../src/values/types.js'
import type { Value } from '../src/values/types.js'
import { anyDoc, anyValue } from './fixtures/arbitraries.js'
import { CONTEXT, told } from './support/expressions.js'
import { codeOf, doc, matcher, opened, stored } from './support/filters.js'

const find = (spec: object, x: object, filter: object = {}): string =>
  told(compileProjection(doc(spec), { ctx: CONTEXT, forFind: true, match: matcher(filter) }).apply(stored(x)))
const project = (spec: object, x: object): string => told(compileProjection(doc(spec), { ctx: CONTEXT, forFind: false }).apply(stored(x)))
const addFields = (spec: object, x: object): string => told(compileAddFields(doc(spec), CONTEXT).apply(stored(x)))

t.test('inclusion and exclusion', async t => {
  const x = { _id: 1, a: 1, b: { c: 1, d: 2 }, e: [{ c: 1, d: 2 }, 5, [{ c: 3 }], []] }
  const cases: [spec: object, result: string][] = [
    [{ a: 1 }, '{_id: 1, a: 1}'], [{ _id: 0, a: true }, '{a: 1}'], [{ b: 1, a: 1 }, '{_id: 1, a: 1, b: {c: 1, d: 2}}'],
    [{ 'b.c': 1 }, '{_id: 1, b: {c: 1}}'],
    [{ b: { c: 1 } }, '{_id: 1, b: {c: 1}}'], [{ 'e.c': 1 }, '{_id: 1, e: [{c: 1}, [{c: 3}], []]}'], [{ 'a.x': 1 }, '{_id: 1}'],
    [{ 'b.x': 1 }, '{_id: 1, b: {}}'],
    [{ _id: 1 }, '{_id: 1}'], [{ _id: 0 }, '{a: 1, b: {c: 1, d: 2}, e: [{c: 1, d: 2}, 5, [{c: 3}], []]}'],
    [{ a: 0, b: 0, 'e.c': 0 }, '{_id: 1, e: [{d: 2}, 5, [{}], []]}'], [{ 'e.0': 0, b: 0, a: 0 }, '{_id: 1, e: [{c: 1, d: 2}, 5, [{c: 3}], []]}'],
    [{ _id: 1, a: 0, b: 0, e: 0 }, '{_id: 1}'], [{ _id: 0, 'b.d': 1 }, '{b: {d: 2}}']
  ]
  for (const [spec, result] of cases) t.equal(find(spec, x), result, told(doc(spec)))
})

t.test('a document that is not touched passes through', async t => {
  const raw = stored({ _id: 1, a: [{ b: 1 }] })
  t.equal(compileProjection(doc({ x: 0 }), { ctx: CONTEXT, forFind: true }).apply(raw), raw)
  t.equal(compileProjection(doc({ a: { $slice: 1 } }), { ctx: CONTEXT, forFind: true }).apply(stored({ b: 1 })).size, 1)
})

t.test("find's own operators", async t => {
  const x = { _id: 1, a: [1, 2, 3, 4], b: [{ x: 1, y: [1, 2] }, { x: 2, y: [3] }], c: 5 }
  const cases: [spec: object, result: string, filter?: object][] = [
    [{ a: { $slice: 2 }, b: 0 }, '{_id: 1, a: [1, 2], c: 5}'], [{ a: { $slice: -1 }, c: 1 }, '{_id: 1, a: [4], c: 5}'],
    [{ a: { $slice: [1, 2] }, _id: 1 }, '{_id: 1, a: [2, 3]}'],
    [{ a: { $slice: [-3, 2] }, b: 0, c: 0 }, '{_id: 1, a: [2, 3]}'], [{ a: { $slice: 0 }, b: 0 }, '{_id: 1, a: [], c: 5}'],
    [{ c: { $slice: 1 }, a: 0, b: 0 }, '{_id: 1, c: 5}'],
    [{ 'b.y': { $slice: 1 }, a: 0, c: 0 }, '{_id: 1, b: [{x: 1, y: [1]}, {x: 2, y: [3]}]}'],
    [{ b: { $elemMatch: { x: 2 } }, c: 1 }, '{_id: 1, c: 5, b: [{x: 2, y: [3]}]}'], [{ a: { $elemMatch: { $gt: 2 } } }, '{_id: 1, a: [3]}'],
    [{ a: { $elemMatch: { $gt: 9 } } }, '{_id: 1}'], [{ c: { $elemMatch: { $gt: 1 } } }, '{_id: 1}'],
    [{ 'a.$': 1 }, '{_id: 1, a: [3]}', { a: { $gte: 3 } }], [{ 'b.$': 1 }, '{_id: 1, b: [{x: 2, y: [3]}]}', { 'b.x': 2 }],
    [{ 'c.$': 1 }, '{_id: 1, c: 5}', { c: 5 }],
    [{ d: { $add: ['$c', 1] }, c: 1 }, '{_id: 1, c: 5, d: 6}'], [{ c: '$_id' }, '{_id: 1, c: 1}'], [{ c: 'text' }, '{_id: 1, c: "text"}'],
    [{ a: { $slice: ['$a', 1, 1] } }, '{_id: 1, a: [2]}']
  ]
  for (const [spec, result, filter] of cases) t.equal(find(spec, x, filter), result, told(doc(spec)))
})

t.test('computed fields', async t => {
  const one = { $literal: 1 }
  const cases: [spec: object, x: object, result: string][] = [
    [{ x: { $add: ['$a', 1] } }, { _id: 1, a: 1 }, '{_id: 1, x: 2}'], [{ 'a.b': one }, { a: 5 }, '{a: {b: 1}}'],
    [{ 'a.b': one }, { a: { c: 1 } }, '{a: {b: 1}}'],
    [{ 'a.b': one, 'a.c': 1 }, { a: [{ c: 1, d: 1 }, 5] }, '{a: [{c: 1, b: 1}, {b: 1}]}'],
    [{ 'a.b': one, z: 1 }, { a: 1, z: 2 }, '{a: {b: 1}, z: 2}'],
    [{ 'a.b': one }, { z: 2 }, '{a: {b: 1}}'], [{ a: '$nope', z: 1 }, { a: 1, z: 2 }, '{z: 2}'], [{ a: { b: '$z' } }, { z: 2 }, '{a: {b: 2}}'],
    [{ a: [1, '$z'] }, { z: 2 }, '{a: [1, 2]}']
  ]
  for (const [spec, x, result] of cases) t.equal(project(spec, x), result, told(doc(spec)))
})

t.test('$addFields keeps places, replaces scalars and goes through arrays', async t => {
  const cases: [spec: object, x: object, result: string][] = [
    [{ b: 5, n: 1 }, { a: 1, b: 2, c: 3 }, '{a: 1, b: 5, c: 3, n: 1}'], [{ 'b.x': 1 }, { b: { y: 2 } }, '{b: {y: 2, x: 1}}'],
    [{ 'b.x': 1 }, { b: [{ y: 2 }, 5, []] }, '{b: [{y: 2, x: 1}, {x: 1}, []]}'],
    [{ b: { x: { y: 1 } } }, { b: { x: 5 } }, '{b: {x: {y: 1}}}'], [{ a: '$$REMOVE' }, { a: 1, b: 2 }, '{b: 2}'],
    [{ a: {} }, { a: { b: 1 } }, '{a: {}}'], [{ a: '$b', b: '$a' }, { a: 1, b: 2 }, '{a: 2, b: 1}']
  ]
  for (const [spec, x, result] of cases) t.equal(addFields(spec, x), result, told(doc(spec)))
  t.equal(told(compileUnset(['a', 'b.c'], CONTEXT).apply(stored({ a: 1, b: { c: 1, d: 2 } }))), '{b: {d: 2}}')
})

t.test('what is refused', async t => {
  const finds: [spec: object, code: number][] = [
    [{ a: 1, b: 0 }, 31254], [{ a: 0, b: 1 }, 31253], [{ a: 1, 'a.b': 1 }, 31249], [{ 'a.b': 1, a: 1 }, 31250], [{ a: {} }, 51270],
    [{ '': 1 }, 40352], [{ 'a.': 1 }, 40353],
    [{ 'a..b': 1 }, 15998], [{ $a: 1 }, 16410], [{ a: { $slice: 'x' } }, 28667], [{ a: { $slice: [1, 0] } }, 28724],
    [{ a: { $elemMatch: 1 } }, 31274],
    [{ 'a.b': { $elemMatch: {} } }, 31275], [{ a: 0, b: { $add: [1, 2] } }, 31252], [{ a: 0, b: 'x' }, 31310], [{ a: { $nope: 1 } }, 31325],
    [{ 'a.$': 1, 'b.$': 1 }, 31276],
    [{ 'a.$': 0 }, 31395], [{ 'a.$.b': 1 }, 31394], [{ 'a.$': 'x' }, 31308], [{ 'a.$': { b: 1 } }, 31271],
    [{ 'a.$': 1, b: { $elemMatch: {} } }, 31255],
    [{ b: { $elemMatch: {} }, 'a.$': 1 }, 31256], [{ a: { $meta: 'nope' } }, 17308]
  ]
  for (const [spec, code] of finds) t.equal(codeOf(() => find(spec, {})), code, told(doc(spec)))
  const projects: [spec: object, code: number][] = [[{ 'a.$': 1 }, 31324], [{ a: { $elemMatch: {} } }, 168], [{}, 51272]]
  for (const [spec, code] of projects) t.equal(codeOf(() => project(spec, {})), code, told(doc(spec)))
  const additions: [spec: object, code: number][] = [
    [{ a: 1, 'a.b': 1 }, 40176], [{ a: { b: 1, 'c.d': 1 } }, 40183], [{ a: { $add: [1], b: 1 } }, 40181], [{ 'a.': 1 }, 40353]
  ]
  for (const [spec, code] of additions) t.equal(codeOf(() => addFields(spec, {})), code, told(doc(spec)))
  t.equal(codeOf(() => compileProjection(doc({ 'a.$': 1 }), { ctx: CONTEXT, forFind: true })), 51050)
  t.equal(codeOf(() => find({ 'a.$': 1 }, { a: [1] })), 51246)
  t.equal(codeOf(() => find({ 'b.$': 1 }, { a: [1, 2], b: [1] }, { a: 2 })), 51247)
})

t.test('what a projection needs', async t => {
  const needs = (spec: object): unknown => compileProjection(doc(spec), { ctx: CONTEXT, forFind: true, match: matcher({}) }).needs
  t.same(needs({ a: 1, _id: 0 }), ['a'])
  t.same(needs({ 'a.b': 1, x: '$c.d' }), ['a.b', 'c.d', '_id'])
  t.same(needs({ 'a.b': '$c' }), ['c', 'a', '_id'])
  t.same([needs({ a: 0 }), needs({ 'a.$': 1 }), needs({ x: '$$ROOT' })], ['all', 'all', 'all'])
})

const isContainer = (v: Value): v is Doc | Value[] => v instanceof Doc || Array.isArray(v)

/** What flags mean, said without regard to speed. */
function flagged (v: Value, paths: readonly string[], keep: boolean): Value | undefined {
  if (Array.isArray(v)) return v.map(element => flagged(element, paths, keep)).filter(element => element !== undefined)
  if (!(v instanceof Doc)) return keep ? undefined : v
  const out = Doc.of()
  for (const [name, value] of v) {
    const rest = paths.filter(path => path.startsWith(`${name}.`)).map(path => path.slice(name.length + 1))
    const named = paths.includes(name)
    const left = rest.length > 0 && !named ? flagged(value, rest, keep) : named === keep ? value : undefined
    if (left !== undefined) out.set(name, left)
  }
  return out
}

t.test('flags on bytes do what they mean', async () => {
  const path = fc.constantFrom('a', 'b.a', 'b.b', 'c.a.b')
  const value = fc.letrec<{ value: Value, doc: Doc }>(tie => ({
    value: fc.oneof({ depthSize: 'medium' }, anyValue, tie('doc'), fc.array(tie('value'), { maxLength: 3 }) as fc.Arbitrary<Value>),
    doc: fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c'), tie('value')), { maxLength: 3, selector: ([name]) => name }).map(fields => Doc.of(fields))
  })).doc
  fc.assert(fc.property(fc.uniqueArray(path, { minLength: 1, maxLength: 3 }), fc.boolean(), fc.oneof(value, anyDoc), (paths, keep, x) => {
    const spec = Doc.of([['_id', false] as [string, Value], ...paths.map((p): [string, Value] => [p, keep])])
    const projected = compileProjection(spec, { ctx: CONTEXT, forFind: true }).apply(stored(x))
    assert.equal(told(opened(projected)), told(flagged(opened(stored(x)), paths, keep)))
    assert.ok(isContainer(projected))
  }), { numRuns: 2000 })
})
