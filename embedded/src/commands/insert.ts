import { collectionFor, insertDocument } from '../write/insert.js'
import { refuseView } from '../write/rules.js'
import { docOf, int } from '../values/build.js'
import { batchReply, runBatch, statementsOf } from './batch.js'
import type { Command } from './command.js'
import { fieldTable } from './fields.js'
import { checkWritable, nameOf, namespaceOf } from './namespace.js'
import { runWrite } from './run-write.js'

const INSERTED = docOf({ n: int(1) })

export const insertCommand: Command = {
  name: 'insert',
  fields: fieldTable({
    insert: 'collection',
    documents: 'array',
    ordered: 'bool',
    bypassDocumentValidation: 'flag',
    stmtId: 'number',
    stmtIds: 'array',
    encryptionInformation: 'unsupported',
    isTimeseriesNamespace: 'unsupported'
  }),
  required: ['documents'],
  inTransaction: true,
  retryable: true,
  writeConcern: true,
  counts: 'insert',
  run (op) {
    const ns = checkWritable(namespaceOf(op.db, op.body.get('insert')))
    const documents = statementsOf(op, 'documents')
    const bypassValidation = op.fields.flag('bypassDocumentValidation')
    op.transaction?.touch(nameOf(ns))
    return runWrite(op, (w, retry) => {
      let n = 0
      const batch = runBatch(op, retry, documents, doc => {
        const collection = collectionFor(w, ns)
        refuseView(collection)
        insertDocument(w, collection, doc, { bypassValidation })
        return INSERTED
      }, () => { n++ })
      return batchReply(n, batch)
    })
  }
}
