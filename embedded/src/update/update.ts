import { MongoError, failedToParse } from '../values/errors.js'
import { Doc, Timestamp } from '../values/types.js'
import type { ParseContext } from '../expressions/index.js'
import { Application } from './apply.js'
import { parseArrayFilters } from './array-filters.js'
import type { Changes } from './change-log.js'
import { describeChanges } from './diff.js'
import { parseOperators } from './parse.js'
import { compileStages, withConstants } from './pipeline.js'
import { checkReplacement, fillTimestamps, replaced } from './replacement.js'
import { checkDepth, checkId, depthOf, idFirst } from './validate.js'

export type { Changes } from './change-log.js'
export { seedFromFilter } from './seed.js'

export type UpdateOptions = {
  ctx: ParseContext
  arrayFilters?: readonly Doc[]
  isUpsert?: boolean
  multi?: boolean
  /** constants of a pipeline update (`c` of an update statement) */
  constants?: Doc
}

export type UpdateResult = {
  doc: Doc
  changed: boolean
  /** for a change stream; left out when the event is a replacement */
  changes?: Changes
}

export type Updater = {
  readonly kind: 'operators' | 'replacement' | 'pipeline'
  /** true when an operator's path has the positional `$`, so that `position` must be found */
  readonly needsPosition: boolean
  /**
   * @param doc never changed; the result shares what stayed as it was
   * @param position index of the array element that the query matched
   * @param insert the document is the seed of an upsert ($setOnInsert counts)
   */
  apply (doc: Doc, options: { position?: number, insert: boolean }): UpdateResult
}

/** @param update operators or a replacement, or the stages of a pipeline */
export function compileUpdate (update: Doc | readonly Doc[], options: UpdateOptions): Updater {
  if (!(update instanceof Doc)) return pipelineUpdater(update, options)
  if (options.constants !== undefined) throw new MongoError(51198, 'Constant values may only be specified for pipeline updates')
  return update.firstKey()?.startsWith('$') === true ? operatorUpdater(update, options) : replacementUpdater(update, options)
}

const timestampOf = (ctx: ParseContext): Timestamp => ctx.clusterTime ?? new Timestamp(Math.floor(ctx.now.ms / 1000), 1)

function operatorUpdater (update: Doc, { ctx, arrayFilters = [] }: UpdateOptions): Updater {
  const { root, needsPosition } = parseOperators(update, parseArrayFilters(arrayFilters, ctx), ctx)
  const now = ctx.now
  const timestamp = timestampOf(ctx)
  return {
    kind: 'operators',
    needsPosition,
    apply (doc, { position, insert }) {
      const application = new Application(doc, { position, insert, now, timestamp })
      const out = application.run(root)
      if (insert) return { doc: forInsert(out), changed: true }
      return application.changed ? { doc: out, changed: true, changes: application.log.changes } : { doc, changed: false }
    }
  }
}

function forInsert (doc: Doc): Doc {
  checkId(doc.get('_id'))
  return idFirst(doc)
}

function replacementUpdater (update: Doc, { ctx, multi }: UpdateOptions): Updater {
  if (multi === true) throw failedToParse('multi update is not supported for replacement-style update')
  const replacement = fillTimestamps(update, timestampOf(ctx))
  const depth = depthOf(replacement)
  return {
    kind: 'replacement',
    needsPosition: false,
    apply (doc, { insert }) {
      const result = replaced(doc, replacement)
      if (!result.changed && !insert) return { doc, changed: false }
      checkReplacement(replacement)
      checkDepth(depth)
      return { doc: insert ? forInsert(result.doc) : result.doc, changed: true }
    }
  }
}

function pipelineUpdater (stages: readonly Doc[], { ctx, arrayFilters, constants }: UpdateOptions): Updater {
  if (arrayFilters !== undefined) throw failedToParse('arrayFilters may not be specified for pipeline-style updates')
  const run = compileStages(stages, withConstants(ctx, constants))
  return {
    kind: 'pipeline',
    needsPosition: false,
    apply (doc, { insert }) {
      const result = replaced(doc, run(doc))
      if (!result.changed && !insert) return { doc, changed: false }
      checkDepth(depthOf(result.doc))
      if (insert) return { doc: forInsert(result.doc), changed: true }
      return { doc: result.doc, changed: true, changes: describeChanges(doc, result.doc) }
    }
  }
}
