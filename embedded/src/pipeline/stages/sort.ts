import { MongoError } from '../../values/errors.js'
import { Doc, isDoc } from '../../values/types.js'
import { approximateSize, sortMemory } from '../memory.js'
import type { Memory } from '../memory.js'
import { SortPattern } from '../sort-pattern.js'
import type { SortKey } from '../sort-pattern.js'
import { explained } from '../stage.js'
import type { Metas, Stage, StageParser, StageScope } from '../stage.js'

export const parseSort: StageParser = (spec, scope) => {
  if (!isDoc(spec)) throw new MongoError(15973, 'the $sort key specification must be an object')
  if (spec.size === 0) throw new MongoError(15976, '$sort stage must have at least one sort key')
  return sortStage(spec, SortPattern.parse(spec, scope.ctx.collation), scope)
}

export function sortStage (spec: Doc, pattern: SortPattern, scope: StageScope, limit?: number): Stage {
  const shown = limit === undefined ? spec : Doc.of([['sortKey', spec], ['limit', BigInt(limit)]])
  return {
    name: '$sort',
    reads: pattern.paths,
    closes: false,
    passes: () => limit === undefined,
    role: { kind: 'sort', spec, isRandom: pattern.parts.some(part => part.meta === 'randVal'), withLimit: count => sortStage(spec, pattern, scope, Math.min(count, limit ?? count)) },
    * run (source) {
      for (const { doc } of sorted(source, pattern, scope.metas, limit)) yield doc
    },
    explain: () => explained('$sort', shown)
  }
}

export type Keyed = { readonly doc: Doc, readonly key: SortKey }

/** All documents with their keys in order; equal ones stay in the order they came. */
export function sorted (source: Iterable<Doc>, pattern: SortPattern, metas: Metas, limit = Infinity): Keyed[] {
  const memory = sortMemory()
  let rows: Keyed[] = []
  const order = (a: Keyed, b: Keyed): number => pattern.compare(a.key, b.key)
  for (const doc of source) {
    const row = { doc, key: pattern.keyOf(doc, metas.get(doc)) }
    rows.push(row)
    memory.grow(sizeOf(row))
    // twice the limit at most is kept, so that each document costs little on the average
    if (rows.length >= limit * 2 + 64) rows = best(rows.sort(order), limit, memory)
  }
  rows.sort(order)
  return rows.length > limit ? rows.slice(0, limit) : rows
}

function best (rows: Keyed[], limit: number, memory: Memory): Keyed[] {
  for (let i = limit; i < rows.length; i++) memory.grow(-sizeOf(rows[i]))
  return rows.slice(0, limit)
}

const sizeOf = ({ doc, key }: Keyed): number => approximateSize(doc) + key.length * 32
