import { copyOf, entriesOf, openCursor } from './cursor.js'
import type { Cursor, CursorSource } from './cursor.js'
import { SortedWrites } from './sorted-writes.js'
import type { Entry, RangeOptions, Snapshot, Totals, Writer } from './types.js'

export type OverlayWrite = { readonly key: Buffer, readonly value: Buffer | undefined }

type Undo =
  | { readonly key: Buffer, readonly had: boolean, readonly value: Buffer | undefined }
  | { readonly totals: string, readonly first: number, readonly second: number }

/** A transaction's view: a snapshot with the transaction's own writes over it. */
export class TransactionView implements Writer, CursorSource {
  readonly #writes = new SortedWrites()
  readonly #sums = new Map<string, { readonly key: Buffer, first: number, second: number }>()
  #undo: Undo[] = []

  /** @param beforeWrite called for every key that is put, deleted or claimed: the place for locks and for the conflict check */
  constructor (private readonly base: Snapshot, private readonly beforeWrite: (key: Buffer, base: Snapshot) => void) {}

  get size (): number {
    return this.#writes.size
  }

  get (key: Buffer): Buffer | undefined {
    return this.#writes.has(key) ? this.#writes.get(key) : this.base.get(key)
  }

  range (options: RangeOptions): IterableIterator<Entry> {
    return entriesOf(this.cursor(options))
  }

  cursor (options: RangeOptions): Cursor {
    const { start, end, reverse = false } = options
    return new OverlayCursor(openCursor(this.base, options), this.#writes.between(start, end, reverse), reverse)
  }

  totals (key: Buffer): Totals {
    const [first, second] = this.base.totals(key)
    const sum = this.#sums.get(key.toString('latin1'))
    return sum === undefined ? [first, second] : [first + sum.first, second + sum.second]
  }

  put (key: Buffer, value: Buffer): void {
    this.#set(key, Buffer.from(value))
  }

  delete (key: Buffer): void {
    this.#set(key, undefined)
  }

  #set (key: Buffer, value: Buffer | undefined): void {
    this.beforeWrite(key, this.base)
    this.#undo.push({ key, had: this.#writes.has(key), value: this.#writes.get(key) })
    this.#writes.set(Buffer.from(key), value)
  }

  add (key: Buffer, first: number, second: number): void {
    const name = key.toString('latin1')
    this.#undo.push({ totals: name, first, second })
    const sum = this.#sums.get(name)
    if (sum === undefined) this.#sums.set(name, { key: Buffer.from(key), first, second })
    else {
      sum.first += first
      sum.second += second
    }
  }

  claim (key: Buffer): void {
    this.beforeWrite(key, this.base)
  }

  /** Marks a place to return to, so that a failed statement leaves nothing. */
  savepoint (): number {
    return this.#undo.length
  }

  rollbackTo (savepoint: number): void {
    for (const undo of this.#undo.splice(savepoint).reverse()) {
      if ('totals' in undo) {
        const sum = this.#sums.get(undo.totals)!
        sum.first -= undo.first
        sum.second -= undo.second
      } else if (undo.had) this.#writes.set(undo.key, undo.value)
      else this.#writes.forget(undo.key)
    }
  }

  writes (): IterableIterator<OverlayWrite> {
    return this.#writes.all()
  }

  /** Repeats the writes and sums on the real storage. */
  applyTo (writer: Writer): void {
    for (const { key, value } of this.#writes.all()) {
      if (value === undefined) writer.delete(key)
      else writer.put(key, value)
    }
    for (const { key, first, second } of this.#sums.values()) if (first !== 0 || second !== 0) writer.add(key, first, second)
  }
}

/** Two sorted sources as one; where both have a key the overlay counts, and a deleted one is left out. */
class OverlayCursor implements Cursor {
  readonly keyStart = 0
  #key: Buffer = Buffer.alloc(0)
  #value: Buffer = Buffer.alloc(0)
  /** the base's next entry, copied: it is held while the overlay's go before it */
  #held: Entry | undefined
  #ended = false
  #own: OverlayWrite | undefined

  constructor (private readonly below: Cursor, private readonly above: Iterator<OverlayWrite>, private readonly reverse: boolean) {
    this.#takeOwn()
  }

  #takeOwn (): void {
    const { done, value } = this.above.next()
    this.#own = done === true ? undefined : value as OverlayWrite
  }

  #takeBelow (): void {
    if (this.#held !== undefined || this.#ended) return
    if (this.below.next()) {
      const { key, keyStart, keyEnd, value, size } = this.below
      this.#held = { key: copyOf(key, keyStart, keyEnd), value: copyOf(value, 0, size) }
    } else this.#ended = true
  }

  next (): boolean {
    for (;;) {
      this.#takeBelow()
      const order = this.#order()
      if (order === undefined) return false
      const entry = order <= 0 ? this.#own! : this.#held!
      if (order >= 0) this.#held = undefined
      if (order <= 0) this.#takeOwn()
      if (entry.value === undefined) continue
      this.#key = entry.key
      this.#value = entry.value
      return true
    }
  }

  /** Below 0 the overlay's entry comes first, above 0 the base's; undefined at the end of both. */
  #order (): number | undefined {
    if (this.#own === undefined) return this.#held === undefined ? undefined : 1
    if (this.#held === undefined) return -1
    const order = Buffer.compare(this.#own.key, this.#held.key)
    return this.reverse ? -order : order
  }

  get key (): Uint8Array {
    return this.#key
  }

  get keyEnd (): number {
    return this.#key.length
  }

  get value (): Uint8Array {
    return this.#value
  }

  get size (): number {
    return this.#value.length
  }

  close (): void {
    this.below.close()
    this.above.return?.()
  }
}
