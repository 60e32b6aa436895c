import { docOf } from '../values/build.js'
import { MongoError } from '../values/errors.js'
import { Doc, Timestamp } from '../values/types.js'
import type { Value } from '../values/types.js'

/** A place in the log: an event of the commit at `time`. Index -1 stands before the first event, ALL behind the last. */
export type Position = { readonly time: Timestamp, readonly index: number, readonly invalidates?: boolean }

const BEFORE = -1
const ALL = 0x7ffffffe
const HEX = /^82[0-9A-F]{26}$/

export const behind = (time: Timestamp): Position => ({ time, index: ALL })
export const before = (time: Timestamp): Position => ({ time, index: BEFORE })

const hex = (n: number): string => n.toString(16).toUpperCase().padStart(8, '0')

/** Resume tokens sort as text in the order of their events, as MongoDB's do. */
export const encodeToken = ({ time, index, invalidates = false }: Position): Doc =>
  docOf({ _data: `82${hex(time.seconds)}${hex(time.increment)}${hex(index + 1)}${invalidates ? '01' : '00'}` })

export function decodeToken (token: Value, option: string): Position {
  const data = token instanceof Doc ? token.get('_data') : undefined
  if (data === undefined) throw new MongoError(14, `BSON field '$changeStream.${option}._data' is missing or of the wrong type`)
  if (typeof data !== 'string' || !HEX.test(data)) throw new MongoError(50811, 'KeyString format error: the resume token was not made by this engine')
  const at = (i: number): number => parseInt(data.slice(2 + i * 8, 10 + i * 8), 16)
  return { time: new Timestamp(at(0), at(1)), index: at(2) - 1, invalidates: data.endsWith('01') }
}
