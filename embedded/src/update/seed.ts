import { MongoError } from '../values/errors.js'
import { compareStrings } from '../values/order.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import type { CompareNode, FilterNode } from '../matcher/ast.js'
import { notViable } from './messages.js'
import { checkDepth } from './validate.js'

/**
 * The document an upsert starts from: the equalities of its filter, in the order of their paths.
 * @param idOnly for a replacement, which takes nothing else from the filter
 */
export function seedFromFilter (node: FilterNode, idOnly = false): Doc {
  checkUpsertFilter(node)
  const found = new Map<string, Value>()
  for (const { path, value } of [...equalities(node)].sort((a, b) => compareStrings(a.path, b.path))) {
    if (idOnly && path.split('.')[0] !== '_id') continue
    if (idOnly && path !== '_id') throw new MongoError(111, `field at '_id' must be exactly specified, field at sub-path '${path}'found`)
    checkConflicts(found, path)
    found.set(path, value)
  }
  const seed = Doc.of()
  for (const [path, value] of found) {
    const parts = path.split('.')
    checkDepth(parts.length)
    place(seed, parts, 0, value)
  }
  return seed
}

/** `$expr` does not say what to insert. @throws MongoError 224 */
function checkUpsertFilter (node: FilterNode): void {
  if (node.kind === 'expr') throw new MongoError(224, '$expr is not allowed in the query predicate for an upsert')
  if (node.kind === 'not') checkUpsertFilter(node.child)
  else if (node.kind === 'and' || node.kind === 'or' || node.kind === 'nor') node.children.forEach(checkUpsertFilter)
}

function * equalities (node: FilterNode): IterableIterator<CompareNode> {
  if (node.kind === 'compare' && node.op === 'eq') yield node
  else if (node.kind === 'and') for (const child of node.children) yield * equalities(child)
}

function checkConflicts (found: ReadonlyMap<string, Value>, path: string): void {
  if (found.has(path)) throw new MongoError(54, `cannot infer query fields to set, path '${path}' is matched twice`)
  for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
    const above = path.slice(0, dot)
    if (found.has(above)) throw new MongoError(54, `cannot infer query fields to set, both paths '${path}' and '${above}' are matched`)
  }
}

/** @param doc made here, so that it may be changed */
function place (doc: Doc, path: readonly string[], i: number, value: Value): void {
  if (i === path.length - 1) {
    doc.set(path[i], value)
    return
  }
  const next = doc.get(path[i])
  if (next !== undefined && !(next instanceof Doc)) throw notViable(path, i + 1, next)
  const inner = next ?? Doc.of()
  place(inner, path, i + 1, value)
  doc.set(path[i], inner)
}
