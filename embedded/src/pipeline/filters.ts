import type { FilterNode } from '../matcher/ast.js'
import { mergeDependencies } from './stage.js'
import type { Dependencies } from './types.js'

/** The paths that a filter reads; 'all' when it takes documents as a whole. */
export function filterReads (node: FilterNode): Dependencies {
  switch (node.kind) {
    case 'and': case 'or': case 'nor': return mergeDependencies(node.children.map(filterReads))
    case 'not': return filterReads(node.child)
    case 'true': case 'false': return []
    case 'expr': return node.expression.dependencies
    case 'text': case 'jsonSchema': return 'all'
    default: return [node.path]
  }
}

export function hasText (node: FilterNode): boolean {
  switch (node.kind) {
    case 'and': case 'or': case 'nor': return node.children.some(hasText)
    case 'not': return hasText(node.child)
    default: return node.kind === 'text'
  }
}

export const both = (a: FilterNode | undefined, b: FilterNode | undefined): FilterNode | undefined =>
  a === undefined ? b : b === undefined ? a : { kind: 'and', children: [a, b] }
