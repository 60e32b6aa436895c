import type { RootDatabase, Transaction } from 'lmdb'
import { copyOf, entriesOf } from './cursor.js'
import type { Cursor, CursorSource } from './cursor.js'
import type { Entry, RangeOptions, Reader, Snapshot, Totals } from './types.js'

/** Where lmdb has put the key and the value of the last read. All databases of a thread share these buffers. */
const last: { key: Uint8Array, keyStart: number, keyEnd: number, size: number } = { key: new Uint8Array(0), keyStart: 0, keyEnd: 0, size: 0 }

export const keyEncoder = {
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

export const encoder = {
  encode: (value: Buffer): Buffer => value,
  decode (bytes: Uint8Array, size: number): Uint8Array {
    last.size = size
    return bytes
  }
}

export type Database = Omit<RootDatabase<Uint8Array, Buffer>, 'getBinaryFast'> & {
  getBinaryFast (key: Buffer, options?: { transaction: Transaction }): Buffer | undefined
}
export type Env = { writeTxn: unknown }
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

const NO_TOTALS: Totals = [0, 0]

const readTotals = (bytes: Buffer | undefined): Totals => bytes === undefined ? NO_TOTALS : [bytes.readDoubleLE(0), bytes.readDoubleLE(8)]

export function totalsBytes (first: number, second: number): Buffer {
  const bytes = Buffer.allocUnsafe(16)
  bytes.writeDoubleLE(first, 0)
  bytes.writeDoubleLE(second, 8)
  return bytes
}

export class LmdbSnapshot implements Snapshot, CursorSource {
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

/** What the open write transaction sees; outside of one the newest state. */
export class CurrentReader implements Reader, CursorSource {
  constructor (protected readonly db: Database) {}

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
    return readTotals(this.get(key))
  }
}
