import type { Index } from '../catalog/types.js'
import type { FilterNode } from '../matcher/ast.js'
import { compileMatch } from '../matcher/match.js'
import type { Match } from '../matcher/match.js'
import { parseFilter } from '../matcher/parse.js'
import { BsonDate } from '../values/types.js'
import type { Doc } from '../values/types.js'

export type PartialFilter = { readonly node: FilterNode, readonly match: Match }

const compiled = new WeakMap<Index, PartialFilter>()

/** The filter of a partial index, compiled once. It compares by the index's collation. */
export function partialFilterOf (index: Index): PartialFilter | undefined {
  if (index.partialFilter === undefined) return undefined
  let filter = compiled.get(index)
  if (filter === undefined) compiled.set(index, filter = compilePartial(index.partialFilter, index))
  return filter
}

function compilePartial (spec: Doc, { collation }: Pick<Index, 'collation'>): PartialFilter {
  const ctx = { now: new BsonDate(Date.now()), collation }
  const node = parseFilter(spec, ctx)
  return { node, match: compileMatch(node, ctx) }
}

export function isIndexed (index: Index, doc: Doc): boolean {
  const filter = partialFilterOf(index)
  return filter === undefined || filter.match.test(doc)
}
