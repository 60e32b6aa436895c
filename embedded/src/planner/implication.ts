import type { FilterNode } from '../matcher/ast.js'
import type { Collation } from '../values/collation.js'
import { canonicalType, compare, equal, typeName } from '../values/order.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'

/**
 * Whether every document that the query finds also meets the condition of a partial index. As in MongoDB only what can
 * be told condition by condition counts.
 */
export function implies (query: FilterNode, condition: FilterNode, collations: Collations): boolean {
  if (condition.kind === 'true') return true
  if (condition.kind === 'and') return condition.children.every(child => implies(query, child, collations))
  if (query.kind === 'or') return query.children.every(child => implies(child, condition, collations))
  if (condition.kind === 'or' && condition.children.some(child => implies(query, child, collations))) return true
  if (query.kind === 'and') return query.children.some(child => implies(child, condition, collations))
  return leafImplies(query, condition, collations)
}

export type Collations = { readonly query: Collation | undefined, readonly index: Collation | undefined }

function leafImplies (query: FilterNode, condition: FilterNode, collations: Collations): boolean {
  if (!('path' in query) || !('path' in condition) || query.path !== condition.path) return notImplies(query, condition)
  switch (condition.kind) {
    case 'exists': return findsPresent(query)
    case 'type': return query.kind === 'type' && [...query.types].every(type => condition.types.has(type))
    case 'compare': return impliesComparison(query, condition, collations)
    case 'in': return valuesOf(query)?.every(value => condition.values.some(other => sameValue(value, other, collations))) ?? false
    default: return false
  }
}

/** `$ne: null` finds present fields only. */
function notImplies (query: FilterNode, condition: FilterNode): boolean {
  if (query.kind !== 'not' || condition.kind !== 'exists') return false
  const { child } = query
  return child.kind === 'compare' && child.op === 'eq' && child.value === null && child.path === condition.path
}

function findsPresent (query: FilterNode): boolean {
  switch (query.kind) {
    case 'exists': case 'type': case 'mod': case 'regex': case 'size': case 'bits': case 'elemMatchObject': case 'elemMatchValue': return true
    case 'compare': return query.value !== null
    case 'in': return !query.values.includes(null)
    default: return false
  }
}

type CompareNode = Extract<FilterNode, { kind: 'compare' }>

/** The values of an equality or `$in`. */
function valuesOf (query: FilterNode): readonly Value[] | undefined {
  if (query.kind === 'compare' && query.op === 'eq') return [query.value]
  return query.kind === 'in' && query.regexes.length === 0 ? query.values : undefined
}

const holdsText = (value: Value): boolean => typeName(value) === 'string' || value instanceof Doc || Array.isArray(value)

const sameCollation = ({ query, index }: Collations): boolean => query === undefined ? index === undefined : query.equals(index)

const sameValue = (a: Value, b: Value, collations: Collations): boolean =>
  (!holdsText(a) || sameCollation(collations)) && equal(a, b, collations.index)

function impliesComparison (query: FilterNode, condition: CompareNode, collations: Collations): boolean {
  const values = valuesOf(query)
  if (values !== undefined) return values.every(value => satisfies(value, condition, collations))
  if (query.kind !== 'compare' || condition.op === 'eq') return false
  if (canonicalType(query.value) !== canonicalType(condition.value) || (holdsText(query.value) && !sameCollation(collations))) return false
  const order = compare(query.value, condition.value, collations.index)
  switch (condition.op) {
    case 'lt': return query.op === 'lt' ? order <= 0 : query.op === 'lte' && order < 0
    case 'lte': return (query.op === 'lt' || query.op === 'lte') && order <= 0
    case 'gt': return query.op === 'gt' ? order >= 0 : query.op === 'gte' && order > 0
    case 'gte': return (query.op === 'gt' || query.op === 'gte') && order >= 0
  }
}

function satisfies (value: Value, { op, value: limit }: CompareNode, collations: Collations): boolean {
  if (op === 'eq') return sameValue(value, limit, collations)
  if (Array.isArray(value) || canonicalType(value) !== canonicalType(limit) || (holdsText(value) && !sameCollation(collations))) return false
  const order = compare(value, limit, collations.index)
  switch (op) {
    case 'lt': return order < 0
    case 'lte': return order <= 0
    case 'gt': return order > 0
    case 'gte': return order >= 0
  }
}
