import type { Collection, RecordId } from '../catalog/types.js'
import type { ParseContext } from '../expressions/index.js'
import type { PlanNode } from '../planner/index.js'
import type { Reader } from '../storage/index.js'
import type { Doc } from '../values/types.js'

/** What a stage hands on. */
export type Row = {
  readonly record: RecordId
  doc: Doc | undefined
  readonly score?: number
  /** the key behind the fields that the scans of a merge have in common */
  readonly mergeKey?: Buffer
}

export type StageStats = {
  advanced: number
  keysExamined: number
  docsExamined: number
  seeks: number
  dupsTested: number
  dupsDropped: number
  /** of what was sorted */
  bytes: number
}

const noStats = (): StageStats => ({ advanced: 0, keysExamined: 0, docsExamined: 0, seeks: 0, dupsTested: 0, dupsDropped: 0, bytes: 0 })

/** Thrown out of a trial when it has looked at enough. */
export class TrialOver extends Error {}

/** One execution of a plan. */
export class Env {
  readonly #stats = new Map<PlanNode, StageStats>()
  #until = 0
  /** keys and documents examined by all stages */
  examined = 0

  /** @param fields the fields that a covered plan gives @param limit of a trial, in keys and documents examined */
  constructor (
    readonly reader: Reader,
    readonly collection: Collection,
    readonly ctx: ParseContext,
    readonly fields: readonly string[] | undefined,
    private readonly checkInterrupt: (() => void) | undefined,
    private readonly limit = Infinity
  ) {}

  stats (node: PlanNode): StageStats {
    let stats = this.#stats.get(node)
    if (stats === undefined) this.#stats.set(node, stats = noStats())
    return stats
  }

  totalOf (field: 'keysExamined' | 'docsExamined'): number {
    let total = 0
    for (const stats of this.#stats.values()) total += stats[field]
    return total
  }

  /** Every key and document that is looked at passes here. */
  examine (): void {
    if (++this.examined > this.limit) throw new TrialOver()
    if (this.examined < this.#until) return
    this.#until = this.examined + 128
    this.checkInterrupt?.()
  }
}
