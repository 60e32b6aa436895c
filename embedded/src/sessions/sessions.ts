import { createHash } from 'node:crypto'
import type { Storage } from '../storage/index.js'
import { MongoError, typeMismatch } from '../values/errors.js'
import { Binary, Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import { readRecord } from './retry.js'
import type { SessionRecord } from './retry.js'
import type { Transaction } from './transaction.js'

export const SESSION_TIMEOUT_MINUTES = 30

export class Session {
  lastUse = Date.now()
  /** the highest transaction number seen: older ones are refused */
  txnNumber = -1n
  transaction: Transaction | undefined
  record: SessionRecord | undefined
  #loaded = false

  constructor (readonly key: Buffer, readonly lsid: Doc) {}

  get id (): string {
    return (this.lsid.get('id') as Binary).bytes.reduce((text, byte, i) => text + (i === 4 || i === 6 || i === 8 || i === 10 ? '-' : '') +
      byte.toString(16).padStart(2, '0'), '')
  }

  /** Brings back what an earlier run of the engine knew about the session. */
  load (storage: Storage): void {
    if (this.#loaded) return
    this.#loaded = true
    const snapshot = storage.snapshot()
    this.record = readRecord(snapshot, this.key)
    snapshot.release()
    if (this.record !== undefined && this.record.txnNumber > this.txnNumber) this.txnNumber = this.record.txnNumber
  }
}

/** The logical sessions that clients have used lately. */
export class Sessions {
  readonly #sessions = new Map<string, Session>()

  static keyOf (lsid: Value): Buffer {
    const id = lsid instanceof Doc ? lsid.get('id') : undefined
    if (!(lsid instanceof Doc)) throw typeMismatch("BSON field 'lsid' is the wrong type, expected type 'object'")
    if (id === undefined) throw new MongoError(40414, "BSON field 'lsid.id' is missing but a required field")
    if (!(id instanceof Binary) || id.subtype !== 4 || id.bytes.length !== 16) {
      throw typeMismatch("BSON field 'lsid.id' is the wrong type, expected type 'UUID'")
    }
    const uid = lsid.get('uid')
    const key = Buffer.from(id.bytes)
    return uid instanceof Binary ? createHash('sha256').update(key).update(uid.bytes).digest() : key
  }

  /** The session of an lsid; using it keeps it alive. */
  use (lsid: Value): Session {
    const key = Sessions.keyOf(lsid)
    const name = key.toString('latin1')
    let session = this.#sessions.get(name)
    if (session === undefined) {
      session = new Session(key, lsid as Doc)
      this.#sessions.set(name, session)
    }
    session.lastUse = Date.now()
    return session
  }

  find (lsid: Value): Session | undefined {
    return this.#sessions.get(Sessions.keyOf(lsid).toString('latin1'))
  }

  /** @returns the sessions that were ended, with their open transactions for the caller to abort */
  end (session: Session): void {
    this.#sessions.delete(session.key.toString('latin1'))
  }

  all (): IterableIterator<Session> {
    return this.#sessions.values()
  }

  get size (): number {
    return this.#sessions.size
  }
}
