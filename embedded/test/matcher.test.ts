import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { explainFailure } from '../src/matcher/explain.js'
import { parseFilter } from '../src/matcher/parse.js'
import { Collation } from '../src/values/collation.js'
import { Binary, Doc, Double, Int32, MaxKey, MinKey, Undefined } from '../src/values/types.js'
import type { Value } from '../src/values/types.js'
import { anyDoc, anyValue } from './fixtures/arbitraries.js'
import { CONTEXT, dec, told } from './support/expressions.js'
import { codeOf, doc, matcher, opened, stored } from './support/filters.js'

type Asserts = { ok (x: unknown, name: string): void, notOk (x: unknown, name: string): void, equal (a: unknown, b: unknown, name: string): void }
type Case = readonly [filter: object, matching: readonly object[], others?: readonly object[]]

function check (t: Asserts, cases: readonly Case[]): void {
  for (const [filter, matching, others = []] of cases) {
    const match = matcher(filter)
    const test = (x: object): boolean => {
      const found = match.test(stored(x))
      t.equal(match.test(doc(x)), found, `decoded and stored agree: ${told(doc(filter))} on ${told(doc(x))}`)
      return found
    }
    for (const x of matching) t.ok(test(x), `${told(doc(filter))} matches ${told(doc(x))}`)
    for (const x of others) t.notOk(test(x), `${told(doc(filter))} does not match ${told(doc(x))}`)
  }
}

t.test('equality: null and missing, numbers of all types, documents with the order of their fields', async t => {
  check(t, [
    [{ a: null }, [{}, { a: null }, { a: Undefined.instance }, { a: [1, null] }], [{ a: 0 }, { a: [] }]],
    [{ 'a.b': null }, [{}, { a: 1 }, { a: {} }, { a: [{ b: 1 }, {}] }], [{ a: [] }, { a: [1] }, { a: { b: 1 } }]],
    [{ a: 1 }, [{ a: 1 }, { a: 1n }, { a: new Double(1) }, { a: dec('1.0') }, { a: [2, 1] }], [{ a: '1' }, { a: [[1]] }, { a: true }]],
    [{ a: { b: 1, c: 2 } }, [{ a: { b: 1, c: 2 } }, { a: [{ b: 1n, c: 2 }] }], [{ a: { c: 2, b: 1 } }, { a: { b: 1 } }]],
    [{ a: [1, 2] }, [{ a: [1, 2] }, { a: [[1, 2]] }], [{ a: [2, 1] }, { a: 1 }]],
    [{ a: NaN }, [{ a: NaN }, { a: dec('NaN') }], [{ a: 1 }]],
    [{ a: { $ne: 1 } }, [{}, { a: [2] }], [{ a: [2, 1] }]],
    [{ a: { $eq: /x/ } }, [{ a: /x/ }], [{ a: 'x' }, { a: /x/i }]],
    [{ a: /X/i }, [{ a: 'axb' }, { a: ['b', 'x'] }, { a: /X/i }], [{ a: 'b' }, { a: 1 }]]
  ])
})

t.test('comparison keeps to the type of its value', async t => {
  check(t, [
    [{ a: { $gt: 1 } }, [{ a: 2 }, { a: [0, 2] }, { a: Infinity }], [{ a: '2' }, { a: NaN }, { a: null }, {}, { a: [[2]] }]],
    [{ a: { $lte: null } }, [{}, { a: null }], [{ a: 0 }]],
    [{ a: { $lt: null } }, [], [{}, { a: null }]],
    [{ a: { $gte: NaN } }, [{ a: NaN }], [{ a: 1 }]],
    [{ a: { $gt: MinKey.instance } }, [{ a: 1 }, {}, { a: null }], [{ a: MinKey.instance }]],
    [{ a: { $lt: MaxKey.instance } }, [{ a: 'x' }, {}], [{ a: MaxKey.instance }]],
    [{ a: { $gte: [2] } }, [{ a: [2] }, { a: [3] }, { a: [[2]] }], [{ a: 3 }, { a: [1, 5] }]],
    [{ a: { $gt: 9007199254740992n } }, [{ a: 9007199254740993n }, { a: dec('9007199254740992.5') }], [{ a: 2 ** 53 }]],
    [{ a: { $lt: 'b' } }, [{ a: 'a' }, { a: '' }], [{ a: 1 }, { a: 'b' }]]
  ])
})

t.test('paths through arrays and by index', async t => {
  check(t, [
    [{ 'a.0': 1 }, [{ a: [1] }, { a: { 0: 1 } }, { a: [{ 0: 1 }] }], [{ a: [2, 1] }, { a: [[1]] }]],
    [{ 'a.0': [1] }, [{ a: [[1]] }], [{ a: [[[1]]] }]],
    [{ 'a.b': 1 }, [{ a: [{ b: 1 }] }, { a: [{ b: [1] }] }], [{ a: [[{ b: 1 }]] }]],
    [{ 'a.0.b': 1 }, [{ a: [{ b: 1 }] }, { a: [[{ b: 1 }]] }], [{ a: [{ c: 1 }, { b: 1 }] }]],
    [{ 'a.0.b': null }, [{ a: [{ b: 5 }] }], [{ a: [5] }]],
    [{ 'a.b': { $exists: false } }, [{ a: [] }, { a: [1] }, {}], [{ a: [{}, { b: null }] }]],
    [{ 'a.00': 1 }, [{ a: { '00': 1 } }], [{ a: [1] }]],
    [{ '__proto__.x': 1 }, [JSON.parse('{"__proto__": {"x": 1}}') as object], [{}]],
    [{ 'constructor.name': { $exists: true } }, [], [{}]]
  ])
})

t.test('arrays: $all, $elemMatch, $size', async t => {
  check(t, [
    [{ a: { $all: [1, 2] } }, [{ a: [2, 1, 3] }], [{ a: [1] }]],
    [{ a: { $all: [[1, 2]] } }, [{ a: [1, 2] }, { a: [[1, 2]] }], [{ a: [2, 1] }]],
    [{ a: { $all: [] } }, [], [{ a: [] }, { a: 1 }]],
    [{ a: { $all: [{ $elemMatch: { x: 1 } }, { $elemMatch: { y: 2 } }] } }, [{ a: [{ x: 1 }, { y: 2 }] }], [{ a: [{ x: 1 }] }]],
    [{ a: { $elemMatch: { $gt: 1, $lt: 5 } } }, [{ a: [0, 3] }], [{ a: [0, 9] }, { a: 3 }, { a: [[3]] }]],
    [{ a: { $elemMatch: { x: 1, y: 2 } } }, [{ a: [{ x: 1, y: 2 }] }], [{ a: [{ x: 1 }, { y: 2 }] }, { a: { x: 1, y: 2 } }]],
    [{ a: { $elemMatch: { 0: 1 } } }, [{ a: [[1]] }], [{ a: [1] }]],
    [{ a: { $elemMatch: { $elemMatch: { $gt: 1 } } } }, [{ a: [[2]] }], [{ a: [2] }]],
    [{ a: { $elemMatch: { $nin: [1] } } }, [{ a: [2] }], [{ a: [1] }, { a: [] }]],
    [{ a: { $elemMatch: { $or: [{ x: 1 }, { x: 2 }] } } }, [{ a: [{ x: 2 }] }], [{ a: [{ x: 3 }] }]],
    [{ a: { $size: 0 } }, [{ a: [] }], [{}, { a: [1] }, { a: [[]] }]],
    [{ a: { $size: 2 } }, [{ a: [1, [2]] }], [{ a: [1] }, { a: { length: 2 } }]],
    [{ 'a.b': { $size: 1 } }, [{ a: [{ b: [] }, { b: [1] }] }], [{ a: [{ b: 1 }] }]]
  ])
})

t.test('$in, $type, $mod, bits, $exists, $not and the logical operators', async t => {
  check(t, [
    [{ a: { $in: [1, 'x', null, /^z/] } }, [{ a: 1n }, { a: ['x'] }, {}, { a: 'zz' }, { a: /^z/ }], [{ a: 'az' }, { a: 2 }]],
    [{ a: { $in: [[1], { b: 1 }] } }, [{ a: [1] }, { a: { b: 1 } }], [{ a: 1 }]],
    [{ a: { $in: [] } }, [], [{}, { a: [] }]],
    [{ a: { $nin: [1, null] } }, [{ a: 2 }, { a: [] }], [{}, { a: [1, 2] }]],
    [{ a: { $type: 'number' } }, [{ a: 1 }, { a: [1n] }, { a: dec('1') }], [{ a: '1' }, { a: [] }, {}]],
    [{ a: { $type: ['array', 'null'] } }, [{ a: [1] }, { a: null }], [{}, { a: 1 }]],
    [{ a: { $type: -1 } }, [{ a: MinKey.instance }], [{ a: 1 }]],
    [{ a: { $mod: [4, 1] } }, [{ a: 5 }, { a: 5.9 }, { a: [9] }, { a: dec('1') }], [{ a: -3 }, { a: 'x' }, { a: NaN }, { a: 1e300 }]],
    [{ a: { $mod: [4.9, -1] } }, [{ a: -5 }], [{ a: 3 }]],
    [{ a: { $bitsAllSet: 5 } }, [{ a: 7 }, { a: -1n }, { a: new Binary(Uint8Array.of(5), 0) }], [{ a: 1 }, { a: 5.5 }, { a: '5' }]],
    [{ a: { $bitsAnyClear: [70] } }, [{ a: 1 }, { a: new Binary(Uint8Array.of(255), 0) }], [{ a: -1 }]],
    [{ a: { $exists: 0 } }, [{}], [{ a: null }]],
    [{ a: { $not: { $gt: 1 } } }, [{}, { a: 'x' }, { a: 1 }], [{ a: [0, 2] }]],
    [{ a: { $not: /x/ } }, [{ a: 'y' }, {}], [{ a: ['x'] }]],
    [{ $or: [{ a: 1 }, { b: 1 }], c: 1 }, [{ b: 1, c: 1 }], [{ a: 1 }, { c: 1 }]],
    [{ $nor: [{ a: 1 }, { b: 1 }] }, [{ a: 2 }], [{ a: 2, b: 1 }]],
    [{ $comment: 'x', $alwaysTrue: 1 }, [{}]],
    [{ $alwaysFalse: 1 }, [], [{}]],
    [{ $expr: { $gt: ['$a', '$b'] } }, [{ a: 2, b: 1 }], [{ a: 1, b: 1 }]],
    [{ a: { $ref: 'c', $id: 1 } }, [{ a: { $ref: 'c', $id: 1 } }], [{ a: {} }]],
    [{ a: { $regex: '^B', $options: 'i' } }, [{ a: 'b' }], [{ a: 'ab' }]]
  ])
})

t.test('a collation folds strings, also inside documents, but not regular expressions', async t => {
  const ctx = { ...CONTEXT, collation: Collation.parse(doc({ locale: 'en', strength: 2 })) }
  const cases: [object, object, boolean][] = [
    [{ a: 'X' }, { a: 'x' }, true], [{ a: { $in: ['Y', 'X'] } }, { a: ['x'] }, true], [{ a: { b: 'X' } }, { a: { b: 'x' } }, true],
    [{ a: /X/ }, { a: 'x' }, false],
    [{ a: { $lt: 'B' } }, { a: 'a' }, true], [{ $expr: { $eq: ['$a', 'X'] } }, { a: 'x' }, true]
  ]
  for (const [filter, x, expected] of cases) t.equal(matcher(filter, ctx).test(stored(x)), expected, told(doc(filter)))
})

t.test('what MongoDB refuses', async t => {
  const cases: [filter: object, code: number][] = [
    [{ a: { $foo: 1 } }, 2], [{ $foo: 1 }, 2], [{ $or: [] }, 2], [{ $and: {} }, 2], [{ $nor: [1] }, 2], [{ a: { $gt: 1, x: 1 } }, 2],
    [{ a: { $gt: /x/ } }, 2],
    [{ a: { $ne: /x/ } }, 2], [{ a: { $in: 1 } }, 2], [{ a: { $in: [{ $gt: 1 }] } }, 2], [{ a: { $all: [{ $gt: 1 }] } }, 2],
    [{ a: { $all: [{ $elemMatch: {} }, 1] } }, 2], [{ a: { $size: -1 } }, 2], [{ a: { $size: 1.5 } }, 2], [{ a: { $not: 1 } }, 2],
    [{ a: { $not: {} } }, 2],
    [{ a: { $mod: [0, 1] } }, 2], [{ a: { $mod: [NaN, 1] } }, 2], [{ a: { $mod: [1, 2, 3] } }, 2], [{ a: { $mod: [1, 'x'] } }, 2],
    [{ a: { $type: 'x' } }, 2],
    [{ a: { $type: 0 } }, 2], [{ a: { $type: [] } }, 9], [{ a: { $type: true } }, 14], [{ a: { $bitsAllSet: -1 } }, 9],
    [{ a: { $bitsAllSet: [-1] } }, 2],
    [{ a: { $regex: '(' } }, 51091], [{ a: { $regex: 'a', $options: 'q' } }, 51108], [{ a: { $options: 'i' } }, 2],
    [{ a: { $regex: /a/i, $options: 'm' } }, 51075],
    [{ a: { $elemMatch: { $expr: 1 } } }, 2], [{ $alwaysTrue: 2 }, 9], [{ a: Undefined.instance }, 2], [{ a: { $in: [Undefined.instance] } }, 2],
    [{ $text: { $search: 1 } }, 14], [{ a: { $elemMatch: { $text: { $search: 'x' } } } }, 2], [{ $text: { $search: 'x', $language: 'french' } }, 115],
    [{ $where: 'true' }, 115], [{ a: { $near: [1, 1] } }, 115], [{ $expr: { $foo: 1 } }, 168], [{ $jsonSchema: { foo: 1 } }, 9],
    [{ $jsonSchema: 1 }, 14],
    [{ $jsonSchema: { type: 'integer' } }, 9], [{ $jsonSchema: { bsonType: 'x' } }, 2], [{ $jsonSchema: { required: [] } }, 9],
    [{ $jsonSchema: { encrypt: {} } }, 115]
  ]
  for (const [filter, code] of cases) t.equal(codeOf(() => matcher(filter)), code, told(doc(filter)))
})

t.test('the position of the element that matched', async t => {
  const cases: [filter: object, x: object, position: number | undefined][] = [
    [{ a: 2 }, { a: [1, 2] }, 1], [{ a: 2 }, { a: 2 }, undefined], [{ 'a.b': 2 }, { a: [{ b: 1 }, { b: [5, 2] }] }, 1],
    [{ a: { $elemMatch: { b: 2 } } }, { a: [{}, { b: 2 }] }, 1],
    [{ b: 1, a: 2 }, { a: [1, 2], b: [1] }, 0], [{ a: { $gt: 1 }, b: 1 }, { a: [0, 1, 2], b: [1] }, 2],
    [{ $or: [{ a: 9 }, { a: 2 }] }, { a: [2] }, 0],
    [{ a: { $ne: 1 } }, { a: [2] }, undefined], [{ 'a.1': 2 }, { a: [1, 2] }, undefined], [{ a: [1, 2] }, { a: [1, 2] }, undefined],
    [{ a: { $in: [3, 2] } }, { a: [1, 2] }, 1]
  ]
  for (const [filter, x, position] of cases) t.equal(matcher(filter).position(stored(x)), position, `${told(doc(filter))} on ${told(doc(x))}`)
})

t.test('JSON schemas', async t => {
  const cases: [schema: object, valid: readonly object[], invalid: readonly object[]][] = [
    [{ required: ['a'], properties: { a: { bsonType: 'int', minimum: 1, maximum: 5, exclusiveMaximum: true } } }, [{ a: 1 }], [{}, { a: 5 }, { a: 'x' }]],
    [{ properties: { a: { type: 'string', minLength: 2, maxLength: 2, pattern: '^.' } } }, [{}, { a: '😀b' }], [{ a: 'a' }, { a: 1 }]],
    [{ properties: { a: { multipleOf: 0.1 } } }, [{ a: 0.3 }, { a: 'x' }], [{ a: 0.25 }]],
    [{ properties: { a: { items: { type: 'number' }, minItems: 1, uniqueItems: true } } }, [{ a: [1, 2] }], [{ a: [] }, { a: ['x'] }, { a: [1, 1n] }]],
    [{ properties: { a: { items: [{ type: 'number' }], additionalItems: false } } }, [{ a: [1] }, { a: [] }], [{ a: [1, 2] }, { a: ['x'] }]],
    [{ additionalProperties: false, properties: { a: {} }, patternProperties: { '^x': { type: 'number' } } }, [{ a: 1, x1: 2 }], [{ b: 1 }, { x1: 'y' }]],
    [{ dependencies: { a: ['b'], c: { required: ['d'] } } }, [{ b: 1 }, { a: 1, b: 1 }, { c: 1, d: 1 }], [{ a: 1 }, { c: 1 }]],
    [{ properties: { a: { oneOf: [{ minimum: 1 }, { maximum: 5 }] } } }, [{ a: 9 }], [{ a: 3 }]],
    [{ properties: { a: { not: { type: 'string' } } }, anyOf: [{ required: ['a'] }, { required: ['b'] }] }, [{ a: 1 }, { b: 1 }], [{ a: 'x' }, {}]],
    [{ properties: { a: { enum: [{ x: 1, y: 2 }, null] } } }, [{ a: { y: 2, x: 1 } }, { a: null }, {}], [{ a: 1 }]],
    [{ minProperties: 1, maxProperties: 2, type: 'object' }, [{ a: 1 }], [{}, { a: 1, b: 2, c: 3 }]],
    [{ properties: { a: { bsonType: ['object', 'number'], properties: { b: { type: 'boolean' } }, required: ['b'] } } },
      [{ a: 1 }, { a: { b: true } }], [{ a: {} }]]
  ]
  for (const [schema, valid, invalid] of cases) {
    const match = matcher({ $jsonSchema: schema })
    for (const x of valid) t.ok(match.test(stored(x)), `${told(doc(schema))} holds for ${told(doc(x))}`)
    for (const x of invalid) t.notOk(match.test(stored(x)), `${told(doc(schema))} fails for ${told(doc(x))}`)
  }
})

t.test('why a validator fails', async t => {
  const why = (filter: object, x: object): string => told(explainFailure(parseFilter(doc(filter), CONTEXT), stored(x), CONTEXT))
  t.equal(why({ $jsonSchema: { required: ['b', 'a'], properties: { a: { bsonType: 'int', description: 'must be an int' } } } }, { a: 'x' }),
    '{operatorName: "$jsonSchema", schemaRulesNotSatisfied: [' +
    '{operatorName: "properties", propertiesNotSatisfied: [{propertyName: "a", description: "must be an int", details: [' +
    '{operatorName: "bsonType", specifiedAs: {bsonType: "int"}, reason: "type did not match", consideredValue: "x", consideredType: "string"}]}]}, ' +
    '{operatorName: "required", specifiedAs: {required: ["b", "a"]}, missingProperties: ["b"]}]}')
  t.equal(why({ a: { $gt: 5 } }, { a: 1 }), '{operatorName: "$gt", specifiedAs: {$gt: 5}, reason: "comparison failed", consideredValue: 1}')
  t.equal(why({ a: { $gt: 5 } }, {}), '{operatorName: "$gt", specifiedAs: {$gt: 5}, reason: "field was missing"}')
  t.equal(why({ a: 1, b: { $ne: 2 } }, { a: 1, b: 2 }),
    '{operatorName: "$and", clausesNotSatisfied: [{index: 1, details: {operatorName: "$ne", specifiedAs: {$ne: 2}, ' +
    'reason: "comparison succeeded", consideredValue: 2}}]}')
  t.equal(why({ a: { $regex: 'x' } }, { a: [1, 2] }),
    '{operatorName: "$regex", specifiedAs: {$regex: "x"}, reason: "type did not match", consideredType: "int", ' +
    'expectedTypes: ["regex", "string", "symbol"], consideredValues: [1, 2]}')
  t.equal(why({ $expr: { $gt: ['$a', 1] } }, { a: 1 }),
    '{operatorName: "$expr", specifiedAs: {$expr: {$gt: ["$a", 1]}}, reason: "expression did not match", expressionResult: false}')
})

const path = fc.constantFrom('a', 'b', 'a.b', 'a.0', 'a.0.b', 'a.b.0', 'b.a')
const shaped: fc.Arbitrary<Doc> = fc.letrec<{ value: Value, doc: Doc }>(tie => ({
  value: fc.oneof({ depthSize: 'small' }, { arbitrary: anyValue, weight: 2 }, fc.integer({ min: 0, max: 3 }).map(n => new Int32(n)), tie('doc'),
    fc.array(tie('value'), { maxLength: 3 }) as fc.Arbitrary<Value>),
  doc: fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', '0'), tie('value')), { maxLength: 3, selector: ([name]) => name }).map(fields => Doc.of(fields))
})).doc

const comparable = anyValue.filter(v => !(v instanceof Undefined))
const condition: fc.Arbitrary<Doc> = fc.oneof(
  fc.tuple(fc.constantFrom('$eq', '$gt', '$gte', '$lt', '$lte'), fc.oneof(comparable, fc.integer({ min: 0, max: 3 }).map(n => new Int32(n)))),
  fc.tuple(fc.constant('$in'), fc.array(comparable, { maxLength: 3 }) as fc.Arbitrary<Value>),
  fc.tuple(fc.constant('$exists'), fc.boolean()), fc.tuple(fc.constant('$size'), fc.nat(3).map(n => new Int32(n))),
  fc.tuple(fc.constant('$type'), fc.constantFrom('number', 'string', 'array', 'object', 'null')),
  fc.tuple(fc.constant('$elemMatch'), path.map(p => Doc.of([[p, Doc.of([['$exists', true]])]])))
).map(([operator, value]) => Doc.of([[operator, value]]))
const filterOf = (p: string, c: Doc): Doc => Doc.of([[p, c]])

t.test('bytes and decoded values match alike, and negation is the complement', async () => {
  fc.assert(fc.property(path, condition, fc.oneof(shaped, anyDoc), (p, c, x) => {
    if (codeOf(() => matcher(filterOf(p, c))) !== 0) return
    const raw = stored(x)
    const found = matcher(filterOf(p, c)).test(raw)
    assert.equal(matcher(filterOf(p, c)).test(opened(raw)), found)
    assert.equal(matcher(Doc.of([['$nor', [filterOf(p, c)]]])).test(raw), !found)
    assert.equal(matcher(filterOf(p, Doc.of([['$not', c]]))).test(raw), !found)
  }), { numRuns: 3000 })
})

t.test('a comparison is equality or a strict one', async () => {
  fc.assert(fc.property(path, comparable, fc.oneof(shaped, anyDoc), (p, v, x) => {
    const raw = stored(x)
    const holds = (operator: string): boolean => matcher(filterOf(p, Doc.of([[operator, v]]))).test(raw)
    if (codeOf(() => holds('$gte')) !== 0) return
    assert.equal(holds('$gte'), holds('$gt') || holds('$eq'))
    assert.equal(holds('$lte'), holds('$lt') || holds('$eq'))
  }), { numRuns: 2000 })
})
