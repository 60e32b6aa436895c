import type { Index } from '../catalog/types.js'
import { arrayIndex } from '../matcher/paths.js'
import { numeric } from '../values/build.js'
import { Doc } from '../values/types.js'
import { isAll, isPoint } from './intervals.js'
import type { IndexBounds } from './types.js'

/** How a scan gives the order that is asked for: as it is, or by merging one scan for each combination of `mergeFrom` leading values. */
export type ProvidedOrder = { readonly direction: 1 | -1, readonly mergeFrom: number | undefined }

type Part = { readonly path: string, readonly direction: 1 | -1 }

/** The fields of a sort; undefined when it is not by fields alone. */
export function sortParts (sort: Doc): Part[] | undefined {
  const parts: Part[] = []
  for (const [path, value] of sort) {
    if (value instanceof Doc || path === '$natural') return undefined
    parts.push({ path, direction: numeric(value) < 0 ? -1 : 1 })
  }
  return parts
}

/** More scans than this are not merged; MongoDB's limit. */
const MAX_MERGED = 200

/**
 * Whether a scan of these bounds can give the order. Leading fields with one value need no place in the order; with
 * several single values they can be scanned one by one and merged.
 */
export function providedOrder (index: Index, bounds: IndexBounds, sort: readonly Part[]): ProvidedOrder | undefined {
  if (index.flags.truncated) return undefined
  let scans = 1
  for (let lead = 0; lead < index.fields.length; lead++) {
    const direction = orderFrom(index, bounds, sort, lead)
    if (direction !== undefined) return { direction, mergeFrom: scans > 1 ? lead : undefined }
    if (!bounds[lead].every(isPoint)) return undefined
    scans *= bounds[lead].length
    if (scans > MAX_MERGED) return undefined
  }
  // Every field is fixed: whatever is asked for beyond them is not in the index.
  return undefined
}

/** The direction in which the fields from `lead` on follow the sort. */
function orderFrom (index: Index, bounds: IndexBounds, sort: readonly Part[], lead: number): 1 | -1 | undefined {
  let direction: 1 | -1 | undefined
  let at = lead
  for (const part of sort) {
    // a field behind that has one value does not disturb the order
    while (at < index.fields.length && index.fields[at].path !== part.path && isFixed(bounds, at)) at++
    const field = index.fields[at]
    if (field === undefined || field.hashed || field.path !== part.path) {
      if (isFixedBefore(index, bounds, part.path, lead)) continue
      return undefined
    }
    if (!isOrdered(index, bounds, at)) return undefined
    const wanted: 1 | -1 = field.direction === part.direction ? 1 : -1
    if (!isFixed(bounds, at)) {
      if (direction !== undefined && direction !== wanted) return undefined
      direction = wanted
    }
    at++
  }
  return direction ?? 1
}

const isFixed = (bounds: IndexBounds, i: number): boolean => bounds[i].length === 1 && isPoint(bounds[i][0])

/** A leading field of one value may stand anywhere in the sort. */
const isFixedBefore = (index: Index, bounds: IndexBounds, path: string, lead: number): boolean =>
  index.fields.some((field, i) => i < lead && field.path === path && isFixed(bounds, i) && !isMultikey(index, i))

const isMultikey = (index: Index, i: number): boolean => (index.flags.multikey >> i & 1) === 1

/** A position in an array is no array: only sorting itself knows all about it. */
const isPositional = (parts: readonly string[]): boolean => parts.some(part => arrayIndex(part) >= 0)

/** An array sorts by its least or greatest element, whatever the filter asks of it: a scan of a part of its keys says nothing about that. */
function isOrdered (index: Index, bounds: IndexBounds, i: number): boolean {
  if (!isMultikey(index, i)) return true
  const { parts } = index.fields[i]
  const arrays = index.flags.parts[i] ?? 0
  return !isPositional(parts) && index.fields.every((field, k) => isAll(bounds[k]) || !sharesArray(parts, arrays, field.parts, k === i))
}

function sharesArray (parts: readonly string[], arrays: number, others: readonly string[], same: boolean): boolean {
  if (same) return true
  return parts.some((_, k) => (arrays >> Math.min(k, 30) & 1) === 1 && parts.slice(0, k + 1).every((name, j) => others[j] === name))
}
