import type { Namespace } from '../catalog/types.js'
import type { Reader } from '../storage/index.js'
import { count as countDocuments, distinct } from '../query/index.js'
import type { FindRequest } from '../query/index.js'
import { count, docOf, EMPTY, int, numeric } from '../values/build.js'
import { MongoError } from '../values/errors.js'
import { hashKey } from '../values/order.js'
import type { Doc, Value } from '../values/types.js'
import type { Command } from './command.js'
import { fieldTable } from './fields.js'
import type { Fields } from './fields.js'
import { namespaceOf } from './namespace.js'
import type { Operation } from './operation.js'
import { reading } from './reading.js'
import { compileOn } from './pipeline-world.js'

export const COUNT_FIELDS = fieldTable({
  count: 'collection',
  query: 'object',
  limit: 'number',
  skip: 'number',
  hint: 'hint',
  collation: 'object',
  fields: 'object',
  let: 'unsupported',
  encryptionInformation: 'unsupported'
})

export function countRequest (op: Operation, fields: Fields, ctx: FindRequest['ctx']): FindRequest {
  const limit = Math.abs(fields.integer('limit') ?? 0)
  return {
    filter: fields.object('query') ?? EMPTY,
    skip: fields.natural('skip') ?? 0,
    limit: limit === 0 ? undefined : limit,
    hint: fields.hint(),
    ctx,
    checkInterrupt: op.interrupt.check
  }
}

export const countCommand: Command = {
  name: 'count',
  fields: COUNT_FIELDS,
  readConcern: 'committed',
  counts: 'query',
  run (op) {
    const ns = namespaceOf(op.db, op.body.get('count'))
    return op.read(reader => {
      const collection = op.collection(reader, ns)
      if (collection?.view !== undefined) return docOf({ n: countOnView(op, reader, ns) })
      return docOf({ n: count(countDocuments(reader, op.engine.catalog, collection, countRequest(op, op.fields, op.context(collection)))) })
    })
  }
}

function countOnView (op: Operation, reader: Reader, ns: Namespace): Value {
  const { filter, skip, limit } = countRequest(op, op.fields, op.context(undefined))
  const stages: Doc[] = [docOf({ $match: filter })]
  if (skip !== undefined && skip > 0) stages.push(docOf({ $skip: BigInt(skip) }))
  if (limit !== undefined) stages.push(docOf({ $limit: BigInt(limit) }))
  stages.push(docOf({ $count: 'count' }))
  const [counted] = compileOn(op, reader, ns, stages).run()
  return counted === undefined ? int(0) : count(numeric(counted.get('count')))
}

export const DISTINCT_FIELDS = fieldTable({ distinct: 'collection', key: 'string', query: 'object', collation: 'object' })

export function distinctRequest (op: Operation, fields: Fields, ctx: FindRequest['ctx']): FindRequest {
  return { filter: fields.object('query') ?? EMPTY, ctx, checkInterrupt: op.interrupt.check }
}

export const distinctCommand: Command = {
  name: 'distinct',
  fields: DISTINCT_FIELDS,
  required: ['key'],
  inTransaction: true,
  readConcern: 'snapshot',
  counts: 'query',
  run (op) {
    const ns = namespaceOf(op.db, op.body.get('distinct'))
    const key = op.fields.string('key') ?? ''
    if (key === '') throw new MongoError(2, "BSON field 'distinct.key' may not be empty")
    return reading(op, (reader, atClusterTime) => {
      const collection = op.collection(reader, ns)
      const values = collection?.view !== undefined
        ? distinctOnView(op, reader, ns, key)
        : distinct(reader, collection, key, distinctRequest(op, op.fields, op.context(collection)))
      return docOf({ values, atClusterTime })
    })
  }
}

/** As the server does it: the values of the path, arrays opened, each once. */
function distinctOnView (op: Operation, reader: Reader, ns: Namespace, key: string): Value[] {
  const parts = key.split('.')
  const stages: Doc[] = [docOf({ $match: op.fields.object('query') ?? EMPTY })]
  for (let i = 1; i <= parts.length; i++) {
    stages.push(docOf({ $unwind: docOf({ path: `$${parts.slice(0, i).join('.')}`, preserveNullAndEmptyArrays: false }) }))
  }
  stages.push(docOf({ $project: docOf({ _id: int(0), v: `$${key}` }) }))
  const seen = new Map<string, Value>()
  const collation = op.askedCollation()
  for (const doc of compileOn(op, reader, ns, stages).run()) {
    const value = doc.get('v')
    if (value === undefined) continue
    const hash = hashKey(value, collation === 'simple' ? undefined : collation)
    if (!seen.has(hash)) seen.set(hash, value)
  }
  return [...seen.values()]
}
