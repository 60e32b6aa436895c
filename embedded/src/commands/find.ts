import type { Collection, Namespace } from '../catalog/types.js'
import { QuerySource } from '../cursors/cursors.js'
import { find } from '../query/index.js'
import type { FindRequest } from '../query/index.js'
import { EMPTY } from '../values/build.js'
import { notSupported } from '../values/errors.js'
import type { Doc, Timestamp } from '../values/types.js'
import type { Command } from './command.js'
import { openCursor } from './cursor-reply.js'
import { fieldTable } from './fields.js'
import type { Fields } from './fields.js'
import { nameOf, namespaceOf } from './namespace.js'
import type { Operation } from './operation.js'
import { openReading } from './reading.js'
import { findOnView } from './views.js'

export const FIND_FIELDS = fieldTable({
  find: 'collection',
  filter: 'object',
  sort: 'object',
  projection: 'object',
  hint: 'hint',
  skip: 'number',
  limit: 'number',
  batchSize: 'number',
  singleBatch: 'bool',
  max: 'object',
  min: 'object',
  returnKey: 'bool',
  showRecordId: 'bool',
  tailable: 'bool',
  awaitData: 'bool',
  oplogReplay: 'bool',
  noCursorTimeout: 'bool',
  allowPartialResults: 'bool',
  collation: 'object',
  allowDiskUse: 'bool',
  let: 'object',
  ntoreturn: 'unsupported',
  mirrored: 'any',
  encryptionInformation: 'unsupported',
  resumeAfter: 'unsupported',
  requestResumeToken: 'unsupported'
})

/** Checks the parts of a find that stand by themselves and gives what the query room needs. */
export function findRequest (op: Operation, fields: Fields, collection: Collection | undefined): FindRequest {
  if (fields.flag('tailable') || fields.flag('awaitData')) throw notSupported('a tailable cursor')
  const limit = fields.natural('limit') ?? 0
  return {
    filter: fields.object('filter') ?? EMPTY,
    sort: nonEmpty(fields.object('sort')),
    projection: nonEmpty(fields.object('projection')),
    skip: fields.natural('skip') ?? 0,
    limit: limit === 0 ? undefined : limit,
    hint: fields.hint(),
    min: nonEmpty(fields.object('min')),
    max: nonEmpty(fields.object('max')),
    returnKey: fields.flag('returnKey'),
    showRecordId: fields.flag('showRecordId'),
    ctx: op.context(collection),
    checkInterrupt: op.interrupt.check
  }
}

const nonEmpty = (doc: Doc | undefined): Doc | undefined => doc === undefined || doc.size === 0 ? undefined : doc

/** The namespace of a command that may also name a collection by its UUID. */
const targetOf = (op: Operation): Namespace => namespaceOf(op.db, op.body.get(op.name))

export const findCommand: Command = {
  name: 'find',
  title: 'FindCommandRequest',
  fields: FIND_FIELDS,
  inTransaction: true,
  readConcern: 'snapshot',
  counts: 'query',
  async run (op) {
    const ns = targetOf(op)
    const { fields } = op
    const singleBatch = fields.flag('singleBatch')
    const batchSize = fields.natural('batchSize')
    const opened = openFind(op, ns)
    if (opened === 'view') return findOnView(op, ns)
    const { source, limit, atClusterTime } = opened
    const noTimeout = fields.flag('noCursorTimeout')
    return openCursor(op, source, { namespace: nameOf(ns), batchSize, singleBatch: singleBatch || limit === 1, noTimeout, atClusterTime })
  }
}

type OpenFind = { source: QuerySource, limit: number | undefined, atClusterTime: Timestamp | undefined }

function openFind (op: Operation, ns: Namespace): OpenFind | 'view' {
  const { reader, hold, close, atClusterTime } = openReading(op)
  try {
    const collection = op.collection(reader, ns)
    if (collection?.view !== undefined) {
      close()
      return 'view'
    }
    const request = findRequest(op, op.fields, collection)
    const execution = find(reader, collection, request)
    op.engine.noteIndexUse(execution.plan)
    const { limit } = request
    const knowsEnd = collection === undefined || execution.plan.sorts
    return { source: new QuerySource({ docs: execution, interrupt: op.interrupt, ...hold, limit, knowsEnd }), limit, atClusterTime }
  } catch (error) {
    close()
    throw error
  }
}
