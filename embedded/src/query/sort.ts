import type { ParseContext } from '../expressions/index.js'
import type { PlanNode, Sort, SortMerge } from '../planner/index.js'
import { SortPattern } from '../pipeline/sort-pattern.js'
import type { SortKey } from '../pipeline/sort-pattern.js'
import { encodedSize } from '../values/bson-write.js'
import { MongoError } from '../values/errors.js'
import type { Doc } from '../values/types.js'
import type { Env, Row } from './env.js'
import { isDuplicate } from './index-scan.js'

export const SORT_MEMORY = 100 * 1024 * 1024

type Sorted = { readonly row: Row, readonly key: SortKey, readonly size: number }

export function patternOf (sort: Doc, ctx: ParseContext): SortPattern {
  return SortPattern.parse(sort, ctx.collation)
}

const keyOf = (pattern: SortPattern, row: Row): SortKey => pattern.keyOf(row.doc!, row.score === undefined ? undefined : { textScore: row.score })

/** All rows in order; with a limit only as many are kept. */
export function * sort (node: Sort, rows: Iterable<Row>, env: Env): IterableIterator<Row> {
  const pattern = patternOf(node.pattern, env.ctx)
  const stats = env.stats(node)
  const limit = node.limit ?? Infinity
  let kept: Sorted[] = []
  let memory = 0
  const byKey = (a: Sorted, b: Sorted): number => pattern.compare(a.key, b.key)
  for (const row of rows) {
    if (row.doc === undefined) continue
    const size = encodedSize(row.doc)
    kept.push({ row, key: keyOf(pattern, row), size })
    memory += size
    if (kept.length > limit && (kept.length >= Math.max(2 * limit, 1000) || memory > SORT_MEMORY)) {
      kept = kept.sort(byKey).slice(0, limit)
      memory = kept.reduce((sum, other) => sum + other.size, 0)
    }
    if (memory > SORT_MEMORY) throw tooLarge()
  }
  stats.bytes = memory
  for (const { row } of kept.sort(byKey).slice(0, limit)) {
    stats.advanced++
    yield row
  }
}

const tooLarge = (): MongoError => new MongoError(292,
  `Executor error during find command :: caused by :: Sort exceeded memory limit of ${SORT_MEMORY} bytes, but did not opt in to external sorting.`)

type Head = { row: Row, readonly rows: Iterator<Row>, key: SortKey | undefined }

/** Rows of several ordered scans in one order, each record once. */
export function * sortMerge (node: SortMerge, children: readonly Iterable<Row>[], env: Env): IterableIterator<Row> {
  const stats = env.stats(node)
  const pattern = patternOf(node.pattern, env.ctx)
  const byBytes = mergeDirection(node.children)
  const seen = new Set<number>()
  const iterators = children.map(child => child[Symbol.iterator]())
  const next = (rows: Iterator<Row>): Head | undefined => {
    const { done, value } = rows.next()
    if (done === true) return undefined
    return { row: value, rows, key: byBytes === undefined ? keyOf(pattern, value) : undefined }
  }
  const before = (a: Head, b: Head): boolean => byBytes === undefined
    ? pattern.compare(a.key!, b.key!) < 0
    : Buffer.compare(a.row.mergeKey!, b.row.mergeKey!) * byBytes < 0
  try {
    const heads = iterators.map(next).filter(head => head !== undefined)
    while (heads.length > 0) {
      let first = 0
      for (let i = 1; i < heads.length; i++) if (before(heads[i], heads[first])) first = i
      const { row, rows } = heads[first]
      const following = next(rows)
      if (following === undefined) heads.splice(first, 1)
      else heads[first] = following
      if (isDuplicate(seen, row.record, stats)) continue
      stats.advanced++
      yield row
    }
  } finally {
    for (const rows of iterators) rows.return?.()
  }
}

/** The scans of one index that differ in their leading values are merged by the rest of their keys. */
function mergeDirection (children: readonly PlanNode[]): 1 | -1 | undefined {
  const [first] = children
  if (first.stage !== 'IXSCAN' || first.mergeFrom === undefined) return undefined
  return first.direction
}
