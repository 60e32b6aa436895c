import { elementSize } from '../cursors/cursors.js'
import type { Await, Batch, Source } from '../cursors/cursors.js'
import type { Pipeline } from '../pipeline/index.js'
import type { Reader, Snapshot } from '../storage/index.js'
import { encodeDocument } from '../values/bson-write.js'
import { MongoError } from '../values/errors.js'
import { equal } from '../values/order.js'
import { Doc } from '../values/types.js'
import type { Timestamp, Value } from '../values/types.js'
import { changeEvent, inScope, invalidateEvent, invalidates } from './event.js'
import type { Scope } from './event.js'
import type { ChangeLog, LogRecord } from './log.js'
import { behind, encodeToken } from './token.js'
import type { Position } from './token.js'

const DEFAULT_WAIT_MS = 1000
const MAX_BATCH_BYTES = 16 * 1024 * 1024

export type StreamSetup = {
  readonly log: ChangeLog
  readonly scope: Scope
  readonly start: Position
  readonly pipeline: Pipeline
  readonly snapshot: () => Snapshot
  readonly lastTime: () => Timestamp
  /** the document that an update event is about, as it is now */
  readonly lookup: ((reader: Reader, event: Doc) => Value) | undefined
}

/** The events of a change stream, read from the log; between two batches it holds nothing but its position. */
export class ChangeStreamSource implements Source {
  readonly awaits = true
  #position: Position
  #over = false
  readonly #closed = new AbortController()

  constructor (private readonly setup: StreamSetup) {
    this.#position = setup.start
  }

  async next (size: number, { milliseconds, signal }: Await): Promise<Batch> {
    const end = Date.now() + (milliseconds ?? DEFAULT_WAIT_MS)
    const stop = AbortSignal.any([signal, this.#closed.signal])
    for (;;) {
      const docs = size === 0 ? [] : this.#collect(size)
      const left = end - Date.now()
      if (docs.length > 0 || this.#over || left <= 0 || stop.aborted || size === 0) {
        return { docs, more: !this.#over, resumeToken: encodeToken(this.#position) }
      }
      await this.setup.log.next(left, stop)
    }
  }

  #collect (size: number): Doc[] {
    const snapshot = this.setup.snapshot()
    try {
      const docs: Doc[] = []
      const last = this.setup.lastTime()
      if (this.#walk(snapshot, size, docs)) this.#position = behind(last)
      return docs
    } finally {
      snapshot.release()
    }
  }

  /** @returns whether the end of the log was reached */
  #walk (snapshot: Snapshot, size: number, docs: Doc[]): boolean {
    const { log, scope } = this.setup
    if (log.hasLost(snapshot, this.#position.time)) {
      throw new MongoError(286, 'Resume of change stream was not possible, as the resume point may no longer be in the oplog.')
    }
    const from = this.#position
    let bytes = 0
    for (const record of log.read(snapshot, from.time, true)) {
      for (const [index, event] of record.events.entries()) {
        const isSeen = index <= from.index && record.time.seconds === from.time.seconds && record.time.increment === from.time.increment
        if (isSeen || !inScope(scope, event)) continue
        this.#position = { time: record.time, index }
        for (const doc of this.#emit(snapshot, record, event)) {
          bytes += elementSize(doc, docs.length)
          docs.push(doc)
        }
        if (this.#over || docs.length >= size || bytes > MAX_BATCH_BYTES) return false
      }
    }
    return true
  }

  #emit (snapshot: Snapshot, record: LogRecord, event: Doc): Doc[] {
    const { lookup, scope, pipeline } = this.setup
    const position = this.#position
    const events = [changeEvent(record, event, position, lookup === undefined ? undefined : update => lookup(snapshot, update))]
    if (invalidates(scope, event)) {
      events.push(invalidateEvent(record, position))
      this.#position = { ...position, invalidates: true }
      this.#over = true
    }
    const docs: Doc[] = []
    for (const made of events) {
      const id = made.get('_id')!
      for (const doc of pipeline.runOver([made])) docs.push(checkedToken(doc, id))
    }
    return docs
  }

  park (): void {}

  close (): void {
    this.#closed.abort()
  }
}

function checkedToken (doc: Doc, token: Value): Doc {
  if (!equal(doc.get('_id'), token)) {
    throw new MongoError(280, 'Encountered an event whose _id field, which contains the resume token, was modified by the pipeline. ' +
      'Modifying the _id field of an event makes it impossible to resume the stream from that point.', { labels: ['NonResumableChangeStreamError'] })
  }
  return Doc.raw(encodeDocument(doc))
}
