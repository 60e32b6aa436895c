import type { Redis } from 'ioredis'

/** Commands are sent only over a live connection: without a queue, one sent earlier would fail. */
export const redisReady = (redis: Redis | null): redis is Redis => redis !== null && redis.status === 'ready'
