import { open } from 'lmdb'
import type { RootDatabaseOptionsWithPath } from 'lmdb'
import { Journal } from './journal.js'
import { encoder, keyEncoder, LmdbSnapshot } from './lmdb-read.js'
import type { Database, Env } from './lmdb-read.js'
import { LmdbWriter } from './lmdb-write.js'
import { LiveSnapshot } from './live.js'
import { KEYSPACE } from './types.js'
import type { Entry, Snapshot, Storage, Writer } from './types.js'

const PAGE_SIZE = 8192
/** lmdb commits when the journal is this long, or when nothing was written for a while. */
const JOURNAL_BYTES = 8 * 1024 * 1024
const IDLE_MS = 200
const LAST_RECORD_KEY = Buffer.from([KEYSPACE.format, 1])

/** The open lmdb transaction. */
type Tail = { commit (): void }

/** The flush that all writes of one turn of the event loop share. */
type Turn = { readonly done: Promise<void>, resolve (): void, reject (error: unknown): void }

function newTurn (): Turn {
  const parts = { resolve: (): void => {}, reject: (_error: unknown): void => {} }
  const done = new Promise<void>((resolve, reject) => Object.assign(parts, { resolve, reject }))
  done.catch(() => {})
  return Object.assign(parts, { done })
}

/**
 * Writes go into one lmdb transaction that stays open over many turns of the event loop, and at the end of each turn into
 * the journal, which makes them durable. Readers look into the open transaction; one that is still there when the next
 * write comes gets a snapshot of lmdb's own, for which lmdb commits. Without a journal (memory) lmdb commits every turn.
 */
export class LmdbStorage implements Storage {
  readonly #db: Database
  readonly #env: Env
  #journal: Journal | undefined
  #tail: Tail | undefined
  #turn: Turn | undefined
  #writing = false
  /** lmdb has lost what was written last; only a new start, which reads the journal, has it */
  #failure: Error | undefined
  readonly #live = new Set<LiveSnapshot>()
  readonly #idle: NodeJS.Timeout
  #afterClose = (): void => {}

  /** @param path the data file @param journal the journal's file; without one nothing waits for the disk */
  constructor (path: string, private readonly journalPath: string | undefined) {
    const options = {
      path,
      noSubdir: true,
      pageSize: PAGE_SIZE,
      maxReaders: 1024,
      maxDbs: 1,
      keyEncoder,
      encoder,
      noMemInit: true,
      ...(journalPath === undefined ? { noSync: true, overlappingSync: false } : {})
    }
    this.#db = open(options as unknown as RootDatabaseOptionsWithPath) as unknown as Database
    this.#env = (this.#db as unknown as { env: Env }).env
    this.#idle = setTimeout(() => this.#commitWhenIdle(), IDLE_MS).unref()
  }

  /**
   * Takes up what the journal has beyond lmdb's last commit; nothing may be written before.
   * @param first what a new data file gets with its first commit
   */
  recover (first: Entry | undefined): void {
    if (this.journalPath === undefined) return
    const snapshot = this.snapshot()
    const last = snapshot.get(LAST_RECORD_KEY)?.readDoubleLE(0) ?? 0
    snapshot.release()
    const journal = new Journal(this.journalPath, last)
    this.#begin()
    if (first !== undefined) this.#db.putSync(first.key, first.value)
    for (const { key, value } of journal.recover()) {
      if (value === undefined) this.#db.removeSync(key)
      else this.#db.putSync(key, value)
    }
    this.#journal = journal
    this.#commit()
  }

  snapshot (): Snapshot {
    this.#checkFailure()
    if (this.#tail !== undefined && this.#journal === undefined && !this.#writing) this.#commit()
    if (this.#tail === undefined) return this.#stored()
    const live = new LiveSnapshot(this.#db, snapshot => this.#live.delete(snapshot))
    this.#live.add(live)
    return live
  }

  #stored (): Snapshot {
    return new LmdbSnapshot(this.#db, this.#env)
  }

  write<T> (fn: (writer: Writer) => T): T {
    if (this.#writing) throw new Error('a write inside a write')
    this.#checkFailure()
    if (this.#live.size > 0) this.#settleReaders()
    if (this.#tail === undefined) this.#begin()
    this.#writing = true
    const mark = this.#journal?.mark
    const writer = new LmdbWriter(this.#db, this.#journal)
    try {
      const result = fn(writer)
      writer.finish()
      this.#flushSoon()
      return result
    } catch (error) {
      writer.undo()
      if (mark !== undefined) this.#journal!.cut(mark)
      throw error
    } finally {
      this.#writing = false
    }
  }

  /** Readers of the open transaction must not see what is written next. */
  #settleReaders (): void {
    const readers = [...this.#live]
    for (const reader of readers) reader.park()
    this.#commit()
    for (const reader of readers) reader.resume(this.#stored())
    this.#live.clear()
  }

  #checkFailure (): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #begin (): void {
    const tail: Tail = { commit: () => {} }
    // lmdb keeps the transaction open until the thenable that its callback returns calls back
    const open = { then: (commit: () => void): void => { tail.commit = commit } }
    this.#db.transactionSync((): unknown => open)
    this.#tail = tail
  }

  #flushSoon (): void {
    if (this.#turn !== undefined) return
    this.#turn = newTurn()
    setImmediate(() => this.#flush())
  }

  #flush (): void {
    const turn = this.#turn
    this.#turn = undefined
    try {
      if (this.#journal === undefined) this.#commit()
      else this.#flushJournal(this.#journal)
      turn?.resolve()
    } catch (error) {
      turn?.reject(error)
    }
  }

  #flushJournal (journal: Journal): void {
    try {
      journal.flush()
    } catch {
      // The journal's disk may be full where lmdb still has free pages.
      this.#commit()
    }
    if (journal.size > JOURNAL_BYTES) this.#commit()
    else this.#idle.refresh()
  }

  #commitWhenIdle (): void {
    if (this.#turn !== undefined || this.#live.size > 0 || this.#writing) return
    try {
      this.#commit()
    } catch {
      // The journal has it all: the next flush tries again.
    }
  }

  /** Everything written so far goes into the data file, durably. */
  #commit (): void {
    const tail = this.#tail
    if (tail === undefined) return
    for (const reader of this.#live) reader.park()
    if (this.#journal !== undefined) this.#db.putSync(LAST_RECORD_KEY, numberBytes(this.#journal.lastNumber))
    this.#tail = undefined
    try {
      tail.commit()
    } catch (error) {
      this.#failure = new Error(`the storage cannot be written (${error instanceof Error ? error.message : String(error)}); it needs a new start`)
      throw this.#failure
    }
    this.#journal?.reset()
    for (const reader of this.#live) reader.resume(this.#stored())
    this.#live.clear()
  }

  /** Resolves when every write so far is on disk. */
  async synced (): Promise<void> {
    await this.#turn?.done
  }

  onClose (fn: () => void): void {
    this.#afterClose = fn
  }

  async close (): Promise<void> {
    clearTimeout(this.#idle)
    this.#flush()
    if (this.#failure === undefined) this.#commit()
    await this.#db.close()
    this.#journal?.close()
    this.#afterClose()
  }
}

function numberBytes (n: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeDoubleLE(n)
  return bytes
}
