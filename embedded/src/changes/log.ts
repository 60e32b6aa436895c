import type { Collection } from '../catalog/types.js'
import { KEYSPACE } from '../storage/index.js'
import type { Reader, Storage, Writer } from '../storage/index.js'
import { encodeDocument } from '../values/bson-write.js'
import { docOf, int } from '../values/build.js'
import { BsonDate, Doc, Timestamp } from '../values/types.js'
import type { Value } from '../values/types.js'
import type { ChangeEvent } from '../write/context.js'
import { compareTimestamps } from '../sessions/clock.js'

/** The session and number of a transaction, shown in its events. */
export type TransactionMark = { readonly lsid: Doc, readonly txnNumber: bigint }

export type LogRecord = { readonly time: Timestamp, readonly wall: BsonDate, readonly events: readonly Doc[], readonly mark: Doc | undefined }

const ENTRY = KEYSPACE.changes
const FORGOTTEN = Buffer.from([KEYSPACE.changes + 1])
const SIZE = Buffer.from([KEYSPACE.changes + 2])
const END = Buffer.from([KEYSPACE.changes, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
const PRUNE_AT_ONCE = 32

function keyOf (time: Timestamp): Buffer {
  const key = Buffer.alloc(9)
  key[0] = ENTRY
  key.writeUInt32BE(time.seconds, 1)
  key.writeUInt32BE(time.increment, 5)
  return key
}

const timeOf = (key: Buffer): Timestamp => new Timestamp(key.readUInt32BE(1), key.readUInt32BE(5))

/**
 * The bounded history of changes, for change streams: one record for each storage transaction, written within it, so
 * that the log and the data never disagree.
 */
export class ChangeLog {
  #bytes: number
  #listeners = new Set<() => void>()

  private constructor (private readonly limit: number, bytes: number, readonly lastTime: Timestamp | undefined) {
    this.#bytes = bytes
  }

  /** @param limit bytes of history to keep */
  static open (storage: Storage, limit: number): ChangeLog {
    const snapshot = storage.snapshot()
    try {
      const [newest] = snapshot.range({ start: Buffer.from([ENTRY]), end: END, reverse: true })
      return new ChangeLog(limit, snapshot.totals(SIZE)[1], newest === undefined ? undefined : timeOf(newest.key))
    } finally {
      snapshot.release()
    }
  }

  append (writer: Writer, time: Timestamp, wall: BsonDate, events: readonly ChangeEvent[], mark?: TransactionMark): void {
    if (events.length === 0) return
    const value = encodeDocument(docOf({
      w: wall,
      t: mark === undefined ? undefined : docOf({ lsid: mark.lsid, txnNumber: mark.txnNumber }),
      e: encodeEvents(events)
    }))
    writer.put(keyOf(time), value)
    const removed = this.#bytes + value.length > this.limit ? this.#prune(writer, value.length) : 0
    const change = value.length - removed
    writer.add(SIZE, 0, change)
    this.#bytes += change
  }

  /** @returns the bytes that are gone */
  #prune (writer: Writer, added: number): number {
    const gone: Buffer[] = []
    let bytes = 0
    for (const { key, value } of writer.range({ start: Buffer.from([ENTRY]), end: END })) {
      if (this.#bytes + added - bytes <= this.limit || gone.length === PRUNE_AT_ONCE) break
      gone.push(key)
      bytes += value.length
    }
    for (const key of gone) writer.delete(key)
    const last = gone.at(-1)
    if (last !== undefined) writer.put(FORGOTTEN, last)
    return bytes
  }

  /** The records after `time`, or from it on when `inclusive`. */
  * read (reader: Reader, time: Timestamp, inclusive: boolean): Generator<LogRecord> {
    const start = inclusive ? keyOf(time) : keyOf(new Timestamp(time.seconds, time.increment + 1))
    for (const { key, value } of reader.range({ start, end: END })) {
      const doc = Doc.raw(value)
      yield { time: timeOf(key), wall: doc.get('w') as BsonDate, events: decodeEvents(doc.get('e') as Doc[]), mark: doc.get('t') as Doc | undefined }
    }
  }

  /** Whether events after `time` may have been forgotten already. */
  hasLost (reader: Reader, time: Timestamp): boolean {
    const forgotten = reader.get(FORGOTTEN)
    return forgotten !== undefined && compareTimestamps(time, timeOf(forgotten)) < 0
  }

  /** Tells the waiting streams that something was committed. */
  notify (): void {
    if (this.#listeners.size === 0) return
    const listeners = this.#listeners
    this.#listeners = new Set()
    for (const listener of listeners) listener()
  }

  /** Resolves with the next commit, after `milliseconds`, or when `signal` aborts. */
  next (milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const done = (): void => {
        clearTimeout(timer)
        this.#listeners.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, milliseconds)
      this.#listeners.add(done)
      signal.addEventListener('abort', done)
    })
  }
}

/** Inserts into one collection stand together, as nothing but their documents. */
function encodeEvents (events: readonly ChangeEvent[]): Value[] {
  const encoded: Value[] = []
  let collection: Collection | undefined
  let docs: Value[] = []
  for (const event of events) {
    if (event.type !== 'insert') {
      encoded.push(encodeEvent(event))
      collection = undefined
    } else if (event.collection === collection) docs.push(event.doc)
    else {
      collection = event.collection
      docs = [event.doc]
      encoded.push(docOf({ op: 'insert', ...collection.ns, docs }))
    }
  }
  return encoded
}

function decodeEvents (encoded: readonly Doc[]): Doc[] {
  return encoded.flatMap(event => {
    const docs = event.get('docs') as Doc[] | undefined
    if (docs === undefined) return event
    return docs.map(doc => docOf({ op: 'insert', db: event.get('db'), coll: event.get('coll'), id: doc.get('_id'), doc }))
  })
}

function encodeEvent (event: Exclude<ChangeEvent, { type: 'insert' }>): Value {
  if (event.type === 'dropDatabase') return docOf({ op: event.type, db: event.db })
  const { db, coll } = event.collection.ns
  const head = { op: event.type, db, coll }
  switch (event.type) {
    case 'replace': return docOf({ ...head, id: event.id, doc: event.doc })
    case 'delete': return docOf({ ...head, id: event.id })
    case 'drop': return docOf(head)
    case 'rename': return docOf({ ...head, to: docOf({ db: event.to.db, coll: event.to.coll }) })
    case 'update':
      return docOf({ ...head, id: event.id, set: pairs(event.changes.updated), unset: [...event.changes.removed], cut: truncations(event) })
  }
}

const pairs = (updated: readonly (readonly [string, Value])[]): Value => Doc.of(updated)
const truncations = (event: Extract<ChangeEvent, { type: 'update' }>): Value =>
  event.changes.truncated.map(({ field, newSize }) => docOf({ field, newSize: int(newSize) }))
