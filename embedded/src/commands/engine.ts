import { Catalog } from '../catalog/index.js'
import { ChangeLog } from '../changes/log.js'
import { Cursors } from '../cursors/cursors.js'
import type { Plan } from '../planner/index.js'
import { Clock } from '../sessions/clock.js'
import { LockTable } from '../sessions/locks.js'
import { Snapshots } from '../sessions/snapshots.js'
import { Sessions } from '../sessions/sessions.js'
import type { Session } from '../sessions/sessions.js'
import { openStorage } from '../storage/index.js'
import type { Storage } from '../storage/index.js'
import { FailPoints } from './fail-point.js'
import type { WriteContext } from '../write/context.js'
import { TtlMonitor } from '../ttl/monitor.js'
import { runInternal } from './run-write.js'
import { forgetRecords } from '../sessions/retry.js'

export type EngineSettings = {
  readonly where: { readonly dir: string } | { readonly memory: true }
  /** seconds between two sweeps of expired documents */
  readonly ttlSeconds: number
  readonly transactionLifetimeSeconds: number
  readonly cursorTimeoutSeconds: number
  /** bytes of history that change streams can resume from */
  readonly changeLogBytes: number
  readonly log: (line: string) => void
}

const HOUSEKEEPING_MS = 1000
const SESSION_TIMEOUT_MS = 30 * 60_000

/** All state of one engine. Nothing of it is global: a process may hold many. */
export class Engine {
  readonly clock: Clock
  readonly locks = new LockTable()
  readonly sessions = new Sessions()
  readonly cursors: Cursors
  readonly snapshots: Snapshots
  readonly failPoints = new FailPoints()
  readonly startedAt = Date.now()
  readonly counters = { insert: 0, query: 0, update: 0, delete: 0, getmore: 0, command: 0 }
  /** how clients reach it, as `hello` tells */
  address = 'localhost:27017'
  connections = 0
  /** how often each index has served, for `$indexStats` */
  readonly indexUse = new Map<number, { ops: number, since: number }>()
  #housekeeping: NodeJS.Timeout
  readonly #ttl: TtlMonitor
  readonly #stop = new AbortController()

  private constructor (
    readonly settings: EngineSettings, readonly storage: Storage, readonly catalog: Catalog, readonly changes: ChangeLog
  ) {
    this.clock = new Clock(changes.lastTime)
    this.cursors = new Cursors(settings.cursorTimeoutSeconds * 1000)
    this.snapshots = new Snapshots(() => storage.snapshot(), () => this.clock.last())
    this.#housekeeping = setInterval(() => this.#housekeep(), HOUSEKEEPING_MS)
    this.#housekeeping.unref()
    this.#ttl = new TtlMonitor({
      storage,
      catalog,
      seconds: settings.ttlSeconds,
      log: settings.log,
      write: fn => this.#internalWrite(fn)
    })
  }

  static open (settings: EngineSettings): Engine {
    const storage = openStorage('dir' in settings.where ? { dir: settings.where.dir } : { memory: true })
    return new Engine(settings, storage, Catalog.open(storage), ChangeLog.open(storage, settings.changeLogBytes))
  }

  /** Aborted when the engine stops: waiting operations end. */
  get stopping (): AbortSignal {
    return this.#stop.signal
  }

  #internalWrite<T> (fn: (w: WriteContext) => T): T | undefined {
    return runInternal(this, fn)
  }

  #housekeep (): void {
    const now = Date.now()
    for (const session of this.sessions.all()) {
      const { transaction } = session
      if (transaction?.state === 'open') {
        if (now - transaction.startedAt > this.settings.transactionLifetimeSeconds * 1000) transaction.end('aborted')
      } else if (now - session.lastUse > SESSION_TIMEOUT_MS) this.endSession(session)
    }
    this.cursors.sweep(now)
    this.snapshots.sweep(now)
    if (now - this.#lastForget > 60_000) {
      this.#lastForget = now
      this.storage.write(writer => forgetRecords(writer, now - SESSION_TIMEOUT_MS, 1000))
    }
  }

  #lastForget = Date.now()

  noteIndexUse (plan: Plan): void {
    for (const { id } of plan.indexes) {
      const use = this.indexUse.get(id)
      if (use === undefined) this.indexUse.set(id, { ops: 1, since: Date.now() })
      else use.ops++
    }
  }

  endSession (session: Session): void {
    session.transaction?.end('aborted')
    this.cursors.closeOfSession(session)
    this.sessions.end(session)
  }

  /** Operations that wait give up. */
  beginStop (): void {
    this.#stop.abort()
  }

  /** Drops cursors and transactions, flushes and closes. */
  async close (): Promise<void> {
    this.beginStop()
    clearInterval(this.#housekeeping)
    await this.#ttl.stop()
    for (const session of [...this.sessions.all()]) this.endSession(session)
    this.cursors.closeAll()
    this.snapshots.clear()
    this.failPoints.clear()
    await this.storage.synced()
    await this.storage.close()
  }
}
