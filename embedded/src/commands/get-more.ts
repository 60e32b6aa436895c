import type { Await } from '../cursors/cursors.js'
import { docOf, numeric } from '../values/build.js'
import { badValue, MongoError, typeMismatch } from '../values/errors.js'
import { typeName } from '../values/order.js'
import { isNumber } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import type { Command } from './command.js'
import { cursorReply } from './cursor-reply.js'
import { fieldTable } from './fields.js'
import { namespaceOf, nameOf } from './namespace.js'

function cursorId (value: Maybe, title: string): bigint {
  if (typeof value === 'bigint') return value
  if (value === undefined || !isNumber(value)) throw typeMismatch(`BSON field '${title}' is the wrong type '${typeName(value)}', expected type 'long'`)
  return BigInt(Math.trunc(numeric(value)))
}

export const getMoreCommand: Command = {
  name: 'getMore',
  fields: fieldTable({ getMore: 'number', collection: 'string', batchSize: 'number', term: 'any', lastKnownCommittedOpTime: 'any', includeQueryStatsMetrics: 'any' }),
  required: ['collection'],
  inTransaction: true,
  counts: 'getmore',
  async run (op) {
    const id = cursorId(op.body.get('getMore'), 'getMore.getMore')
    const size = op.fields.natural('batchSize') ?? 0
    const namespace = nameOf(namespaceOf(op.db, op.fields.string('collection') ?? ''))
    const { cursors } = op.engine
    const cursor = cursors.use(id, namespace)
    if (cursor.busy) throw new MongoError(12051, `cursor id ${id} is already in use`)
    if (cursor.owner.transaction !== op.transaction) throw new MongoError(50740, `Cannot run getMore on cursor ${id} outside of its transaction`)
    if (cursor.owner.session !== op.session) throw badSession(id, cursor.owner.session === undefined)
    const milliseconds = op.fields.natural('maxTimeMS')
    if (milliseconds !== undefined && milliseconds > 0 && !cursor.source.awaits) {
      throw badValue('cannot set maxTimeMS on getMore command for a non-awaitData cursor')
    }
    cursor.busy = true
    const wait: Await = { milliseconds, signal: op.client.closed }
    try {
      const batch = await cursor.source.next(size === 0 ? Infinity : size, wait)
      cursor.lastUse = Date.now()
      if (!batch.more) cursors.close(id)
      return cursorReply(batch.more && cursors.find(id) !== undefined ? id : 0n, namespace, batch, 'nextBatch')
    } catch (error) {
      cursors.close(id)
      throw error
    } finally {
      cursor.busy = false
    }
  }
}

const badSession = (id: bigint, none: boolean): MongoError => none
  ? new MongoError(50737, `Cannot run getMore on cursor ${id}, which was not created in a session, in session`)
  : new MongoError(50738, `Cannot run getMore on cursor ${id}, which was created in another session`)

export const killCursorsCommand: Command = {
  name: 'killCursors',
  fields: fieldTable({ killCursors: 'collection', cursors: 'array' }),
  required: ['cursors'],
  inTransaction: true,
  run (op) {
    namespaceOf(op.db, op.body.get('killCursors'))
    const given = op.fields.array('cursors') ?? []
    if (given.length === 0) throw badValue('Must specify at least one cursor id')
    const killed: Value[] = []
    const missing: Value[] = []
    for (const value of given) {
      const id = cursorId(value, 'killCursors.cursors')
      if (op.engine.cursors.close(id)) killed.push(id)
      else missing.push(id)
    }
    return docOf({ cursorsKilled: killed, cursorsNotFound: missing, cursorsAlive: [], cursorsUnknown: [] })
  }
}
