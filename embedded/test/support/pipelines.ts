import { compilePipeline } from '../../src/pipeline/index.js'
import type { MergeUpdate, Pipeline, PipelineContext, Prefix } from '../../src/pipeline/index.js'
import { SortPattern } from '../../src/pipeline/sort-pattern.js'
import { compileMatch } from '../../src/matcher/match.js'
import type { ParseContext, Vars } from '../../src/expressions/index.js'
import { MongoError } from '../../src/values/errors.js'
import { display } from '../../src/values/format.js'
import { BsonDate, Decimal128, Doc, Double, Int32 } from '../../src/values/types.js'
import type { Value } from '../../src/values/types.js'

/** Literals of a test: whole numbers are Int32, fractions are Double, bigint is long. */
export type Literal = null | boolean | string | number | bigint | Date | Double | Decimal128 | readonly Literal[] | { readonly [key: string]: Literal }

export function value (of: Literal): Value {
  if (typeof of === 'number') return Number.isInteger(of) ? Int32.of(of) : new Double(of)
  if (of instanceof Date) return new BsonDate(of.getTime())
  if (of === null || typeof of !== 'object' || of instanceof Double || of instanceof Decimal128) return of
  return Array.isArray(of) ? of.map(value) : doc(of as { readonly [key: string]: Literal })
}

export const doc = (of: { readonly [key: string]: Literal }): Doc => Doc.of(Object.entries(of).map(([key, field]): [string, Value] => [key, value(field)]))
export const docs = (...of: { readonly [key: string]: Literal }[]): Doc[] => of.map(doc)
export const double = (of: number): Double => new Double(of)
export const day = (n: number): Date => new Date(Date.UTC(2024, 0, n))

export type World = {
  readonly collections: Map<string, Doc[]>
  /** what was asked of the plan */
  readonly found: { prefix: Prefix, coll: string }[]
  readonly changes: MergeUpdate[]
  readonly ctx: ParseContext
}

export function world (collections: Record<string, Doc[]> = {}, ctx: Partial<ParseContext> = {}): World {
  return { collections: new Map(Object.entries(collections)), found: [], changes: [], ctx: { now: new BsonDate(0), ...ctx } }
}

/** A plan as simple as can be: it scans. */
function scan ({ collections, ctx }: World, coll: string, { filter, sort, skip = 0, limit }: Prefix, vars: Vars): Doc[] {
  const match = filter === undefined ? undefined : compileMatch(filter, ctx)
  const rows = (collections.get(coll) ?? []).filter(row => match?.test(row, vars) ?? true)
  const pattern = sort === undefined ? undefined : SortPattern.parse(sort, ctx.collation)
  if (pattern !== undefined) rows.sort((a, b) => pattern.compare(pattern.keyOf(a, undefined), pattern.keyOf(b, undefined)))
  return rows.slice(skip, limit === undefined ? undefined : skip + limit)
}

function contextOf (at: World, coll: string): PipelineContext {
  return {
    ctx: at.ctx,
    ns: { db: 'db', coll },
    find (ns, prefix, vars) {
      at.found.push({ prefix, coll: ns.coll })
      return Object.assign(scan(at, ns.coll, prefix, vars), { metaOf: () => ({ textScore: 1.5 }) })
    },
    resolve: ns => ns.coll === 'view' ? { ns: { db: 'db', coll: 'c' }, pipeline: docs({ $match: { v: { $gt: 1 } } }) } : { ns, pipeline: [] },
    checkInterrupt: () => {},
    collStats: ns => docs({ ns: ns.coll }),
    indexStats: () => docs({ name: '_id_' }),
    writes: {
      replaceCollection: (ns, rows) => { at.collections.set(ns.coll, [...rows]) },
      hasUniqueIndex: (_ns, fields) => fields.join() === 'u',
      insert: (ns, row) => { at.collections.set(ns.coll, [...at.collections.get(ns.coll) ?? [], row]) },
      update: (_ns, change) => at.changes.push(change) % 2
    }
  }
}

export const compiled = (stages: readonly Literal[], at: World, coll = 'c'): Pipeline => compilePipeline(stages.map(value) as Doc[], contextOf(at, coll))

/** Runs a pipeline on the collection `c` and prints what comes out. */
export function run (rows: Doc[], stages: readonly Literal[], more: Record<string, Doc[]> = {}, ctx: Partial<ParseContext> = {}): string[] {
  return [...compiled(stages, world({ c: rows, ...more }, ctx)).run()].map(display)
}

export const codeOf = (work: () => unknown): number | undefined => {
  try {
    work()
  } catch (error) {
    if (error instanceof MongoError) return error.code
    throw error
  }
}

export const refused = (stages: readonly Literal[], coll = 'c', rows: Doc[] = docs({ _id: 1, a: 1 })): number | undefined =>
  codeOf(() => [...compiled(stages, world({ c: rows }), coll).run()])
