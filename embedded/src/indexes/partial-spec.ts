import type { FilterNode } from '../matcher/ast.js'
import { parseFilter } from '../matcher/parse.js'
import { MongoError } from '../values/errors.js'
import { display } from '../values/format.js'
import { BsonDate } from '../values/types.js'
import type { Doc } from '../values/types.js'

const MAX_DEPTH = 20

/** MongoDB 7 takes comparisons, $exists: true, $in, $type, and $and and $or of them. */
export function checkPartialFilter (spec: Doc): void {
  checkNode(parseFilter(spec, { now: new BsonDate(Date.now()) }), spec, 0)
}

function checkNode (node: FilterNode, spec: Doc, depth: number): void {
  switch (node.kind) {
    case 'and': case 'or':
      if (depth >= MAX_DEPTH) throw new MongoError(67, `partialFilterExpression depth may not exceed ${MAX_DEPTH}`)
      for (const child of node.children) checkNode(child, spec, depth + 1)
      return
    case 'compare': case 'exists': case 'type': case 'true': return
    case 'in':
      if (node.regexes.length === 0) return
  }
  throw new MongoError(67, `Expression not supported in partial index: ${display(spec)}`)
}
