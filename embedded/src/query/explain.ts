import { createHash } from 'node:crypto'
import type { Collection } from '../catalog/types.js'
import type { FilterNode } from '../matcher/ast.js'
import type { Candidate, Plan, PlanNode } from '../planner/index.js'
import { compileProjection } from '../projection/projection.js'
import type { Reader } from '../storage/index.js'
import { count, docOf, int } from '../values/build.js'
import { isNumber } from '../values/types.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import { isWholeCount } from './count.js'
import { distinctPlan } from './distinct.js'
import { Env } from './env.js'
import { execute } from './execute.js'
import { indexDetails, isCountScan, runFigures, stageDoc } from './explain-stages.js'
import { filterDoc } from './filter-doc.js'
import { find, parsed, portion, prepare, sizeOf } from './find.js'
import type { FindRequest } from './find.js'
import { shapeOf } from './shape.js'

export type Verbosity = 'queryPlanner' | 'executionStats' | 'allPlansExecution'
export type ExplainRequest = FindRequest & { readonly kind?: 'find' | 'count' | 'distinct' | 'update' | 'delete', readonly distinctKey?: string }

type Needs = 'all' | readonly string[]

/** The explain of a find, count, distinct, update or delete: queryPlanner and executionStats; the caller adds command, serverInfo and so on. */
export function explain (reader: Reader, collection: Collection | undefined, ns: string, request: ExplainRequest, verbosity: Verbosity): Doc {
  const filter = parsed(request)
  const planner = docOf({
    namespace: ns,
    indexFilterSet: false,
    parsedQuery: filterDoc(filter),
    queryHash: hashOf(filter, request),
    planCacheKey: hashOf(filter, request, ns),
    maxIndexedOrSolutionsReached: false,
    maxIndexedAndSolutionsReached: false,
    maxScansToExplodeReached: false
  })
  const run = collection === undefined ? missing(reader, request) : planned(reader, collection, { ...request, parsed: filter })
  planner.set('winningPlan', run.shown(undefined)).set('rejectedPlans', run.rejected)
  const doc = docOf({ explainVersion: '1', queryPlanner: planner })
  return verbosity === 'queryPlanner' ? doc : doc.set('executionStats', executionStats(run, verbosity))
}

/** A plan that explain can print and run. */
type Run = {
  readonly rejected: Doc[]
  execute (): { env: Env | undefined, returned: number }
  /** the stages; with the environment of an execution also their figures */
  shown (done: { env: Env | undefined, returned: number } | undefined): Doc
}

function missing (reader: Reader, request: ExplainRequest): Run {
  find(reader, undefined, request)
  const shown: Run['shown'] = done => wrapped(docOf({ stage: 'EOF', ...(done === undefined ? {} : runFigures(0, 1)) }), request, undefined, done?.returned)
  return { rejected: [], execute: () => ({ env: undefined, returned: 0 }), shown }
}

function planned (reader: Reader, collection: Collection, request: ExplainRequest): Run {
  if (request.kind === 'count' && isWholeCount(request.parsed!, request)) {
    return { rejected: [], execute: () => ({ env: undefined, returned: 0 }), shown: () => docOf({ stage: 'RECORD_STORE_FAST_COUNT' }) }
  }
  const needs = needsOf(request)
  const { plan, rejected } = request.kind === 'distinct'
    ? { ...distinctPlan(reader, collection, request.distinctKey!, request), rejected: [] }
    : prepare(reader, collection, request, needs, 'tried')
  return {
    rejected: rejected.map(candidate => shownPlan(candidate, request, undefined, undefined)),
    execute () {
      const env = new Env(reader, collection, request.ctx, plan.covered && needs !== 'all' ? needs : undefined, request.checkInterrupt)
      return { env, returned: sizeOf(portion(execute(plan.root, env), request.skip, request.limit)) }
    },
    shown: done => shownPlan(plan, request, done?.env, done?.returned)
  }
}

function needsOf (request: ExplainRequest): Needs {
  if (request.kind === 'count') return []
  if (request.kind === 'distinct') return [request.distinctKey!.split('.')[0]]
  if (request.projection !== undefined) return compileProjection(request.projection, { ctx: request.ctx, forFind: true }).needs
  return request.needs ?? 'all'
}

const shownPlan = (plan: Plan | Candidate, request: ExplainRequest, env: Env | undefined, returned: number | undefined): Doc =>
  wrapped(request.kind === 'count' && isCountScan(plan.root) ? countScan(plan.root, env) : stageDoc(plan.root, env), request, plan, returned)

/** The stages on top of those that find the documents. */
function wrapped (found: Doc, request: ExplainRequest, plan: Plan | Candidate | undefined, returned: number | undefined): Doc {
  let doc = found
  const put = (fields: Record<string, Value | undefined>): void => {
    const { stage, ...others } = fields
    doc = docOf({ stage, ...(returned === undefined ? {} : runFigures(returned, returned + 1)), ...others, inputStage: doc })
  }
  const { skip = 0, limit, kind = 'find' } = request
  const sorts = plan !== undefined && plan.root.stage === 'SORT'
  if (kind === 'count') {
    put({ stage: 'COUNT', nCounted: returned === undefined ? undefined : count(returned), nSkipped: returned === undefined ? undefined : int(0) })
    return doc
  }
  if (skip > 0) put({ stage: 'SKIP', skipAmount: count(skip) })
  if (limit !== undefined && !sorts) put({ stage: 'LIMIT', limitAmount: count(limit) })
  if (request.projection !== undefined) put({ stage: projectionStage(request.projection, plan), transformBy: request.projection })
  else if (plan?.covered === true && kind !== 'distinct') put({ stage: 'PROJECTION_COVERED', transformBy: Doc.of((request.needs as readonly string[]).map(name => [name, true])) })
  if (kind === 'update' || kind === 'delete') put(writeStage(kind, returned))
  return doc
}

function projectionStage (projection: Doc, plan: Plan | Candidate | undefined): string {
  if (plan?.covered === true) return 'PROJECTION_COVERED'
  const isSimple = [...projection].every(([path, value]) => !path.includes('.') && (typeof value === 'boolean' || isNumber(value)))
  return isSimple ? 'PROJECTION_SIMPLE' : 'PROJECTION_DEFAULT'
}

function writeStage (kind: 'update' | 'delete', returned: number | undefined): Record<string, Value | undefined> {
  if (returned === undefined) return { stage: kind.toUpperCase() }
  const found = count(returned)
  return kind === 'delete' ? { stage: 'DELETE', nWouldDelete: found } : { stage: 'UPDATE', nMatched: found, nWouldModify: found, nWouldUpsert: int(0) }
}

function countScan (node: PlanNode & { stage: 'IXSCAN' }, env: Env | undefined): Doc {
  const scan = stageDoc(node, env)
  const doc = docOf({ stage: 'COUNT_SCAN' })
  if (env !== undefined) {
    const { advanced, keysExamined } = env.stats(node)
    for (const [key, value] of Object.entries(runFigures(advanced, advanced + 1))) doc.set(key, value)
    doc.set('keysExamined', count(keysExamined))
  }
  for (const [key, value] of indexDetails(node.index)) doc.set(key, value)
  return doc.set('indexBounds', scan.get('indexBounds')!)
}

function executionStats (run: Run, verbosity: Verbosity): Doc {
  const started = performance.now()
  const done = run.execute()
  const stats = docOf({
    executionSuccess: true,
    nReturned: count(done.returned),
    executionTimeMillis: int(Math.round(performance.now() - started)),
    totalKeysExamined: count(done.env?.totalOf('keysExamined') ?? 0),
    totalDocsExamined: count(done.env?.totalOf('docsExamined') ?? 0),
    executionStages: run.shown(done)
  })
  return verbosity === 'allPlansExecution' ? stats.set('allPlansExecution', []) : stats
}

/** Tells the shape of a query: the same for all values. */
const hashOf = (filter: FilterNode, { sort, projection }: FindRequest, ns = ''): string =>
  createHash('md5').update(ns + shapeOf({ filter, sort, projection })).digest('hex').slice(0, 8).toUpperCase()
