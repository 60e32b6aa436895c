import type { Collection, Namespace } from '../catalog/types.js'
import type { ParseContext, Vars } from '../expressions/context.js'
import { compilePipeline } from '../pipeline/index.js'
import type { MergeUpdate, Pipeline, PipelineContext, PipelineWrites, Prefix } from '../pipeline/index.js'
import { find } from '../query/index.js'
import type { FindExecution } from '../query/index.js'
import type { Reader } from '../storage/index.js'
import { docOf, EMPTY, int } from '../values/build.js'
import { MongoError, notSupported } from '../values/errors.js'
import { BsonDate } from '../values/types.js'
import type { Doc } from '../values/types.js'
import type { WriteContext } from '../write/context.js'
import { collectionFor, insertDocument } from '../write/insert.js'
import { replaceContents } from '../write/replace-contents.js'
import { refuseView } from '../write/rules.js'
import { updateDocuments } from '../write/update.js'
import { nameOf } from './namespace.js'
import type { Operation } from './operation.js'
import { storageStats } from './stats.js'

const MAX_VIEW_DEPTH = 20

type Setup = {
  readonly op: Operation
  readonly reader: Reader
  readonly ctx: ParseContext
  readonly ns: Namespace
  readonly hint?: string | Doc
  /** for `$out` and `$merge` */
  readonly write?: WriteContext
}

/** A collection below a view, and the stages that make the view of it. */
export function resolveView (op: Operation, reader: Reader, ns: Namespace): { ns: Namespace, pipeline: readonly Doc[], collection: Collection | undefined } {
  let at = ns
  let pipeline: readonly Doc[] = []
  for (let depth = 0; depth <= MAX_VIEW_DEPTH; depth++) {
    const collection = at.coll === '' ? undefined : op.collection(reader, at)
    if (collection?.view === undefined) return { ns: at, pipeline, collection }
    pipeline = [...collection.view.pipeline, ...pipeline]
    at = { db: at.db, coll: collection.view.on }
  }
  throw new MongoError(158, `View depth too deep or view cycle detected; maximum depth is ${MAX_VIEW_DEPTH}`)
}

/** What a pipeline can reach: one snapshot or transaction, and for `$out` and `$merge` one write. */
export class PipelineWorld implements PipelineContext {
  readonly ctx: ParseContext
  readonly ns: Namespace
  readonly writes: PipelineWrites

  constructor (private readonly setup: Setup) {
    this.ctx = setup.ctx
    this.ns = setup.ns
    this.writes = new WorldWrites(setup)
  }

  find (ns: Namespace, prefix: Prefix, vars: Vars): FindExecution {
    const { op, reader, hint } = this.setup
    const execution = find(reader, op.collection(reader, ns), {
      filter: prefix.filterSpec ?? EMPTY,
      parsed: prefix.filter,
      sort: prefix.sort,
      skip: prefix.skip,
      limit: prefix.limit,
      needs: prefix.needs,
      hint: ns.coll === this.ns.coll && ns.db === this.ns.db ? hint : undefined,
      ctx: { ...this.ctx, variables: vars },
      checkInterrupt: op.interrupt.check
    })
    op.engine.noteIndexUse(execution.plan)
    return execution
  }

  resolve (ns: Namespace): { ns: Namespace, pipeline: readonly Doc[] } {
    return resolveView(this.setup.op, this.setup.reader, ns)
  }

  checkInterrupt (): void {
    this.setup.op.interrupt.check()
  }

  * collStats (ns: Namespace, spec: Doc): Iterable<Doc> {
    const { op, reader } = this.setup
    const collection = op.collection(reader, ns)
    if (collection === undefined) throw new MongoError(26, `Unable to retrieve storageStats in $collStats stage :: caused by :: Collection [${nameOf(ns)}] not found.`)
    if (spec.has('latencyStats') || spec.has('queryExecStats')) throw notSupported('latencyStats and queryExecStats of $collStats')
    const reply = docOf({ ns: nameOf(ns), host: op.engine.address, localTime: new BsonDate(Date.now()) })
    if (spec.has('storageStats')) reply.set('storageStats', storageStats(op.engine, reader, collection, spec.get('storageStats') as Doc))
    if (spec.has('count')) reply.set('count', int(op.engine.catalog.count(reader, collection)))
    yield reply
  }

  * indexStats (ns: Namespace): Iterable<Doc> {
    const { op, reader } = this.setup
    for (const index of op.collection(reader, ns)?.indexes ?? []) {
      const use = op.engine.indexUse.get(index.id)
      yield docOf({
        name: index.name,
        key: index.key,
        host: op.engine.address,
        accesses: docOf({ ops: BigInt(use?.ops ?? 0), since: new BsonDate(use?.since ?? op.engine.startedAt) }),
        spec: index.spec
      })
    }
  }
}

class WorldWrites implements PipelineWrites {
  constructor (private readonly setup: Setup) {}

  get #write (): WriteContext {
    const { write } = this.setup
    if (write === undefined) throw new MongoError(51132, 'this pipeline may not write')
    return write
  }

  replaceCollection (ns: Namespace, docs: Iterable<Doc>): void {
    replaceContents(this.#write, ns, docs)
  }

  hasUniqueIndex (ns: Namespace, fields: readonly string[]): boolean {
    const { op, reader, ctx } = this.setup
    const wanted = new Set(fields)
    if (wanted.size === 1 && wanted.has('_id')) return true
    return (op.collection(reader, ns)?.indexes ?? []).some(index =>
      index.unique && index.partialFilter === undefined && index.fields.length === wanted.size &&
      index.fields.every(field => wanted.has(field.path)) && sameCollation(index.collation, ctx.collation))
  }

  insert (ns: Namespace, doc: Doc): void {
    const collection = collectionFor(this.#write, ns)
    refuseView(collection)
    insertDocument(this.#write, collection, doc, { bypassValidation: this.#bypassValidation })
  }

  update (ns: Namespace, change: MergeUpdate): number {
    const { matched } = updateDocuments(this.#write, ns, {
      filter: change.filter,
      update: change.update,
      multi: false,
      upsert: change.upsert,
      supplied: change.supplied,
      constants: change.constants,
      collation: this.setup.ctx.collation ?? 'simple',
      variables: this.setup.ctx.variables,
      bypassValidation: this.#bypassValidation
    })
    return matched
  }

  get #bypassValidation (): boolean {
    return this.setup.op.fields.flag('bypassDocumentValidation')
  }
}

type Collated = ParseContext['collation']
const sameCollation = (a: Collated, b: Collated): boolean => a === undefined ? b === undefined : a.equals(b)

/** A pipeline on a namespace, with the stages of a view before it. */
export function compileOn (
  op: Operation, reader: Reader, ns: Namespace, stages: readonly Doc[], more: { hint?: string | Doc, write?: WriteContext } = {}
): Pipeline {
  const target = resolveView(op, reader, ns)
  const world = new PipelineWorld({ op, reader, ctx: op.context(target.collection), ns: target.ns, ...more })
  return compilePipeline([...target.pipeline, ...stages], world)
}
