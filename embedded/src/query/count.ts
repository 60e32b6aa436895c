import type { Catalog } from '../catalog/index.js'
import type { Collection } from '../catalog/types.js'
import type { FilterNode } from '../matcher/ast.js'
import { forEachValue, parsePath } from '../matcher/paths.js'
import type { Plan } from '../planner/index.js'
import type { Reader } from '../storage/index.js'
import { hashKey } from '../values/order.js'
import type { Value } from '../values/types.js'
import { execute } from './execute.js'
import { envOf, parsed, portion, prepare } from './find.js'
import type { FindRequest } from './find.js'

const isTrue = (filter: FilterNode): boolean => filter.kind === 'true' || (filter.kind === 'and' && filter.children.length === 0)

/** Whether the stored number of documents is the answer. */
export const isWholeCount = (filter: FilterNode, request: FindRequest): boolean => isTrue(filter) && request.hint === undefined

export function count (reader: Reader, catalog: Catalog, collection: Collection | undefined, request: FindRequest): number {
  const filter = parsed(request)
  if (collection === undefined) return 0
  const { skip = 0, limit = Infinity } = request
  if (isWholeCount(filter, request)) return Math.min(limit, Math.max(0, catalog.count(reader, collection) - skip))
  const chosen = prepare(reader, collection, { ...request, parsed: filter }, [])
  const env = envOf(reader, chosen, request, [])
  let found = 0
  for (const _ of portion(execute(chosen.plan.root, env), skip, limit)) found++
  return found
}

/** The values of a path, arrays opened, each once. */
export function distinct (reader: Reader, collection: Collection | undefined, key: string, request: FindRequest): Value[] {
  const filter = parsed(request)
  if (collection === undefined) return []
  return distinctOf(reader, collection, key, { ...request, parsed: filter }).values
}

export function distinctOf (reader: Reader, collection: Collection, key: string, request: FindRequest): { values: Value[], plan: Plan } {
  const path = parsePath(key)
  const needs = [path.parts[0]]
  const chosen = prepare(reader, collection, request, needs)
  const values = new Map<string, Value>()
  const add = (value: Value): void => {
    const hash = hashKey(value, request.ctx.collation)
    if (!values.has(hash)) values.set(hash, value)
  }
  for (const { doc } of execute(chosen.plan.root, envOf(reader, chosen, request, needs))) {
    if (doc === undefined) continue
    forEachValue(doc, path, 'array', value => {
      if (Array.isArray(value)) value.forEach(add)
      else if (value !== undefined) add(value)
    })
  }
  return { values: [...values.values()], plan: chosen.plan }
}
