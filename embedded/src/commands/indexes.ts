import { createIndexes, describeIndexes, dropIndexes, validateCollection } from '../indexes/index.js'
import { docOf, int } from '../values/build.js'
import { badValue, MongoError, typeMismatch } from '../values/errors.js'
import { typeName } from '../values/order.js'
import { Doc } from '../values/types.js'
import type { Maybe } from '../values/types.js'
import { refuseView } from '../write/rules.js'
import { listCursor } from './collections.js'
import type { Command } from './command.js'
import { fieldTable } from './fields.js'
import { checkWritable, nameOf, namespaceOf } from './namespace.js'
import { runWrite } from './run-write.js'

export const createIndexesCommand: Command = {
  name: 'createIndexes',
  fields: fieldTable({ indexes: 'array', commitQuorum: 'any', ignoreUnknownIndexOptions: 'bool', v: 'unsupported', isTimeseriesNamespace: 'unsupported' }),
  required: ['indexes'],
  inTransaction: true,
  writeConcern: true,
  async run (op) {
    const ns = checkWritable(namespaceOf(op.db, op.body.get('createIndexes')))
    const specs = op.fields.docs('indexes') ?? []
    if (specs.length === 0) throw badValue('Must specify at least one index to create')
    op.transaction?.touch(nameOf(ns))
    return runWrite(op, w => {
      const existing = w.catalog.collection(w.writer, ns)
      refuseView(existing)
      if (op.transaction !== undefined && existing !== undefined && w.catalog.count(w.writer, existing) > 0) {
        throw new MongoError(263, `Cannot create new indexes on existing collection ${nameOf(ns)} in a multi-document transaction.`)
      }
      const collection = existing ?? w.catalog.create(w.writer, ns)
      const { before, after, note } = createIndexes(w.writer, w.catalog, collection, specs)
      return docOf({
        numIndexesBefore: int(before),
        numIndexesAfter: int(after),
        createdCollectionAutomatically: existing === undefined,
        commitQuorum: op.transaction === undefined && after > before ? 'votingMembers' : undefined,
        note
      })
    }, [nameOf(ns)])
  }
}

export const listIndexesCommand: Command = {
  name: 'listIndexes',
  fields: fieldTable({ cursor: 'object', includeBuildUUIDs: 'unsupported', includeIndexBuildInfo: 'unsupported', isTimeseriesNamespace: 'unsupported' }),
  run (op) {
    const ns = namespaceOf(op.db, op.body.get('listIndexes'))
    const collection = op.read(reader => op.collection(reader, ns))
    refuseView(collection)
    if (collection === undefined) throw new MongoError(26, `ns does not exist: ${nameOf(ns)}`)
    return listCursor(op, describeIndexes(collection), nameOf(ns))
  }
}

export const dropIndexesCommand: Command = {
  name: 'dropIndexes',
  aliases: ['deleteIndexes'],
  fields: fieldTable({ index: 'any', deleteIndexes: 'any', isTimeseriesNamespace: 'unsupported' }),
  required: ['index'],
  writeConcern: true,
  async run (op) {
    const ns = namespaceOf(op.db, op.body.get('dropIndexes') ?? op.body.get('deleteIndexes'))
    const which = whichIndexes(op.body.get('index'))
    return runWrite(op, w => {
      const collection = w.catalog.collection(w.writer, ns)
      refuseView(collection)
      if (collection === undefined) throw new MongoError(26, `ns not found ${nameOf(ns)}`)
      const { before } = dropIndexes(w.writer, w.catalog, collection, which)
      return docOf({ nIndexesWas: int(before), msg: which === '*' ? 'non-_id indexes dropped for collection' : undefined })
    }, [nameOf(ns)])
  }
}

function whichIndexes (index: Maybe): string | string[] | Doc {
  if (typeof index === 'string' || index instanceof Doc) return index
  if (Array.isArray(index) && index.every(name => typeof name === 'string')) return index as string[]
  throw typeMismatch(`BSON field 'dropIndexes.index' is the wrong type '${typeName(index)}', expected types '[string, array, object]'`)
}

export const validateCommand: Command = {
  name: 'validate',
  fields: fieldTable({
    full: 'flag', repair: 'unsupported', metadata: 'unsupported', checkBSONConformance: 'unsupported', background: 'unsupported', fixMultikey: 'unsupported'
  }),
  run (op) {
    const ns = namespaceOf(op.db, op.body.get('validate'))
    return op.read(reader => {
      const collection = op.collection(reader, ns)
      if (collection === undefined) throw new MongoError(26, `Collection '${nameOf(ns)}' does not exist to validate.`)
      refuseView(collection)
      return validateCollection(reader, op.engine.catalog, collection).copy()
    })
  }
}
