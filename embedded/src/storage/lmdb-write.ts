import type { Journal } from './journal.js'
import { CurrentReader, totalsBytes } from './lmdb-read.js'
import type { Database } from './lmdb-read.js'
import type { Totals, Writer } from './types.js'

type Sum = { readonly key: Buffer, first: number, second: number }

/** One write: it can be undone by itself, as lmdb's transaction holds others, too. */
export class LmdbWriter extends CurrentReader implements Writer {
  readonly #sums = new Map<string, Sum>()
  /** what was written, each followed by what was there before (null for nothing) */
  readonly #before: (Buffer | null)[] = []

  constructor (db: Database, private readonly journal: Journal | undefined) {
    super(db)
  }

  override totals (key: Buffer): Totals {
    const [first, second] = super.totals(key)
    const sum = this.#sums.get(key.toString('latin1'))
    return sum === undefined ? [first, second] : [first + sum.first, second + sum.second]
  }

  put (key: Buffer, value: Buffer, before: Buffer | null = this.get(key) ?? null): void {
    this.#before.push(key, before)
    this.db.putSync(key, value)
    this.journal?.put(key, value)
  }

  delete (key: Buffer, before: Buffer | null = this.get(key) ?? null): void {
    this.#before.push(key, before)
    this.db.removeSync(key)
    this.journal?.delete(key)
  }

  add (key: Buffer, first: number, second: number): void {
    const name = key.toString('latin1')
    const sum = this.#sums.get(name)
    if (sum === undefined) this.#sums.set(name, { key, first, second })
    else {
      sum.first += first
      sum.second += second
    }
  }

  claim (): void {}

  /** Writes the sums: a key that many documents of one write touch is written once. */
  finish (): void {
    for (const { key } of this.#sums.values()) this.put(key, totalsBytes(...this.totals(key)))
    this.#sums.clear()
  }

  undo (): void {
    for (let i = this.#before.length - 2; i >= 0; i -= 2) {
      const key = this.#before[i]!
      const value = this.#before[i + 1]
      if (value === null) this.db.removeSync(key)
      else this.db.putSync(key, value)
    }
  }
}
