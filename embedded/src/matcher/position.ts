import type { Doc } from '../values/types.js'
import type { FilterNode } from './ast.js'
import type { Env, Tester } from './match.js'
import { leafOf } from './leaves.js'
import { parsePath, visitPath } from './paths.js'
import type { LeafTest } from './raw.js'

type Position = (doc: Doc, env: Env) => number | undefined

/** MongoDB sorts the children of a conjunction by kind and path; the last one that went through an array says the position. */
const ORDER = [
  'and', 'or', 'elemMatchObject', 'elemMatchValue', 'size', 'eq', 'lte', 'lt', 'gt', 'gte', 'regex', 'mod', 'exists', 'in', 'bits', 'not', 'nor', 'type',
  'expr', 'false', 'true', 'jsonSchema', 'text'
]
const rank = (node: FilterNode): number => ORDER.indexOf(node.kind === 'compare' ? node.op : node.kind)
const pathOf = (node: FilterNode): string => 'path' in node ? node.path : ''

const inOrder = (nodes: readonly FilterNode[]): FilterNode[] =>
  nodes.toSorted((a, b) => rank(a) - rank(b) || (pathOf(a) < pathOf(b) ? -1 : Number(pathOf(a) > pathOf(b))))

/** How match.ts compiles: a node as a whole, a leaf as a test of one value, an $elemMatch as a test of one element. */
export type Compilers = {
  tester (node: FilterNode): Tester
  leaf (node: FilterNode): LeafTest
  inner (node: ElemMatchNode): LeafTest
}

export type ElemMatchNode = Extract<FilterNode, { kind: 'elemMatchObject' | 'elemMatchValue' }>

export function positionOf (node: FilterNode, compilers: Compilers): Position {
  switch (node.kind) {
    case 'and': return lastOf(inOrder(node.children).map(child => positionOf(child, compilers)))
    case 'or': return firstOf(inOrder(node.children), compilers)
    case 'elemMatchObject': case 'elemMatchValue': return elementPosition(node, compilers.inner(node))
    default: return 'path' in node ? valuePosition(node, node.path, compilers.leaf(node)) : () => undefined
  }
}

const lastOf = (positions: readonly Position[]): Position => (doc, env) => {
  let found: number | undefined
  for (const position of positions) found = position(doc, env) ?? found
  return found
}

/** Of the first alternative that holds, even if it went through no array. */
function firstOf (nodes: readonly FilterNode[], compilers: Compilers): Position {
  const parts = nodes.map(node => ({ tester: compilers.tester(node), position: positionOf(node, compilers) }))
  return (doc, env) => parts.find(({ tester }) => tester.doc(doc, env))?.position(doc, env)
}

function valuePosition (node: FilterNode, path: string, test: LeafTest): Position {
  const parsed = parsePath(path)
  const leaf = leafOf(node)
  return doc => {
    let found: number | undefined
    visitPath(doc, parsed, leaf, (value, offset) => {
      if (!test.value(value)) return false
      found = offset
      return true
    })
    return found
  }
}

/** The outermost array counts, else the one that $elemMatch looked into. */
function elementPosition (node: ElemMatchNode, test: LeafTest): Position {
  const parsed = parsePath(node.path)
  return doc => {
    let found: number | undefined
    visitPath(doc, parsed, 'array', (value, offset) => {
      const index = Array.isArray(value) ? value.findIndex(element => test.value(element)) : -1
      if (index < 0) return false
      found = offset ?? index
      return true
    })
    return found
  }
}
