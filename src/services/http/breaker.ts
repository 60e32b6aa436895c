import type { Clock } from '../kit.js'

export type BreakerOptions = {
  /** length of the window that is looked at, milliseconds */
  windowMs: number
  /** calls that the window must hold before the breaker judges */
  minCalls: number
  /** share of failed calls, 0-1, at which it opens */
  errorRatio: number
  /** how long it refuses before one call is let through, milliseconds */
  openMs: number
}

export const BREAKER_DEFAULTS: BreakerOptions = { windowMs: 10_000, minCalls: 20, errorRatio: 0.5, openMs: 30_000 }

const SLOTS = 10

/** Result of a call as the breaker sees it; `ignored` is neither good nor bad (the caller gave up). */
export type CallResult = 'ok' | 'failed' | 'ignored'
/** Reports the result of one admitted call; further reports of it change nothing. */
export type Report = (result: CallResult) => void

/**
 * Circuit breaker of one host: opens when at least `errorRatio` of `minCalls` or more calls failed within the window,
 * then refuses for `openMs` and lets one call through; that call decides.
 */
export function createBreaker (clock: Clock, options: BreakerOptions = BREAKER_DEFAULTS) {
  const slotMs = options.windowMs / SLOTS
  let slots = new Map<number, { calls: number, failed: number }>()
  let openUntil: number | null = null
  let probing = false
  let generation = 0

  const now = () => clock.now().getTime()

  function open () {
    openUntil = now() + options.openMs
    generation++
    slots = new Map()
  }

  function close () {
    openUntil = null
    generation++
    slots = new Map()
  }

  function count (failed: boolean) {
    const slot = Math.floor(now() / slotMs)
    for (const old of slots.keys()) if (old <= slot - SLOTS) slots.delete(old)
    const entry = slots.get(slot) ?? { calls: 0, failed: 0 }
    entry.calls++
    if (failed) entry.failed++
    slots.set(slot, entry)
    const all = [...slots.values()].reduce((sum, one) => ({ calls: sum.calls + one.calls, failed: sum.failed + one.failed }))
    if (failed && all.calls >= options.minCalls && all.failed >= all.calls * options.errorRatio) open()
  }

  function probe (): Report {
    probing = true
    return result => {
      if (!probing) return
      probing = false
      if (result === 'ok') close()
      if (result === 'failed') open()
    }
  }

  return {
    /** `open` while calls are refused */
    state: (): 'ok' | 'open' => openUntil !== null && (now() < openUntil || probing) ? 'open' : 'ok',
    /** Milliseconds until the next call may be let through; 0 when it may now. */
    waitMs: (): number => openUntil === null ? 0 : Math.max(openUntil - now(), 0),
    /** Admits a call and answers where to report its result, or null when the call is refused. */
    enter (): Report | null {
      if (openUntil !== null) return now() < openUntil || probing ? null : probe()
      const mine = generation
      let reported = false
      return result => {
        // a call of before the last opening says nothing about the host of now
        if (reported || result === 'ignored' || mine !== generation) return
        reported = true
        count(result === 'failed')
      }
    }
  }
}

export type Breaker = ReturnType<typeof createBreaker>
