/** Share of calls that may be repeats. */
const SHARE = 0.1
/** Repeats that are allowed before any traffic was seen. */
const START = 3
const MOST = 20

/**
 * Keeps repeats to a tenth of the calls, so that a struggling host does not get twice the load.
 * Every first call earns a tenth of a repeat.
 */
export function createRetryBudget () {
  let tokens = START
  return {
    call () { tokens = Math.min(tokens + SHARE, MOST) },
    /** May one repeat be made? Takes it from the budget. */
    take (): boolean {
      if (tokens < 1) return false
      tokens -= 1
      return true
    }
  }
}
