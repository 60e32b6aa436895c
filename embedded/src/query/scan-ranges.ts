import type { Index } from '../catalog/types.js'
import { encodeKey, keyPrefixEnd } from '../keys/key.js'
import { endOfKeyValue } from '../keys/read.js'
import { ENTRY_LIMIT, directionsOf, entryPrefix } from '../indexes/entries.js'
import { byteRange, isPoint } from '../planner/index.js'
import type { IndexScan, Interval } from '../planner/index.js'
import { isAll } from '../planner/intervals.js'
import { Doc } from '../values/types.js'

export type ByteRange = { readonly start: Buffer, readonly end: Buffer }

/** More ranges than this are not made of the values of several fields: the further fields are then checked key by key. */
const MAX_RANGES = 2000
/** What of a long key is kept before its hash (see fitKey). */
const KEPT = ENTRY_LIMIT - 20
const PREFIX_BYTES = 5
const LONGEST = KEPT + PREFIX_BYTES

const made = new WeakMap<IndexScan, ScanRanges>()

/** The ranges of a scan; made once, though trials may run the scan several times. */
export function scanRanges (scan: IndexScan): ScanRanges {
  let ranges = made.get(scan)
  if (ranges === undefined) made.set(scan, ranges = new ScanRanges(scan))
  return ranges
}

/** The bytes of an index that a scan has to look at. */
export class ScanRanges {
  readonly ranges: readonly ByteRange[]
  /** every range is one key with a value for each field */
  readonly arePoints: boolean
  readonly #index: Index
  /** for the fields behind those in the ranges the bytes that their values may have */
  readonly #checks: readonly (readonly ByteRange[] | undefined)[]
  readonly #checkFrom: number

  constructor (scan: IndexScan) {
    this.#index = scan.index
    const prefix = entryPrefix(scan.index)
    if (scan.keyRange !== undefined) {
      this.ranges = [keyRange(scan, prefix)]
      this.arePoints = false
      this.#checks = []
      this.#checkFrom = 0
      return
    }
    const { ranges, fields } = rangesOf(scan, prefix)
    this.ranges = ranges.map(fitted)
    const isCut = ranges.some(({ start }) => start.length > LONGEST)
    this.arePoints = !isCut && fields === scan.index.fields.length && scan.bounds.every(intervals => intervals.every(isPoint))
    this.#checkFrom = fields
    const rest = scan.bounds.map((intervals, i) => i < fields || isAll(intervals) ? undefined : byteRangesOf(scan.index, i, intervals))
    this.#checks = rest.some(ranges => ranges !== undefined) ? rest : []
  }

  /** No key needs a look at its single values. */
  get areExact (): boolean {
    return this.#checks.length === 0
  }

  /**
   * Whether the values behind those in the ranges are within their bounds.
   * @returns undefined if so, else where the scan should go on: forwards the least key that may be, backwards one above all that may be
   */
  seekFrom (key: Uint8Array, keyStart: number, keyEnd: number, reverse: boolean): Buffer | undefined {
    if (this.#checks.length === 0 || keyEnd - keyStart >= ENTRY_LIMIT) return undefined
    let at = keyStart + PREFIX_BYTES
    const { fields } = this.#index
    for (let i = 0; i < this.#checks.length; i++) {
      const end = endOfKeyValue(key, at, fields[i].direction === 1 ? 0 : 255)
      const ranges = i < this.#checkFrom ? undefined : this.#checks[i]
      if (ranges !== undefined) {
        const target = seekTarget(ranges, key, at, end, reverse)
        if (target !== undefined) return seekKey(slice(key, keyStart, at), target, reverse)
      }
      at = end
    }
    return undefined
  }
}

const slice = (bytes: Uint8Array, start: number, end: number): Buffer => Buffer.from(bytes.subarray(start, end))

const NOTHING = Buffer.alloc(0)

const seekKey = (before: Buffer, target: Buffer, reverse: boolean): Buffer =>
  target.length === 0 && !reverse ? keyPrefixEnd(before)! : Buffer.concat([before, target])

/** @returns undefined if the value is in a range, else the bytes with which to go on; none means behind all of this field (backwards: before) */
function seekTarget (ranges: readonly ByteRange[], key: Uint8Array, start: number, end: number, reverse: boolean): Buffer | undefined {
  for (let i = 0; i < ranges.length; i++) {
    if (compareBytes(key, start, end, ranges[i].end) >= 0) continue
    if (compareBytes(key, start, end, ranges[i].start) >= 0) return undefined
    if (!reverse) return ranges[i].start
    return i > 0 ? ranges[i - 1].end : NOTHING
  }
  return reverse ? ranges.at(-1)?.end ?? NOTHING : NOTHING
}

function compareBytes (a: Uint8Array, start: number, end: number, b: Buffer): number {
  const length = Math.min(end - start, b.length)
  for (let i = 0; i < length; i++) {
    const difference = a[start + i] - b[i]
    if (difference !== 0) return difference
  }
  return end - start - b.length
}

function byteRangesOf (index: Index, i: number, intervals: readonly Interval[]): ByteRange[] {
  const { direction } = index.fields[i]
  const ranges = intervals.map(interval => byteRange(interval, direction, index.collation))
  return direction === 1 ? ranges : ranges.reverse()
}

/** Leading fields with single values multiply; the first field with ranges ends it. */
function rangesOf (scan: IndexScan, prefix: Buffer): { ranges: readonly ByteRange[], fields: number } {
  let starts: readonly Buffer[] = [prefix]
  for (let i = 0; i < scan.bounds.length; i++) {
    const own = byteRangesOf(scan.index, i, scan.bounds[i])
    if (i > 0 && starts.length * own.length > MAX_RANGES) return { ranges: starts.map(whole), fields: i }
    const isLast = i === scan.bounds.length - 1
    if (isLast || !scan.bounds[i].every(isPoint)) {
      return { ranges: starts.flatMap(start => own.map(range => below(start, range))), fields: i + 1 }
    }
    starts = starts.flatMap(start => own.map(range => Buffer.concat([start, range.start])))
  }
  return { ranges: starts.map(whole), fields: scan.bounds.length }
}

const below = (prefix: Buffer, { start, end }: ByteRange): ByteRange => ({ start: Buffer.concat([prefix, start]), end: Buffer.concat([prefix, end]) })
const whole = (start: Buffer): ByteRange => ({ start, end: keyPrefixEnd(start)! })

/** Keys that are too long are stored cut: a bound that is too long goes down to what is kept of them. */
function fitted ({ start, end }: ByteRange): ByteRange {
  if (start.length <= LONGEST && end.length <= LONGEST) return { start, end }
  return {
    start: start.length <= LONGEST ? start : start.subarray(0, LONGEST),
    end: end.length <= LONGEST ? end : keyPrefixEnd(end.subarray(0, LONGEST))!
  }
}

function keyRange ({ index, keyRange }: IndexScan, prefix: Buffer): ByteRange {
  const keyOf = (bound: Doc): Buffer =>
    Buffer.concat([prefix, encodeKey(index.fields.map(({ path }) => bound.get(path)), directionsOf(index), index.collation)])
  const { min, max } = keyRange!
  return fitted({ start: min === undefined ? prefix : keyOf(min), end: max === undefined ? keyPrefixEnd(prefix)! : keyOf(max) })
}
