import assert from 'node:assert/strict'
import * as bson from 'bson'
import fc from 'fast-check'
import t from 'tap'
import { readArray } from '../src/values/bson-read.js'
import { MAX_DEPTH, validateDocument } from '../src/values/bson-validate.js'
import { encodeArray, encodedSize, encodeDocument } from '../src/values/bson-write.js'
import { docOf, int } from '../src/values/build.js'
import { MongoError } from '../src/values/errors.js'
import { display } from '../src/values/format.js'
import { compareStrings, equal, typeName } from '../src/values/order.js'
import {
  Binary, BsonDate, BsonSymbol, Code, DbPointer, Doc, Double, Int32, MaxKey, MinKey, ObjectId, Regex, Timestamp, Undefined
} from '../src/values/types.js'
import type { Value } from '../src/values/types.js'
import { anyDoc, decimal, wellFormed } from './fixtures/arbitraries.js'

const OPTIONS = { promoteValues: false, promoteBuffers: false, bsonRegExp: true, useBigInt64: false } as const
const ID = new Uint8Array(12).fill(7)

/** Every type once. */
const EVERYTHING = docOf({
  double: new Double(1.5),
  string: 'grüße',
  object: docOf({ a: int(1), b: docOf({}) }),
  array: [int(1), 'two', [null]],
  binary: new Binary(new Uint8Array([1, 2, 3]), 0),
  undefined: Undefined.instance,
  objectId: new ObjectId(ID),
  bool: true,
  date: new BsonDate(-1),
  null: null,
  regex: new Regex('^a', 'i'),
  dbPointer: new DbPointer('db.c', ID),
  code: new Code('f()'),
  symbol: new BsonSymbol('s'),
  scoped: new Code('g()', docOf({ x: int(1) })),
  int: int(-5),
  timestamp: new Timestamp(4294967295, 1),
  long: -9223372036854775808n,
  decimal: decimal('1.10'),
  min: MinKey.instance,
  max: MaxKey.instance
})

/** The same document, decoded from bytes and built anew: nothing of the bytes is reused. */
function rebuilt (v: Value): Value {
  if (v instanceof Doc) return Doc.of(Array.from(v, ([key, value]) => [key, rebuilt(value)] as const))
  if (Array.isArray(v)) return v.map(rebuilt)
  return v instanceof Code && v.scope !== undefined ? new Code(v.code, rebuilt(v.scope) as Doc) : v
}
const recode = (bytes: Uint8Array): Buffer => encodeDocument(rebuilt(Doc.raw(bytes)) as Doc)

await t.test('bytes come back as they were', async t => {
  const bytes = encodeDocument(EVERYTHING)
  validateDocument(bytes)
  t.same(recode(bytes), bytes)
  t.equal(encodedSize(EVERYTHING), bytes.length)
  for (const [key, value] of EVERYTHING) t.ok(equal(Doc.raw(bytes).get(key), value), key)
  fc.assert(fc.property(anyDoc, doc => {
    const encoded = encodeDocument(doc)
    validateDocument(encoded)
    assert.deepEqual(recode(encoded), encoded)
  }), { numRuns: 2000 })
})

await t.test('the bytes are those of the bson package', async t => {
  const document = {
    a: new bson.Double(3),
    b: new bson.Int32(3),
    c: bson.Long.fromString('9007199254740993'),
    d: bson.Decimal128.fromString('1.50'),
    e: 'x',
    f: null,
    g: [new bson.Int32(1), { h: true }],
    i: new Date(5),
    j: new bson.ObjectId(ID),
    k: new bson.Binary(ID, 0),
    l: new bson.BSONRegExp('a', 'i'),
    m: new bson.Timestamp({ t: 5, i: 6 }),
    n: new bson.MinKey(),
    o: new bson.Code('f', { q: new bson.Int32(1) }),
    p: '€😀'
  }
  const bytes = Buffer.from(bson.serialize(document))
  t.same(recode(bytes), bytes)
  fc.assert(fc.property(anyDoc, doc => {
    const encoded = encodeDocument(doc)
    // The package gives up on nothing that we write, and integer-like keys apart writes the same again.
    const decoded = bson.deserialize(encoded, OPTIONS)
    const names = [...doc.keys()]
    if (!hasOddNames(doc)) assert.deepEqual(Buffer.from(bson.serialize(decoded, { ignoreUndefined: false, checkKeys: false })).length, encoded.length)
    assert.equal(Object.keys(decoded).length, new Set(names).size)
  }), { numRuns: 1000 })
})

/** Names and types that a JavaScript object cannot keep apart. */
function hasOddNames (v: Value): boolean {
  if (v instanceof Undefined) return true
  if (Array.isArray(v)) return v.some(hasOddNames)
  return v instanceof Doc && Array.from(v).some(([key, value]) => key.startsWith('$') || hasOddNames(value))
}

await t.test('a field is found without decoding the rest', async t => {
  const bytes = encodeDocument(docOf({ a: int(1), ab: int(2), é: int(3), b: 'x' }))
  for (const [key, value] of [['a', 1], ['ab', 2], ['é', 3]] as const) t.equal((Doc.raw(bytes).get(key) as Int32).value, value)
  for (const key of ['', 'abc', 'è', 'a\u0000', 'a\u0000\u0001', '__proto__']) t.equal(Doc.raw(bytes).get(key), undefined, JSON.stringify(key))
})

await t.test('names are ordinary, whatever they are', async t => {
  const names = ['__proto__', 'constructor', 'toString', '2', '1', '']
  const doc = Doc.of(names.map((name, i) => [name, int(i)] as const))
  const read = Doc.raw(encodeDocument(doc))
  t.same([...read.keys()], names)
  t.same([...read].map(([key]) => key), names)
  t.equal((Doc.raw(encodeDocument(doc)).get('__proto__') as Int32).value, 0)
  t.equal(Doc.raw(encodeDocument(docOf({}))).get('constructor'), undefined)
})

await t.test('of a repeated name the first counts', async t => {
  const one = encodeDocument(docOf({ a: int(1) }))
  const body = one.subarray(4, -1)
  const twice = Buffer.concat([Buffer.alloc(4), body, Buffer.from(body), Buffer.from([0])])
  twice.writeInt32LE(twice.length, 0)
  twice[twice.length - 5] = 2
  t.equal((Doc.raw(twice).get('a') as Int32).value, 1)
  t.equal(([...Doc.raw(twice)][0][1] as Int32).value, 1)
})

await t.test('an unchanged document is not encoded again', async t => {
  const bytes = encodeDocument(docOf({ a: int(1), b: docOf({ c: int(2) }) }))
  const doc = Doc.raw(bytes)
  t.equal(doc.size, 2)
  t.equal(encodeDocument(doc).buffer, bytes.buffer)
  const copy = doc.copy().set('a', int(2))
  t.not(encodeDocument(copy).compare(bytes), 0)
  t.same(encodeDocument(doc), bytes)
})

await t.test('large documents', async t => {
  for (let size = 16300; size < 16500; size++) {
    const doc = docOf({ pad: 'x'.repeat(size), text: 'ö'.repeat(30), date: new BsonDate(1), list: ['a'.repeat(40), docOf({ b: int(1) })], id: new ObjectId(ID) })
    const bytes = encodeDocument(doc)
    validateDocument(bytes)
    assert.ok(equal(Doc.raw(bytes), doc), `${size}`)
  }
  t.equal(encodeDocument(docOf({ a: 'x'.repeat(3e6), b: [new Binary(new Uint8Array(2e6), 0)] })).length, 5000029)
})

await t.test('arrays', async t => {
  const values: Value[] = Array.from({ length: 1200 }, (_, i) => int(i))
  const bytes = encodeArray(values)
  validateDocument(bytes)
  t.equal((readArray(bytes)[1100] as Int32).value, 1100)
  t.equal(Object.keys(bson.deserialize(bytes)).at(-1), '1199')
})

/** Decodes everything there is to decode. */
function visit (v: Value): number {
  if (v instanceof Doc) return Array.from(v).reduce((sum, [, value]) => sum + visit(value), 1)
  return Array.isArray(v) ? v.reduce<number>((sum, value) => sum + visit(value), 1) : 1
}

/** Either a MongoError says no, or all of it can be read. */
function survives (bytes: Buffer): boolean {
  try {
    validateDocument(bytes)
  } catch (error) {
    return error instanceof MongoError && (error.code === 22 || error.code === 15)
  }
  return visit(Doc.raw(bytes)) > 0
}

await t.test('broken bytes are refused', async t => {
  const bytes = encodeDocument(EVERYTHING)
  for (let length = 0; length < bytes.length; length++) {
    const cut = Buffer.from(bytes.subarray(0, length))
    if (length >= 4) cut.writeInt32LE(length, 0)
    t.throws(() => validateDocument(cut), { name: 'MongoError' }, `${length} bytes`)
  }
  for (let at = 0; at < bytes.length; at++) {
    for (const value of [0, 1, 127, 128, 255]) {
      const changed = Buffer.from(bytes)
      changed[at] = value
      if (!survives(changed)) t.fail(`byte ${at} = ${value}`)
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), noise => {
    const head = Buffer.alloc(4)
    head.writeInt32LE(noise.length + 5)
    assert.ok(survives(Buffer.concat([head, noise, Buffer.from([0])])))
  }), { numRuns: 3000 })
})

function nested (depth: number): Buffer {
  let doc = docOf({})
  for (let i = 1; i < depth; i++) doc = docOf({ a: Doc.raw(encodeDocument(doc)) })
  return encodeDocument(doc)
}

await t.test('depth is limited', async t => {
  validateDocument(nested(MAX_DEPTH))
  t.throws(() => validateDocument(nested(MAX_DEPTH + 1)), { code: 15 })
  t.throws(() => validateDocument(nested(20000)), { code: 15 })
  let value: Value = int(1)
  for (let i = 0; i < 100000; i++) value = [value]
  t.throws(() => encodeDocument(docOf({ value })), { code: 15 })
  t.equal(encodeDocument(docOf({ a: int(1) })).length, 12, 'and the next one is well again')
})

await t.test('strings compare by code points', async t => {
  t.ok(compareStrings('\uffee', '😀') < 0)
  t.ok(compareStrings('a', 'ab') < 0)
  fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
    const [x, y] = [wellFormed(a), wellFormed(b)]
    assert.equal(Math.sign(compareStrings(x, y)), Buffer.compare(Buffer.from(x), Buffer.from(y)))
  }))
})

await t.test('names of types', async t => {
  t.same(Array.from(EVERYTHING, ([, value]) => typeName(value)), [
    'double', 'string', 'object', 'array', 'binData', 'undefined', 'objectId', 'bool', 'date', 'null', 'regex', 'dbPointer', 'javascript', 'symbol',
    'javascriptWithScope', 'int', 'timestamp', 'long', 'decimal', 'minKey', 'maxKey'
  ])
  t.equal(typeName(undefined), 'missing')
})

await t.test('display', async t => {
  const cases: [Value, string][] = [
    [docOf({ email: 'x', n: int(1) }), '{ email: "x", n: 1 }'], [docOf({}), '{}'], [[], '[]'], [[int(1), null], '[ 1, null ]'], [new Double(1), '1.0'],
    [new Double(0.1), '0.1'], [new Double(0.1 + 0.2), '0.3'], [new Double(1e20), '1e+20.0'], [new Double(-1.5e-7), '-1.5e-07'], [new Double(1234567), '1234567.0'], [new Double(-Infinity), '-inf.0'], [new Double(NaN), 'nan.0'], [5n, '5'], [decimal('1.10'), '1.10'],
    [new BsonDate(0), 'new Date(0)'], [new ObjectId(ID), "ObjectId('070707070707070707070707')"], [new Timestamp(1, 2), 'Timestamp(1, 2)'],
    [new Regex('a', 'i'), '/a/i'], [new Binary(new Uint8Array([1, 255]), 0), 'BinData(0, 01FF)'], [MinKey.instance, 'MinKey'],
    [new Binary(new Uint8Array(16), 4), 'UUID("00000000-0000-0000-0000-000000000000")'], [true, 'true'], [Undefined.instance, 'undefined']
  ]
  for (const [value, expected] of cases) t.equal(display(value), expected)
})
