import { LRUCache } from 'lru-cache'
import type { Redis } from 'ioredis'
import { redisReady } from '../redis-ready.js'
import type { Clock } from '../kit.js'
import { RATE_CLASSES, type RateClass, type RateClassName } from './classes.js'

export type Verdict = { allowed: boolean, limit: number, remaining: number, /** seconds until the window ends */ reset: number }

type Window = {
  /** calls let through in this process */
  used: number
  /** calls that this process may still let through without asking Redis */
  granted: number
  /** what all processes took, as Redis last said */
  total: number
  endsAt: number
  asking: Promise<void> | null
}

/** Takes `wanted` of the window's budget: answers what was granted, the total taken, and the window's rest in milliseconds. */
const TAKE = `
local total = tonumber(redis.call('GET', KEYS[1]) or '0')
local room = tonumber(ARGV[2]) - total
local wanted = tonumber(ARGV[1])
local granted = math.max(0, math.min(wanted, room))
if granted > 0 then total = redis.call('INCRBY', KEYS[1], granted) end
local rest = redis.call('PTTL', KEYS[1])
if rest < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[3]); rest = tonumber(ARGV[3]) end
return {granted, total, rest}
`

type Deps = { redis: Redis | null, clock: Clock, /** bounds the memory: most recently used keys */ max?: number }

/**
 * Counts calls in fixed windows. Alone, a process is exact. With Redis, processes take small shares of the window's budget in advance, so that
 * a request usually meets no round trip; together they may pass 5 % more than the limit and never less. Classes marked `exact` ask for each
 * call. Redis away: each process counts for itself.
 */
export function createLimiter ({ redis, clock, max = 100_000 }: Deps) {
  const windows = new LRUCache<string, Window>({ max })

  function windowOf (id: string, length: number, now: number): Window {
    const known = windows.get(id)
    if (known !== undefined && known.endsAt > now) return known
    const fresh = { used: 0, granted: 0, total: 0, endsAt: now + length, asking: null }
    windows.set(id, fresh)
    return fresh
  }

  const verdict = (window: Window, limit: number, allowed: boolean, now: number): Verdict => ({
    allowed, limit, remaining: Math.max(0, limit - Math.max(window.used, window.total)), reset: Math.max(1, Math.ceil((window.endsAt - now) / 1_000))
  })

  function local (window: Window, limit: number, now: number): Verdict {
    const allowed = window.used < limit
    if (allowed) window.used++
    return verdict(window, limit, allowed, now)
  }

  /** Redis works on budgets of limit + 5 %, for what other processes took and did not use. */
  async function ask (id: string, window: Window, rule: RateClass, limit: number, wanted: number): Promise<void> {
    const budget = rule.exact === true ? limit : Math.floor(limit * 1.05)
    try {
      const [granted, total, rest] = await redis!.eval(TAKE, 1, `ia:limit:${id}`, wanted, budget, rule.window * 1_000) as [number, number, number]
      window.granted += granted
      window.total = total
      window.endsAt = clock.now().getTime() + rest
    } catch {
      // Redis is away: this window goes on with local counting
      window.granted = Math.max(0, limit - window.used)
    }
  }

  function shared (id: string, window: Window, rule: RateClass, limit: number, now: number): Verdict | Promise<Verdict> {
    const share = rule.exact === true ? 1 : Math.max(1, Math.floor(limit * 0.05 / 8))
    if (window.granted > 0) {
      window.granted--
      window.used++
      if (window.granted <= share / 2 && window.total < limit) refill(id, window, rule, limit, share)
      return verdict(window, limit, true, now)
    }
    return refill(id, window, rule, limit, share).then(() => {
      const allowed = window.granted > 0
      if (allowed) {
        window.granted--
        window.used++
      }
      return verdict(window, limit, allowed, clock.now().getTime())
    })
  }

  function refill (id: string, window: Window, rule: RateClass, limit: number, share: number): Promise<void> {
    // an exact class asks for every call by itself
    if (rule.exact === true) return ask(id, window, rule, limit, 1)
    window.asking ??= ask(id, window, rule, limit, share).finally(() => { window.asking = null })
    return window.asking
  }

  return {
    /** Counts one call of `key`; a promise only when Redis must be asked. */
    take (name: RateClassName, key: string, limit: number = RATE_CLASSES[name].max): Verdict | Promise<Verdict> {
      const rule: RateClass = RATE_CLASSES[name]
      const now = clock.now().getTime()
      const id = `${name}:${key}`
      const window = windowOf(id, rule.window * 1_000, now)
      return redisReady(redis) ? shared(id, window, rule, limit, now) : local(window, limit, now)
    }
  }
}
export type Limiter = ReturnType<typeof createLimiter>
