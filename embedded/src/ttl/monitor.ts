import { setImmediate } from 'node:timers/promises'
import type { Catalog } from '../catalog/index.js'
import type { Collection, Index } from '../catalog/types.js'
import { parseFilter } from '../matcher/parse.js'
import { findRecords } from '../query/index.js'
import type { Storage } from '../storage/index.js'
import { docOf } from '../values/build.js'
import { BsonDate, Doc } from '../values/types.js'
import { parseContext } from '../write/context.js'
import type { WriteContext } from '../write/context.js'
import { removeFound } from '../write/delete.js'

const DELETE_AT_ONCE = 500

type Setup = {
  readonly storage: Storage
  readonly catalog: Catalog
  readonly seconds: number
  readonly log: (line: string) => void
  /** runs a write; undefined when an open transaction is in its way */
  readonly write: <T>(fn: (w: WriteContext) => T) => T | undefined
}

/** Deletes documents whose date of a TTL index is over, through the normal write path. */
export class TtlMonitor {
  readonly #timer: NodeJS.Timeout
  #sweeping: Promise<void> | undefined
  #stopped = false

  constructor (private readonly setup: Setup) {
    this.#timer = setInterval(() => this.#start(), setup.seconds * 1000)
    this.#timer.unref()
  }

  async stop (): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    await this.#sweeping
  }

  #start (): void {
    this.#sweeping ??= this.#sweep().finally(() => { this.#sweeping = undefined })
  }

  async #sweep (): Promise<void> {
    try {
      for (const [collection, index] of this.#indexes()) await this.#deleteAll(collection, index)
    } catch (error) {
      this.setup.log(`TTL: ${error instanceof Error ? error.stack : String(error)}`)
    }
  }

  /** Some at a time: between them the commands of clients have their turn. */
  async #deleteAll (collection: Collection, index: Index): Promise<void> {
    while (!this.#stopped && this.#deleteSome(collection, index) === DELETE_AT_ONCE) await setImmediate()
  }

  #indexes (): [Collection, Index][] {
    const { catalog, storage } = this.setup
    const snapshot = storage.snapshot()
    try {
      return catalog.databases(snapshot)
        .flatMap(db => catalog.collections(snapshot, db))
        .flatMap(collection => collection.indexes
          .filter(index => index.expireAfterSeconds !== undefined)
          .map(index => [collection, index] as [Collection, Index]))
    } finally {
      snapshot.release()
    }
  }

  /** Where a transaction holds one of the documents, they are tried one by one. */
  #deleteSome (collection: Collection, index: Index): number {
    return this.setup.write(w => deleteExpired(w, collection, index, DELETE_AT_ONCE)) ??
      this.setup.write(w => deleteExpired(w, collection, index, 1)) ?? 0
  }
}

/** Dates only: a number or a text in that field never expires; of an array the earliest date counts. */
function expired (w: WriteContext, index: Index): Doc {
  const field = index.fields[0]!.path
  const dated = docOf({ $lte: new BsonDate(w.now.ms - index.expireAfterSeconds! * 1000) })
  const filter = Doc.of([[field, dated]])
  return index.partialFilter === undefined ? filter : docOf({ $and: [index.partialFilter, filter] })
}

function deleteExpired (w: WriteContext, known: Collection, index: Index, limit: number): number {
  const collection = w.catalog.collection(w.writer, known.ns)
  if (collection === undefined || collection.id !== known.id) return 0
  const filter = expired(w, index)
  const ctx = parseContext(w, undefined, undefined)
  const found = [...findRecords(w.writer, collection, { filter, parsed: parseFilter(filter, ctx), limit, ctx })]
  for (const hit of found) removeFound(w, collection, hit)
  return found.length
}
