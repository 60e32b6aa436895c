import { notSupported } from '../values/errors.js'
import { encodedSize } from '../values/bson-write.js'
import { typeName } from '../values/order.js'
import { Binary, Double, Int32, Timestamp, isDoc, isNumber } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import type { DocMeta } from './context.js'
import { error, nullish, open, unary } from './node.js'
import type { Operator, Operators } from './node.js'

function bsonSize (v: Maybe): Maybe {
  if (nullish(v)) return null
  if (!isDoc(v)) throw error(31393, `$bsonSize requires a document input, found: ${typeName(v)}`)
  return Int32.of(encodedSize(v))
}

function binarySize (v: Maybe): Maybe {
  if (nullish(v)) return null
  if (typeof v === 'string') return Int32.of(Buffer.byteLength(v))
  if (v instanceof Binary) return Int32.of(v.bytes.length)
  throw error(51276, `$binarySize requires a string or BinData argument, found: ${typeName(v)}`)
}

const timestampPart = (code: number, part: (t: Timestamp) => number): Operator => (spec, cx, name) => unary(v => {
  if (nullish(v)) return null
  if (!(v instanceof Timestamp)) throw error(code, ` Argument to ${name} must be a timestamp, but is ${typeName(v)}`)
  return BigInt(part(v))
})(spec, cx, name)

const rand: Operator = spec => {
  if (!isDoc(spec) && !Array.isArray(spec)) throw error(10065, 'invalid parameter: expected an object ($rand)')
  if ((isDoc(spec) ? spec.size : spec.length) > 0) throw error(3040501, '$rand does not currently accept arguments')
  return open([], () => new Double(Math.random()))
}

const METADATA: ReadonlyMap<string, (meta: DocMeta) => Value | undefined> = new Map<string, (meta: DocMeta) => Value | undefined>([
  ['textScore', ({ textScore }) => textScore === undefined ? undefined : new Double(textScore)],
  ['indexKey', ({ indexKey }) => indexKey],
  ['recordId', ({ recordId }) => recordId],
  ['sortKey', ({ sortKey }) => sortKey],
  ['randVal', () => new Double(Math.random())]
])
const REFUSED_METADATA: ReadonlySet<string> = new Set([
  'searchScore', 'searchHighlights', 'geoNearDistance', 'geoNearPoint', 'searchScoreDetails', 'searchSequenceToken', 'vectorSearchScore', 'timeseriesBucketMinTime',
  'timeseriesBucketMaxTime'
])

const metaOperator: Operator = (spec, cx) => {
  if (typeof spec !== 'string') throw error(17307, '$meta only supports string arguments')
  const read = METADATA.get(spec)
  if (read === undefined) throw REFUSED_METADATA.has(spec) ? notSupported(`$meta: ${spec}`) : error(17308, `Unsupported argument to $meta: ${spec}`)
  cx.readMeta(spec)
  return open([], ({ meta }) => meta === undefined ? undefined : read(meta))
}

export const valueOperators: Operators = [
  ['$type', unary(v => typeName(v))],
  ['$isNumber', unary(v => isNumber(v))],
  ['$bsonSize', unary(bsonSize)],
  ['$binarySize', unary(binarySize)],
  ['$tsSecond', timestampPart(5687301, t => t.seconds)],
  ['$tsIncrement', timestampPart(5687302, t => t.increment)],
  ['$rand', rand],
  ['$meta', metaOperator]
]
