import { MongoError } from '../values/errors.js'
import { Doc } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import type { Vars } from '../expressions/index.js'
import type { Match } from '../matcher/match.js'
import type { Slice } from './tree.js'

/** Changes the projected document as a whole: find's $slice and positional `$` see what the rest of the projection left. */
export type Reshape = (projected: Doc, original: Doc, vars: Vars | undefined) => Doc

export const slicing = (path: readonly string[], slice: Slice): Reshape => projected => sliceAt(projected, path, 0, slice)

function sliceAt (doc: Doc, path: readonly string[], i: number, slice: Slice): Doc {
  const value = doc.get(path[i])
  const sliced = slicedValue(value, path, i + 1, slice)
  return sliced === undefined || sliced === value ? doc : doc.copy().set(path[i], sliced)
}

function slicedValue (value: Maybe, path: readonly string[], i: number, slice: Slice): Maybe {
  if (Array.isArray(value)) {
    return i === path.length ? sliceOf(value, slice) : value.map(element => element instanceof Doc ? sliceAt(element, path, i, slice) : element)
  }
  return value instanceof Doc && i < path.length ? sliceAt(value, path, i, slice) : value
}

function sliceOf (values: readonly Value[], { skip, limit }: Slice): Value[] {
  if (skip === undefined) return limit < 0 ? values.slice(limit) : values.slice(0, limit)
  const start = skip < 0 ? Math.max(0, values.length + skip) : skip
  return values.slice(start, start + limit)
}

/** Of the first array on the path only the element that the filter matched stays. */
export const positional = (path: readonly string[], match: Match): Reshape => (projected, original, vars) => {
  const position = match.position(original, vars)
  return keepElement(projected, path, 0, position)
}

function keepElement (doc: Doc, path: readonly string[], i: number, position: number | undefined): Doc {
  const value = doc.get(path[i])
  if (Array.isArray(value)) return doc.copy().set(path[i], [elementAt(value, position)])
  if (!(value instanceof Doc) || i + 1 === path.length) return doc
  const kept = keepElement(value, path, i + 1, position)
  return kept === value ? doc : doc.copy().set(path[i], kept)
}

function elementAt (values: readonly Value[], position: number | undefined): Value {
  const because = 'Executor error during find command :: caused by :: '
  if (position === undefined) throw new MongoError(51246, `${because}positional operator '.$' couldn't find a matching element in the array`)
  const element = values[position]
  if (element === undefined) throw new MongoError(51247, `${because}positional operator '.$' element mismatch`)
  return element
}

/** The first element that matches, as an array of one. */
export function elemMatched (name: string, match: Match, doc: Doc): Maybe {
  if (!match.test(doc)) return undefined
  const position = match.position(doc)
  const values = doc.get(name)
  return position === undefined || !Array.isArray(values) ? undefined : [values[position]]
}
