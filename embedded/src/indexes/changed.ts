import type { Index } from '../catalog/types.js'
import type { FilterNode } from '../matcher/ast.js'
import { endOfName, endOfValue, nameAt } from '../values/bson-read.js'
import { partialFilterOf } from './partial.js'

const rootOf = (path: string): string => {
  const dot = path.indexOf('.')
  return dot < 0 ? path : path.slice(0, dot)
}

const roots = new WeakMap<Index, ReadonlySet<string> | 'all'>()

/** The top-level fields on which an index's entries depend. */
export function rootsOf (index: Index): ReadonlySet<string> | 'all' {
  let known = roots.get(index)
  if (known === undefined) roots.set(index, known = findRoots(index))
  return known
}

function findRoots (index: Index): ReadonlySet<string> | 'all' {
  const found = new Set<string>()
  const { text } = index
  if (text === undefined) for (const { path } of index.fields) found.add(rootOf(path))
  else {
    if (text.weights.has('$**')) return 'all'
    for (const path of [...text.prefix, ...text.weights.keys(), text.languageOverride]) found.add(rootOf(path))
  }
  const filter = partialFilterOf(index)
  if (filter !== undefined && !addPaths(filter.node, found)) return 'all'
  return found
}

/** @returns false when the node reads more than named paths */
function addPaths (node: FilterNode, found: Set<string>): boolean {
  if ('path' in node) {
    found.add(rootOf(node.path))
    return true
  }
  switch (node.kind) {
    case 'and': case 'or': case 'nor': return node.children.every(child => addPaths(child, found))
    case 'not': return addPaths(node.child, found)
    case 'true': case 'false': return true
    default: return false
  }
}

/** The top-level fields that two documents do not have with the same bytes. */
export function changedRoots (before: Uint8Array, after: Uint8Array): ReadonlySet<string> {
  const changed = new Set<string>()
  const old = elements(before)
  for (const [name, [start, end]] of elements(after)) {
    const was = old.get(name)
    old.delete(name)
    if (was === undefined || !sameBytes(before, was, after, start, end)) changed.add(name)
  }
  for (const name of old.keys()) changed.add(name)
  return changed
}

/** Where each top-level element lies, from its type byte on. */
function elements (bytes: Uint8Array): Map<string, [start: number, end: number]> {
  const found = new Map<string, [number, number]>()
  for (let at = 4; bytes[at] !== 0;) {
    const start = at
    const nameEnd = endOfName(bytes, at + 1)
    at = endOfValue(bytes, bytes[start], nameEnd + 1)
    found.set(nameAt(bytes, start + 1, nameEnd), [start, at])
  }
  return found
}

function sameBytes (a: Uint8Array, [from, to]: [number, number], b: Uint8Array, start: number, end: number): boolean {
  if (to - from !== end - start) return false
  for (let i = from, k = start; i < to; i++, k++) if (a[i] !== b[k]) return false
  return true
}
