import { setImmediate as nextTurn } from 'node:timers/promises'
import { KEYSPACE } from '../storage/types.js'
import type { Reader, Storage, Writer } from '../storage/types.js'
import { prefixOf, rangeOf } from './keys.js'

/** What a drop removes at once; more than that is removed later, in writes of this size. */
const AT_ONCE = 2000

const START = Buffer.from([KEYSPACE.purge])
const END = Buffer.from([KEYSPACE.purge + 1])

/** The data of dropped collections and indexes: keyspaces and ids whose keys are to go. */
export class Purge {
  #running: Promise<void> | undefined

  constructor (private readonly storage: Storage, reader: Reader) {
    if (pending(reader).length > 0) this.#schedule()
  }

  highestId (reader: Reader): number {
    return Math.max(0, ...pending(reader).map(({ id }) => id))
  }

  add (writer: Writer, collectionId: number | undefined, indexIds: readonly number[]): void {
    let left = AT_ONCE
    const targets = [
      ...(collectionId === undefined ? [] : [{ space: KEYSPACE.records as number, id: collectionId }]),
      ...indexIds.flatMap(id => [{ space: KEYSPACE.entries as number, id }, { space: KEYSPACE.flags as number, id }])
    ]
    for (const { space, id } of targets) {
      left -= removeSome(writer, space, id, left)
      if (left > 0) continue
      writer.put(Buffer.concat([START, prefixOf(space, id)]), Buffer.alloc(0))
      this.#schedule()
    }
  }

  #schedule (): void {
    setImmediate(() => {
      // The storage may be closed by now: what is left waits for the next start.
      this.run().catch(() => {})
    })
  }

  async run (): Promise<void> {
    this.#running ??= this.#runAll().finally(() => { this.#running = undefined })
    await this.#running
  }

  async #runAll (): Promise<void> {
    for (;;) {
      const snapshot = this.storage.snapshot()
      const [target] = pending(snapshot)
      snapshot.release()
      if (target === undefined) return
      const { key, space, id } = target
      this.storage.write(writer => {
        if (removeSome(writer, space, id, AT_ONCE) < AT_ONCE) writer.delete(key)
      })
      await nextTurn()
    }
  }
}

const pending = (reader: Reader): { key: Buffer, space: number, id: number }[] =>
  Array.from(reader.range({ start: START, end: END }), ({ key }) => ({ key, space: key[1], id: key.readUInt32BE(2) }))

function removeSome (writer: Writer, space: number, id: number, limit: number): number {
  const keys: Buffer[] = []
  if (limit <= 0) return 0
  for (const { key } of writer.range(rangeOf(space, id))) {
    keys.push(key)
    if (keys.length === limit) break
  }
  for (const key of keys) writer.delete(key)
  return keys.length
}
