import type { Evaluate } from '../../expressions/index.js'
import type { Collation } from '../../values/collation.js'
import type { Maybe, Value } from '../../values/types.js'
import type { Accumulator } from '../accumulator.js'
import type { Dependencies } from '../types.js'
import type { Endpoints, Window } from './bounds.js'
import type { WindowFunction } from './function.js'
import type { Partition } from './partition.js'
import type { Sliding } from './sliding.js'

export type MakeSliding = (collation: Collation | undefined) => Sliding

type Accumulated = {
  readonly argument: Evaluate
  readonly reads: Dependencies
  readonly make: () => Accumulator
  /** undefined: a moving window is accumulated anew for each document */
  readonly moving: MakeSliding | undefined
  readonly collation: Collation | undefined
  readonly window: Window
}

/** A function that an accumulator computes. A window that is open to the left only grows, so that one accumulator does for all documents. */
export function accumulated ({ argument, reads, make, moving, collation, window }: Accumulated): WindowFunction {
  if (window.lower === 'unbounded') return { reads, compute: partition => growing(partition, argument, make(), window) }
  if (moving !== undefined) return sliding(argument, reads, () => moving(collation), window)
  return { reads, compute: partition => repeated(partition, argument, make, window) }
}

export const sliding = (argument: Evaluate, reads: Dependencies, make: () => Sliding, window: Window): WindowFunction =>
  ({ reads, compute: partition => slide(partition, argument, make(), window) })

// an accumulator goes on filling the array that it has shown
const snapshot = (value: Maybe): Maybe => Array.isArray(value) ? [...value] : value ?? null

function growing (partition: Partition, argument: Evaluate, accumulator: Accumulator, window: Window): Maybe[] {
  const endpoints = partition.endpoints(window)
  let next = -1
  let shown: Maybe
  let isStale = true
  return partition.each(i => {
    const [first, last] = endpoints(i) ?? [-1, -2]
    if (next < 0) next = first
    for (; next <= last; next++) {
      accumulator.add(partition.evaluate({ evaluate: argument }, next))
      isStale = true
    }
    if (isStale) shown = snapshot(accumulator.result())
    isStale = false
    return shown
  })
}

function slide (partition: Partition, argument: Evaluate, state: Sliding, window: Window): Maybe[] {
  const endpoints = partition.endpoints(window)
  const held: Maybe[] = []
  let low = 0
  let high = 0
  return partition.each(i => {
    const ends = endpoints(i)
    const [first, last] = ends ?? emptyAfter(low, high)
    // a window that moved on by more than its own length skips what is between
    if (high < first && low === high) low = high = first
    for (; high <= last; high++) state.add(held[high] = partition.evaluate({ evaluate: argument }, high))
    for (; low < first && low < high; low++) {
      state.remove(held[low])
      held[low] = undefined
    }
    return state.value()
  })
}

/** No window at all: what is held leaves. */
const emptyAfter = (low: number, high: number): NonNullable<Endpoints> => [Math.max(low, high), high - 1]

function repeated (partition: Partition, argument: Evaluate, make: () => Accumulator, window: Window): Maybe[] {
  const endpoints = partition.endpoints(window)
  const values: Value[] = []
  return partition.each(i => {
    const accumulator = make()
    const ends = endpoints(i)
    if (ends !== undefined) {
      for (let k = ends[0]; k <= ends[1]; k++) {
        if (!(k in values)) values[k] = partition.evaluate({ evaluate: argument }, k) as Value
        accumulator.add(values[k])
      }
    }
    return snapshot(accumulator.result())
  })
}
