import type { ClientSession } from 'mongoose'
import type { Redis } from 'ioredis'
import type { FastifyBaseLogger } from 'fastify'
import type { CacheInvalidationModel } from '../models/platform.js'
import type { ModelOf } from '../models/define.js'
import type { Cache } from './cache.js'
import type { Clock } from './kit.js'
import { redisReady } from './redis-ready.js'
import { afterCommit, demandTransaction } from './transactions.js'

const CHANNEL = 'ia:invalidate'
/** Rows younger than this are read again at each look: clocks of copies differ a little, and commits come late. */
const OVERLAP_MS = 5_000
export const POLL_MS = 2_000

type Deps = {
  rows: ModelOf<typeof CacheInvalidationModel>
  redis: Redis | null
  subscriber: Redis | null
  clock: Clock
  log: FastifyBaseLogger
}

/**
 * Makes a change bite on every copy (modules/_platform.md 8): a row in the change's own transaction, the own cache at once after the
 * commit, the others by Redis, and by reading the rows every 2 s for when a message was lost or there is no Redis.
 */
export function createInvalidation ({ rows, redis, subscriber, clock, log }: Deps) {
  const caches = new Map<string, Cache<unknown>>()
  const seen = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  let readAt = 0

  const drop = (scope: string, key: string) => {
    const cache = caches.get(scope)
    if (key === '*') cache?.clear()
    else cache?.delete(key)
  }

  async function look (): Promise<void> {
    const now = clock.now().getTime()
    const since = new Date(now - OVERLAP_MS - (readAt === 0 ? 0 : Math.min(60_000, now - readAt)))
    const fresh = await rows.find({ at: { $gte: since } }, { scope: 1, key: 1, at: 1 }).lean()
    for (const { _id, scope, key } of fresh) {
      const id = _id.toHexString()
      if (seen.has(id)) continue
      seen.set(id, now)
      drop(scope, key)
    }
    for (const [id, at] of seen) if (now - at > 120_000) seen.delete(id)
    readAt = now
  }

  async function poll (): Promise<void> {
    try {
      await look()
    } catch (error) {
      log.warn({ err: error }, 'cache invalidations cannot be read')
    }
    timer = setTimeout(() => { void poll() }, POLL_MS * (0.9 + Math.random() / 5))
    timer.unref()
  }

  return {
    /** Caches take part by their scope. */
    add<V> (cache: Cache<V>): Cache<V> {
      if (caches.has(cache.options.scope)) throw new Error(`two caches are called ${cache.options.scope}`)
      caches.set(cache.options.scope, cache as Cache<unknown>)
      return cache
    },
    /** Forgets `key` (or `*`: everything) of a scope everywhere once the transaction has committed. */
    async invalidate (scope: string, key: string, session: ClientSession): Promise<void> {
      demandTransaction(session, 'a cache invalidation')
      await rows.create([{ scope, key, at: clock.now() }], { session })
      afterCommit(session, () => {
        drop(scope, key)
        if (redisReady(redis)) redis.publish(CHANNEL, JSON.stringify([scope, key])).catch(error => log.warn({ err: error }, 'invalidation not published'))
      })
    },
    /** How long ago the rows were last read, milliseconds: caches that must not go stale live shorter when this grows. */
    age: (): number => readAt === 0 ? Infinity : clock.now().getTime() - readAt,
    async start (): Promise<void> {
      await poll()
      if (subscriber === null) return
      subscriber.on('message', (channel: string, message: string) => {
        // the connection listens to other channels too
        if (channel !== CHANNEL) return
        const [scope, key] = JSON.parse(message) as [string, string]
        drop(scope, key)
      })
      const subscribe = () => { subscriber.subscribe(CHANNEL).catch(error => log.warn({ err: error }, 'not subscribed to invalidations')) }
      // After a gap nobody knows what was missed.
      subscriber.on('ready', () => { for (const cache of caches.values()) cache.clear(); subscribe() })
      if (redisReady(subscriber)) subscribe()
    },
    stop (): void { clearTimeout(timer) }
  }
}
export type Invalidation = ReturnType<typeof createInvalidation>
