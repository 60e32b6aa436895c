import type { Snapshot, Writer } from './types.js'

export type OverlayWrite = { readonly key: Buffer, readonly value: Buffer | undefined }

/** A transaction's view: a snapshot with the transaction's own writes over it. */
export declare class TransactionView implements Writer {
  /** @param beforeWrite called for every key that is put, deleted or claimed: the place for locks and for the conflict check */
  constructor (base: Snapshot, beforeWrite: (key: Buffer, base: Snapshot) => void)
  get: Writer['get']
  range: Writer['range']
  totals: Writer['totals']
  put: Writer['put']
  delete: Writer['delete']
  add: Writer['add']
  claim: Writer['claim']
  /** Marks a place to return to, so that a failed statement leaves nothing. */
  savepoint (): number
  rollbackTo (savepoint: number): void
  readonly size: number
  writes (): IterableIterator<OverlayWrite>
  /** Repeats the writes and sums on the real storage. */
  applyTo (writer: Writer): void
}
