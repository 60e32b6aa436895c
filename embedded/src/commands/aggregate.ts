import type { Namespace } from '../catalog/types.js'
import { openChangeStream } from './watch.js'
import { QuerySource } from '../cursors/cursors.js'
import type { Batch } from '../cursors/cursors.js'
import type { Pipeline } from '../pipeline/index.js'
import type { Reader } from '../storage/index.js'
import { failedToParse, MongoError } from '../values/errors.js'
import type { Doc } from '../values/types.js'
import type { Command } from './command.js'
import { cursorReply, openCursor } from './cursor-reply.js'
import { checkFields, Fields, fieldTable } from './fields.js'
import { nameOf } from './namespace.js'
import type { Operation } from './operation.js'
import { AGGREGATE_FIELDS, aggregateNamespace } from './aggregate-fields.js'
import { explainAggregate } from './explain.js'
import { compileOn } from './pipeline-world.js'
import { openReading } from './reading.js'
import { runWrite } from './run-write.js'

const CURSOR = fieldTable({ batchSize: 'number' })

export type AggregateOptions = {
  readonly batchSize: number | undefined
  readonly singleBatch?: boolean
  readonly hint?: string | Doc
}

export const aggregateCommand: Command = {
  name: 'aggregate',
  fields: AGGREGATE_FIELDS,
  required: ['pipeline'],
  inTransaction: true,
  readConcern: 'snapshot',
  writeConcern: true,
  async run (op) {
    const { fields } = op
    const ns = aggregateNamespace(op, fields)
    const cursor = fields.object('cursor')
    if (fields.flag('explain')) return explainAggregate(op, ns)
    if (cursor === undefined) throw failedToParse("The 'cursor' option is required, except for aggregate with the explain argument")
    checkFields(cursor, CURSOR, 'aggregate.cursor')
    const batchSize = new Fields(cursor, 'aggregate.cursor').natural('batchSize')
    return aggregateOn(op, ns, fields.docs('pipeline') ?? [], { batchSize, hint: fields.hint() })
  }
}

export async function aggregateOn (op: Operation, ns: Namespace, stages: readonly Doc[], options: AggregateOptions): Promise<Doc> {
  const namespace = ns.coll === '' ? `${ns.db}.$cmd.aggregate` : nameOf(ns)
  const { reader, hold, close, atClusterTime } = openReading(op)
  let pipeline: Pipeline
  try {
    pipeline = compileOn(op, reader, ns, stages, { hint: options.hint })
    if (pipeline.changeStream !== undefined || pipeline.writes !== undefined) {
      const run = pipeline.writes === undefined
        ? openChangeStream(op, ns, pipeline, { namespace, batchSize: options.batchSize })
        : writePipeline(op, ns, stages, pipeline, reader, namespace, options)
      const reply = await run
      close()
      return reply
    }
  } catch (error) {
    close()
    throw error
  }
  const source = new QuerySource({ docs: pipeline.run(), interrupt: op.interrupt, ...hold })
  return openCursor(op, source, { namespace, batchSize: options.batchSize, singleBatch: options.singleBatch, atClusterTime })
}

/** `$out` and `$merge` read the state before their own writes, which are one storage write. */
async function writePipeline (
  op: Operation, ns: Namespace, stages: readonly Doc[], checked: Pipeline, reader: Reader, namespace: string, options: AggregateOptions
): Promise<Doc> {
  const { stage, into } = checked.writes!
  if (op.transaction !== undefined) throw new MongoError(263, `Stage not supported inside of a multi-document transaction: ${stage}`)
  const replaced = stage === '$out' ? [nameOf(into)] : []
  await runWrite(op, write => {
    const run = compileOn(op, reader, ns, stages, { hint: options.hint, write }).run()[Symbol.iterator]()
    // asking for the first document does all the work
    run.next()
  }, replaced)
  const none: Batch = { docs: [], more: false }
  return cursorReply(0n, namespace, none, 'firstBatch')
}
