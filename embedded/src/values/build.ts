import { toDouble } from './numbers.js'
import { Doc, Int32, isNumber } from './types.js'
import type { Maybe, Value } from './types.js'

/** A document from a literal with fixed keys, in the order written; `undefined` fields are left out. Never use it with keys from a client. */
export function docOf (fields: Readonly<Record<string, Maybe>>): Doc {
  const entries: [string, Value][] = []
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) entries.push([key, value])
  return Doc.of(entries)
}

export const int = (value: number): Int32 => Int32.of(value)
/** An Int32 when it fits, else a long: how the server reports counters. */
export const count = (value: number): Int32 | bigint => value <= 0x7fffffff ? Int32.of(value) : BigInt(value)
/** The value of any of the four number types; NaN for everything else. */
export const numeric = (value: Maybe): number => value !== undefined && isNumber(value) ? toDouble(value) : NaN
export const EMPTY: Doc = Doc.of()
