import { MongoError } from '../values/errors.js'
import { KEYSPACE } from '../storage/index.js'
import type { Entry, RangeOptions, Totals, Writer } from '../storage/index.js'

/** Thrown through a plain write when an open transaction holds what it wants to write: the caller undoes, waits and begins anew. */
export class LockWait extends Error {}

const writeConflict = (): MongoError => new MongoError(112,
  'Caused by :: Write conflict during plan execution and yielding is disabled. :: Please retry your operation or multi-document transaction.',
  { labels: ['TransientTransactionError'] })

/** Identifies whoever holds locks; `seenSequence` is the last commit that its snapshot contains. */
export type LockOwner = { readonly seenSequence: number }

/** Index flags only grow and are the same for whoever writes them: no reason to wait. */
const free = (key: Buffer): boolean => key[0] === KEYSPACE.flags

/**
 * Locks on storage keys (records, unique index entries, definitions), held by open transactions only: a plain write is
 * synchronous, so it needs none, it only waits for them. First writer wins: a transaction that meets another's lock, or
 * a commit later than its snapshot, fails at once.
 */
export class LockTable {
  readonly #owners = new Map<string, LockOwner>()
  /** key to the commit that last wrote it, kept while transactions are open */
  readonly #recent = new Map<string, number>()
  readonly #definitions = new Map<string, number>()
  readonly #open = new Map<LockOwner, Set<string>>()
  readonly #waiting = new Set<() => void>()
  #sequence = 0

  get sequence (): number {
    return this.#sequence
  }

  /** Whether plain writes need to be guarded at all. */
  get busy (): boolean {
    return this.#open.size > 0
  }

  open (owner: LockOwner): void {
    this.#open.set(owner, new Set())
  }

  lock (owner: LockOwner, key: Buffer): void {
    if (free(key)) return
    const name = key.toString('latin1')
    const holder = this.#owners.get(name)
    if (holder === owner) return
    if (holder !== undefined || (this.#recent.get(name) ?? 0) > owner.seenSequence) throw writeConflict()
    this.#owners.set(name, owner)
    this.#open.get(owner)!.add(name)
  }

  /** Frees everything the owner holds and wakes who waits. */
  release (owner: LockOwner, committed: boolean): void {
    const held = this.#open.get(owner)
    if (held === undefined) return
    this.#open.delete(owner)
    if (committed) this.#sequence++
    for (const name of held) {
      this.#owners.delete(name)
      if (committed && this.busy) this.#recent.set(name, this.#sequence)
    }
    if (!this.busy) {
      this.#recent.clear()
      this.#definitions.clear()
    }
    for (const wake of [...this.#waiting]) wake()
  }

  /** A writer for a plain write: it throws LockWait where a transaction is in the way. */
  guard (writer: Writer): GuardedWriter | undefined {
    return this.busy ? new GuardedWriter(writer, this.#owners) : undefined
  }

  /** To be called when the storage has committed what went through `guard`. */
  committed (guarded: GuardedWriter | undefined): void {
    this.#sequence++
    if (guarded !== undefined && this.busy) for (const name of guarded.written) this.#recent.set(name, this.#sequence)
  }

  /** Notes that the definition of a collection changed: a transaction with an older snapshot may not use it any more. */
  definitionChanged (namespace: string): void {
    if (this.busy) this.#definitions.set(namespace, this.#sequence)
  }

  definitionChangedSince (namespace: string, sequence: number): boolean {
    return (this.#definitions.get(namespace) ?? -1) > sequence
  }

  /** Resolves when any transaction has ended or `signal` aborts, false when `milliseconds` are over before. */
  wait (milliseconds: number | undefined, signal: AbortSignal): Promise<boolean> {
    return new Promise(resolve => {
      const finish = (inTime: boolean): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve(inTime)
      }
      const wake = (): void => finish(true)
      const timer = milliseconds === undefined ? undefined : setTimeout(finish, Math.max(0, milliseconds), false)
      signal.addEventListener('abort', wake)
      this.#waiting.add(wake)
    })
  }
}

export class GuardedWriter implements Writer {
  readonly written = new Set<string>()

  constructor (private readonly writer: Writer, private readonly owners: ReadonlyMap<string, LockOwner>) {}

  get (key: Buffer): Buffer | undefined {
    return this.writer.get(key)
  }

  range (options: RangeOptions): IterableIterator<Entry> {
    return this.writer.range(options)
  }

  totals (key: Buffer): Totals {
    return this.writer.totals(key)
  }

  add (key: Buffer, first: number, second: number): void {
    this.writer.add(key, first, second)
  }

  put (key: Buffer, value: Buffer): void {
    this.#check(key)
    this.writer.put(key, value)
  }

  delete (key: Buffer): void {
    this.#check(key)
    this.writer.delete(key)
  }

  claim (key: Buffer): void {
    this.#check(key)
    this.writer.claim(key)
  }

  #check (key: Buffer): void {
    if (free(key)) return
    const name = key.toString('latin1')
    if (this.owners.has(name)) throw new LockWait()
    this.written.add(name)
  }
}
