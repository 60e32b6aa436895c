import { setTimeout as wait } from 'node:timers/promises'
import { hashToken } from './tokens.js'
import { AuthError } from './errors.js'
import type { AuthContext } from './types.js'

const MINUTE = 60_000
const FREE_TRIES = 5
const WAITS = [1, 2, 4, 8, 15].map(minutes => minutes * MINUTE)
const FORGOTTEN = 24 * 60 * MINUTE

/** Waits after failures of one identifier from one address: a stranger who guesses elsewhere never locks the owner out. */
export function createThrottle ({ platform, failures }: Pick<AuthContext, 'platform' | 'failures'>) {
  const { clock, config } = platform
  const keyOf = (identifier: string, address: string) => hashToken(`${identifier}\n${address}`)

  /** One atomic step for all copies: counts a try, or says that its time has not come. */
  async function count (key: string) {
    const now = clock.now()
    const blocked = { $gt: ['$wait_until', now] }
    const tries = { $add: [{ $ifNull: ['$tries', 0] }, 1] }
    const over = { $min: [{ $subtract: [tries, FREE_TRIES] }, WAITS.length - 1] }
    return failures.findOneAndUpdate({ key }, [{
      $set: {
        key,
        blocked,
        wait_until: { $cond: [blocked, '$wait_until', { $cond: [{ $gte: [tries, FREE_TRIES] }, { $add: [now, { $arrayElemAt: [WAITS, over] }] }, null] }] },
        tries: { $cond: [blocked, '$tries', tries] },
        expires_at: new Date(now.getTime() + FORGOTTEN)
      }
    }], { upsert: true, returnDocument: 'after', updatePipeline: true }).lean()
  }

  return {
    /** Before the password is looked at. @throws TOO_MANY_ATTEMPTS with Retry-After */
    async enter (identifier: string, address: string): Promise<void> {
      const key = keyOf(identifier, address)
      const row = await count(key).catch((error: { code?: number }) => error.code === 11_000 ? count(key) : Promise.reject(error))
      if (row?.blocked !== true || row.wait_until === null) return
      const seconds = Math.max(1, Math.ceil((row.wait_until.getTime() - clock.now().getTime()) / 1_000))
      throw AuthError.TOO_MANY_ATTEMPTS().with({ headers: { 'retry-after': String(seconds) } })
    },
    async good (identifier: string, address: string): Promise<void> {
      await failures.deleteOne({ key: keyOf(identifier, address) })
    },
    /** Answers that must not tell who exists take at least AUTH_MIN_MS, whatever they found. */
    async floored<T> (work: () => Promise<T>): Promise<T> {
      const until = performance.now() + config.AUTH_MIN_MS
      try {
        return await work()
      } finally {
        const rest = until - performance.now()
        if (rest > 0) await wait(rest)
      }
    }
  }
}
export type Throttle = ReturnType<typeof createThrottle>
