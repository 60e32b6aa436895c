export const sorted = (values: ArrayLike<number>): number[] => Array.from(values).sort((a, b) => a - b)

/** Of values in ascending order; q from 0 to 1. */
export function quantile (ascending: ArrayLike<number>, q: number): number {
  const at = (ascending.length - 1) * q
  const low = ascending[Math.floor(at)]
  const high = ascending[Math.ceil(at)]
  if (low === undefined || high === undefined) return NaN
  return low + (high - low) * (at - Math.floor(at))
}

export const median = (values: ArrayLike<number>): number => quantile(sorted(values), 0.5)

/** mulberry32: a run's interval can be computed again from its raw numbers */
function generator (seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6D2B79F5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export interface Estimate { median: number, low: number, high: number, rounds: number }

const RESAMPLES = 2_000
const SEED = 20_261

/** Median with its bootstrap 95 % interval. */
export function estimate (values: number[]): Estimate {
  const random = generator(SEED)
  const medians = Array.from({ length: RESAMPLES }, () =>
    median(Float64Array.from(values, () => values[Math.floor(random() * values.length)] ?? NaN)))
  const ascending = sorted(medians)
  return { median: median(values), low: quantile(ascending, 0.025), high: quantile(ascending, 0.975), rounds: values.length }
}

export type Verdict = 'pass' | 'fail' | 'undecided'

/** The interval lies at or above the target, wholly below it, or neither. */
export function verdict ({ low, high }: Estimate, target: number): Verdict {
  if (low >= target) return 'pass'
  return high < target ? 'fail' : 'undecided'
}

/** Deterministic draw of `count` whole numbers below `below`. */
export function draws (count: number, below: number, seed = SEED): number[] {
  const random = generator(seed)
  return Array.from({ length: count }, () => Math.floor(random() * below))
}
