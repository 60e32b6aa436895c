import { recordBefore } from '../catalog/keys.js'
import type { Index } from '../catalog/types.js'
import { endOfKeyValue, readKeyValue, UNKNOWN } from '../keys/read.js'
import type { NumberType } from '../keys/read.js'
import type { IndexScan } from '../planner/index.js'
import { copyOf, openCursor } from '../storage/index.js'
import type { Cursor } from '../storage/index.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import type { Env, Row, StageStats } from './env.js'
import { readDocument } from './fetch.js'
import { scanRanges } from './scan-ranges.js'
import type { ScanRanges } from './scan-ranges.js'

/** How many keys are stepped over before a new search is cheaper. */
const STEPS = 12
const RECORD_BYTES = 6
const NOWHERE = Buffer.alloc(0)

/** Goes from key to key through the ranges of a scan; `cursor` stands on the key, till anything else is read. */
class KeyWalker {
  cursor: Cursor | undefined
  #range = -1
  #start: Buffer = NOWHERE
  #end: Buffer = NOWHERE

  constructor (private readonly ranges: ScanRanges, private readonly reverse: boolean, private readonly env: Env, private readonly stats: StageStats) {}

  next (): boolean {
    for (let steps = 0; ;) {
      if (this.cursor === undefined && !this.#nextRange()) return false
      const { cursor } = this
      if (!cursor!.next()) {
        this.close()
        continue
      }
      this.stats.keysExamined++
      this.env.examine()
      const target = this.ranges.seekFrom(cursor!.key, cursor!.keyStart, cursor!.keyEnd, this.reverse)
      if (target === undefined) return true
      if (++steps > STEPS) {
        steps = 0
        this.#seek(target)
      }
    }
  }

  #nextRange (): boolean {
    const { ranges } = this.ranges
    this.#range++
    const range = ranges[this.reverse ? ranges.length - 1 - this.#range : this.#range]
    if (range === undefined) return false
    this.#start = range.start
    this.#end = range.end
    this.#open()
    return true
  }

  #open (): void {
    this.stats.seeks++
    if (this.stats.seeks > 1) this.env.examine()
    this.cursor = openCursor(this.env.reader, { start: this.#start, end: this.#end, reverse: this.reverse })
  }

  #seek (target: Buffer): void {
    this.close()
    if (this.reverse) this.#end = target
    else this.#start = target
    if (Buffer.compare(this.#start, this.#end) < 0) this.#open()
  }

  close (): void {
    this.cursor?.close()
    this.cursor = undefined
  }
}

export function * indexScan (scan: IndexScan, env: Env): IterableIterator<Row> {
  const ranges = scanRanges(scan)
  const stats = env.stats(scan)
  const seen = scan.index.flags.multikey === 0 ? undefined : new Set<number>()
  if (scan.index.unique && ranges.arePoints) {
    const keys = scan.direction === -1 ? [...ranges.ranges].reverse() : ranges.ranges
    for (const { start } of keys) yield * uniqueEntry(scan, env, start, seen)
    return
  }
  const rowOf = rowMaker(scan, env)
  const walker = new KeyWalker(ranges, scan.direction === -1, env, stats)
  try {
    while (walker.next()) {
      const row = rowOf(walker.cursor!)
      if (seen !== undefined && isDuplicate(seen, row.record, stats)) continue
      stats.advanced++
      yield row
    }
  } finally {
    walker.close()
  }
}

export function isDuplicate (seen: Set<number>, record: number, stats: StageStats): boolean {
  stats.dupsTested++
  if (!seen.has(record)) {
    seen.add(record)
    return false
  }
  stats.dupsDropped++
  return true
}

/** One key of a unique index is found without a cursor. */
function * uniqueEntry (scan: IndexScan, env: Env, key: Buffer, seen: Set<number> | undefined): IterableIterator<Row> {
  const stats = env.stats(scan)
  stats.seeks++
  env.examine()
  const value = env.reader.get(key)
  if (value === undefined) return
  stats.keysExamined++
  const record = recordBefore(value, RECORD_BYTES)
  if (seen !== undefined && isDuplicate(seen, record, stats)) return
  stats.advanced++
  const entry = { key, keyStart: 0, keyEnd: key.length, value, size: value.length }
  yield {
    record,
    doc: env.fields === undefined ? undefined : coveredDocument(scan.index, env, entry, record),
    mergeKey: scan.mergeFrom === undefined ? undefined : NOWHERE
  }
}

/** The keys of a scan as they are, also several of one record. */
export function * scanKeys (scan: IndexScan, env: Env): IterableIterator<{ readonly record: number, readonly entry: EntryBytes }> {
  const stats = env.stats(scan)
  const walker = new KeyWalker(scanRanges(scan), false, env, stats)
  try {
    while (walker.next()) {
      stats.advanced++
      yield { record: recordOf(scan.index, walker.cursor!), entry: walker.cursor! }
    }
  } finally {
    walker.close()
  }
}

const recordOf = (index: Index, { key, keyEnd, value }: EntryBytes): number => index.unique ? recordBefore(value, RECORD_BYTES) : recordBefore(key, keyEnd)

export type EntryBytes = Pick<Cursor, 'key' | 'keyStart' | 'keyEnd' | 'value' | 'size'>

function rowMaker (scan: IndexScan, env: Env): (cursor: Cursor) => Row {
  const { index, mergeFrom } = scan
  if (env.fields === undefined && mergeFrom === undefined) return cursor => ({ record: recordOf(index, cursor), doc: undefined })
  return cursor => {
    const record = recordOf(index, cursor)
    const mergeKey = mergeFrom === undefined ? undefined : keyFrom(index, mergeFrom, cursor)
    const doc = env.fields === undefined ? undefined : coveredDocument(index, env, cursor, record)
    return { record, doc, mergeKey }
  }
}

/** The key without its first fields. */
function keyFrom (index: Index, field: number, { key, keyStart, keyEnd }: EntryBytes): Buffer {
  let at = keyStart + 5
  for (let i = 0; i < field; i++) at = endOfKeyValue(key, at, index.fields[i].direction === 1 ? 0 : 255)
  return copyOf(key, at, keyEnd)
}

const TYPES: readonly NumberType[] = ['usual', 'double', 'long', 'other']

/** The wanted fields from the key alone; where the key does not tell a value the document is read after all. */
function coveredDocument (index: Index, env: Env, entry: EntryBytes, record: number): Doc | undefined {
  const wanted = env.fields!
  if (wanted.length === 0) return Doc.of()
  const values = keyValues(index, entry, wanted)
  return values === undefined ? readDocument(env, record) : Doc.of(values)
}

function keyValues (index: Index, { key, keyStart, value, size }: EntryBytes, wanted: readonly string[]): [string, Value][] | undefined {
  const typesAt = index.unique ? RECORD_BYTES : 0
  const found: [string, Value][] = []
  let at = keyStart + 5
  for (let i = 0; i < index.fields.length && found.length < wanted.length; i++) {
    const { path, direction } = index.fields[i]
    const mask = direction === 1 ? 0 : 255
    if (wanted.includes(path)) {
      const type = size > typesAt ? TYPES[value[typesAt + i]] : 'usual'
      const read = readKeyValue(key, at, mask, type)
      if (read === UNKNOWN || read === undefined || (typeof read === 'string' && index.collation !== undefined)) return undefined
      found.push([path, read as Value])
    }
    at = endOfKeyValue(key, at, mask)
  }
  return found
}
