import { open } from 'lmdb'
import type { RootDatabase, RootDatabaseOptionsWithPath, Transaction } from 'lmdb'
import { copyOf, entriesOf } from './cursor.js'
import type { Cursor, CursorSource } from './cursor.js'
import type { Entry, RangeOptions, Snapshot, Storage, Totals, Writer } from './types.js'

const PAGE_SIZE = 8192

/** Where lmdb has put the key and the value of the last read. All databases of a thread share these buffers. */
const last: { key: Uint8Array, keyStart: number, keyEnd: number, size: number } = { key: new Uint8Array(0), keyStart: 0, keyEnd: 0, size: 0 }

const keyEncoder = {
  writeKey (key: Uint8Array, target: Uint8Array, start: number): number {
    target.set(key, start)
    return start + key.length
  },
  readKey (source: Uint8Array, start: number, end: number): undefined {
    last.key = source
    last.keyStart = start
    last.keyEnd = end
  }
}

const encoder = {
  encode: (value: Buffer): Buffer => value,
  decode (bytes: Uint8Array, size: number): Uint8Array {
    last.size = size
    return bytes
  }
}

/** lmdb's own types call a synchronous transaction inside another a promise. */
type Database = Omit<RootDatabase<Uint8Array, Buffer>, 'getBinaryFast' | 'childTransaction'> & {
  getBinaryFast (key: Buffer, options?: { transaction: Transaction }): Buffer | undefined
  childTransaction (fn: () => void): void
}
type Env = { writeTxn: unknown }
type Step = { next (): { done?: boolean, value: { value: Uint8Array } }, return (): void }

/** lmdb overrides the length of its reused buffer by that of the last value; this is the buffer as it is. */
const whole = new WeakMap<Uint8Array, Uint8Array>()
function wholeOf (bytes: Uint8Array): Uint8Array {
  let view = whole.get(bytes)
  if (view === undefined) {
    const { maxLength } = bytes as Uint8Array & { maxLength?: number }
    if (maxLength === undefined) return bytes
    view = new Uint8Array(bytes.buffer, bytes.byteOffset, maxLength)
    whole.set(bytes, view)
  }
  return view
}

class LmdbCursor implements Cursor {
  #value: Uint8Array | undefined
  #bytes: Uint8Array = last.key
  readonly #steps: Step

  constructor (db: Database, { start, end, reverse = false }: RangeOptions, transaction: Transaction | undefined) {
    const range = reverse
      ? { start: end, end: start, reverse, exclusiveStart: true, inclusiveEnd: true, transaction }
      : { start, end, transaction }
    this.#steps = (db.getRange(range) as unknown as { iterate (): Step }).iterate()
  }

  next (): boolean {
    const step = this.#steps.next()
    if (step.done === true) return false
    const { value } = step.value
    if (value !== this.#value) {
      this.#value = value
      this.#bytes = wholeOf(value)
    }
    return true
  }

  get key (): Uint8Array { return last.key }
  get keyStart (): number { return last.keyStart }
  get keyEnd (): number { return last.keyEnd }
  get value (): Uint8Array { return this.#bytes }
  get size (): number { return last.size }

  close (): void {
    this.#steps.return()
  }
}

export const NO_TOTALS: Totals = [0, 0]

const readTotals = (bytes: Buffer | undefined): Totals => bytes === undefined ? NO_TOTALS : [bytes.readDoubleLE(0), bytes.readDoubleLE(8)]

function totalsBytes (first: number, second: number): Buffer {
  const bytes = Buffer.allocUnsafe(16)
  bytes.writeDoubleLE(first, 0)
  bytes.writeDoubleLE(second, 8)
  return bytes
}

class LmdbSnapshot implements Snapshot, CursorSource {
  readonly #options: { transaction: Transaction }
  #open = true

  constructor (private readonly db: Database, private readonly env: Env) {
    this.#options = { transaction: db.useReadTransaction() }
  }

  get (key: Buffer): Buffer | undefined {
    // lmdb prefers an open write transaction over the one it is given
    const { writeTxn } = this.env
    this.env.writeTxn = undefined
    try {
      const bytes = this.db.getBinaryFast(key, this.#options)
      return bytes === undefined ? undefined : copyOf(wholeOf(bytes), 0, bytes.length)
    } finally {
      this.env.writeTxn = writeTxn
    }
  }

  range (options: RangeOptions): IterableIterator<Entry> {
    return entriesOf(this.cursor(options))
  }

  cursor (options: RangeOptions): Cursor {
    return new LmdbCursor(this.db, options, this.#options.transaction)
  }

  totals (key: Buffer): Totals {
    return readTotals(this.get(key))
  }

  release (): void {
    if (!this.#open) return
    this.#open = false
    this.#options.transaction.done()
  }
}

class LmdbWriter implements Writer, CursorSource {
  readonly #sums = new Map<string, [key: Buffer, first: number, second: number]>()

  constructor (private readonly db: Database) {}

  get (key: Buffer): Buffer | undefined {
    const bytes = this.db.getBinaryFast(key)
    return bytes === undefined ? undefined : copyOf(wholeOf(bytes), 0, bytes.length)
  }

  range (options: RangeOptions): IterableIterator<Entry> {
    return entriesOf(this.cursor(options))
  }

  cursor (options: RangeOptions): Cursor {
    return new LmdbCursor(this.db, options, undefined)
  }

  totals (key: Buffer): Totals {
    const [first, second] = readTotals(this.get(key))
    const sum = this.#sums.get(key.toString('latin1'))
    return sum === undefined ? [first, second] : [first + sum[1], second + sum[2]]
  }

  put (key: Buffer, value: Buffer): void {
    this.db.putSync(key, value)
  }

  delete (key: Buffer): void {
    this.db.removeSync(key)
  }

  add (key: Buffer, first: number, second: number): void {
    const name = key.toString('latin1')
    const sum = this.#sums.get(name)
    if (sum === undefined) this.#sums.set(name, [key, first, second])
    else {
      sum[1] += first
      sum[2] += second
    }
  }

  claim (): void {}

  /** Writes the sums: a key that many documents of one write touch is written once. */
  finish (): void {
    for (const [key] of this.#sums.values()) this.put(key, totalsBytes(...this.totals(key)))
    this.#sums.clear()
  }
}

/** The open lmdb transaction that all writes of one turn of the event loop share, and their one flush. */
type Batch = PromiseParts & { commit (): void, abort (error: unknown): void }
type PromiseParts = { readonly done: Promise<void>, resolve (): void, reject (error: unknown): void }

function promiseParts (): PromiseParts {
  const parts = { resolve: (): void => {}, reject: (_error: unknown): void => {} }
  const done = new Promise<void>((resolve, reject) => Object.assign(parts, { resolve, reject }))
  done.catch(() => {})
  return Object.assign(parts, { done })
}

export class LmdbStorage implements Storage {
  readonly #db: Database
  readonly #env: Env
  #batch: Batch | undefined
  #writing = false
  #afterClose = (): void => {}

  /** @param path the data file; @param durable whether a commit waits for the disk */
  constructor (path: string, durable: boolean) {
    const options = {
      path,
      noSubdir: true,
      pageSize: PAGE_SIZE,
      maxReaders: 1024,
      maxDbs: 1,
      keyEncoder,
      encoder,
      noMemInit: true,
      ...(durable ? {} : { noSync: true, overlappingSync: false })
    }
    this.#db = open(options as unknown as RootDatabaseOptionsWithPath) as unknown as Database
    this.#env = (this.#db as unknown as { env: Env }).env
  }

  snapshot (): Snapshot {
    this.#commit()
    return new LmdbSnapshot(this.#db, this.#env)
  }

  write<T> (fn: (writer: Writer) => T): T {
    if (this.#writing) throw new Error('a write inside a write')
    this.#writing = true
    try {
      return this.#batch === undefined ? this.#firstWrite(fn) : this.#furtherWrite(fn)
    } finally {
      this.#writing = false
    }
  }

  #firstWrite<T> (fn: (writer: Writer) => T): T {
    const batch = this.#begin()
    try {
      const writer = new LmdbWriter(this.#db)
      const result = fn(writer)
      writer.finish()
      return result
    } catch (error) {
      this.#batch = undefined
      batch.resolve()
      batch.abort(error)
      throw error
    }
  }

  #furtherWrite<T> (fn: (writer: Writer) => T): T {
    let result: T | undefined
    this.#db.childTransaction(() => {
      const writer = new LmdbWriter(this.#db)
      result = fn(writer)
      writer.finish()
    })
    return result as T
  }

  #begin (): Batch {
    const batch: Batch = { commit: () => {}, abort: () => {}, ...promiseParts() }
    // lmdb keeps the transaction open until the thenable that its callback returns calls back
    const open = { then: (commit: () => void, abort: (error: unknown) => void): void => { Object.assign(batch, { commit, abort }) } }
    this.#db.transactionSync((): unknown => open)
    this.#batch = batch
    setImmediate(() => { if (this.#batch === batch) this.#tryCommit() })
    return batch
  }

  #tryCommit (): void {
    try {
      this.#commit()
    } catch {
      // whoever awaits the batch has the error
    }
  }

  #commit (): void {
    const batch = this.#batch
    if (batch === undefined || this.#writing) return
    this.#batch = undefined
    try {
      batch.commit()
      batch.resolve()
    } catch (error) {
      batch.reject(error)
      throw error
    }
  }

  async synced (): Promise<void> {
    await this.#batch?.done
  }

  onClose (fn: () => void): void {
    this.#afterClose = fn
  }

  async close (): Promise<void> {
    this.#commit()
    await this.#db.close()
    this.#afterClose()
  }
}
