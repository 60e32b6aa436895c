import { typeName } from '../values/order.js'
import { TimeZone, findTimeZone } from '../values/dates.js'
import { BsonDate, ObjectId, Timestamp } from '../values/types.js'
import type { Maybe } from '../values/types.js'
import type { Scope } from './context.js'
import { error, nullish } from './node.js'
import type { Node } from './node.js'

/** The milliseconds of a date, a timestamp or an ObjectId; undefined for any other type. */
export function millisecondsOf (v: Maybe): number | undefined {
  if (v instanceof BsonDate) return v.ms
  if (v instanceof Timestamp) return v.seconds * 1000
  // The server reads the seconds of an ObjectId as a signed number.
  if (v instanceof ObjectId) return Buffer.from(v.bytes.buffer, v.bytes.byteOffset, 4).readInt32BE() * 1000
  return undefined
}

export function toMilliseconds (v: Maybe): number {
  const ms = millisecondsOf(v)
  if (ms === undefined) throw error(16006, `can't convert from BSON type ${typeName(v)} to Date`)
  return ms
}

/** The zone that a `timezone` argument gives; undefined for null and missing. */
export type ZoneArgument = (scope: Scope) => TimeZone | undefined

export function zoneArgument (node: Node | undefined): ZoneArgument {
  if (node === undefined) return () => TimeZone.utc
  if (!node.isConstant) return scope => zoneOf(node.evaluate(scope))
  const zone = zoneOf(node.constant)
  return () => zone
}

function zoneOf (v: Maybe): TimeZone | undefined {
  if (nullish(v)) return undefined
  if (typeof v !== 'string') throw error(40517, `timezone must evaluate to a string, found ${typeName(v)}`)
  const zone = findTimeZone(v)
  if (zone === undefined) throw error(40485, `unrecognized time zone identifier: "${v}"`)
  return zone
}
