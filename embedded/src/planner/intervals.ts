import { encodeKey, keyPrefixEnd } from '../keys/key.js'
import { typeBounds } from '../keys/bounds.js'
import type { Collation } from '../values/collation.js'
import { MaxKey, MinKey, Undefined } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'

/** A range of values of one field; `start` and `end` are its keys as a half-open range of bytes. */
export type Interval = {
  readonly low: Value
  readonly lowInclusive: boolean
  readonly high: Value
  readonly highInclusive: boolean
  readonly start: Buffer
  readonly end: Buffer
}

const ASCENDING = [1] as const

const keyOf = (value: Maybe, collation: Collation | undefined): Buffer => encodeKey([value], ASCENDING, collation)

export function interval (
  low: Value, lowInclusive: boolean, high: Value, highInclusive: boolean, collation: Collation | undefined
): Interval {
  const lowKey = keyOf(low, collation)
  const highKey = keyOf(high, collation)
  return {
    low,
    lowInclusive,
    high,
    highInclusive,
    start: lowInclusive ? lowKey : keyPrefixEnd(lowKey)!,
    end: highInclusive ? keyPrefixEnd(highKey)! : highKey
  }
}

export function point (value: Value, collation: Collation | undefined): Interval {
  const start = keyOf(value, collation)
  return { low: value, lowInclusive: true, high: value, highInclusive: true, start, end: keyPrefixEnd(start)! }
}

export const isPoint = ({ low, high, lowInclusive, highInclusive, start, end }: Interval): boolean =>
  lowInclusive && highInclusive && (low === high || keyPrefixEnd(start)!.equals(end))

export const ALL: Interval = interval(MinKey.instance, true, MaxKey.instance, true, undefined)
export const ALL_VALUES: readonly Interval[] = [ALL]
export const isAll = (intervals: readonly Interval[]): boolean =>
  intervals.length === 1 && intervals[0].start.equals(ALL.start) && intervals[0].end.equals(ALL.end)

/** Null, and what an index stores for an empty array or BSON's undefined. */
export const nullPoints: readonly Interval[] = [point(Undefined.instance, undefined), point(null, undefined)]

/** The values of one type bracket. */
export const ofType = (value: Maybe, collation: Collation | undefined): Interval => {
  const { low, high, highInclusive } = typeBounds(value)
  return interval(low, true, high, highInclusive, collation)
}

const isEmpty = ({ start, end }: Interval): boolean => Buffer.compare(start, end) >= 0

/** In order and without overlap. */
export function union (intervals: readonly Interval[]): Interval[] {
  const sorted = intervals.filter(i => !isEmpty(i)).sort((a, b) => Buffer.compare(a.start, b.start) || Buffer.compare(a.end, b.end))
  const merged: Interval[] = []
  for (const next of sorted) {
    const last = merged.at(-1)
    if (last === undefined || Buffer.compare(next.start, last.end) > 0 || (isPoint(last) && isPoint(next) && !next.start.equals(last.start))) merged.push(next)
    else if (Buffer.compare(next.end, last.end) > 0) merged[merged.length - 1] = { ...last, high: next.high, highInclusive: next.highInclusive, end: next.end }
  }
  return merged
}

export function intersect (a: readonly Interval[], b: readonly Interval[]): Interval[] {
  const common: Interval[] = []
  for (let i = 0, k = 0; i < a.length && k < b.length;) {
    const low = Buffer.compare(a[i].start, b[k].start) >= 0 ? a[i] : b[k]
    const high = Buffer.compare(a[i].end, b[k].end) <= 0 ? a[i] : b[k]
    const both = {
      low: low.low, lowInclusive: low.lowInclusive, start: low.start, high: high.high, highInclusive: high.highInclusive, end: high.end
    }
    if (!isEmpty(both)) common.push(both)
    if (high === a[i]) i++
    else k++
  }
  return common
}

/** Everything outside intervals that are in order and without overlap. */
export function complement (intervals: readonly Interval[]): Interval[] {
  const rest: Interval[] = []
  let { low, lowInclusive, start } = ALL
  for (const gap of intervals) {
    rest.push({ low, lowInclusive, start, high: gap.low, highInclusive: !gap.lowInclusive, end: gap.start })
    low = gap.high
    lowInclusive = !gap.highInclusive
    start = gap.end
  }
  rest.push({ low, lowInclusive, start, high: ALL.high, highInclusive: true, end: ALL.end })
  return rest.filter(i => !isEmpty(i))
}

/** The bytes of an interval in a field of the given direction. */
export function byteRange (of: Interval, direction: 1 | -1, collation: Collation | undefined): { start: Buffer, end: Buffer } {
  if (direction === 1) return of
  const invertedHigh = encodeKey([of.high], [-1], collation)
  const invertedLow = encodeKey([of.low], [-1], collation)
  return {
    start: of.highInclusive ? invertedHigh : keyPrefixEnd(invertedHigh)!,
    end: of.lowInclusive ? keyPrefixEnd(invertedLow)! : invertedLow
  }
}
