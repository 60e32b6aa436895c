import { compileExpression, scopeOf } from '../expressions/index.js'
import type { Expression, ParseContext } from '../expressions/index.js'
import type { FilterNode, TextNode } from '../matcher/ast.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'

/** A condition on one path that an index on this path may answer. */
export type Predicate = {
  readonly path: string
  readonly node: FilterNode
  /** the part of the conjunction that is answered when the bounds are exact; undefined when it must be checked in any case */
  readonly part: FilterNode | undefined
  /** the `$elemMatch` it stands in: conditions of one are about the same element of the array at `below` */
  readonly element: { readonly of: FilterNode, readonly below: string } | undefined
  /** from `$expr`: not for arrays */
  readonly expression: boolean
}

export type OrNode = FilterNode & { readonly children: readonly FilterNode[] }

export type Conjunction = {
  readonly parts: readonly FilterNode[]
  readonly predicates: readonly Predicate[]
  readonly ors: readonly OrNode[]
  readonly text: TextNode | undefined
}

/** A filter as the conditions that must all hold. */
export function conjunctionOf (filter: FilterNode, ctx: ParseContext): Conjunction {
  const parts = flatten(filter)
  const ors: OrNode[] = []
  let text: TextNode | undefined
  const predicates: Predicate[] = []
  for (const part of parts) {
    if (part.kind === 'or') ors.push(part)
    else if (part.kind === 'text') text = part
    else predicates.push(...predicatesOf(part, ctx))
  }
  return { parts, predicates, ors, text }
}

function flatten (node: FilterNode): FilterNode[] {
  if (node.kind === 'and') return node.children.flatMap(flatten)
  if (node.kind === 'or' && node.children.length === 1) return flatten(node.children[0])
  return node.kind === 'true' ? [] : [node]
}

function predicatesOf (part: FilterNode, ctx: ParseContext): Predicate[] {
  switch (part.kind) {
    case 'compare': case 'in': case 'exists': case 'type': case 'mod': case 'regex':
      return [{ path: part.path, node: part, part, element: undefined, expression: false }]
    case 'not': return 'path' in part.child ? [{ path: part.child.path, node: part, part, element: undefined, expression: false }] : []
    case 'elemMatchValue': return part.children.flatMap(child => elementPredicates(child, part.path, part, part.path))
    case 'elemMatchObject': return elementPredicates(part.child, part.path, part, part.path)
    case 'expr': return expressionPredicates(part.expression, part.spec, ctx)
    default: return []
  }
}

const joined = (below: string, path: string): string => path === '' ? below : `${below}.${path}`

function elementPredicates (node: FilterNode, prefix: string, of: FilterNode, below: string): Predicate[] {
  switch (node.kind) {
    case 'and': return node.children.flatMap(child => elementPredicates(child, prefix, of, below))
    case 'compare': case 'in': case 'exists': case 'type': case 'mod': case 'regex':
      return [{ path: joined(prefix, node.path), node, part: undefined, element: { of, below }, expression: false }]
    case 'not': return 'path' in node.child ? [{ path: joined(prefix, node.child.path), node, part: undefined, element: { of, below }, expression: false }] : []
    // A further array below: its conditions belong together, those outside belong to another element.
    case 'elemMatchObject': return elementPredicates(node.child, joined(prefix, node.path), node, joined(prefix, node.path))
    case 'elemMatchValue': return node.children.flatMap(child => elementPredicates(child, joined(prefix, node.path), node, joined(prefix, node.path)))
    default: return []
  }
}

const COMPARISONS: ReadonlyMap<string, readonly [op: 'eq' | 'lt' | 'lte' | 'gt' | 'gte', swapped: 'eq' | 'lt' | 'lte' | 'gt' | 'gte']> = new Map([
  ['$eq', ['eq', 'eq']], ['$lt', ['lt', 'gt']], ['$lte', ['lte', 'gte']], ['$gt', ['gt', 'lt']], ['$gte', ['gte', 'lte']]
])

/** `$expr` comparisons of a field with something that is the same for every document. */
function expressionPredicates (expression: Expression, spec: Value, ctx: ParseContext): Predicate[] {
  if (!(spec instanceof Doc) || spec.size !== 1) return []
  const [[name, operands]] = spec
  if (name === '$and' && Array.isArray(operands)) return operands.flatMap(operand => expressionPredicates(expression, operand, ctx))
  const ops = COMPARISONS.get(name)
  if (ops === undefined || !Array.isArray(operands) || operands.length !== 2) return []
  const [a, b] = operands
  return comparison(a, b, ops[0], ctx) ?? comparison(b, a, ops[1], ctx) ?? []
}

function comparison (field: Value, operand: Value, op: 'eq' | 'lt' | 'lte' | 'gt' | 'gte', ctx: ParseContext): Predicate[] | undefined {
  if (typeof field !== 'string' || !/^\$[^$.]/.test(field)) return undefined
  const compiled = compileExpression(operand, ctx)
  const isVariable = typeof operand === 'string' && operand.startsWith('$$')
  if (!compiled.isConstant && !(isVariable && compiled.dependencies !== 'all' && compiled.dependencies.length === 0)) return undefined
  const value = compiled.evaluate(scopeOf(undefined, ctx))
  if (value === undefined || value === null || Array.isArray(value)) return undefined
  const path = field.slice(1)
  return [{ path, node: { kind: 'compare', op, path, value }, part: undefined, element: undefined, expression: true }]
}
