import { randomBytes } from 'node:crypto'
import type { ParkableReader, Snapshot } from '../storage/index.js'
import { encodeDocument } from '../values/bson-write.js'
import { MongoError } from '../values/errors.js'
import { Doc } from '../values/types.js'
import type { Session } from '../sessions/sessions.js'
import type { Transaction } from '../sessions/transaction.js'
import type { Interrupt } from './interrupt.js'

const MAX_BATCH_BYTES = 16 * 1024 * 1024
/** A cursor that is idle for longer lets its snapshot go, so that old pages can be used again. */
const PARK_AFTER_MS = 1000

export type Batch = { readonly docs: Doc[], readonly more: boolean, readonly resumeToken?: Doc }

/** How long a batch may wait for data, and what ends the wait. */
export type Await = { readonly milliseconds: number | undefined, readonly signal: AbortSignal }

/** What a document takes as an element of the batch: its type, its position as text, its bytes. */
export const elementSize = (doc: Doc, position: number): number => doc.rawBytes!.length + digits(position) + 2

function digits (n: number): number {
  let count = 1
  for (let rest = n; rest > 9; rest = Math.floor(rest / 10)) count++
  return count
}

/** What a cursor reads from. */
export interface Source {
  /** whether a batch may wait for data to come */
  readonly awaits: boolean
  /** @param size most documents wanted */
  next (size: number, wait: Await): Batch | Promise<Batch>
  /** Lets go of whatever keeps old data alive, until the next batch. */
  park (): void
  close (): void
}

export type QuerySetup = {
  readonly docs: Iterable<Doc>
  readonly interrupt: Interrupt
  /** undefined where the cursor shares what it reads: a transaction's view, the state of snapshot reads */
  readonly reader?: ParkableReader
  readonly snapshot: () => Snapshot
  /** for a reader that is not the cursor's own */
  readonly onClose?: () => void
  readonly limit?: number
  /** The plan knows its end without a further step (sorts); a plain scan does not, and its cursor stays open as MongoDB's does. */
  readonly knowsEnd?: boolean
}

/** The rest of a query. */
export class QuerySource implements Source {
  readonly awaits = false
  readonly #iterator: Iterator<Doc>
  #pending: Doc | undefined
  #left: number
  #parked = false
  #closed = false

  constructor (private readonly setup: QuerySetup) {
    this.#iterator = setup.docs[Symbol.iterator]()
    this.#left = setup.limit ?? Infinity
  }

  next (size: number): Batch {
    if (this.#parked) {
      this.setup.reader!.resume(this.setup.snapshot())
      this.#parked = false
    }
    this.setup.interrupt.resume()
    const docs: Doc[] = []
    const more = this.#fill(docs, size)
    this.setup.interrupt.pause()
    if (!more) this.close()
    return { docs, more }
  }

  #fill (docs: Doc[], size: number): boolean {
    let bytes = 0
    while (docs.length < size && this.#left > 0) {
      const doc = this.#take()
      if (doc === undefined) return false
      bytes += elementSize(doc, docs.length)
      if (bytes > MAX_BATCH_BYTES && docs.length > 0) {
        this.#pending = doc
        return true
      }
      docs.push(doc)
      this.#left--
    }
    if (this.#left <= 0) return false
    if (this.setup.knowsEnd !== true) return true
    this.#pending = this.#take()
    return this.#pending !== undefined
  }

  #take (): Doc | undefined {
    const pending = this.#pending
    this.#pending = undefined
    if (pending !== undefined) return pending
    const { value, done } = this.#iterator.next()
    if (done === true) return undefined
    const doc = value as Doc
    return doc.rawBytes === undefined ? Doc.raw(encodeDocument(doc)) : doc
  }

  park (): void {
    if (this.setup.reader === undefined || this.#parked || this.#closed) return
    this.setup.reader.park()
    this.#parked = true
  }

  close (): void {
    if (this.#closed) return
    this.#closed = true
    this.#iterator.return?.()
    if (!this.#parked) this.setup.reader?.release()
    this.setup.onClose?.()
  }
}

export type CursorOwner = {
  readonly db: string
  /** `db.coll`, or `db.$cmd.listCollections` and the like */
  readonly namespace: string
  readonly session: Session | undefined
  readonly transaction: Transaction | undefined
  readonly noTimeout?: boolean
}

export class Cursor {
  lastUse = Date.now()
  busy = false

  constructor (readonly id: bigint, readonly owner: CursorOwner, readonly source: Source) {}
}

/** The open cursors of an engine. */
export class Cursors {
  readonly #cursors = new Map<bigint, Cursor>()

  constructor (private readonly timeoutMs: number) {}

  get size (): number {
    return this.#cursors.size
  }

  open (owner: CursorOwner, source: Source): Cursor {
    const cursor = new Cursor(this.#newId(), owner, source)
    this.#cursors.set(cursor.id, cursor)
    owner.transaction?.onEnd(() => this.#close(cursor))
    return cursor
  }

  #newId (): bigint {
    for (;;) {
      const id = randomBytes(8).readBigInt64LE() & 0x7fffffffffffffffn
      if (id !== 0n && !this.#cursors.has(id)) return id
    }
  }

  find (id: bigint): Cursor | undefined {
    return this.#cursors.get(id)
  }

  /** The cursor of a getMore. */
  use (id: bigint, namespace: string): Cursor {
    const cursor = this.#cursors.get(id)
    if (cursor === undefined) throw new MongoError(43, `cursor id ${id} not found`)
    if (cursor.owner.namespace !== namespace) {
      throw new MongoError(13, `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.owner.namespace}`)
    }
    cursor.lastUse = Date.now()
    return cursor
  }

  close (id: bigint): boolean {
    const cursor = this.#cursors.get(id)
    if (cursor !== undefined) this.#close(cursor)
    return cursor !== undefined
  }

  #close (cursor: Cursor): void {
    this.#cursors.delete(cursor.id)
    cursor.source.close()
  }

  closeOfSession (session: Session): void {
    for (const cursor of [...this.#cursors.values()]) if (cursor.owner.session === session) this.#close(cursor)
  }

  closeAll (): void {
    for (const cursor of [...this.#cursors.values()]) this.#close(cursor)
  }

  /** Lets idle cursors rest and closes those that nobody asked for too long. */
  sweep (now: number): void {
    for (const cursor of [...this.#cursors.values()]) {
      if (cursor.busy) continue
      const idle = now - cursor.lastUse
      if (idle > this.timeoutMs && cursor.owner.noTimeout !== true && cursor.owner.transaction === undefined) this.#close(cursor)
      else if (idle > PARK_AFTER_MS) cursor.source.park()
    }
  }
}
