import { hashKey } from '../../values/order.js'
import { Doc } from '../../values/types.js'
import type { Value } from '../../values/types.js'

/** Schemas compare documents without regard to the order of their fields. */
export const unorderedKey = (value: Value): string => hashKey(sorted(value))

function sorted (value: Value): Value {
  if (Array.isArray(value)) return value.map(sorted)
  if (!(value instanceof Doc)) return value
  return Doc.of(Array.from(value, ([name, inner]): [string, Value] => [name, sorted(inner)]).sort(([a], [b]) => a < b ? -1 : Number(a > b)))
}
