import { KEYSPACE } from '../storage/types.js'
import type { Reader, Storage, Writer } from '../storage/types.js'
import { rangeOf, recordBefore } from './keys.js'
import type { RecordId } from './types.js'

/** Hands out record ids: increasing, never twice, also among transactions that do not see each other. */
export class RecordIds {
  readonly #last = new Map<number, RecordId>()

  constructor (private readonly storage: Storage) {}

  next (writer: Writer, collectionId: number): RecordId {
    const record = (this.#last.get(collectionId) ?? this.#stored(writer, collectionId)) + 1
    this.#last.set(collectionId, record)
    return record
  }

  /** The writer may be a transaction with an old view, and the storage does not show what the writer has not committed: both count. */
  #stored (writer: Writer, collectionId: number): RecordId {
    const snapshot = this.storage.snapshot()
    try {
      return Math.max(lastRecord(writer, collectionId), lastRecord(snapshot, collectionId))
    } finally {
      snapshot.release()
    }
  }
}

function lastRecord (reader: Reader, collectionId: number): RecordId {
  const range = reader.range({ ...rangeOf(KEYSPACE.records, collectionId), reverse: true })
  const { done, value } = range.next()
  range.return?.()
  return done === true ? 0 : recordBefore(value.key, value.key.length)
}
