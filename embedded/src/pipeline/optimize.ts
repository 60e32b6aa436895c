import { parseFilter } from '../matcher/parse.js'
import type { FilterNode } from '../matcher/ast.js'
import { Doc } from '../values/types.js'
import { both, filterReads, hasText } from './filters.js'
import { topField } from './paths.js'
import type { Stage, StageScope } from './stage.js'
import { matchStage } from './stages/match.js'
import type { Dependencies, Prefix } from './types.js'

/** The stages in an order that lets the plan do more: filters go forward, sorts learn how much is asked of them. */
export function optimize (stages: readonly Stage[], scope: StageScope): Stage[] {
  const ordered: Stage[] = []
  for (const stage of stages) insert(ordered, stage, scope)
  return ordered.map((stage, i) => stage.role?.kind === 'sort' ? limited(stage, ordered, i) : stage)
}

function insert (ordered: Stage[], stage: Stage, scope: StageScope): void {
  const { role } = stage
  if (role?.kind !== 'match' || hasText(role.node)) {
    ordered.push(stage)
    return
  }
  const place = placeFor(ordered, stage.reads)
  const parts = place === ordered.length ? splitFilter(role.spec, ordered.at(-1), scope) : undefined
  if (parts === undefined) ordered.splice(place, 0, stage)
  else {
    insert(ordered, parts.movable, scope)
    ordered.push(parts.rest)
  }
}

/** How far forward a filter on these paths can go. */
function placeFor (ordered: readonly Stage[], reads: Dependencies): number {
  let place = ordered.length
  while (place > 0 && passes(ordered[place - 1], reads)) place--
  return place
}

function passes ({ passes: test, role }: Stage, reads: Dependencies): boolean {
  if (role?.kind === 'match' || test === undefined) return false
  return reads === 'all' ? role?.kind === 'sort' : reads.every(test)
}

/** The conditions of a filter that may pass the stage before, and the others. */
function splitFilter (spec: Doc, before: Stage | undefined, scope: StageScope): { movable: Stage, rest: Stage } | undefined {
  if (before === undefined || spec.size < 2) return undefined
  const movable = Doc.of()
  const rest = Doc.of()
  for (const [key, value] of spec) {
    const node = parseFilter(Doc.of([[key, value]]), scope.ctx)
    const target = passes(before, filterReads(node)) ? movable : rest
    target.set(key, value)
  }
  if (movable.size === 0 || rest.size === 0) return undefined
  const compiled = (part: Doc): Stage => matchStage(part, parseFilter(part, scope.ctx), scope)
  return { movable: compiled(movable), rest: compiled(rest) }
}

/** A sort needs no more documents than the limit behind it lets through. */
function limited (stage: Stage, stages: readonly Stage[], at: number): Stage {
  if (stage.role?.kind !== 'sort') return stage
  let skipped = 0
  for (let i = at + 1; i < stages.length; i++) {
    const { role } = stages[i]
    if (role?.kind === 'limit') return stage.role.withLimit(role.count + skipped)
    if (role?.kind !== 'skip') return stage
    skipped += role.count
  }
  return stage
}

type Absorbed = { filter?: FilterNode, specs: Doc[], sort?: Doc, skip?: number, limit?: number }

/** What the plan does, and the stages that remain. */
export function splitPrefix (stages: readonly Stage[]): { prefix: Prefix, rest: readonly Stage[] } {
  const absorbed: Absorbed = { specs: [] }
  let at = 0
  while (at < stages.length && absorb(absorbed, stages[at])) at++
  const rest = stages.slice(at)
  const { filter, specs, sort, skip, limit } = absorbed
  const filterSpec = specs.length < 2 ? specs[0] : Doc.of([['$and', specs]])
  return { prefix: { filter, filterSpec, sort, skip, limit, needs: neededBy(rest) }, rest }
}

function absorb (absorbed: Absorbed, { role }: Stage): boolean {
  const isCut = absorbed.skip !== undefined || absorbed.limit !== undefined
  switch (role?.kind) {
    case 'match':
      if (isCut) return false
      absorbed.filter = both(absorbed.filter, role.node)
      absorbed.specs.push(role.spec)
      return true
    case 'sort':
      if (isCut || absorbed.sort !== undefined || role.isRandom) return false
      absorbed.sort = role.spec
      return true
    case 'skip': return absorbSkip(absorbed, role.count)
    case 'limit':
      absorbed.limit = Math.min(absorbed.limit ?? role.count, role.count)
      return true
    default: return false
  }
}

function absorbSkip (absorbed: Absorbed, count: number): boolean {
  if (absorbed.limit !== undefined) {
    if (absorbed.limit <= count) return false
    absorbed.limit -= count
  }
  absorbed.skip = (absorbed.skip ?? 0) + count
  return true
}

/** The paths that stages read of the documents they get. */
export function neededBy (stages: readonly Stage[]): Dependencies {
  const needed = new Set<string>()
  const made = new Set<string>()
  for (const { reads, closes, makes } of stages) {
    if (reads === 'all') return 'all'
    for (const path of reads) if (!made.has(topField(path))) needed.add(path)
    if (closes) return [...needed]
    for (const field of makes ?? []) made.add(field)
  }
  return 'all'
}
