import type { Value } from '../values/types.js'
import { REMOVE, dotted } from './leaf.js'
import type { Leaf, Place } from './leaf.js'

/** What a change stream's updateDescription tells. */
export type Changes = {
  updated: [path: string, value: Value][]
  removed: string[]
  truncated: { field: string, newSize: number }[]
}

/** Gathers the changes of update operators as MongoDB's oplog entry has them. */
export class ChangeLog {
  readonly changes: Changes = { updated: [], removed: [], truncated: [] }
  #quiet = 0

  set (path: readonly string[], value: Value): void {
    if (this.#quiet === 0) this.changes.updated.push([dotted(path), value])
  }

  update (leaf: Leaf, place: Place, before: Value, outcome: Value | typeof REMOVE): void {
    if (this.#quiet > 0) return
    if (outcome === REMOVE) this.#remove(place)
    else this.#change(leaf, place, before, outcome)
  }

  #remove ({ path, inArray }: Place): void {
    if (inArray) this.set(path, null)
    else this.changes.removed.push(dotted(path))
  }

  /** Elements that were only appended are told one by one. */
  #change (leaf: Leaf, { path }: Place, before: Value, after: Value): void {
    const appended = leaf.appended?.(before, after)
    if (appended === undefined || !Array.isArray(after)) return this.set(path, after)
    for (let i = after.length - appended; i < after.length; i++) this.set([...path, String(i)], after[i])
  }

  /** Runs what is told by somebody else. */
  silently<T> (run: () => T): T {
    this.#quiet++
    try {
      return run()
    } finally {
      this.#quiet--
    }
  }
}
