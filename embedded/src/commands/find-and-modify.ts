import type { Namespace } from '../catalog/types.js'
import { compileMatch } from '../matcher/match.js'
import { parseFilter } from '../matcher/parse.js'
import { compileProjection } from '../projection/projection.js'
import type { RetryAttempt } from '../sessions/retry.js'
import { docOf, EMPTY, int } from '../values/build.js'
import { failedToParse, MongoError } from '../values/errors.js'
import { Doc } from '../values/types.js'
import type { WriteContext } from '../write/context.js'
import { parseContext } from '../write/context.js'
import { deleteDocuments } from '../write/delete.js'
import { collationFor, updateDocuments } from '../write/update.js'
import type { Command } from './command.js'
import type { Fields } from './fields.js'
import { fieldTable } from './fields.js'
import { checkWritable, nameOf, namespaceOf } from './namespace.js'
import type { Operation } from './operation.js'
import { runWrite } from './run-write.js'

export const findAndModifyCommand: Command = {
  name: 'findAndModify',
  aliases: ['findandmodify'],
  fields: fieldTable({
    findAndModify: 'collection',
    findandmodify: 'collection',
    query: 'object',
    sort: 'object',
    remove: 'flag',
    update: 'update',
    new: 'flag',
    fields: 'object',
    upsert: 'flag',
    bypassDocumentValidation: 'flag',
    collation: 'object',
    arrayFilters: 'array',
    hint: 'hint',
    let: 'object',
    stmtId: 'number',
    encryptionInformation: 'unsupported',
    isTimeseriesNamespace: 'unsupported',
    sampleId: 'any'
  }),
  inTransaction: true,
  retryable: true,
  writeConcern: true,
  counts: 'update',
  async run (op) {
    const ns = checkWritable(namespaceOf(op.db, op.body.get('findAndModify') ?? op.body.get('findandmodify')))
    checkCombination(op.fields)
    op.transaction?.touch(nameOf(ns))
    return runWrite(op, (w, retry) => once(op, retry, () => op.fields.flag('remove') ? remove(op, w, ns) : modify(op, w, ns)))
  }
}

function checkCombination (fields: Fields): void {
  const remove = fields.flag('remove')
  const hasUpdate = fields.raw('update') !== undefined
  if (remove) {
    if (hasUpdate) throw failedToParse('Cannot specify both an update and remove=true')
    if (fields.flag('upsert')) throw failedToParse('Cannot specify both upsert=true and remove=true')
    if (fields.flag('new')) throw failedToParse("Cannot specify both new=true and remove=true; 'remove' always returns the deleted document")
    if (fields.array('arrayFilters') !== undefined) throw failedToParse('Cannot specify arrayFilters and remove=true')
  } else if (!hasUpdate) throw failedToParse('Either an update or remove=true must be specified')
  if (Array.isArray(fields.raw('update')) && fields.array('arrayFilters') !== undefined) {
    throw failedToParse('Cannot specify arrayFilters and a pipeline update')
  }
}

function once (op: Operation, retry: RetryAttempt | undefined, run: () => Doc): Doc {
  const id = op.fields.integer('stmtId') ?? 0
  const known = retry?.outcome(id)
  if (known !== undefined) return known.copy().set('retriedStmtId', int(id))
  const reply = withContext(run)
  retry?.note(id, reply.copy())
  return reply
}

/** The server says where a write inside a findAndModify failed. */
function withContext (run: () => Doc): Doc {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof MongoError) || error.code !== 11000) throw error
    throw new MongoError(error.code, `Plan executor error during findAndModify :: caused by :: ${error.message}`, { fields: error.fields, labels: error.labels })
  }
}

function remove (op: Operation, w: WriteContext, ns: Namespace): Doc {
  const { fields } = op
  const project = projector(op, w, ns)
  const { deleted, doc } = deleteDocuments(w, ns, {
    filter: fields.object('query') ?? EMPTY,
    single: true,
    sort: fields.object('sort'),
    hint: fields.hint(),
    collation: op.askedCollation(),
    variables: op.variables()
  })
  return docOf({ lastErrorObject: docOf({ n: int(deleted) }), value: doc === undefined ? null : project(doc) })
}

function modify (op: Operation, w: WriteContext, ns: Namespace): Doc {
  const { fields } = op
  const update = fields.raw('update')
  const project = projector(op, w, ns)
  const outcome = updateDocuments(w, ns, {
    filter: fields.object('query') ?? EMPTY,
    update: update instanceof Doc ? update : fields.docs('update')!,
    multi: false,
    upsert: fields.flag('upsert'),
    sort: fields.object('sort'),
    arrayFilters: fields.docs('arrayFilters'),
    collation: op.askedCollation(),
    hint: fields.hint(),
    variables: op.variables(),
    bypassValidation: fields.flag('bypassDocumentValidation')
  })
  const upserted = outcome.upsertedId
  const image = fields.flag('new') ? outcome.after : outcome.before
  return docOf({
    lastErrorObject: docOf({ n: int(upserted === undefined ? outcome.matched : 1), updatedExisting: outcome.matched > 0, upserted }),
    value: image === undefined ? null : project(image)
  })
}

function projector (op: Operation, w: WriteContext, ns: Namespace): (doc: Doc) => Doc {
  const spec = op.fields.object('fields')
  if (spec === undefined || spec.size === 0) return doc => doc
  const collection = w.catalog.collection(w.writer, ns)
  const ctx = parseContext(w, collationFor(op.askedCollation(), collection), op.variables())
  const match = compileMatch(parseFilter(op.fields.object('query') ?? EMPTY, ctx), ctx)
  const projection = compileProjection(spec, { ctx, forFind: true, match })
  return doc => projection.apply(doc)
}
