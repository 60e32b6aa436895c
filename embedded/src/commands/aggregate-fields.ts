import type { Namespace } from '../catalog/types.js'
import { isNumber } from '../values/types.js'
import { fieldTable } from './fields.js'
import type { Fields } from './fields.js'
import { checkDb, namespaceOf } from './namespace.js'
import type { Operation } from './operation.js'

export const AGGREGATE_FIELDS = fieldTable({
  aggregate: 'any',
  pipeline: 'array',
  explain: 'bool',
  allowDiskUse: 'bool',
  cursor: 'object',
  bypassDocumentValidation: 'flag',
  collation: 'object',
  hint: 'hint',
  let: 'object',
  needsMerge: 'unsupported',
  fromMongos: 'unsupported',
  exchange: 'unsupported',
  isMapReduceCommand: 'unsupported',
  encryptionInformation: 'unsupported',
  requestResumeToken: 'unsupported',
  collectionUUID: 'unsupported'
})

export function aggregateNamespace (op: Operation, fields: Fields): Namespace {
  const target = fields.doc.get('aggregate')
  if (target !== undefined && isNumber(target)) {
    checkDb(op.db)
    return { db: op.db, coll: '' }
  }
  return namespaceOf(op.db, target)
}
