import t from 'tap'
import type { Doc } from '../src/values/types.js'
import { day, docs, double, refused, run } from './support/pipelines.js'
import type { Literal } from './support/pipelines.js'

t.test('densify', async t => {
  const filled = (rows: Doc[], densify: Literal): string[] => run(rows, [{ $densify: densify }, { $project: { _id: 0 } }])
  const rows = docs({ v: 1 }, { v: 3.5 }, { v: 6 }, {})
  t.strictSame(filled(rows, { field: 'v', range: { step: 2, bounds: 'full' } }), ['{}', '{ v: 1 }', '{ v: 3 }', '{ v: 3.5 }', '{ v: 5 }', '{ v: 6 }'])
  t.strictSame(filled(docs({ v: 2 }), { field: 'v', range: { step: 1, bounds: [0, 4] } }), ['{ v: 0 }', '{ v: 1 }', '{ v: 2 }', '{ v: 3 }'])
  t.strictSame(filled([], { field: 'v', range: { step: 1, bounds: [0, 2] } }), ['{ v: 0 }', '{ v: 1 }'])
  const parts = docs({ p: 'a', v: 1 }, { p: 'b', v: 2 }, { p: 'a', v: 3 })
  t.strictSame(filled(parts, { field: 'v', partitionByFields: ['p'], range: { step: 1, bounds: 'partition' } }),
    ['{ p: "a", v: 1 }', '{ p: "a", v: 2 }', '{ p: "a", v: 3 }', '{ p: "b", v: 2 }'])
  t.strictSame(filled(parts, { field: 'v', partitionByFields: ['p'], range: { step: 1, bounds: 'full' } }).sort(),
    ['a', 'b'].flatMap(p => [1, 2, 3].map(v => `{ p: "${p}", v: ${v} }`)))
  t.strictSame(filled(docs({ d: day(1) }, { d: day(3) }), { field: 'd', range: { step: 1, unit: 'day', bounds: 'full' } }),
    [1, 2, 3].map(n => `{ d: new Date(${day(n).getTime()}) }`))
  t.equal(refused([{ $densify: { field: 'a', range: { step: 0, bounds: 'full' } } }]), 5733401)
  t.equal(refused([{ $densify: { field: 'a', range: { step: 1, bounds: 'partition' } } }]), 5733408)
  t.equal(refused([{ $densify: { field: 'a', range: { step: 1, bounds: [1, 2.5] } } }]), 5876900)
  t.equal(refused([{ $densify: { field: 'a' } }]), 40414)
  t.equal(refused([{ $densify: { field: 'a', range: { step: 1, bounds: [0, 600000] } } }]), 5897900)
})

t.test('fill', async t => {
  const rows = docs({ t: 1, v: 10 }, { t: 2 }, { t: 4, v: 40 }, { t: 5, v: null })
  const filled = (output: Literal): string[] => run(rows, [{ $fill: { sortBy: { t: 1 }, output } }, { $project: { _id: 0, v: 1 } }])
  t.strictSame(filled({ v: { method: 'locf' } }), ['{ v: 10 }', '{ v: 10 }', '{ v: 40 }', '{ v: 40 }'])
  t.strictSame(filled({ v: { method: 'linear' } }), ['{ v: 10 }', '{ v: 20.0 }', '{ v: 40 }', '{ v: null }'])
  t.strictSame(filled({ v: { value: 0 } }), ['{ v: 10 }', '{ v: 0 }', '{ v: 40 }', '{ v: 0 }'])
  t.equal(refused([{ $fill: { output: {} } }]), 6050203)
  t.equal(refused([{ $fill: { output: { a: { method: 'x' } } } }]), 6050202)
  t.equal(refused([{ $fill: { output: { a: { method: 'locf', value: 1 } } } }]), 6050201)
})

const SERIES = docs({ _id: 1, g: 'a', x: 1, v: 4 }, { _id: 2, g: 'b', x: 1, v: 1 }, { _id: 3, g: 'a', x: 2, v: 2 }, { _id: 4, g: 'a', x: 5, v: 8 }, { _id: 5, g: 'a', x: 5, v: null })
const EVERY = { partitionBy: '$g', sortBy: { x: 1 } }

function windowed (output: Record<string, Literal>, spec: Record<string, Literal> = EVERY, rows = SERIES): string {
  const stages: readonly Literal[] = [{ $setWindowFields: { ...spec, output: { r: output } } }, { $group: { _id: null, r: { $push: '$r' } } }, { $project: { _id: 0 } }]
  return run(rows, stages)[0].replace(/^{ r: | }$/g, '')
}

t.test('window functions over documents', async t => {
  t.equal(windowed({ $sum: '$v', window: { documents: ['unbounded', 'current'] } }), '[ 4, 6, 14, 14, 1 ]')
  t.equal(windowed({ $sum: '$v' }), '[ 14, 14, 14, 14, 1 ]')
  t.equal(windowed({ $avg: '$v', window: { documents: [-1, 0] } }), '[ 4.0, 3.0, 5.0, 8.0, 1.0 ]')
  t.equal(windowed({ $push: '$v', window: { documents: [1, 2] } }), '[ [ 2, 8 ], [ 8, null ], [ null ], [], [] ]')
  t.equal(windowed({ $max: '$v', window: { documents: [-1, 1] } }), '[ 4, 8, 8, 8, 1 ]')
  t.equal(windowed({ $count: {}, window: { documents: ['current', 'unbounded'] } }), '[ 4, 3, 2, 1, 1 ]')
  t.equal(windowed({ $first: '$v', window: { documents: [1, 1] } }), '[ 2, 8, null, null, null ]')
  t.equal(windowed({ $last: '$v', window: { documents: ['unbounded', 'current'] } }), '[ 4, 2, 8, null, 1 ]')
  t.equal(windowed({ $stdDevPop: '$v', window: { documents: [-1, 0] } }), '[ 0, 1.0, 3.0, 0, 0 ]')
  t.equal(windowed({ $topN: { n: 1, output: '$_id', sortBy: { v: -1 } }, window: { documents: ['unbounded', 'current'] } }), '[ [ 1 ], [ 1 ], [ 4 ], [ 4 ], [ 2 ] ]')
  const covariances = windowed({ $covariancePop: ['$x', '$v'], window: { documents: [-1, 0] } }).slice(2, -2).split(', ').map(Number)
  const expected = [0, -0.5, 4.5, 0, 0]
  t.ok(covariances.length === 5 && covariances.every((v, i) => Math.abs(v - expected[i]) < 1e-12), `an online algorithm rounds: ${covariances.join()}`)
})

t.test('a moving sum has the type of what is in its window', async t => {
  const rows = docs({ x: 1, v: 1n }, { x: 2, v: 2.5 }, { x: 3, v: 3n }, { x: 4, v: 4n })
  t.equal(windowed({ $sum: '$v', window: { documents: [0, 1] } }, { sortBy: { x: 1 } }, rows), '[ 3.5, 5.5, 7, 4 ]')
  const infinite = docs({ x: 1, v: double(Infinity) }, { x: 2, v: 1 }, { x: 3, v: 2 })
  t.equal(windowed({ $sum: '$v', window: { documents: [-1, 0] } }, { sortBy: { x: 1 } }, infinite), '[ inf.0, inf.0, 3 ]')
})

t.test('window functions over ranges', async t => {
  t.equal(windowed({ $push: '$_id', window: { range: [-1, 0] } }), '[ [ 1 ], [ 1, 3 ], [ 4, 5 ], [ 4, 5 ], [ 2 ] ]')
  t.equal(windowed({ $sum: '$v', window: { range: [1, 3] } }), '[ 2, 8, 0, 0, 0 ]')
  t.equal(windowed({ $count: {}, window: { range: ['unbounded', 0] } }), '[ 1, 2, 4, 4, 1 ]')
  t.equal(windowed({ $count: {}, window: { range: ['unbounded', 'current'] } }), '[ 1, 2, 3, 4, 1 ]')
  const rows = docs({ d: day(1) }, { d: day(2) }, { d: day(5) })
  t.equal(windowed({ $count: {}, window: { range: [-1, 0], unit: 'day' } }, { sortBy: { d: 1 } }, rows), '[ 1, 2, 1 ]')
  t.equal(refused([{ $setWindowFields: { sortBy: { a: 1 }, output: { r: { $sum: 1, window: { range: [0, 1], unit: 'day' } } } } }]), 5429513)
  t.equal(refused([{ $setWindowFields: { sortBy: { zz: 1 }, output: { r: { $sum: 1, window: { range: [0, 1] } } } } }]), 5429414)
  t.equal(refused([{ $setWindowFields: { output: { r: { $sum: 1, window: { range: [0, 1] } } } } }]), 5339902)
  t.equal(refused([{ $setWindowFields: { output: { r: { $sum: 1, window: { documents: [0, 1] } } } } }]), 5339901)
})

t.test('ranks, shifts and series', async t => {
  t.equal(windowed({ $rank: {} }), '[ 1, 2, 3, 3, 1 ]')
  t.equal(windowed({ $denseRank: {} }, { sortBy: { x: -1 } }), '[ 1, 1, 2, 3, 3 ]')
  t.equal(windowed({ $documentNumber: {} }), '[ 1, 2, 3, 4, 1 ]')
  t.equal(windowed({ $shift: { output: '$_id', by: 1, default: 0 } }), '[ 3, 4, 5, 0, 0 ]')
  t.equal(windowed({ $expMovingAvg: { input: '$v', N: 3 } }), '[ 4.0, 3.0, 5.5, 5.5, 1.0 ]')
  t.equal(windowed({ $locf: '$v' }), '[ 4, 2, 8, 8, 1 ]')
  const line = docs({ x: 0, v: 0 }, { x: 1, v: 2 }, { x: 3, v: 8 })
  t.equal(windowed({ $derivative: { input: '$v' }, window: { documents: [-1, 0] } }, { sortBy: { x: 1 } }, line), '[ null, 2.0, 3.0 ]')
  t.equal(windowed({ $integral: { input: '$v' }, window: { documents: ['unbounded', 'current'] } }, { sortBy: { x: 1 } }, line), '[ 0, 1.0, 11.0 ]')
  t.equal(windowed({ $integral: { input: '$v' }, window: { documents: [-1, 0] } }, { sortBy: { x: 1 } }, line), '[ 0, 1.0, 10.0 ]')
  const dated = docs({ d: day(1), v: 0 }, { d: day(2), v: 86400 })
  t.equal(windowed({ $derivative: { input: '$v', unit: 'second' }, window: { documents: [-1, 0] } }, { sortBy: { d: 1 } }, dated), '[ null, 1.0 ]')
})

t.test('setWindowFields: errors', async t => {
  const code = (output: Literal, more: Record<string, Literal> = { sortBy: { a: 1 } }): number | undefined =>
    refused([{ $setWindowFields: { output: { r: output }, ...more } }])
  t.equal(code({ $nope: 1 }), 9)
  t.equal(code({ sum: 1 }), 9)
  t.equal(code(1), 9)
  t.equal(code({ $rank: 1 }), 5371603)
  t.equal(code({ $rank: {} }, {}), 5371602)
  t.equal(code({ $rank: {}, window: {} }), 5371601)
  t.equal(code({ $median: {} }), 115)
  t.equal(code({ $shift: { output: 1, by: 1.5 } }), 9)
  t.equal(code({ $derivative: { input: 1 } }), 9)
  t.equal(code({ $derivative: { input: 1, unit: 'month' }, window: {} }), 5490710)
  t.equal(refused([{ $setWindowFields: { output: { a: { $sum: 1 }, 'a.b': { $sum: 1 } } } }]), 6307900)
  t.equal(refused([{ $setWindowFields: { partitionBy: ['$a'], output: { r: { $sum: 1 } } } }]), 14)
  t.equal(refused([{ $setWindowFields: {} }]), 40414)
})
