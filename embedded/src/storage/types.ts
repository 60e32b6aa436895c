/**
 * Keys are bytes in memcmp order. The first byte is the keyspace; a room writes only below its own:
 *   0x01 format   0x02 catalog   0x03 records   0x04 index entries   0x05 index flags   0x06 totals   0x07 purge list
 *   0x10 to 0x1f sessions (retry records)   0x20 to 0x2f changes (log)
 */
export const KEYSPACE = {
  format: 0x01, catalog: 0x02, records: 0x03, entries: 0x04, flags: 0x05, totals: 0x06, purge: 0x07, sessions: 0x10, changes: 0x20
} as const

export type Entry = { readonly key: Buffer, readonly value: Buffer }

/** The half-open range [start, end); `reverse` walks it from its end. */
export type RangeOptions = { readonly start: Buffer, readonly end: Buffer, readonly reverse?: boolean }

/** Two running sums under one key, such as documents and bytes of a collection. */
export type Totals = readonly [number, number]

export interface Reader {
  /** The returned bytes belong to the caller. */
  get (key: Buffer): Buffer | undefined
  /** Every entry belongs to the caller. Ending the iteration early frees the cursor below. */
  range (options: RangeOptions): IterableIterator<Entry>
  totals (key: Buffer): Totals
}

/** One state of the data; `release` it soon, old pages cannot be reused before. */
export interface Snapshot extends Reader {
  release (): void
}

/** Reads see the writer's own changes. */
export interface Writer extends Reader {
  /** @param before what the key holds now, if the caller knows: null for nothing */
  put (key: Buffer, value: Buffer, before?: Buffer | null): void
  delete (key: Buffer, before?: Buffer | null): void
  /** Adds to the sums under a totals key; additions of concurrent transactions never conflict. */
  add (key: Buffer, first: number, second: number): void
  /** Says that `key` will be written: a uniqueness check calls it before it reads, so that it never judges another's uncommitted state. */
  claim (key: Buffer): void
}

export interface Storage {
  /** The state after all writes so far. */
  snapshot (): Snapshot
  /** Runs `fn` (synchronous) atomically; when it throws, nothing of it remains. */
  write<T> (fn: (writer: Writer) => T): T
  /** Resolves when every write so far is on disk; concurrent callers share one flush. */
  synced (): Promise<void>
  close (): Promise<void>
}
