import type { Catalog } from '../catalog/index.js'
import type { Collection } from '../catalog/types.js'
import type { FilterNode } from '../matcher/ast.js'
import type { Reader } from '../storage/index.js'
import { execute } from './execute.js'
import { envOf, isTrue, parsed, portion, prepare, sizeOf } from './find.js'
import type { FindRequest } from './find.js'

/** Whether the stored number of documents is the answer. */
export const isWholeCount = (filter: FilterNode, request: FindRequest): boolean => isTrue(filter) && request.hint === undefined

export function count (reader: Reader, catalog: Catalog, collection: Collection | undefined, request: FindRequest): number {
  const filter = parsed(request)
  if (collection === undefined) return 0
  const { skip = 0, limit = Infinity } = request
  if (isWholeCount(filter, request)) return Math.min(limit, Math.max(0, catalog.count(reader, collection) - skip))
  const chosen = prepare(reader, collection, { ...request, parsed: filter }, [])
  const env = envOf(reader, chosen, request, [])
  return sizeOf(portion(execute(chosen.plan.root, env), skip, request.limit))
}
