import { arrayIndex } from '../matcher/paths.js'
import { Doc, isDoc } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'

/** The first component: what a document must keep so that the path can be read. */
export const topField = (path: string): string => {
  const dot = path.indexOf('.')
  return dot < 0 ? path : path.slice(0, dot)
}

/** The value at a path that goes through documents only. */
export function getNested (doc: Doc, parts: readonly string[]): Maybe {
  let value: Maybe = doc
  for (const part of parts) {
    if (!isDoc(value)) return undefined
    value = value.get(part)
  }
  return value
}

/** A copy with the value at the path; what is not a document on the way gives way to one. */
export function setNested (doc: Doc, parts: readonly string[], value: Value): Doc {
  return setAt(doc, parts, 0, value)
}

function setAt (doc: Doc, parts: readonly string[], at: number, value: Value): Doc {
  if (at === parts.length - 1) return doc.copy().set(parts[at], value)
  const inner = doc.get(parts[at])
  return doc.copy().set(parts[at], setAt(isDoc(inner) ? inner : Doc.of(), parts, at + 1, value))
}

/** A copy without the value at the path. */
export function removeNested (doc: Doc, parts: readonly string[], at = 0): Doc {
  const copy = doc.copy()
  if (at === parts.length - 1) {
    copy.delete(parts[at])
    return copy
  }
  const inner = doc.get(parts[at])
  return isDoc(inner) ? copy.set(parts[at], removeNested(inner, parts, at + 1)) : copy
}

/** All values of a path for joins: arrays on the way are searched, one at the end gives its elements, a missing value gives none. */
export function visitValues (doc: Doc, parts: readonly string[], visit: (value: Value) => void): void {
  visitFrom(doc, parts, 0, visit)
}

function visitFrom (doc: Doc, parts: readonly string[], at: number, visit: (value: Value) => void): void {
  // the first component after a document is a field name even when it is a number
  let value = doc.get(parts[at++])
  while (at < parts.length && Array.isArray(value)) {
    const index = arrayIndex(parts[at])
    if (index < 0) break
    value = value[index]
    at++
  }
  if (at === parts.length) visitTrailing(value, visit)
  else if (isDoc(value)) visitFrom(value, parts, at, visit)
  else if (Array.isArray(value)) for (const element of value) if (isDoc(element)) visitFrom(element, parts, at, visit)
}

function visitTrailing (value: Maybe, visit: (value: Value) => void): void {
  if (Array.isArray(value)) value.forEach(visit)
  else if (value !== undefined) visit(value)
}
