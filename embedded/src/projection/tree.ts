import type { Expression } from '../expressions/index.js'
import type { Match } from '../matcher/match.js'

export type Slice = { readonly kind: 'slice', readonly skip: number | undefined, readonly limit: number }

/** What a projection says about a path. */
export type Leaf =
  | { readonly kind: 'flag', readonly value: boolean }
  | { readonly kind: 'expression', readonly expression: Expression }
  | Slice
  | { readonly kind: 'elemMatch', readonly match: Match }
  | { readonly kind: 'positional' }

export type Tree = { readonly kind: 'tree', readonly children: Map<string, Branch> }
export type Branch = Tree | Leaf

export const newTree = (): Tree => ({ kind: 'tree', children: new Map() })

/** Every leaf with its path, in the order of the specification. */
export function * leaves (tree: Tree, prefix: readonly string[] = []): IterableIterator<readonly [readonly string[], Leaf]> {
  for (const [name, branch] of tree.children) {
    const path = [...prefix, name]
    if (branch.kind === 'tree') yield * leaves(branch, path)
    else yield [path, branch]
  }
}
