import type { Index, IndexField } from '../catalog/types.js'
import { arrayIndex } from '../matcher/paths.js'
import type { FilterNode } from '../matcher/ast.js'
import type { Collation } from '../values/collation.js'
import { boundsOf } from './bounds.js'
import type { Bounds, FieldContext } from './bounds.js'
import { ALL_VALUES, intersect } from './intervals.js'
import type { Predicate } from './predicates.js'
import type { IndexBounds } from './types.js'

/** Bounds on an index together with what they leave to be checked. */
export type Assignment = {
  readonly index: Index
  readonly bounds: IndexBounds
  /** parts of the filter that hold for everything within the bounds */
  readonly answered: ReadonlySet<FilterNode>
}

type Use = { readonly predicate: Predicate, readonly bounds: Bounds }

/** The ways to use the conditions on an index: one, or several where an array forbids to use two conditions at once. */
export function assignments (index: Index, predicates: readonly Predicate[], collation: Collation | undefined): Assignment[] {
  if (index.text !== undefined) return []
  const sameCollation = index.collation === undefined ? collation === undefined : index.collation.equals(collation)
  const perField = index.fields.map((field, i) => usesOf(index, field, i, predicates, sameCollation))
  if (perField[0].length === 0) return []
  return leadingChoices(index, perField[0]).map(leading => assign(index, leading, perField))
}

function usesOf (index: Index, field: IndexField, i: number, predicates: readonly Predicate[], sameCollation: boolean): Use[] {
  const multikey = (index.flags.multikey >> i & 1) === 1
  const { collation, sparse } = index
  const context: FieldContext = {
    collation,
    sameCollation,
    sparse: sparse && i === 0,
    sole: index.fields.length === 1,
    hashed: field.hashed,
    multikey,
    positional: isPositional(field.parts),
    expression: false
  }
  const uses: Use[] = []
  // A document that has the leading field is in a sparse index.
  for (const predicate of predicates) {
    if (predicate.path !== field.path || (predicate.expression && multikey)) continue
    const bounds = boundsOf(predicate.node, predicate.expression ? { ...context, expression: true } : context)
    if (bounds !== undefined) uses.push({ predicate, bounds })
  }
  return uses
}

const isPositional = (parts: readonly string[]): boolean => parts.some(part => arrayIndex(part) >= 0)

/** The part of a path that ends in an array, for each part that may: "a.b" with arrays at a and b gives "a" and "a.b". */
function arraysOn (index: Index, i: number): string[] {
  const parts = index.flags.parts[i] ?? 0
  const { parts: names } = index.fields[i]
  return names.flatMap((_, k) => (parts >> Math.min(k, 30) & 1) === 1 ? [names.slice(0, k + 1).join('.')] : [])
}

/** Whether two conditions may be about different elements of an array that both go through. */
function areApart (a: Predicate, b: Predicate, arrays: readonly string[]): boolean {
  const { element } = a
  const together = (array: string): boolean => element !== undefined && element.of === b.element?.of && isOn(element.below, array)
  return arrays.some(array => isOn(a.path, array) && isOn(b.path, array) && !together(array))
}

const isOn = (path: string, array: string): boolean => path === array || path.startsWith(`${array}.`)

/** Conditions on the leading field that can be used together, in as many groups as arrays force. */
function leadingChoices (index: Index, uses: readonly Use[]): Use[][] {
  const arrays = arraysOn(index, 0)
  if (arrays.length === 0) return [[...uses]]
  const groups: Use[][] = []
  for (const use of uses) {
    const group = groups.find(members => members.every(member => !areApart(member.predicate, use.predicate, arrays)))
    if (group === undefined) groups.push([use])
    else group.push(use)
  }
  return groups
}

function assign (index: Index, leading: readonly Use[], perField: readonly (readonly Use[])[]): Assignment {
  const used: Use[] = [...leading]
  const bounds: (IndexBounds[number])[] = [intersection(leading)]
  const arrays = index.fields.map((_, i) => arraysOn(index, i))
  for (let i = 1; i < index.fields.length; i++) {
    const chosen: Use[] = []
    for (const use of perField[i]) {
      const apart = [...used, ...chosen].some(other => areApart(other.predicate, use.predicate, arrays[i]))
      if (!apart) chosen.push(use)
    }
    used.push(...chosen)
    bounds.push(intersection(chosen))
  }
  return { index, bounds, answered: answeredBy(index, used) }
}

const intersection = (uses: readonly Use[]): IndexBounds[number] =>
  uses.reduce<IndexBounds[number]>((bounds, use) => intersect(bounds, use.bounds.intervals), ALL_VALUES)

/** A part of the filter is answered when its condition stands alone and its bounds are exact; cut keys and positions are never exact. */
function answeredBy (index: Index, used: readonly Use[]): Set<FilterNode> {
  const answered = new Set<FilterNode>()
  if (index.flags.truncated || index.fields.some(({ hashed }) => hashed)) return answered
  for (const { predicate: { part, path }, bounds } of used) {
    if (part !== undefined && bounds.exact && !isPositional(path.split('.'))) answered.add(part)
  }
  return answered
}
