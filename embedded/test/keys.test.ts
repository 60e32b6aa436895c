import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { typeBounds } from '../src/keys/bounds.js'
import { encodeKey, fitKey, isFittedKey, keyPrefixEnd, KEY_LIMIT } from '../src/keys/key.js'
import { docOf, int } from '../src/values/build.js'
import { Collation } from '../src/values/collation.js'
import { compare, equal, hashKey, typeNumber } from '../src/values/order.js'
import { Doc, Double, Int32 } from '../src/values/types.js'
import type { Value } from '../src/values/types.js'
import { anyNumber, anyValue, decimal, text } from './fixtures/arbitraries.js'

const up = (v: Value, collation?: Collation): Buffer => encodeKey([v], [1], collation)
const order = (a: Value, b: Value, collation?: Collation): number => Math.sign(compare(a, b, collation))

await t.test('keys are ordered as their values', async () => {
  const property = fc.property(anyValue, anyValue, (a, b) => {
    assert.equal(Buffer.compare(up(a), up(b)), order(a, b))
    assert.equal(Buffer.compare(encodeKey([a], [-1]), encodeKey([b], [-1])), order(b, a))
  })
  fc.assert(property, { numRuns: 5000 })
})

await t.test('numbers of all types are ordered exactly', async () => {
  fc.assert(fc.property(anyNumber, anyNumber, (a, b) => { assert.equal(Buffer.compare(up(a), up(b)), order(a, b)) }), { numRuns: 10000 })
})

await t.test('compound keys are ordered component by component', async () => {
  const pair = fc.tuple(anyValue, anyValue)
  const direction = fc.constantFrom<1 | -1>(1, -1)
  fc.assert(fc.property(pair, pair, fc.tuple(direction, direction), (a, b, directions) => {
    const expected = order(a[0], b[0]) * directions[0] || order(a[1], b[1]) * directions[1]
    assert.equal(Buffer.compare(encodeKey(a, directions), encodeKey(b, directions)), expected === 0 ? 0 : expected)
  }), { numRuns: 3000 })
})

await t.test('with a collation, too, nested ones included', async () => {
  const collation = Collation.parse(docOf({ locale: 'en', strength: int(2), numericOrdering: true }))!
  const agree = (a: Value, b: Value): void => { assert.equal(Buffer.compare(up(a, collation), up(b, collation)), order(a, b, collation)) }
  fc.assert(fc.property(anyValue, anyValue, agree), { numRuns: 3000 })
  fc.assert(fc.property(text, text, agree), { numRuns: 3000 })
})

await t.test('the order is total', async () => {
  fc.assert(fc.property(anyValue, anyValue, anyValue, (a, b, c) => {
    assert.equal(order(a, a), 0)
    assert.equal(order(a, b) + order(b, a), 0)
    if (compare(a, b) <= 0 && compare(b, c) <= 0) assert.ok(compare(a, c) <= 0)
  }), { numRuns: 3000 })
})

await t.test('hash keys are equal exactly for equal values', async () => {
  fc.assert(fc.property(anyValue, anyValue, (a, b) => { assert.equal(hashKey(a) === hashKey(b), equal(a, b)) }), { numRuns: 5000 })
  fc.assert(fc.property(anyNumber, anyNumber, (a, b) => { assert.equal(hashKey(a) === hashKey(b), equal(a, b)) }), { numRuns: 10000 })
})

await t.test('a key is no prefix of another', async () => {
  fc.assert(fc.property(anyValue, anyValue, (a, b) => {
    const [x, y] = [up(a), up(b)]
    if (!x.equals(y)) assert.ok(!x.subarray(0, y.length).equals(y) && !y.subarray(0, x.length).equals(x))
  }), { numRuns: 3000 })
})

await t.test('equal numbers have one key', async t => {
  const ones = [new Int32(5), 5n, new Double(5), decimal('5'), decimal('5.00'), decimal('0.5E+1')].map(v => up(v).toString('hex'))
  t.equal(new Set(ones).size, 1)
  const zeros = [new Int32(0), 0n, new Double(-0), decimal('-0'), decimal('0E+100')].map(v => up(v).toString('hex'))
  t.equal(new Set(zeros).size, 1)
  t.not(up(9007199254740993n).compare(up(new Double(9007199254740992))), 0)
})

await t.test('missing is null', async t => {
  t.same(encodeKey([undefined], [1]), encodeKey([null], [1]))
})

await t.test('the end of a prefix', async t => {
  t.same(keyPrefixEnd(Buffer.from([1, 2])), Buffer.from([1, 3]))
  t.same(keyPrefixEnd(Buffer.from([1, 255, 255])), Buffer.from([2]))
  t.equal(keyPrefixEnd(Buffer.from([255])), undefined)
  fc.assert(fc.property(anyValue, anyValue, (a, b) => {
    const prefix = up(a)
    assert.ok(Buffer.compare(encodeKey([a, b], [1, 1]), keyPrefixEnd(prefix)!) < 0)
  }))
})

await t.test('long keys are cut and hashed', async t => {
  const [a, b] = ['x', 'y'].map(end => fitKey(up('a'.repeat(5000) + end)))
  t.equal(a.length, KEY_LIMIT)
  t.ok(isFittedKey(a))
  t.not(a.compare(b), 0)
  t.same(a, fitKey(up('a'.repeat(5000) + 'x')))
  t.notOk(isFittedKey(fitKey(up('a'))))
})

await t.test('the bounds of a type hold its values and no others', async () => {
  fc.assert(fc.property(anyValue, anyValue, (a, b) => {
    const { low, high, highInclusive } = typeBounds(a)
    const inside = compare(b, low) >= 0 && (highInclusive ? compare(b, high) <= 0 : compare(b, high) < 0)
    const sameBracket = typeBounds(a) === typeBounds(b) && !(typeNumber(b) !== 2 && hashKey(b) === hashKey(new Double(NaN)))
    assert.equal(inside, sameBracket)
  }), { numRuns: 3000 })
})

await t.test('documents compare by type, name and value', async t => {
  const sorted: Value[] = [Doc.of(), docOf({ b: int(1) }), docOf({ a: 'x' }), docOf({ a: 'x', b: int(1) }), docOf({ b: 'a' })]
  for (let i = 1; i < sorted.length; i++) t.ok(compare(sorted[i - 1], sorted[i]) < 0, `${i}`)
})
