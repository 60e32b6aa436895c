import t from 'tap'
import { parseVars } from '../src/expressions/index.js'
import { parseDecimal } from '../src/values/decimal128.js'
import { display } from '../src/values/format.js'
import { BsonDate, Doc } from '../src/values/types.js'
import type { Value } from '../src/values/types.js'
import { compiled, doc, docs, double, refused, run, value, world } from './support/pipelines.js'
import type { Literal } from './support/pipelines.js'

t.test('the plan does the leading filter, sort, skip and limit', async t => {
  const at = world({ c: docs({ _id: 1, a: 1 }, { _id: 2, a: 2 }, { _id: 3, a: 3 }) })
  const pipeline = compiled([
    { $match: { a: { $gt: 0 } } }, { $sort: { a: -1 } }, { $match: { b: null } }, { $skip: 1 }, { $limit: 1 }, { $project: { a: 1 } }
  ], at)
  t.strictSame([...pipeline.run()].map(display), ['{ _id: 2, a: 2 }'])
  const { prefix } = at.found[0]
  t.equal(display(prefix.filterSpec), '{ $and: [ { a: { $gt: 0 } }, { b: null } ] }')
  t.equal(display(prefix.sort), '{ a: -1 }')
  t.same([prefix.skip, prefix.limit, [...prefix.needs].sort()], [1, 1, ['_id', 'a']])
  t.same(pipeline.explain(), [], 'an inclusion is left to the plan')
})

t.test('skips behind a limit shrink it', async t => {
  const prefix = (stages: readonly Literal[]): unknown[] => {
    const { skip, limit } = compiled(stages, world()).prefix!
    return [skip, limit]
  }
  t.same(prefix([{ $limit: 5 }, { $skip: 2 }, { $limit: 10 }]), [2, 3])
  t.same(prefix([{ $skip: 2 }, { $skip: 3 }, { $limit: 4 }]), [5, 4])
  t.same(prefix([{ $limit: 2 }, { $skip: 2 }]), [undefined, 2])
  t.strictSame(run(docs({ _id: 1 }, { _id: 2 }), [{ $limit: 2 }, { $skip: 2 }]), [])
})

t.test('filters go before stages that do not touch their fields', async t => {
  const filter = (stages: readonly Literal[]): string => display(compiled(stages, world()).prefix!.filterSpec)
  t.equal(filter([{ $addFields: { x: 1 } }, { $match: { a: 1 } }]), '{ a: 1 }')
  t.equal(filter([{ $addFields: { x: 1 } }, { $match: { a: 1, x: 1 } }]), '{ a: 1 }', 'in part')
  t.equal(filter([{ $addFields: { 'a.b': 1 } }, { $match: { a: 1 } }]), 'MISSING')
  t.equal(filter([{ $project: { a: 1 } }, { $match: { a: 1, b: 1 } }]), '{ a: 1 }')
  t.equal(filter([{ $project: { a: '$b' } }, { $match: { a: 1 } }]), 'MISSING')
  t.equal(filter([{ $unwind: '$t' }, { $match: { t: 1 } }]), 'MISSING')
  t.equal(filter([{ $lookup: { from: 'd', localField: 'a', foreignField: 'b', as: 'r' } }, { $unwind: '$r' }, { $match: { a: 1 } }]), '{ a: 1 }')
  t.equal(filter([{ $limit: 1 }, { $match: { a: 1 } }]), 'MISSING')
  t.equal(filter([{ $group: { _id: '$a' } }, { $match: { a: 1 } }]), 'MISSING')
})

t.test('the plan is told what the stages read', async t => {
  const needs = (stages: readonly Literal[]): unknown => compiled(stages, world()).prefix!.needs
  t.same(needs([{ $group: { _id: '$a.b', n: { $sum: '$c' } } }]), ['a.b', 'c'])
  t.same(needs([{ $count: 'n' }]), [])
  t.same(needs([{ $match: { a: 1 } }, { $count: 'n' }]), [])
  t.same(needs([{ $unwind: '$t' }, { $group: { _id: '$t' } }]), ['t'])
  t.same(needs([{ $lookup: { from: 'd', localField: 'a', foreignField: 'b', as: 'r' } }, { $group: { _id: '$r.x' } }]), ['a'])
  t.equal(needs([{ $addFields: { x: 1 } }]), 'all')
  t.same(needs([{ $addFields: { x: { $add: ['$a', 1] }, 'y.z': '$b' } }, { $group: { _id: ['$x', '$y'] } }]), ['a', 'y', 'b'])
  t.equal(needs([{ $group: { _id: '$$ROOT' } }]), 'all')
})

t.test('sort: arrays count by their least or greatest element, [] is below null, _id alone is compared as it is', async t => {
  const rows = docs({ _id: 1, a: [3, 9] }, { _id: 2, a: 5 }, { _id: 3, a: [] }, { _id: 4 }, { _id: 5, a: null })
  const order = (spec: Literal): string => run(rows, [{ $addFields: { z: 1 } }, { $sort: spec }, { $group: { _id: null, o: { $push: '$_id' } } }, { $project: { _id: 0 } }])[0]
  t.equal(order({ a: 1 }), '{ o: [ 3, 4, 5, 1, 2 ] }')
  t.equal(order({ a: -1 }), '{ o: [ 1, 2, 4, 5, 3 ] }')
  t.strictSame(run(rows, [{ $group: { _id: '$a' } }, { $sort: { _id: 1 } }]), ['{ _id: null }', '{ _id: 5 }', '{ _id: [] }', '{ _id: [ 3, 9 ] }'])
})

t.test('sort: keys of one array go together, two arrays are refused', async t => {
  const rows = docs({ _id: 1, l: [{ x: 1, y: 9 }, { x: 2, y: 0 }] }, { _id: 2, l: [{ x: 1, y: 5 }] })
  t.strictSame(run(rows, [{ $addFields: { z: 1 } }, { $sort: { 'l.x': 1, 'l.y': 1 } }, { $project: { l: 0, z: 0 } }]), ['{ _id: 2 }', '{ _id: 1 }'])
  t.equal(refused([{ $addFields: { p: [1], q: [2] } }, { $sort: { p: 1, q: 1 } }]), 2)
})

t.test('group: ids and their equality', async t => {
  const rows = docs({ _id: 1, a: 1 }, { _id: 2, a: double(1) }, { _id: 3, a: 1n }, { _id: 4, a: null }, { _id: 5 })
  t.strictSame(run(rows, [{ $group: { _id: '$a', n: { $sum: 1 } } }]), ['{ _id: 1, n: 3 }', '{ _id: null, n: 2 }'], 'the first value seen is shown')
  t.strictSame(run(rows.slice(3), [{ $group: { _id: { x: '$a' }, n: { $count: {} } } }]), ['{ _id: { x: null }, n: 1 }', '{ _id: {}, n: 1 }'])
  t.strictSame(run([], [{ $group: { _id: null, n: { $sum: 1 } } }]), [])
})

t.test('group: accumulators', async t => {
  const rows = docs({ _id: 1, a: 5, s: 'x' }, { _id: 2, a: 2.5, s: 'y' }, { _id: 3, s: null }, { _id: 4, a: null, s: 'x' })
  const one = (accumulator: Literal): string => run(rows, [{ $group: { _id: null, r: accumulator } }, { $project: { _id: 0 } }])[0]
  t.equal(one({ $sum: '$a' }), '{ r: 7.5 }')
  t.equal(one({ $sum: 3 }), '{ r: 12 }')
  t.equal(one({ $avg: '$a' }), '{ r: 3.75 }')
  t.equal(one({ $min: '$a' }), '{ r: 2.5 }')
  t.equal(one({ $max: '$s' }), '{ r: "y" }')
  t.equal(one({ $first: '$a' }), '{ r: 5 }')
  t.equal(one({ $last: '$zz' }), '{ r: null }')
  t.equal(one({ $push: '$a' }), '{ r: [ 5, 2.5, null ] }')
  t.equal(one({ $addToSet: '$s' }), '{ r: [ "x", "y", null ] }')
  t.equal(one({ $stdDevPop: '$a' }), '{ r: 1.25 }')
  t.equal(one({ $stdDevSamp: '$zz' }), '{ r: null }')
  t.equal(one({ $mergeObjects: { k: '$a' } }), '{ r: { k: null } }')
  t.equal(one({ $firstN: { n: 2, input: '$a' } }), '{ r: [ 5, 2.5 ] }')
  t.equal(one({ $lastN: { n: 3, input: '$a' } }), '{ r: [ 2.5, null, null ] }')
  t.equal(one({ $minN: { n: 9, input: '$a' } }), '{ r: [ 2.5, 5 ] }')
  t.equal(one({ $maxN: { n: 1, input: '$a' } }), '{ r: [ 5 ] }')
  t.equal(one({ $top: { output: '$_id', sortBy: { a: -1 } } }), '{ r: 1 }')
  t.equal(one({ $bottom: { output: '$zz', sortBy: { a: 1 } } }), '{ r: null }')
  t.equal(one({ $topN: { n: 2, output: ['$_id', '$a'], sortBy: { a: 1, _id: -1 } } }), '{ r: [ [ 4, null ], [ 3, null ] ] }')
  t.equal(one({ $bottomN: { n: 2, output: '$_id', sortBy: { a: 1 } } }), '{ r: [ 2, 1 ] }')
})

t.test('group: n may come from the key', async t => {
  const rows = docs({ g: 1, v: 1 }, { g: 2, v: 1 }, { g: 2, v: 2 }, { g: 1, v: 2 })
  t.strictSame(run(rows, [{ $group: { _id: { k: '$g' }, r: { $firstN: { n: '$k', input: '$v' } } } }]), ['{ _id: { k: 1 }, r: [ 1 ] }', '{ _id: { k: 2 }, r: [ 1, 2 ] }'])
})

t.test('group: sums keep their types', async t => {
  const total = (...of: Literal[]): string => run(of.map(v => doc({ v })), [{ $group: { _id: null, s: { $sum: '$v' }, a: { $avg: '$v' } } }, { $project: { _id: 0 } }])[0]
  t.equal(total(2147483647, 1), '{ s: 2147483648, a: 1073741824.0 }')
  t.equal(total(1, 2n), '{ s: 3, a: 1.5 }')
  t.equal(total(1, double(2)), '{ s: 3.0, a: 1.5 }')
  t.equal(total(1, parseDecimal('0.1')!), '{ s: 1.1, a: 0.55 }')
})

t.test('group: errors', async t => {
  t.equal(refused([{ $group: { _id: { a: 1 } } }]), 17390)
  t.equal(refused([{ $group: { _id: null, a: { $sum: [1, 2] } } }]), 40237)
  t.equal(refused([{ $group: { _id: null, a: { $nope: 1 } } }]), 15952)
  t.equal(refused([{ $group: { _id: null, $a: { $sum: 1 } } }]), 40236)
  t.equal(refused([{ $group: { _id: null, a: { $sum: 1, $avg: 1 } } }]), 40238)
  t.equal(refused([{ $group: { _id: null, a: { $firstN: { n: 0, input: 1 } } } }]), 5787908)
  t.equal(refused([{ $group: { _id: null, a: { $firstN: { n: 1.5, input: 1 } } } }]), 5787903)
  t.equal(refused([{ $group: { _id: null, a: { $topN: { n: 1, output: 1 } } } }]), 5788005)
  t.equal(refused([{ $group: { _id: null, a: { $mergeObjects: '$a' } } }]), 40400)
  t.equal(refused([{ $group: { _id: null, a: { $median: { input: 1, method: 'approximate' } } } }]), 115)
})

t.test('blocking stages have a memory limit', async t => {
  const text = 'x'.repeat(1024 * 1024)
  const rows = Array.from({ length: 110 }, (_, i) => doc({ _id: i, text: `${i}${text}` }))
  const code = (stages: readonly Literal[]): number | undefined => refused([{ $addFields: { z: 1 } }, ...stages], 'c', rows)
  t.equal(code([{ $sort: { text: 1 } }]), 292)
  t.equal(code([{ $group: { _id: '$text' } }]), 292)
  t.equal(code([{ $group: { _id: null, all: { $push: '$text' } } }]), 146)
  t.equal(code([{ $sort: { text: 1 } }, { $limit: 3 }]), undefined, 'with a limit only the best are kept')
})

t.test('unwind', async t => {
  const rows = docs({ _id: 1, t: [1, [2]] }, { _id: 2, t: 5 }, { _id: 3, t: [] }, { _id: 4, t: null }, { _id: 5 }, { _id: 6, a: { t: [7] } })
  t.strictSame(run(rows, [{ $unwind: '$t' }]), ['{ _id: 1, t: 1 }', '{ _id: 1, t: [ 2 ] }', '{ _id: 2, t: 5 }'])
  t.strictSame(run(rows, [{ $unwind: { path: '$t', includeArrayIndex: 'i', preserveNullAndEmptyArrays: true } }]), [
    '{ _id: 1, t: 1, i: 0 }', '{ _id: 1, t: [ 2 ], i: 1 }', '{ _id: 2, t: 5, i: null }', '{ _id: 3, i: null }', '{ _id: 4, t: null, i: null }',
    '{ _id: 5, i: null }', '{ _id: 6, a: { t: [ 7 ] }, i: null }'
  ])
  t.strictSame(run(rows, [{ $unwind: { path: '$a.t', includeArrayIndex: 'a.i' } }]), ['{ _id: 6, a: { t: 7, i: 0 } }'])
})

t.test('lookup by fields: elements join, missing is null, a position is a position', async t => {
  const d = docs({ _id: 1, k: 1 }, { _id: 2, k: null }, { _id: 3 }, { _id: 4, k: [1, 7] })
  const joined = (rows: Doc[], localField = 'a'): string[] =>
    run(rows, [{ $lookup: { from: 'd', localField, foreignField: 'k', as: 'r' } }, { $project: { _id: 0, r: '$r._id' } }], { d })
  t.strictSame(joined(docs({ a: 1 }, { a: [7, 9] }, { a: null }, {}, { a: [] }, { a: 'no' })),
    ['{ r: [ 1, 4 ] }', '{ r: [ 4 ] }', '{ r: [ 2, 3 ] }', '{ r: [ 2, 3 ] }', '{ r: [ 2, 3 ] }', '{ r: [] }'])
  t.strictSame(joined(docs({ a: [{ b: 1 }, { b: [7] }, 3] }), 'a.b'), ['{ r: [ 1, 4 ] }'])
  t.strictSame(joined(docs({ a: [5, 7] }), 'a.1'), ['{ r: [ 4 ] }'])
})

t.test('lookup by pipeline, mixed, nested, from a view and from its own documents', async t => {
  const d = docs({ _id: 1, k: 1, v: 1 }, { _id: 2, k: 1, v: 5 }, { _id: 3, k: 2, v: 9 })
  const c = docs({ _id: 'a', k: 1, min: 2 })
  const one = (lookup: Literal): string => run(c, [{ $lookup: lookup }, { $project: { r: '$r._id' } }], { d })[0]
  t.equal(one({ from: 'd', let: { m: '$min' }, pipeline: [{ $match: { $expr: { $gte: ['$v', '$$m'] } } }], as: 'r' }), '{ _id: "a", r: [ 2, 3 ] }')
  t.equal(one({ from: 'd', localField: 'k', foreignField: 'k', let: { m: '$min' }, pipeline: [{ $match: { $expr: { $gte: ['$v', '$$m'] } } }], as: 'r' }), '{ _id: "a", r: [ 2 ] }')
  t.equal(one({ from: 'd', localField: 'k', foreignField: 'k', pipeline: [{ $sort: { v: -1 } }, { $limit: 1 }], as: 'r' }), '{ _id: "a", r: [ 2 ] }')
  t.equal(one({ from: 'd', pipeline: [{ $sort: { v: -1 } }, { $limit: 1 }], as: 'r' }), '{ _id: "a", r: [ 3 ] }')
  t.equal(one({ pipeline: [{ $documents: [{ _id: 7 }, { _id: 8 }] }], as: 'r' }), '{ _id: "a", r: [ 7, 8 ] }')
  t.equal(one({ localField: 'k', foreignField: 'j', pipeline: [{ $documents: [{ _id: 7, j: 1 }, { _id: 8, j: 2 }] }], as: 'r' }), '{ _id: "a", r: [ 7 ] }')
  t.strictSame(run(docs({ _id: 1, v: 1 }, { _id: 2, v: 2 }), [{ $lookup: { from: 'view', localField: '_id', foreignField: '_id', as: 'r' } }, { $project: { n: { $size: '$r' } } }]),
    ['{ _id: 1, n: 0 }', '{ _id: 2, n: 1 }'])
  const nested: Literal = { from: 'd', let: { x: '$k' }, pipeline: [{ $lookup: { from: 'd', let: { y: '$_id' }, pipeline: [{ $match: { $expr: { $and: [{ $eq: ['$k', '$$x'] }, { $gt: ['$_id', '$$y'] }] } } }], as: 'r' } }, { $match: { r: { $ne: [] } } }], as: 'r' }
  t.equal(one(nested), '{ _id: "a", r: [ 1 ] }')
})

t.test('lookup: the join goes to the plan, and `as` may be a path', async t => {
  const at = world({ c: docs({ _id: 1, a: [5, 6], p: { q: 1 } }), d: docs({ _id: 5 }) })
  t.strictSame([...compiled([{ $lookup: { from: 'd', localField: 'a', foreignField: '_id', as: 'p.r' } }], at).run()].map(display),
    ['{ _id: 1, a: [ 5, 6 ], p: { q: 1, r: [ { _id: 5 } ] } }'])
  t.match(at.found[1], { coll: 'd', prefix: { filter: { kind: 'in', path: '_id' } } })
})

t.test('lookup, unionWith, graphLookup: errors', async t => {
  t.equal(refused([{ $lookup: { from: 'd', as: 'r', localField: 'a', foreignField: 'b', let: {} } }]), 9)
  t.equal(refused([{ $lookup: { from: 'd', as: 'r', localField: 'a', pipeline: [] } }]), 9)
  t.equal(refused([{ $lookup: { from: 'd', as: '$r', localField: 'a', foreignField: 'b' } }]), 16410)
  t.equal(refused([{ $lookup: { from: 'd', as: 'r', pipeline: [{ $out: 'x' }] } }]), 51047)
  t.equal(refused([{ $lookup: { from: 'd', as: 'r', let: { X: 1 }, pipeline: [] } }]), 9)
  t.equal(refused([{ $lookup: { from: 'd', as: 'r', pipeline: [{ $match: { $expr: '$$no' } }] } }]), 17276)
  t.equal(refused([{ $unionWith: { coll: 'd', pipeline: [{ $merge: 'x' }] } }]), 31441)
  t.equal(refused([{ $unionWith: { nope: 1 } }]), 40415)
  t.equal(refused([{ $unionWith: { pipeline: [] } }]), 9)
  t.equal(refused([{ $graphLookup: { from: 'd' } }]), 40105)
  t.equal(refused([{ $graphLookup: { from: 'd', maxDepth: -1 } }]), 40101)
  t.equal(refused([{ $graphLookup: { from: 'd', nope: 1 } }]), 40104)
  let deep: Literal = []
  for (let i = 0; i < 25; i++) deep = [{ $lookup: { from: 'd', as: 'r', pipeline: deep } }]
  t.equal(refused(deep as readonly Literal[]), 232)
})

t.test('unionWith: the other documents come last, each through its own pipeline', async t => {
  t.strictSame(run(docs({ _id: 1 }), [{ $unionWith: { coll: 'd', pipeline: [{ $project: { x: 1 } }] } }, { $match: { _id: { $gt: 0 } } }], { d: docs({ _id: 2, x: 1, y: 1 }) }),
    ['{ _id: 1 }', '{ _id: 2, x: 1 }'])
  t.strictSame(run(docs({ _id: 1 }), [{ $unionWith: 'c' }, { $count: 'n' }]), ['{ n: 2 }'])
  t.strictSame(run(docs({ _id: 1 }), [{ $unionWith: { pipeline: [{ $documents: [{ a: 1 }] }] } }]), ['{ _id: 1 }', '{ a: 1 }'])
})

t.test('graphLookup: breadth first, with depths, cycles and restrictions', async t => {
  const d = docs({ _id: 1, to: [2, 3] }, { _id: 2, to: 4 }, { _id: 3, to: 1, off: true }, { _id: 4, to: [] }, { _id: 5, from: null })
  const spec = { from: 'd', startWith: 1, connectFromField: 'to', connectToField: '_id', as: 'r', depthField: 'depth' }
  const found = (more: Record<string, Literal>): string =>
    run(docs({ _id: 0 }), [{ $graphLookup: { ...spec, ...more } }, { $project: { _id: 0, r: { $map: { input: '$r', in: ['$$this._id', '$$this.depth'] } } } }], { d })[0]
  t.equal(found({}), '{ r: [ [ 1, 0 ], [ 2, 1 ], [ 3, 1 ], [ 4, 2 ] ] }')
  t.equal(found({ maxDepth: 1 }), '{ r: [ [ 1, 0 ], [ 2, 1 ], [ 3, 1 ] ] }')
  t.equal(found({ restrictSearchWithMatch: { off: { $ne: true } } }), '{ r: [ [ 1, 0 ], [ 2, 1 ], [ 4, 2 ] ] }')
  t.equal(found({ startWith: null, connectToField: 'from' }), '{ r: [ [ 5, 0 ] ] }', 'null does not meet a missing field')
})

t.test('facet, count, sortByCount, replaceRoot, sample', async t => {
  const rows = docs({ _id: 1, g: 'a' }, { _id: 2, g: 'b' }, { _id: 3, g: 'b' })
  t.strictSame(run(rows, [{ $facet: { n: [{ $count: 'n' }], s: [{ $sortByCount: '$g' }], none: [{ $match: { g: 'z' } }] } }]),
    ['{ n: [ { n: 3 } ], s: [ { _id: "b", count: 2 }, { _id: "a", count: 1 } ], none: [] }'])
  t.strictSame(run([], [{ $facet: { n: [{ $count: 'n' }] } }]), ['{ n: [] }'])
  t.strictSame(run(rows, [{ $limit: 1 }, { $replaceWith: { $mergeObjects: [{ x: 1 }, '$$ROOT'] } }]), ['{ x: 1, _id: 1, g: "a" }'])
  t.equal(run(rows, [{ $sample: { size: 2 } }]).length, 2)
  t.strictSame(run(rows, [{ $sample: { size: 5 } }]).sort(), run(rows, []))
  t.equal(refused([{ $facet: { a: [{ $facet: { b: [] } }] } }]), 40600)
  t.equal(refused([{ $facet: { a: 1 } }]), 40170)
  t.equal(refused([{ $facet: { 'a.b': [] } }]), 16412)
  t.equal(refused([{ $count: 'a.b' }]), 40160)
  t.equal(refused([{ $sortByCount: { a: 1 } }]), 40147)
  t.equal(refused([{ $replaceWith: '$zz' }]), 40228)
})

t.test('redact sees each level as CURRENT', async t => {
  const rows = docs({ level: 1, a: { level: 5, x: 1 }, b: [{ level: 1, y: [{ level: 9 }, 3] }, { level: 6 }, 4] })
  t.strictSame(run(rows, [{ $redact: { $cond: [{ $lte: ['$level', 3] }, '$$DESCEND', '$$PRUNE'] } }]), ['{ level: 1, b: [ { level: 1, y: [ 3 ] }, 4 ] }'])
  t.strictSame(run(rows, [{ $redact: { $cond: [{ $eq: ['$$CURRENT', '$$ROOT'] }, '$$DESCEND', '$$KEEP'] } }, { $count: 'n' }]), ['{ n: 1 }'])
  t.equal(refused([{ $redact: 'no' }]), 17053)
})

t.test('bucket and bucketAuto', async t => {
  const rows = docs({ v: 1 }, { v: 5 }, { v: 10 }, { v: 20 }, { v: 'x' })
  t.strictSame(run(rows, [{ $bucket: { groupBy: '$v', boundaries: [0, 5, 20], default: 'rest', output: { n: { $sum: 1 }, all: { $push: '$v' } } } }]),
    ['{ _id: 0, n: 1, all: [ 1 ] }', '{ _id: 5, n: 2, all: [ 5, 10 ] }', '{ _id: "rest", n: 2, all: [ 20, "x" ] }'])
  t.equal(refused([{ $bucket: { groupBy: '$a', boundaries: [5, 6] } }]), 40066)
  t.equal(refused([{ $bucket: { groupBy: '$a', boundaries: [5, 'x'] } }]), 40193)
  t.equal(refused([{ $bucket: { groupBy: '$a', boundaries: [5, 9], default: 6 } }]), 40199)
  const numbers = docs({ v: 0 }, { v: 1 }, { v: 1 }, { v: 1 }, { v: 8 }, { v: 90 })
  t.strictSame(run(numbers, [{ $bucketAuto: { groupBy: '$v', buckets: 3 } }]), ['{ _id: { min: 0, max: 8 }, count: 4 }', '{ _id: { min: 8, max: 90 }, count: 2 }'])
  t.strictSame(run(numbers, [{ $bucketAuto: { groupBy: '$v', buckets: 3, granularity: 'POWERSOF2' } }]),
    ['{ _id: { min: 0, max: 2 }, count: 4 }', '{ _id: { min: 2, max: 128 }, count: 2 }'])
  t.strictSame(run(docs({ v: 3 }, { v: 17 }, { v: 130 }), [{ $bucketAuto: { groupBy: '$v', buckets: 3, granularity: 'R5' } }]),
    ['{ _id: { min: 2.5, max: 4.0 }, count: 1 }', '{ _id: { min: 4.0, max: 25.0 }, count: 1 }', '{ _id: { min: 25.0, max: 160.0 }, count: 1 }'])
  t.strictSame(run([], [{ $bucketAuto: { groupBy: '$v', buckets: 3 } }]), [])
  t.equal(refused([{ $bucketAuto: { groupBy: '$a', buckets: 3, granularity: 'X' } }]), 40257)
  t.equal(refused([{ $bucketAuto: { groupBy: '$_id.x', buckets: 3, granularity: 'E6' } }]), 40258)
})

t.test('documents and statistics stand first', async t => {
  t.strictSame([...compiled([{ $documents: { $map: { input: [1, 2], in: { v: '$$this' } } } }, { $match: { v: 2 } }], world(), '').run()].map(display), ['{ v: 2 }'])
  t.equal(refused([{ $match: {} }, { $collStats: {} }]), 40602)
  t.equal(refused([{ $match: {} }], ''), 73)
  t.equal(refused([], ''), 73)
  t.equal(refused([{ $documents: [1] }], ''), 40228)
  t.equal(refused([{ $documents: 1 }], ''), 5858203)
  t.strictSame(run([], [{ $collStats: { count: {} } }, { $project: { ns: 1 } }]), ['{ ns: "c" }'])
  t.strictSame(run([], [{ $indexStats: {} }]), ['{ name: "_id_" }'])
  t.equal(compiled([{ $changeStream: { fullDocument: 'x' } }, { $match: { a: 1 } }], world()).changeStream?.get('fullDocument'), 'x')
  t.equal(refused([{ $match: {} }, { $changeStream: {} }]), 40602)
  t.equal(refused([{ $geoNear: {} }]), 115)
  t.equal(refused([{ $project: { s: { $meta: 'textScore' } } }]), 40218)
})

t.test('the text score travels with the documents', async t => {
  const match = { $match: { $text: { $search: 'x' } } }
  t.strictSame(run(docs({ _id: 1, t: [1, 2] }), [match, { $unwind: '$t' }, { $addFields: { s: { $meta: 'textScore' } } }, { $limit: 1 }]), ['{ _id: 1, t: 1, s: 1.5 }'])
  t.equal(refused([{ $match: {} }, match]), 17313)
})

t.test('variables of the command reach every stage', async t => {
  const ctx = { now: new BsonDate(0) }
  const variables = parseVars(doc({ v: 2 }), ctx)
  t.strictSame(run(docs({ _id: 1, a: 2 }, { _id: 2, a: 3 }), [{ $match: { $expr: { $eq: ['$a', '$$v'] } } }, { $group: { _id: '$$v' } }], {}, { variables }), ['{ _id: 2 }'])
})

t.test('out and merge', async t => {
  const at = world({ c: docs({ _id: 1, u: 7, v: 1 }, { u: 8 }) })
  const pipeline = compiled([{ $out: { db: 'db', coll: 'o' } }], at)
  t.same(pipeline.writes, { stage: '$out', into: { db: 'db', coll: 'o' } })
  t.strictSame([...pipeline.run()], [])
  t.equal(at.collections.get('o')?.length, 2)
  const merge = (spec: Record<string, Literal>): string[] => {
    at.changes.length = 0
    t.strictSame([...compiled([{ $match: { _id: 1 } }, { $merge: { into: 'm', ...spec } }], at).run()], [])
    return at.changes.map(({ filter, update, upsert, supplied, constants }) =>
      [filter, update as Value, upsert, supplied, constants].map(display).join(' '))
  }
  t.strictSame(merge({}), ['{ _id: 1 } { $set: { _id: 1, u: 7, v: 1 } } true MISSING MISSING'])
  t.strictSame(merge({ whenMatched: 'replace', whenNotMatched: 'discard' }), ['{ _id: 1 } { _id: 1, u: 7, v: 1 } false MISSING MISSING'])
  t.strictSame(merge({ whenMatched: 'keepExisting', on: 'u' }), ['{ u: 7 } { $setOnInsert: { _id: 1, u: 7, v: 1 } } true MISSING MISSING'])
  t.strictSame(merge({ whenMatched: [{ $set: { x: '$$new.v' } }], let: { y: '$v' }, whenNotMatched: 'fail' }),
    ['{ _id: 1 } [ { $set: { x: "$$new.v" } } ] false MISSING { y: 1, new: { _id: 1, u: 7, v: 1 } }'])
  merge({ whenMatched: 'fail' })
  t.equal(at.collections.get('m')?.length, 1)
})

t.test('merge: errors', async t => {
  const code = (spec: Literal): number | undefined => refused([{ $merge: spec }])
  t.equal(code(1), 14)
  t.equal(code({}), 40414)
  t.equal(code({ into: 'm', on: 'x' }), 51183)
  t.equal(code({ into: 'm', on: [] }), 51187)
  t.equal(code({ into: 'm', on: ['u', 'u'] }), 31465)
  t.equal(code({ into: 'm', on: 'u' }), 51132)
  t.equal(code({ into: 'm', whenMatched: 'fail', whenNotMatched: 'fail' }), 51181)
  t.equal(code({ into: 'm', whenMatched: 'merge', let: {} }), 51199)
  t.equal(code({ into: 'm', whenMatched: [], let: { new: 1 } }), 51273)
  t.equal(code({ into: 'm', nope: 1 }), 40415)
  t.equal(code({ into: { db: 'admin', coll: 'x' } }), 31320)
  t.equal(refused([{ $merge: 'm' }, { $limit: 1 }]), 40601)
})

t.test('hostile names are names', async t => {
  const hostile = JSON.parse('{ "__proto__": 1, "constructor": { "x": 2 } }') as Record<string, Literal>
  const rows = [Doc.of(Object.entries(hostile).map(([key, field]): [string, Value] => [key, value(field)]))]
  t.strictSame(run(rows, [{ $group: { _id: '$__proto__', n: { $sum: '$constructor.x' } } }]), ['{ _id: 1, n: 2 }'])
  t.strictSame(run(rows, [{ $group: { _id: '$toString' } }]), ['{ _id: null }'])
  t.equal(refused([{ constructor: 1 }]), 40324)
  t.equal(refused([{ $group: { _id: null, a: { toString: 1 } } }]), 40234)
})

t.test('numbers at the ends of their range end', async t => {
  const rows = docs({ v: double(Infinity) }, { v: double(5e-324) }, { v: parseDecimal('1E-6176')! }, { v: double(1e308) })
  for (const granularity of ['R5', 'E192', 'POWERSOF2']) {
    t.equal(run(rows, [{ $bucketAuto: { groupBy: '$v', buckets: 4, granularity } }, { $limit: 1 }, { $count: 'n' }])[0], '{ n: 1 }')
  }
  t.equal(refused([{ $densify: { field: 'a', range: { step: double(1e-300), bounds: [double(0), double(1)] } } }]), 5897900)
})
