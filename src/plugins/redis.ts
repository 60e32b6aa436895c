import fp from 'fastify-plugin'
import { Redis } from 'ioredis'
import type { Config } from '../config.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** null without REDIS_URL: every user of it has an in-process twin */
    redis: Redis | null
    /** a second connection that only listens */
    redisSubscriber: Redis | null
  }
}

const OPTIONS = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  connectTimeout: 500,
  commandTimeout: 500,
  enableAutoPipelining: true,
  retryStrategy: (times: number) => Math.min(2_000, 50 * 2 ** Math.min(times, 5)) * (0.75 + Math.random() / 2)
}

/** Decorates `redis` and `redisSubscriber`. A Redis that is away never stops the start nor a request. */
export const redis = fp<{ config: Config }>(async (app, { config }) => {
  const connect = () => {
    if (config.REDIS_URL === undefined) return null
    const client = new Redis(config.REDIS_URL, OPTIONS)
    let down = false
    client.on('error', error => {
      if (!down) app.log.warn({ err: error }, 'redis is away')
      down = true
    })
    client.on('ready', () => {
      if (down) app.log.info('redis is back')
      down = false
    })
    return client
  }
  const client = connect()
  const subscriber = connect()
  app.decorate('redis', client)
  app.decorate('redisSubscriber', subscriber)
  app.addHook('onClose', async () => {
    client?.disconnect()
    subscriber?.disconnect()
  })
}, { name: 'redis' })
