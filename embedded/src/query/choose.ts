import type { Collection, Index } from '../catalog/types.js'
import type { ParseContext } from '../expressions/index.js'
import { childrenOf } from '../planner/index.js'
import type { Candidate, Choice, Plan, PlanNode } from '../planner/index.js'
import type { Reader } from '../storage/index.js'
import type { Doc } from '../values/types.js'
import { Env, TrialOver } from './env.js'
import { execute } from './execute.js'
import { shapeOf } from './shape.js'

/** Limits of the trials, in keys and documents: a good plan shows itself early. */
const ROUNDS = [40, 200, 1000, 5000, 20000]
/** A plan that has given so many documents has won, as in MongoDB. */
const ENOUGH = 101

export type Chosen = { readonly plan: Plan, readonly rejected: readonly Candidate[] }

type Trial = { readonly candidate: Candidate, readonly rows: number, readonly works: number, readonly ended: boolean }

export type TrialSetup = {
  readonly reader: Reader
  readonly ctx: ParseContext
  readonly sort: Doc | undefined
  readonly limit: number | undefined
  readonly needs: readonly string[] | undefined
}

/** The best of several plans, found by running each of them for a while. */
export function choose (choice: Choice, setup: TrialSetup): Chosen {
  const { candidates } = choice
  if (candidates.length === 1) return { plan: planOf(choice, candidates[0]), rejected: [] }
  const enough = Math.min(ENOUGH, setup.limit ?? ENOUGH)
  let trials: Trial[] = []
  for (const limit of ROUNDS) {
    trials = candidates.map(candidate => tryOut(candidate, choice, setup, limit, enough))
    if (trials.some(trial => trial.ended)) break
  }
  const [best, ...others] = trials.map(trial => ({ trial, score: scoreOf(trial) })).sort((a, b) => b.score - a.score)
  return { plan: planOf(choice, best.trial.candidate), rejected: others.map(({ trial }) => trial.candidate) }
}

/** For so many queries, and for so long, the winner of a trial is taken without another one. */
const KEPT_USES = 200
const KEPT_MS = 2000
const KEPT_SHAPES = 500

type Winner = { readonly key: string, readonly until: number, uses: number }

/** A changed definition is another Collection, so nothing here outlives it. */
const winners = new WeakMap<Collection, Map<string, Winner>>()

/** As choose, without a trial when one of the same shape was a short while ago. */
export function chooseQuickly (choice: Choice, setup: TrialSetup): Chosen {
  const { candidates, collection, filter } = choice
  if (candidates.length === 1) return choose(choice, setup)
  let known = winners.get(collection)
  if (known === undefined || known.size > KEPT_SHAPES) winners.set(collection, known = new Map())
  const shape = `${shapeOf({ filter, sort: setup.sort })} ${setup.limit === undefined} ${setup.needs?.join()} ${setup.ctx.collation !== undefined}`
  const winner = known.get(shape)
  const candidate = winner !== undefined && winner.uses++ < KEPT_USES && winner.until > Date.now()
    ? candidates.find(({ root }) => keyOf(root) === winner.key)
    : undefined
  if (candidate !== undefined) return { plan: planOf(choice, candidate), rejected: [] }
  const chosen = choose(choice, setup)
  known.set(shape, { key: keyOf(chosen.plan.root), until: Date.now() + KEPT_MS, uses: 0 })
  return chosen
}

/** The stages and indexes of a plan. */
function keyOf (node: PlanNode): string {
  const index = 'index' in node ? `${node.index.id}${node.stage === 'IXSCAN' ? node.direction : ''}` : ''
  return `${node.stage}${index}(${childrenOf(node).map(keyOf).join()})`
}

function tryOut (candidate: Candidate, choice: Choice, setup: TrialSetup, limit: number, enough: number): Trial {
  const env = new Env(setup.reader, choice.collection, setup.ctx, candidate.covered ? setup.needs : undefined, undefined, limit)
  const rows = execute(candidate.root, env)[Symbol.iterator]()
  let given = 0
  try {
    while (given < enough && rows.next().done !== true) given++
    rows.return?.()
    return { candidate, rows: given, works: env.examined + 1, ended: true }
  } catch (error) {
    if (!(error instanceof TrialOver)) throw error
    return { candidate, rows: given, works: env.examined + 1, ended: false }
  }
}

/** Documents for work done; a plan that came to its end, and one that needs neither sort nor documents, is better among equals. */
function scoreOf ({ candidate, rows, works, ended }: Trial): number {
  const small = Math.min(1 / (10 * works), 1e-4)
  const sorts = holds(candidate.root, 'SORT')
  const fetches = holds(candidate.root, 'FETCH')
  return rows / works + (ended ? 1 : 0) + (sorts ? 0 : small) + (fetches ? 0 : small)
}

export const holds = (node: PlanNode, stage: PlanNode['stage']): boolean => node.stage === stage || childrenOf(node).some(child => holds(child, stage))

function planOf ({ collection }: Choice, { root, covered }: Candidate): Plan {
  return { collection, root, covered, indexes: [...new Set(indexesOf(root))], sorts: root.stage === 'SORT' }
}

function indexesOf (node: PlanNode): Index[] {
  return [...('index' in node ? [node.index] : []), ...childrenOf(node).flatMap(indexesOf)]
}
