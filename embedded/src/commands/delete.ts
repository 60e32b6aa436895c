import { deleteDocuments } from '../write/delete.js'
import type { DeleteStatement } from '../write/delete.js'
import { docOf, int, numeric } from '../values/build.js'
import { failedToParse, MongoError } from '../values/errors.js'
import { Doc } from '../values/types.js'
import { batchReply, runBatch, statementsOf } from './batch.js'
import type { Command } from './command.js'
import { checkFields, Fields, fieldTable, requireFields } from './fields.js'
import { checkWritable, nameOf, namespaceOf } from './namespace.js'
import { parseCollation } from './operation.js'
import type { Operation } from './operation.js'
import { runWrite } from './run-write.js'

const STATEMENT = fieldTable({ q: 'object', limit: 'number', collation: 'object', hint: 'hint', sampleId: 'any' })
const TITLE = 'delete.deletes'

export const deleteCommand: Command = {
  name: 'delete',
  fields: fieldTable({
    delete: 'collection',
    deletes: 'array',
    ordered: 'bool',
    let: 'object',
    stmtId: 'number',
    stmtIds: 'array',
    bypassDocumentValidation: 'flag',
    encryptionInformation: 'unsupported',
    isTimeseriesNamespace: 'unsupported'
  }),
  required: ['deletes'],
  inTransaction: true,
  retryable: true,
  writeConcern: true,
  counts: 'delete',
  run (op) {
    const ns = checkWritable(namespaceOf(op.db, op.body.get('delete')))
    const statements = statementsOf(op, 'deletes').map(doc => deleteStatement(op, doc))
    op.transaction?.touch(nameOf(ns))
    return runWrite(op, (w, retry) => {
      let n = 0
      const batch = runBatch(op, retry, statements,
        statement => docOf({ n: int(deleteDocuments(w, ns, statement).deleted) }),
        outcome => { n += numeric(outcome.get('n')) })
      return batchReply(n, batch)
    })
  }
}

function deleteStatement (op: Operation, doc: Doc): DeleteStatement {
  checkFields(doc, STATEMENT, TITLE)
  requireFields(doc, ['q', 'limit'], TITLE)
  const fields = new Fields(doc, TITLE)
  const limit = fields.integer('limit') ?? 0
  if (limit !== 0 && limit !== 1) throw failedToParse(`The limit field in delete objects must be 0 or 1. Got ${limit}`)
  if (limit === 0 && op.retryNumber !== undefined) throw new MongoError(72, 'Cannot use (or request) retryable writes with limit=0')
  return {
    filter: fields.object('q') ?? Doc.of(),
    single: limit === 1,
    collation: parseCollation(fields.object('collation')),
    hint: fields.hint(),
    variables: op.variables()
  }
}
