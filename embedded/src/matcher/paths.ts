import { Doc } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'

/** A dotted path, taken apart once. */
export type Path = {
  readonly text: string
  readonly parts: readonly string[]
  /** for each part the array index that it also means, else -1 ("01" is none) */
  readonly indexes: readonly number[]
}

const INDEX = /^(0|[1-9]\d{0,9})$/
export const arrayIndex = (part: string): number => INDEX.test(part) ? Number(part) : -1

export function parsePath (text: string): Path {
  const parts = text.split('.')
  return { text, parts, indexes: parts.map(arrayIndex) }
}

/**
 * @param value undefined where the path ends in nothing
 * @param offset the index in the outermost array that was gone through without a numeric part
 * @returns true to stop
 */
export type Visit = (value: Maybe, offset: number | undefined) => boolean

/** Whether an array at the end of the path counts as its elements and itself, or as itself alone. */
export type Leaf = 'elements' | 'array'

/**
 * Calls `visit` for every value that MongoDB finds at a path: arrays on the way are gone through, a numeric part is
 * both field name and index. Nothing is visited below an array that holds no document (not even "missing").
 * @returns true when a visit did
 */
export const visitPath = (doc: Doc, path: Path, leaf: Leaf, visit: Visit): boolean => visitFrom(doc, path, 0, leaf, undefined, visit)

/** As visitPath, for the index room and others that need every value. */
export function forEachValue (doc: Doc, path: Path, leaf: Leaf, callback: (value: Maybe) => void): void {
  visitPath(doc, path, leaf, value => {
    callback(value)
    return false
  })
}

function visitFrom (doc: Doc, path: Path, from: number, leaf: Leaf, offset: number | undefined, visit: Visit): boolean {
  const { parts } = path
  let value: Maybe = doc
  let i = from
  while (i < parts.length && value instanceof Doc) value = value.get(parts[i++])
  if (Array.isArray(value)) return visitArray(value, path, i, leaf, offset, visit)
  return visit(i < parts.length ? undefined : value, offset)
}

function visitArray (values: readonly Value[], path: Path, i: number, leaf: Leaf, offset: number | undefined, visit: Visit): boolean {
  if (i === path.parts.length) return visitLeaf(values, leaf, offset, visit)
  const index = path.indexes[i]
  for (let k = 0; k < values.length; k++) {
    const element = values[k]
    if (element instanceof Doc && visitFrom(element, path, i, leaf, offset ?? k, visit)) return true
    if (k === index && visitIndexed(element, path, i + 1, leaf, offset, visit)) return true
  }
  return false
}

function visitLeaf (values: readonly Value[], leaf: Leaf, offset: number | undefined, visit: Visit): boolean {
  if (leaf === 'elements') {
    for (let k = 0; k < values.length; k++) if (visit(values[k], offset ?? k)) return true
  }
  return visit(values as Value[], offset)
}

/** An array that is itself an indexed element and ends the path is not expanded. */
function visitIndexed (element: Value, path: Path, i: number, leaf: Leaf, offset: number | undefined, visit: Visit): boolean {
  if (i === path.parts.length) return visit(element, offset)
  if (element instanceof Doc) return visitFrom(element, path, i, leaf, offset, visit)
  return Array.isArray(element) && visitArray(element, path, i, leaf, offset, visit)
}
