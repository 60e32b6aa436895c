import type { Entry, RangeOptions, Reader } from './types.js'

/**
 * Walks a range without copying. `key` and `value` stand in buffers that the next step of any reader overwrites, and
 * `value` may be longer than the entry's: only its first `size` bytes count.
 */
export interface Cursor {
  next (): boolean
  readonly key: Uint8Array
  readonly keyStart: number
  readonly keyEnd: number
  readonly value: Uint8Array
  readonly size: number
  close (): void
}

export interface CursorSource {
  cursor (options: RangeOptions): Cursor
}

const hasCursor = (reader: object): reader is CursorSource => 'cursor' in reader

/** The reader's own cursor, or one over its range. */
export const openCursor = (reader: Reader, options: RangeOptions): Cursor =>
  hasCursor(reader) ? reader.cursor(options) : new RangeCursor(reader.range(options))

class RangeCursor implements Cursor {
  readonly keyStart = 0
  #entry: Entry | undefined

  constructor (private readonly entries: Iterator<Entry>) {}

  next (): boolean {
    const { done, value } = this.entries.next()
    this.#entry = done === true ? undefined : value as Entry
    return this.#entry !== undefined
  }

  get key (): Uint8Array {
    return this.#entry!.key
  }

  get keyEnd (): number {
    return this.#entry!.key.length
  }

  get value (): Uint8Array {
    return this.#entry!.value
  }

  get size (): number {
    return this.#entry!.value.length
  }

  close (): void {
    this.entries.return?.()
  }
}

/** Entries as copies that belong to the caller. */
export function * entriesOf (cursor: Cursor): IterableIterator<Entry> {
  try {
    while (cursor.next()) yield { key: copyOf(cursor.key, cursor.keyStart, cursor.keyEnd), value: copyOf(cursor.value, 0, cursor.size) }
  } finally {
    cursor.close()
  }
}

/** From a buffer whose own length may say something else. */
export function copyOf (bytes: Uint8Array, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start)
  if (copy.length <= 24) for (let i = start; i < end; i++) copy[i - start] = bytes[i]
  else copy.set(bytes.subarray(start, end))
  return copy
}
