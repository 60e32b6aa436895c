import { updateDocuments } from '../write/update.js'
import type { UpdateStatement } from '../write/update.js'
import { docOf, int, numeric } from '../values/build.js'
import { MongoError } from '../values/errors.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import { batchReply, runBatch, statementsOf } from './batch.js'
import type { Command } from './command.js'
import { checkFields, Fields, fieldTable, requireFields } from './fields.js'
import { checkWritable, nameOf, namespaceOf } from './namespace.js'
import { parseCollation } from './operation.js'
import type { Operation } from './operation.js'
import { runWrite } from './run-write.js'

const STATEMENT = fieldTable({
  q: 'object',
  u: 'update',
  c: 'object',
  multi: 'bool',
  upsert: 'bool',
  arrayFilters: 'array',
  collation: 'object',
  hint: 'hint',
  upsertSupplied: 'unsupported',
  sampleId: 'any',
  allowShardKeyUpdatesWithoutFullShardKeyInQuery: 'any'
})
const TITLE = 'update.updates'

export const updateCommand: Command = {
  name: 'update',
  fields: fieldTable({
    update: 'collection',
    updates: 'array',
    ordered: 'bool',
    bypassDocumentValidation: 'flag',
    let: 'object',
    stmtId: 'number',
    stmtIds: 'array',
    encryptionInformation: 'unsupported',
    isTimeseriesNamespace: 'unsupported'
  }),
  required: ['updates'],
  inTransaction: true,
  retryable: true,
  writeConcern: true,
  counts: 'update',
  run (op) {
    const ns = checkWritable(namespaceOf(op.db, op.body.get('update')))
    const statements = statementsOf(op, 'updates').map(doc => updateStatement(op, doc))
    op.transaction?.touch(nameOf(ns))
    return runWrite(op, (w, retry) => {
      let n = 0
      let modified = 0
      const upserted: Value[] = []
      const batch = runBatch(op, retry, statements, statement => {
        const outcome = updateDocuments(w, ns, statement)
        const id = outcome.upsertedId
        return docOf({ n: int(id === undefined ? outcome.matched : 1), m: int(outcome.modified), id })
      }, (outcome, index) => {
        n += numeric(outcome.get('n'))
        modified += numeric(outcome.get('m'))
        const id = outcome.get('id')
        if (id !== undefined) upserted.push(docOf({ index: int(index), _id: id }))
      })
      return batchReply(n, batch, { upserted: upserted.length === 0 ? undefined : upserted, nModified: int(modified) })
    })
  }
}

function updateStatement (op: Operation, doc: Doc): UpdateStatement {
  checkFields(doc, STATEMENT, TITLE)
  requireFields(doc, ['q', 'u'], TITLE)
  const fields = new Fields(doc, TITLE)
  const multi = fields.flag('multi')
  if (multi && op.retryNumber !== undefined) throw new MongoError(72, 'Cannot use (or request) retryable writes with multi=true')
  const update = doc.get('u')!
  const constants = fields.object('c')
  if (constants !== undefined && update instanceof Doc) {
    throw new MongoError(51198, 'Constant values may only be specified for pipeline updates')
  }
  return {
    filter: fields.object('q') ?? Doc.of(),
    update: update instanceof Doc ? update : fields.docs('u')!,
    multi,
    upsert: fields.flag('upsert'),
    arrayFilters: fields.docs('arrayFilters'),
    collation: parseCollation(fields.object('collation')),
    hint: fields.hint(),
    variables: op.variables(),
    constants,
    bypassValidation: op.fields.flag('bypassDocumentValidation')
  }
}
