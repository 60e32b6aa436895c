import { entriesOf, openCursor } from './cursor.js'
import type { Cursor, CursorSource } from './cursor.js'
import type { Entry, RangeOptions, Snapshot, Totals } from './types.js'

/**
 * A reader whose snapshot can be let go and taken anew between the batches of a cursor: ranges that are under way go on
 * behind their last key, as MongoDB's plans do after a yield.
 */
export class ParkableReader implements Snapshot, CursorSource {
  #snapshot: Snapshot | undefined
  readonly #cursors = new Set<ParkableCursor>()

  constructor (snapshot: Snapshot) {
    this.#snapshot = snapshot
  }

  get snapshot (): Snapshot {
    if (this.#snapshot === undefined) throw new Error('this reader is parked')
    return this.#snapshot
  }

  get (key: Buffer): Buffer | undefined {
    return this.snapshot.get(key)
  }

  totals (key: Buffer): Totals {
    return this.snapshot.totals(key)
  }

  range (options: RangeOptions): IterableIterator<Entry> {
    return entriesOf(this.cursor(options))
  }

  cursor (options: RangeOptions): Cursor {
    const cursor = new ParkableCursor(this, options, () => this.#cursors.delete(cursor))
    this.#cursors.add(cursor)
    return cursor
  }

  park (): void {
    for (const cursor of this.#cursors) cursor.park()
    this.#snapshot?.release()
    this.#snapshot = undefined
  }

  resume (snapshot: Snapshot): void {
    this.park()
    this.#snapshot = snapshot
  }

  release (): void {
    this.park()
    this.#cursors.clear()
  }
}

class ParkableCursor implements Cursor {
  #cursor: Cursor | undefined
  #done = false
  /** the key of the last step: the cursor's own is overwritten by any other read */
  #last = Buffer.allocUnsafe(64)
  #length = 0

  constructor (private readonly owner: ParkableReader, private readonly options: RangeOptions, private readonly onClose: () => void) {}

  next (): boolean {
    if (this.#done) return false
    this.#cursor ??= openCursor(this.owner.snapshot, this.#rest())
    if (this.#cursor.next()) {
      this.#remember(this.#cursor)
      return true
    }
    this.close()
    return false
  }

  #remember ({ key, keyStart, keyEnd }: Cursor): void {
    const length = keyEnd - keyStart
    if (length > this.#last.length) this.#last = Buffer.allocUnsafe(length * 2)
    for (let i = 0; i < length; i++) this.#last[i] = key[keyStart + i]
    this.#length = length
  }

  #rest (): RangeOptions {
    if (this.#length === 0) return this.options
    const { start, end, reverse } = this.options
    const last = Buffer.from(this.#last.subarray(0, this.#length))
    // the least key above the last one is that key with a zero byte behind it
    return reverse === true ? { start, end: last, reverse } : { start: Buffer.concat([last, Buffer.alloc(1)]), end }
  }

  park (): void {
    this.#cursor?.close()
    this.#cursor = undefined
  }

  get key (): Uint8Array {
    return this.#cursor!.key
  }

  get keyStart (): number {
    return this.#cursor!.keyStart
  }

  get keyEnd (): number {
    return this.#cursor!.keyEnd
  }

  get value (): Uint8Array {
    return this.#cursor!.value
  }

  get size (): number {
    return this.#cursor!.size
  }

  close (): void {
    this.#done = true
    this.park()
    this.onClose()
  }
}
