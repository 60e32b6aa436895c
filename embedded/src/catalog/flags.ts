import { KEYSPACE } from '../storage/types.js'
import type { Reader, Writer } from '../storage/types.js'
import { prefixOf } from './keys.js'
import type { Index, IndexFlags } from './types.js'

const TRUNCATED = 255

type Flags = { multikey: number, parts: number[], truncated: boolean }

/**
 * What indexes have met, in memory and on disk. A flag is up before anybody can read the entry behind it and stays up
 * when the write is undone, as in MongoDB; too many flags only make plans more careful.
 */
export class FlagTable {
  readonly #flags = new Map<number, Flags>()
  readonly #written = new WeakMap<Writer, Set<number>>()

  constructor (reader: Reader) {
    for (const { key } of reader.range({ start: Buffer.from([KEYSPACE.flags]), end: Buffer.from([KEYSPACE.flags + 1]) })) {
      set(this.#entry(key.readUInt32BE(1)), key[5], key[6])
    }
  }

  of (indexId: number): IndexFlags {
    return this.#entry(indexId)
  }

  #entry (indexId: number): Flags {
    let flags = this.#flags.get(indexId)
    if (flags === undefined) this.#flags.set(indexId, flags = { multikey: 0, parts: [], truncated: false })
    return flags
  }

  /** @param part which part of the field's path led to an array */
  raiseMultikey (writer: Writer, index: Index, field: number, part: number): void {
    this.#raise(writer, index.id, field, part)
  }

  raiseTruncated (writer: Writer, index: Index): void {
    this.#raise(writer, index.id, TRUNCATED, 0)
  }

  /** The memory may know the flag from a write that was undone: what counts is whether this writer sees it stored. */
  #raise (writer: Writer, indexId: number, field: number, part: number): void {
    const name = (indexId * 256 + field) * 256 + part
    let written = this.#written.get(writer)
    if (written === undefined) this.#written.set(writer, written = new Set())
    if (written.has(name)) return
    written.add(name)
    const key = Buffer.concat([prefixOf(KEYSPACE.flags, indexId), Buffer.from([field, part])])
    if (writer.get(key) === undefined) writer.put(key, Buffer.alloc(0))
    set(this.#entry(indexId), field, part)
  }
}

function set (flags: Flags, field: number, part: number): void {
  if (field === TRUNCATED) {
    flags.truncated = true
    return
  }
  flags.multikey |= 1 << field
  flags.parts[field] = (flags.parts[field] ?? 0) | 1 << part
}
