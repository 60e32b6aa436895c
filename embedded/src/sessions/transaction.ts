import { TransactionView } from '../storage/overlay.js'
import type { Snapshot } from '../storage/index.js'
import { MongoError } from '../values/errors.js'
import type { ChangeEvent } from '../write/context.js'
import type { LockOwner, LockTable } from './locks.js'

export type TransactionState = 'open' | 'committed' | 'aborted'

/** A multi-document transaction: a snapshot, its own writes over it, and the locks that keep others from writing the same. */
export class Transaction implements LockOwner {
  readonly seenSequence: number
  readonly view: TransactionView
  readonly events: ChangeEvent[] = []
  readonly startedAt = Date.now()
  readonly #onEnd: (() => void)[] = []
  readonly #touched = new Set<string>()
  #state: TransactionState = 'open'

  constructor (readonly txnNumber: bigint, private readonly snapshot: Snapshot, private readonly locks: LockTable) {
    this.seenSequence = locks.sequence
    this.view = new TransactionView(snapshot, key => locks.lock(this, key))
    locks.open(this)
  }

  get state (): TransactionState {
    return this.#state
  }

  /** Notes the use of a collection: changes of its definition wait for the end of this transaction. */
  touch (namespace: string): void {
    if (this.#touched.has(namespace)) return
    if (this.locks.definitionChangedSince(namespace, this.seenSequence)) {
      throw new MongoError(246, 'Unable to read from a snapshot due to pending collection catalog changes; please retry the operation.',
        { labels: ['TransientTransactionError'] })
    }
    this.#touched.add(namespace)
  }

  uses (namespace: string): boolean {
    return this.#touched.has(namespace)
  }

  onEnd (fn: () => void): void {
    this.#onEnd.push(fn)
  }

  /** Nothing more will be read: without the snapshot the storage need not keep the old state apart when it writes the new one. */
  stopReading (): void {
    for (const fn of this.#onEnd.splice(0)) fn()
    this.snapshot.release()
  }

  /** Frees snapshot and locks; the writes of a committed one are already in the storage. */
  end (state: 'committed' | 'aborted'): void {
    if (this.#state !== 'open') return
    this.#state = state
    this.stopReading()
    this.locks.release(this, state === 'committed')
  }
}
