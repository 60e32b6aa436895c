import { failedToParse } from '../../values/errors.js'
import type { Doc, Maybe, Value } from '../../values/types.js'
import type { SortPattern } from '../sort-pattern.js'
import type { StageScope } from '../stage.js'
import type { Dependencies } from '../types.js'
import { parseWindow } from './bounds.js'
import type { Window } from './bounds.js'
import type { Partition } from './partition.js'

export interface WindowFunction {
  readonly reads: Dependencies
  /** the value for each document of a partition */
  compute (partition: Partition): Maybe[]
}

export type Surroundings = { readonly scope: StageScope, readonly sortBy: SortPattern | undefined }
export type FunctionParser = (spec: Doc, name: string, at: Surroundings) => WindowFunction

/** The argument and the window of a function that has both. */
export function splitSpec (spec: Doc, name: string, { scope, sortBy }: Surroundings): { argument: Value, window: Window | undefined } {
  let window: Window | undefined
  for (const [key, value] of spec) {
    if (key === 'window') window = parseWindow(value, sortBy, scope)
    else checkArgument(key, name)
  }
  return { argument: spec.get(name)!, window }
}

function checkArgument (key: string, name: string): void {
  if (key === name) return
  if (key.startsWith('$')) throw failedToParse('Cannot specify two functions in window function spec')
  throw failedToParse(`Window function found an unknown argument: ${key}`)
}

/** The argument of a function that has no window. */
export function onlyArgument (spec: Doc, name: string): Value {
  for (const key of spec.keys()) {
    if (key === 'window') throw failedToParse(`'window' field is not allowed in ${name}`)
    checkArgument(key, name)
  }
  return spec.get(name)!
}
