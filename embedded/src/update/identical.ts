import { encodeArray, encodeDocument } from '../values/bson-write.js'
import { compare, typeNumber } from '../values/order.js'
import { Decimal128, Doc, Double } from '../values/types.js'
import type { Value } from '../values/types.js'

/** The same BSON bytes: unlike `equal`, 1 and 1.0 differ, and so do 0 and -0. */
export function identical (a: Value, b: Value): boolean {
  if (a === b) return true
  if (typeNumber(a) !== typeNumber(b)) return false
  if (a instanceof Double) return Object.is(a.value, (b as Double).value)
  if (a instanceof Decimal128) return Buffer.compare(a.bytes, (b as Decimal128).bytes) === 0
  if (a instanceof Doc) return encodeDocument(a).equals(encodeDocument(b as Doc))
  if (Array.isArray(a)) return encodeArray(a).equals(encodeArray(b as Value[]))
  return compare(a, b) === 0
}
