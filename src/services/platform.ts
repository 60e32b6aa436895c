import { hostname } from 'node:os'
import type { Connection } from 'mongoose'
import type { Redis } from 'ioredis'
import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config.js'
import * as models from '../models/platform.js'
import { Cache } from './cache.js'
import { createIdempotency } from './idempotency.js'
import { createInvalidation } from './invalidation.js'
import { systemClock, systemIds, type Clock, type Ids } from './kit.js'
import { createLimiter } from './limits/limiter.js'
import { createEvents } from './runtime/events.js'
import { createFanOut } from './runtime/fan-out.js'
import { createJobs } from './runtime/jobs.js'
import { createOutbox } from './runtime/outbox.js'
import { createQueues } from './runtime/queues.js'
import type { Transactions } from './transactions.js'

export type Overrides = { clock?: Clock, ids?: Ids }
type Deps = Overrides & { config: Config, mongo: Connection, redis: Redis | null, redisSubscriber: Redis | null, transactions: Transactions, log: FastifyBaseLogger }

const WAKE_CHANNEL = 'ia:wake'
/** Looks for what a lost signal missed; a commit wakes the workers at once, and while there is work they look every second. */
const OUTBOX_TICK_MS = 5_000

/**
 * What every module builds on: clock and ids, transactions, events and outbox, jobs and queues, caches with invalidation, limits, idempotency.
 * Created once per copy; `start` begins the background work that PROCESS_ROLE allows.
 */
export function createPlatform ({ config, mongo, redis, redisSubscriber, transactions, log, clock = systemClock, ids = systemIds }: Deps) {
  const worker = `${hostname()}:${process.pid}:${ids.token(4)}`
  const wakers = new Map<string, () => void>()
  const wake = (name: string) => {
    wakers.get(name)?.()
    if (redis?.status === 'ready') redis.publish(WAKE_CHANNEL, name).catch(() => {})
  }

  const invalidation = createInvalidation({ rows: models.CacheInvalidationModel.on(mongo), redis, subscriber: redisSubscriber, clock, log })
  const events = createEvents({ events: models.EventModel.on(mongo), clock, ids, wake: () => wake('event-fanout') })
  const jobs = createJobs({
    jobs: models.JobModel.on(mongo), runs: models.JobRunModel.on(mongo), clock, config, log, worker,
    onFailed: async (job, error) => staffEvent('job.failed', { type: 'job', id: job }, { job, error: error.message })
  })
  const outbox = createOutbox({
    outbox: models.OutboxModel.on(mongo), clock, log, worker, leaseMs: config.JOB_LEASE_MS, concurrency: config.OUTBOX_CONCURRENCY,
    wake: topic => wake(`outbox:${topic}`),
    onDead: async (row, failure) => staffEvent('outbox.dead', { type: 'outbox', id: row._id.toHexString() }, { topic: row.topic, error: failure.code })
  })
  const queues = createQueues({
    rows: models.WorkRowModel.on(mongo), errors: models.WorkRowErrorModel.on(mongo), transactions, clock, log, worker,
    leaseMs: config.JOB_LEASE_MS, concurrency: config.JOB_CONCURRENCY, wake: source => wake(`queue:${source}`)
  })
  const fanOut = createFanOut({ events: models.EventModel.on(mongo), outbox, transactions, clock, worker, leaseMs: config.JOB_LEASE_MS })
  const limiter = createLimiter({ redis, clock })
  const idempotency = createIdempotency({ records: models.IdempotencyModel.on(mongo), transactions, clock, ids })

  async function staffEvent (type: string, resource: { type: string, id: string }, data: Record<string, unknown>): Promise<void> {
    try {
      await transactions.run(session => events.emit({ type, actor: 'system', resource, data }, session))
    } catch (error) {
      log.error({ err: error, type }, 'a staff event could not be written')
    }
  }

  jobs.register({ name: 'event-fanout', family: null, kind: 'tick', everyMs: OUTBOX_TICK_MS, run: async ({ signal }) => ({ events: await fanOut.drain(signal) }) })

  return {
    config, clock, ids, log, mongo, redis, transactions, events, outbox, queues, jobs, fanOut, limiter, idempotency, invalidation, worker,
    /** A cache that takes part in invalidation by its scope. */
    cache<V> (options: ConstructorParameters<typeof Cache<V>>[0]): Cache<V> {
      return invalidation.add(new Cache<V>(options))
    },
    /** Declares an outbox topic with the job that drains it. */
    topic (name: string, topic: Parameters<typeof outbox.topic>[1], family: Parameters<typeof jobs.register>[0]['family'] = null): void {
      outbox.topic(name, topic)
      jobs.register({ name: `outbox:${name}`, family, kind: 'tick', everyMs: OUTBOX_TICK_MS, run: async ({ signal }) => ({ rows: await outbox.drain(name, signal) }) })
    },
    /** Declares a source of work rows with the job that runs them. */
    source (name: string, handler: Parameters<typeof queues.handle>[1], family: Parameters<typeof jobs.register>[0]['family']): void {
      queues.handle(name, handler)
      jobs.register({ name: `queue:${name}`, family, kind: 'tick', everyMs: 5_000, run: async ({ signal }) => ({ rows: await queues.drain(name, signal) }) })
    },
    async start (): Promise<void> {
      await invalidation.start()
      if (config.PROCESS_ROLE === 'web') return
      for (const name of jobs.registry.keys()) wakers.set(name, () => jobs.wake(name))
      redisSubscriber?.on('message', (channel: string, name: string) => { if (channel === WAKE_CHANNEL) wakers.get(name)?.() })
      if (redisSubscriber?.status === 'ready') await redisSubscriber.subscribe(WAKE_CHANNEL).catch(() => {})
      redisSubscriber?.on('ready', () => { redisSubscriber.subscribe(WAKE_CHANNEL).catch(() => {}) })
      jobs.start()
    },
    async stop (): Promise<void> {
      invalidation.stop()
      await jobs.stop()
    }
  }
}
export type Platform = ReturnType<typeof createPlatform>
