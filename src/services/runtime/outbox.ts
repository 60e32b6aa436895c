import { Types, type ClientSession } from 'mongoose'
import type { FastifyBaseLogger } from 'fastify'
import type { OutboxModel } from '../../models/platform.js'
import type { ModelOf } from '../../models/define.js'
import { ServiceError, type Clock } from '../kit.js'
import { afterCommit, demandTransaction } from '../transactions.js'
import { claimOne, type Lease } from './claim.js'

export type NewOutboxRow = {
  topic: string
  /** rows of one key are delivered in order when the topic is ordered */
  key: string
  /** a second row with it is dropped */
  dedupeId: string
  payload: unknown
  accountId?: string | null
  requestId?: string | null
  eventId?: string | null
  /** after this moment the delivery is worthless and the row becomes `expired` */
  expiresAt?: Date
}

type Outbox = ModelOf<typeof OutboxModel>
export type OutboxRecord = {
  _id: Types.ObjectId, topic: string, key: string, account_id: Types.ObjectId | null, dedupe_id: string, payload: unknown, request_id: string | null,
  event_id: string | null, tries: number, expires_at: Date | null, created_at: Date, lease_until: Date | null, worker: string | null, lease_no: number
}

/** Delivers one row; its id is the idempotency reference of whatever it calls. Throwing means: try again, unless the status says never. */
export type Deliver = (row: OutboxRecord, signal: AbortSignal) => Promise<void>
export type Topic = { ordered: boolean, deliver: Deliver }

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** Waits before each new try, each +-20 %; after the last one the row is dead. */
export const RETRY_DELAYS = [SECOND, 5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR] as const
const NEVER_AGAIN = new Set([400, 401, 403, 404, 410, 422])

type Failed = { status: number | null, code: string, message: string, retryAfterMs: number | null }

function describe (error: unknown): Failed {
  const { status, code, retryAfter } = error as { status?: number, code?: string, retryAfter?: number }
  const message = error instanceof Error ? error.message : String(error)
  return {
    status: typeof status === 'number' ? status : null,
    code: error instanceof ServiceError ? error.code : typeof code === 'string' ? code : 'DELIVERY_FAILED',
    message: message.slice(0, 500),
    retryAfterMs: typeof retryAfter === 'number' ? Math.min(retryAfter * SECOND, HOUR) : null
  }
}

/** When to try again after `tries` failures, null for never. */
export function nextAttempt (tries: number, failure: Failed, now: Date, random: () => number = Math.random): Date | null {
  if (failure.status !== null && NEVER_AGAIN.has(failure.status)) return null
  const delay = RETRY_DELAYS[tries - 1]
  if (delay === undefined) return null
  return new Date(now.getTime() + (failure.retryAfterMs ?? delay * (0.8 + random() * 0.4)))
}

type Deps = {
  outbox: Outbox
  clock: Clock
  log: FastifyBaseLogger
  worker: string
  leaseMs: number
  concurrency: number
  wake: (topic: string) => void
  /** tells staff that a row died */
  onDead (row: OutboxRecord, failure: Failed): Promise<void>
}

const WORKER = 'outbox workers serve all accounts'

export function createOutbox ({ outbox, clock, log, worker, leaseMs, concurrency, wake, onDead }: Deps) {
  const topics = new Map<string, Topic>()
  const inFlight = new Map<string, number>()

  async function add (rows: readonly NewOutboxRow[], session: ClientSession): Promise<void> {
    demandTransaction(session, 'an outbox row')
    if (rows.length === 0) return
    const now = clock.now()
    // A duplicate is dropped by an upsert: an E11000 would abort the whole transaction.
    await outbox.bulkWrite(rows.map(row => ({
      updateOne: {
        filter: { topic: row.topic, dedupe_id: row.dedupeId },
        update: { $setOnInsert: toInsert(row, now) },
        upsert: true
      }
    })) as never, { session, ordered: true })
    afterCommit(session, () => { for (const topic of new Set(rows.map(row => row.topic))) wake(topic) })
  }

  /** Claims and delivers what is due of one topic; returns how many rows it handled. */
  async function drain (name: string, signal: AbortSignal): Promise<number> {
    const topic = topics.get(name)
    if (topic === undefined) return 0
    let handled = 0
    let settled = 0
    const busy = new Set<Promise<void>>()
    while (!signal.aborted) {
      if (busy.size >= concurrency) await Promise.race(busy)
      const before = settled
      const lease = await claimNext(name, topic)
      if (lease === null) {
        // The next row of a key may be free once the one before is done, which may have been while we looked.
        if (busy.size === 0 && settled === before) break
        if (busy.size > 0) await Promise.race(busy)
        continue
      }
      handled++
      const work = handle(lease, topic).finally(() => { busy.delete(work); settled++ })
      busy.add(work)
    }
    await Promise.all(busy)
    return handled
  }

  async function claimNext (name: string, topic: Topic): Promise<Lease<OutboxRecord> | null> {
    const now = clock.now()
    const blocked = topic.ordered ? await blockedKeys(name, now) : []
    const lease = await claimOne<OutboxRecord>({
      model: outbox as never,
      filter: {
        topic: name,
        ...(blocked.length > 0 && { key: { $nin: blocked } }),
        $or: [{ state: 'ready', next_attempt_at: { $lte: now } }, { state: 'leased', lease_until: { $lte: now } }],
        ...fairness()
      },
      sort: topic.ordered ? { _id: 1 } : { next_attempt_at: 1 },
      set: { state: 'leased' },
      worker,
      leaseMs,
      now,
      crossTenant: WORKER
    })
    if (lease === null || !topic.ordered) return lease
    return await isHead(lease) ? lease : giveBack(lease)
  }

  /** One account holds at most a quarter of the slots. */
  function fairness (): Record<string, unknown> {
    const full = [...inFlight].filter(([, count]) => count >= Math.max(1, concurrency / 4)).map(([account]) => new Types.ObjectId(account))
    return full.length === 0 ? {} : { account_id: { $nin: full } }
  }

  /** Keys whose oldest unfinished row is being delivered or waits for its next try. */
  async function blockedKeys (name: string, now: Date): Promise<string[]> {
    return outbox.distinct('key', {
      topic: name, $or: [{ state: 'ready', next_attempt_at: { $gt: now }, tries: { $gt: 0 } }, { state: 'leased', lease_until: { $gt: now } }]
    } as never) as unknown as Promise<string[]>
  }

  /** Two workers may have claimed two rows of one key at once: only the older one goes on. */
  async function isHead ({ row }: Lease<OutboxRecord>): Promise<boolean> {
    const older = await outbox.exists({ topic: row.topic, key: row.key, _id: { $lt: row._id }, state: { $in: ['ready', 'leased'] } } as never)
    return older === null
  }

  async function giveBack ({ mine, release }: Lease<OutboxRecord>): Promise<null> {
    release()
    await outbox.updateOne(mine as never, { $set: { state: 'ready', lease_until: null, worker: null } } as never)
    return null
  }

  async function handle (lease: Lease<OutboxRecord>, topic: Topic): Promise<void> {
    const { row, mine } = lease
    const account = row.account_id?.toHexString()
    if (account !== undefined) inFlight.set(account, (inFlight.get(account) ?? 0) + 1)
    try {
      if (row.expires_at !== null && row.expires_at <= clock.now()) return await finish(mine, 'expired')
      await topic.deliver(row, lease.signal)
      await finish(mine, 'done')
    } catch (error) {
      await failed(lease, describe(error))
    } finally {
      lease.release()
      if (account !== undefined) {
        const left = inFlight.get(account)! - 1
        if (left > 0) inFlight.set(account, left)
        else inFlight.delete(account)
      }
    }
  }

  const finish = async (mine: object, state: 'done' | 'expired' | 'skipped') => {
    await outbox.updateOne(mine as never, { $set: { state, done_at: clock.now(), lease_until: null } } as never)
  }

  async function failed ({ row, mine }: Lease<OutboxRecord>, failure: Failed): Promise<void> {
    const tries = row.tries + 1
    const next = nextAttempt(tries, failure, clock.now())
    const { matchedCount } = await outbox.updateOne(mine as never, {
      $set: {
        state: next === null ? 'dead' : 'ready', tries, lease_until: null, worker: null,
        last_error: { code: failure.code, status: failure.status, message: failure.message },
        ...(next !== null && { next_attempt_at: next })
      }
    } as never)
    log.warn({ topic: row.topic, outbox_id: row._id, request_id: row.request_id, tries, code: failure.code, status: failure.status, next }, 'delivery failed')
    if (next === null && matchedCount === 1) await onDead(row, failure)
  }

  return {
    add,
    drain,
    topic (name: string, topic: Topic) { topics.set(name, topic) },
    topics: () => [...topics.keys()],
    /** For /v1/health: the oldest row that should have been delivered, and how many wait or died. */
    async figures () {
      const now = clock.now()
      const [oldest, ready, dead] = await Promise.all([
        outbox.findOne({ topic: { $in: [...topics.keys()] }, state: 'ready', next_attempt_at: { $lte: now } } as never, { next_attempt_at: 1 }, { sort: { next_attempt_at: 1 } }).lean(),
        outbox.countDocuments({ topic: { $in: [...topics.keys()] }, state: 'ready' } as never),
        outbox.countDocuments({ topic: { $in: [...topics.keys()] }, state: 'dead' } as never)
      ])
      return { oldest_s: oldest === null ? 0 : Math.round((now.getTime() - (oldest as { next_attempt_at: Date }).next_attempt_at.getTime()) / 1_000), ready, dead }
    }
  }
}
export type OutboxService = ReturnType<typeof createOutbox>

const toInsert = (row: NewOutboxRow, now: Date) => ({
  key: row.key,
  account_id: row.accountId === null || row.accountId === undefined ? null : new Types.ObjectId(row.accountId),
  payload: row.payload,
  request_id: row.requestId ?? null,
  event_id: row.eventId ?? null,
  state: 'ready',
  tries: 0,
  next_attempt_at: now,
  last_error: null,
  expires_at: row.expiresAt ?? null,
  done_at: null,
  created_at: now,
  lease_until: null,
  worker: null,
  lease_no: 0
})
