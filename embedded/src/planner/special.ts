import type { Collection, Index } from '../catalog/types.js'
import { findIndex } from '../indexes/index.js'
import type { FilterNode } from '../matcher/ast.js'
import { badValue, MongoError } from '../values/errors.js'
import { display } from '../values/format.js'
import { compare } from '../values/order.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import { conjunctionNode } from './candidates.js'
import type { Access, Wanted } from './candidates.js'
import { ALL_VALUES } from './intervals.js'
import { conjunctionOf } from './predicates.js'
import type { IndexScan, TextMatch } from './types.js'

export type Hint = { readonly natural: 1 | -1 } | { readonly index: Index } | undefined

/** @throws 2 when there is no such index */
export function parseHint (collection: Collection, hint: string | Doc | undefined): Hint {
  if (hint === undefined || (hint instanceof Doc && hint.size === 0)) return undefined
  if (hint instanceof Doc && hint.firstKey() === '$natural') {
    if (hint.size > 1) throw badValue('$natural hint may not be combined with other fields')
    const direction = compare(hint.get('$natural'), 0n)
    if (direction === 0) throw badValue('$natural hint must be 1 or -1')
    return { natural: direction < 0 ? -1 : 1 }
  }
  const index = findIndex(collection, hint)
  if (index === undefined || index.hidden) throw plannerError(collection, 'hint provided does not correspond to an existing index')
  return { index }
}

export const plannerError = (collection: Collection, message: string, code = 2): MongoError =>
  new MongoError(code, `error processing query: ns=${collection.name} planner returned error :: caused by :: ${message}`)

/** min() and max(): a range of whole keys of the hinted index. */
export function keyRangeScan (hint: Hint, min: Doc | undefined, max: Doc | undefined, wanted: Wanted): Access {
  if (hint === undefined || !('index' in hint)) throw new MongoError(51173, 'When using min()/max() a hint of which index to use must be provided')
  const { index } = hint
  const names = [...index.key.keys()]
  for (const bound of [min, max]) {
    if (bound !== undefined && !sameNames(names, bound)) {
      throw new MongoError(51174, `The index chosen is not compatible with min/max: ${display(index.key)}`)
    }
  }
  if (min !== undefined && max !== undefined && !isBelow(index, min, max)) throw new MongoError(51175, 'min value must be less than max value')
  const scan: IndexScan = { stage: 'IXSCAN', index, bounds: index.fields.map(() => ALL_VALUES), direction: 1, keyRange: { min, max } }
  return { scan, ordered: false, rest: conjunctionNode(conjunctionOf(wanted.filter, wanted.ctx).parts), index }
}

const sameNames = (names: readonly string[], bound: Doc): boolean => bound.size === names.length && [...bound.keys()].every((name, i) => name === names[i])

function isBelow (index: Index, min: Doc, max: Doc): boolean {
  for (const { path, direction } of index.fields) {
    const order = compare(min.get(path), max.get(path), index.collation) * direction
    if (order !== 0) return order < 0
  }
  return false
}

/** `$text` is answered by the text index, whose fields before the text need one value each. @throws 27, 291 */
export function textAccess (collection: Collection, wanted: Wanted): Access | undefined {
  const { text, parts, predicates } = conjunctionOf(wanted.filter, wanted.ctx)
  if (text === undefined) {
    if (holdsText(wanted.filter)) throw plannerError(collection, 'Failed to produce a solution for TEXT under OR - other non-TEXT clauses under OR have to be indexed as well.', 291)
    return undefined
  }
  const index = collection.indexes.find(known => known.text !== undefined && !known.hidden)
  if (index === undefined) throw new MongoError(27, 'text index required for $text query')
  const prefix: Value[] = []
  const answered: FilterNode[] = [text]
  for (const path of index.text!.prefix) {
    const found = predicates.find(({ path: on, node, part }) => on === path && part !== undefined && node.kind === 'compare' && node.op === 'eq')
    if (found === undefined || found.node.kind !== 'compare') {
      throw plannerError(collection, 'failed to use text index to satisfy $text query (if text index is compound, are equality predicates given for all prefix fields?)', 291)
    }
    prefix.push(found.node.value)
    if (found.node.value !== null && !Array.isArray(found.node.value)) answered.push(found.part!)
  }
  const scan: TextMatch = { stage: 'TEXT_MATCH', index, node: text, prefix }
  return { scan, ordered: false, rest: conjunctionNode(parts.filter(part => !answered.includes(part))), index }
}

function holdsText (node: FilterNode): boolean {
  if (node.kind === 'text') return true
  if (node.kind === 'and' || node.kind === 'or' || node.kind === 'nor') return node.children.some(holdsText)
  return node.kind === 'not' && holdsText(node.child)
}

/** The filter `{ _id: value }` and nothing else. */
export function idOf (filter: FilterNode): Value | undefined {
  const node = filter.kind === 'and' && filter.children.length === 1 ? filter.children[0] : filter
  if (node.kind !== 'compare' || node.op !== 'eq' || node.path !== '_id' || node.value === null || Array.isArray(node.value)) return undefined
  return node.value
}
