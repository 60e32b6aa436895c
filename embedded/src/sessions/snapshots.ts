import type { Snapshot } from '../storage/index.js'
import { MongoError } from '../values/errors.js'
import type { Timestamp } from '../values/types.js'

const KEEP_MS = 60_000
/** Each keeps old pages from being used again. */
const MOST = 16

export type HeldSnapshot = { readonly time: Timestamp, readonly snapshot: Snapshot, users: number, lastUse: number }

const nameOf = ({ seconds, increment }: Timestamp): string => `${seconds}.${increment}`

/** The states that snapshot reads saw: a session goes on reading the same one by its time, as long as it is kept. */
export class Snapshots {
  readonly #held = new Map<string, HeldSnapshot>()

  constructor (private readonly open: () => Snapshot, private readonly now: () => Timestamp) {}

  /** @param time of an earlier read; undefined for the newest state */
  take (time: Timestamp | undefined): HeldSnapshot {
    const newest = this.now()
    const name = nameOf(time ?? newest)
    let held = this.#held.get(name)
    if (held === undefined) {
      if (nameOf(newest) !== name) {
        throw new MongoError(239, `Read timestamp ${name} is older than the oldest available timestamp.`)
      }
      held = { time: newest, snapshot: this.open(), users: 0, lastUse: 0 }
      this.#held.set(name, held)
      if (this.#held.size > MOST) this.#forgetOldest()
    }
    held.users++
    held.lastUse = Date.now()
    return held
  }

  leave (held: HeldSnapshot): void {
    held.users--
  }

  #forgetOldest (): void {
    for (const [name, held] of this.#held) {
      if (held.users > 0) continue
      this.#forget(name, held)
      return
    }
  }

  #forget (name: string, held: HeldSnapshot): void {
    this.#held.delete(name)
    held.snapshot.release()
  }

  sweep (now: number): void {
    for (const [name, held] of this.#held) if (held.users === 0 && now - held.lastUse > KEEP_MS) this.#forget(name, held)
  }

  clear (): void {
    for (const [name, held] of this.#held) this.#forget(name, held)
  }
}
