import { Types, type ClientSession } from 'mongoose'
import type { FastifyBaseLogger } from 'fastify'
import type { WorkRowErrorModel, WorkRowModel } from '../../models/platform.js'
import { crossTenant, type ModelOf, type RowOf } from '../../models/define.js'
import { WorkRow } from '../../schemas/platform.js'
import type { Clock } from '../kit.js'
import { afterCommit, demandTransaction, type Transactions } from '../transactions.js'
import { claimOne, type Claimable, type Lease } from './claim.js'

export type NewWork = {
  source: string, accountId: string, parentAccount?: string | null, userId?: string | null, referenceId?: string | null,
  payload?: unknown, fileKey?: string | null, total?: number | null, dedupeKey?: string | null
}

export type WorkRecord = RowOf<typeof WorkRow, Claimable>
export type RowFailure = { row: number, code: string, message: string, values?: unknown }
export type Progress = Partial<Record<'done' | 'added' | 'updated' | 'skipped' | 'errors', number>>

/** What a handler gets: the row, and ways to write its progress in the batch's own transaction. */
export type Work = {
  row: WorkRecord
  signal: AbortSignal
  /**
   * Commits one batch: `write` and the progress it returns go into one transaction, so figures never run ahead of data.
   * @returns false when the row was cancelled or its lease lost: stop then
   */
  batch (write: (session: ClientSession) => Promise<{ progress: Progress, failures?: RowFailure[], payload?: unknown }>): Promise<boolean>
  setTotal (total: number): Promise<void>
}
export type Handler = { run (work: Work): Promise<{ result?: unknown } | void>, cancellable: boolean, retryable: boolean, label: string }

type Deps = {
  rows: ModelOf<typeof WorkRowModel>
  errors: ModelOf<typeof WorkRowErrorModel>
  transactions: Transactions
  clock: Clock
  log: FastifyBaseLogger
  worker: string
  leaseMs: number
  concurrency: number
  wake: (source: string) => void
}

const WORKER = crossTenant('queue workers serve all accounts')

export function createQueues ({ rows, errors, transactions, clock, log, worker, leaseMs, concurrency, wake }: Deps) {
  const handlers = new Map<string, Handler>()

  async function add (work: NewWork, session: ClientSession): Promise<string> {
    demandTransaction(session, 'a work row')
    const now = clock.now()
    const [row] = await rows.create([{
      account_id: new Types.ObjectId(work.accountId), parent_account: oid(work.parentAccount), user_id: oid(work.userId), source: work.source,
      reference_id: work.referenceId ?? null, status: 'pending', in_progress: false, payload: work.payload ?? {}, file_key: work.fileKey ?? null,
      progress: { total: work.total ?? null, done: 0, added: 0, updated: 0, skipped: 0, errors: 0 }, result: null, tries: 0, max_tries: 5,
      next_attempt_at: now, dedupe_key: work.dedupeKey ?? null, error: null, started_at: null, finished_at: null, created_at: now, updated_at: now,
      lease_until: null, worker: null, lease_no: 0
    }], { session })
    afterCommit(session, () => wake(work.source))
    return row!._id.toHexString()
  }

  /** Claims and runs what is due of one source; accounts with rows in work wait for the others. */
  async function drain (source: string, signal: AbortSignal): Promise<number> {
    const handler = handlers.get(source)
    if (handler === undefined) return 0
    const busy = new Map<Promise<void>, string>()
    let handled = 0
    while (!signal.aborted) {
      if (busy.size >= concurrency) await Promise.race(busy.keys())
      const lease = await claimNext(source, [...busy.values()])
      if (lease === null) break
      handled++
      const run = execute(lease, handler, signal).finally(() => busy.delete(run))
      busy.set(run, lease.row.account_id.toHexString())
    }
    await Promise.all(busy.keys())
    return handled
  }

  async function claimNext (source: string, accounts: string[]): Promise<Lease<WorkRecord> | null> {
    const now = clock.now()
    const full = accounts.filter((account, _, all) => all.filter(other => other === account).length >= Math.max(1, concurrency / 4))
    return claimOne<WorkRecord>({
      model: rows as never,
      filter: {
        source,
        ...(full.length > 0 && { account_id: { $nin: full.map(id => new Types.ObjectId(id)) } }),
        next_attempt_at: { $lte: now },
        $or: [{ status: 'pending', in_progress: false }, { status: 'processing', lease_until: { $lte: now } }]
      },
      sort: { next_attempt_at: 1 },
      set: { status: 'processing', in_progress: true, started_at: now, updated_at: now },
      worker,
      leaseMs,
      now,
      crossTenant: WORKER.crossTenant
    })
  }

  async function execute (lease: Lease<WorkRecord>, handler: Handler, stop: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([lease.signal, stop])
    try {
      const outcome = await handler.run({ row: lease.row, signal, batch: write => batch(lease, signal, write), setTotal: total => update(lease, { 'progress.total': total }) })
      if (signal.aborted) await update(lease, { status: 'pending', in_progress: false, lease_until: null })
      else await complete(lease, outcome ?? {})
    } catch (error) {
      await fail(lease, error as Error)
    } finally {
      lease.release()
    }
  }

  const update = async ({ mine }: Lease<WorkRecord>, set: Record<string, unknown>) => {
    await rows.updateOne({ ...mine, status: 'processing' } as never, { $set: { ...set, updated_at: clock.now() } } as never, WORKER as never)
  }

  async function batch (lease: Lease<WorkRecord>, signal: AbortSignal, write: Parameters<Work['batch']>[0]): Promise<boolean> {
    if (signal.aborted) return false
    return transactions.run(async session => {
      const { progress, failures = [], payload } = await write(session)
      const { matchedCount } = await rows.updateOne(
        { ...lease.mine, status: 'processing' } as never,
        {
          $inc: Object.fromEntries(Object.entries(progress).map(([key, count]) => [`progress.${key}`, count])),
          $set: { updated_at: clock.now(), ...(payload !== undefined && { payload }) }
        } as never,
        { session, ...WORKER }
      )
      if (matchedCount === 0) throw new LeaseLost()
      if (failures.length > 0) await noteFailures(lease.row, failures, session)
      return true
    }).catch(error => {
      if (error instanceof LeaseLost) return false
      throw error
    })
  }

  async function noteFailures (row: WorkRecord, failures: RowFailure[], session: ClientSession): Promise<void> {
    await errors.insertMany(failures.map(failure => ({
      queue_id: row._id, account_id: row.account_id, row: failure.row, code: failure.code, message: failure.message, values: failure.values ?? null, created_at: clock.now()
    })), { session })
  }

  async function complete (lease: Lease<WorkRecord>, { result }: { result?: unknown }): Promise<void> {
    const row = await rows.findOne(lease.mine as never, { progress: 1, status: 1 }, WORKER).lean()
    if (row === null || row.status !== 'processing') return
    const { errors: bad, done } = row.progress
    const status = bad === 0 ? 'completed' : bad >= done ? 'failed' : 'partial'
    await update(lease, { status, in_progress: false, finished_at: clock.now(), result: result ?? null, lease_until: null })
  }

  async function fail (lease: Lease<WorkRecord>, error: Error): Promise<void> {
    const tries = lease.row.tries + 1
    const dead = tries >= lease.row.max_tries
    log.error({ err: error, source: lease.row.source, queue_id: lease.row._id, tries }, 'a work row failed')
    await update(lease, {
      tries, status: dead ? 'failed' : 'pending', in_progress: false, lease_until: null, error: error.message.slice(0, 500),
      ...(dead ? { finished_at: clock.now() } : { next_attempt_at: new Date(clock.now().getTime() + 1_000 * 5 ** tries) })
    })
  }

  return {
    add,
    drain,
    handle (source: string, handler: Handler): void { handlers.set(source, handler) },
    handlers: handlers as ReadonlyMap<string, Handler>
  }
}
export type Queues = ReturnType<typeof createQueues>

class LeaseLost extends Error {}
const oid = (id: string | null | undefined) => id === null || id === undefined ? null : new Types.ObjectId(id)
