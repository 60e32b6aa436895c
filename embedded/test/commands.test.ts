import type { Document } from 'bson'
import { Long } from 'bson'
import t from 'tap'
import { startEngine } from '../src/index.js'
import { RawClient } from './support/raw-client.js'

type Teardown = { teardown: (fn: () => Promise<void>) => void }

async function setup (t: Teardown, more: { cursorTimeoutSeconds?: number, ttlSeconds?: number } = {}): Promise<RawClient> {
  const engine = await startEngine({ memory: true, worker: false, ...more })
  const client = await RawClient.open(engine.url)
  t.teardown(async () => {
    client.close()
    await engine.stop()
  })
  return client
}

const ids = (reply: Document): unknown[] => (reply['cursor'].firstBatch ?? reply['cursor'].nextBatch).map((doc: Document) => doc['_id'])

t.test('every command checks its fields', async t => {
  const client = await setup(t)
  const cases: [Document, number][] = [
    [{ noSuchCommand: 1 }, 59], [{ FIND: 'c' }, 59],
    [{ find: 'c', nope: 1 }, 40415], [{ ping: 1, nope: 1 }, 40415], [{ insert: 'c', documents: [{}], nope: 1 }, 40415],
    [{ update: 'c', updates: [{ q: {}, u: {}, nope: 1 }] }, 40415], [{ aggregate: 'c', pipeline: [], cursor: { nope: 1 } }, 40415],
    [{ find: 'c', filter: 5 }, 14], [{ find: 'c', limit: 'x' }, 14], [{ find: 'c', singleBatch: 1 }, 14], [{ count: 'c', query: [] }, 14],
    [{ find: 5 }, 2], [{ find: '' }, 73], [{ insert: 'a$b', documents: [{}] }, 73], [{ insert: 'system.x', documents: [{}] }, 73],
    [{ insert: 'c' }, 40414], [{ insert: 'c', documents: [] }, 16], [{ insert: 'c', documents: [5] }, 14],
    [{ delete: 'c', deletes: [{ q: {} }] }, 40414], [{ delete: 'c', deletes: [{ q: {}, limit: 2 }] }, 9],
    [{ find: 'c', skip: -1 }, 51024], [{ find: 'c', limit: -1 }, 51024], [{ find: 'c', batchSize: -1 }, 51024],
    [{ aggregate: 'c', pipeline: [] }, 9], [{ aggregate: 'c', pipeline: [5], cursor: {} }, 14],
    [{ find: 'c', readConcern: { level: 'nope' } }, 9], [{ find: 'c', readConcern: { nope: 1 } }, 40415], [{ find: 'c', writeConcern: { w: 1 } }, 72],
    [{ insert: 'c', documents: [{}], writeConcern: { w: 99 } }, 9], [{ insert: 'c', documents: [{}], readConcern: { level: 'snapshot' } }, 72],
    [{ find: 'c', tailable: true }, 115], [{ mapReduce: 'c', map: 'x' }, 115], [{ find: 'c', readConcern: { level: 'snapshot', atClusterTime: 1 } }, 14],
    [{ count: 'c', readConcern: { level: 'snapshot' } }, 72], [{ distinct: 'c', key: 'a', hint: 'a_1' }, 40415],
    [{ listDatabases: 1 }, 13], [{ find: 'c', apiVersion: '2' }, 322], [{ find: 'c', txnNumber: Long.ONE }, 72],
    [{ ping: 1, $db: 'a b' }, 73]
  ]
  for (const [command, code] of cases) {
    const reply = await client.command(command)
    if (command['$db'] !== undefined) continue
    t.match(reply, { ok: 0, code }, JSON.stringify(command))
  }
  t.match(await client.command({ find: 'c', filter: null, limit: null, comment: { any: 'thing' } }), { ok: 1 }, 'null is "not given"')
})

t.test('replies tell the time', async t => {
  const client = await setup(t)
  const { $clusterTime: before } = await client.command({ ping: 1 })
  await client.command({ insert: 'c', documents: [{}] })
  const { $clusterTime: after, operationTime } = await client.command({ ping: 1 })
  t.ok(after.clusterTime.greaterThan(before.clusterTime))
  t.ok(operationTime.equals(after.clusterTime))
  t.match(await client.command({ hello: 1 }), { isWritablePrimary: true, setName: 'rs0', maxWireVersion: 21, logicalSessionTimeoutMinutes: 30 })
  t.notOk('topologyVersion' in await client.command({ hello: 1 }))
})

t.test('write concerns that one node cannot satisfy', async t => {
  const client = await setup(t)
  t.match(await client.command({ insert: 'c', documents: [{ _id: 1 }], writeConcern: { w: 2 } }), { ok: 1, n: 1, writeConcernError: { code: 100 } })
  t.match(await client.command({ insert: 'c', documents: [{ _id: 2 }], writeConcern: { w: 'x' } }), { ok: 1, n: 1, writeConcernError: { code: 79 } })
  t.match(await client.command({ insert: 'c', documents: [{ _id: 3 }], writeConcern: { w: 'majority', j: true, wtimeout: 5 } }), { ok: 1, n: 1 })
  t.match(await client.command({ count: 'c' }), { n: 3 })
})

t.test('cursors', async t => {
  const client = await setup(t)
  await client.command({ insert: 'c', documents: Array.from({ length: 250 }, (_, _id) => ({ _id })) })
  const first = await client.command({ find: 'c', sort: { _id: 1 } })
  t.equal(ids(first).length, 101)
  const { id } = first['cursor']
  t.match(await client.command({ getMore: id, collection: 'other' }), { code: 13 })
  t.equal(ids(await client.command({ getMore: id, collection: 'c', batchSize: 9 })).length, 9)
  const rest = await client.command({ getMore: id, collection: 'c' })
  t.equal(ids(rest).length, 140)
  t.equal(Number(rest['cursor'].id), 0)
  t.match(await client.command({ getMore: id, collection: 'c' }), { code: 43 })

  const none = await client.command({ find: 'c', batchSize: 0 })
  t.same(ids(none), [])
  t.match(await client.command({ killCursors: 'c', cursors: [none['cursor'].id, Long.fromNumber(5)] }), { cursorsNotFound: { length: 1 }, cursorsKilled: { length: 1 } })

  const big = await setup(t)
  for (let _id = 0; _id < 5; _id++) await big.command({ insert: 'c', documents: [{ _id, s: 'x'.repeat(6e6) }] })
  const batch = await big.command({ find: 'c' })
  t.same(ids(batch), [0, 1], 'a batch has at most 16 MB')
  t.same(ids(await big.command({ getMore: batch['cursor'].id, collection: 'c' })), [2, 3])
})

t.test('a cursor rests and goes on, an idle one is closed', async t => {
  const client = await setup(t, { cursorTimeoutSeconds: 3 })
  await client.command({ insert: 'c', documents: Array.from({ length: 10 }, (_, _id) => ({ _id })) })
  const { cursor } = await client.command({ find: 'c', batchSize: 3 })
  await new Promise(resolve => setTimeout(resolve, 2300))
  t.same(ids(await client.command({ getMore: cursor.id, collection: 'c', batchSize: 3 })), [3, 4, 5])
  await new Promise(resolve => setTimeout(resolve, 4500))
  t.match(await client.command({ getMore: cursor.id, collection: 'c' }), { code: 43 })
})

t.test('write batches', async t => {
  const client = await setup(t)
  const docs = [{ _id: 1 }, { _id: 1 }, { _id: 2 }]
  t.match(await client.command({ insert: 'c', documents: docs }), { n: 1, writeErrors: [{ index: 1, code: 11000, keyPattern: { _id: 1 }, keyValue: { _id: 1 } }] })
  t.match(await client.command({ insert: 'c', documents: docs, ordered: false }), { n: 1, writeErrors: [{ index: 0 }, { index: 1 }] })
  const mixed = [{ q: { _id: 1 }, u: { $set: { a: 1 } } }, { q: { _id: 1 }, u: { $foo: 1 } }, { q: { _id: 2 }, u: { $set: { a: 1 } } }]
  t.match(await client.command({ update: 'c', updates: mixed }), { n: 1, nModified: 1, writeErrors: [{ index: 1, code: 9 }] })
  t.match(await client.command({ update: 'c', updates: mixed, ordered: false }), { n: 2, nModified: 1, writeErrors: [{ index: 1 }] })
  t.match(await client.command({ update: 'c', updates: [{ q: {}, u: { a: 1 }, multi: true }] }), { n: 0, writeErrors: [{ code: 9 }] })
})

t.test('findAndModify', async t => {
  const client = await setup(t)
  await client.command({ insert: 'c', documents: [{ _id: 1, v: 3 }, { _id: 2, v: 1 }] })
  t.match(await client.command({ findAndModify: 'c', sort: { v: 1 }, update: { $inc: { v: 1 } } }), { value: { _id: 2, v: 1 }, lastErrorObject: { n: 1, updatedExisting: true } })
  t.match(await client.command({ findAndModify: 'c', query: { _id: 9 }, update: { $inc: { v: 1 } } }), { value: null, lastErrorObject: { n: 0, updatedExisting: false } })
  t.match(await client.command({ findAndModify: 'c', query: { _id: 9 }, update: { $inc: { v: 1 } }, upsert: true, new: true }),
    { value: { _id: 9, v: 1 }, lastErrorObject: { n: 1, updatedExisting: false, upserted: 9 } })
  t.same((await client.command({ findAndModify: 'c', query: { _id: 9 }, remove: true, fields: { v: 1, _id: 0 } }))['value'], { v: 1 })
  t.match(await client.command({ findAndModify: 'c', query: {} }), { code: 9 })
  t.match(await client.command({ findAndModify: 'c', query: {}, remove: true, new: true }), { code: 9 })
})

t.test('capped collections, views, validators', async t => {
  const client = await setup(t)
  await client.command({ create: 'log', capped: true, size: 4096, max: 3 })
  await client.command({ insert: 'log', documents: [1, 2, 3, 4, 5].map(_id => ({ _id, s: 'x' })) })
  t.same(ids(await client.command({ find: 'log' })), [3, 4, 5])
  t.match(await client.command({ update: 'log', updates: [{ q: { _id: 3 }, u: { $set: { s: 'longer' } } }] }), { writeErrors: [{ code: 10003 }] })

  await client.command({ create: 'v', viewOn: 'log', pipeline: [{ $match: { _id: { $gt: 3 } } }, { $project: { s: 0 } }] })
  t.same((await client.command({ find: 'v', sort: { _id: -1 } }))['cursor'].firstBatch, [{ _id: 5 }, { _id: 4 }])
  t.match(await client.command({ count: 'v' }), { n: 2 })
  t.match(await client.command({ distinct: 'v', key: '_id' }), { values: [4, 5] })
  t.match(await client.command({ insert: 'v', documents: [{}] }), { writeErrors: [{ code: 166 }] })
  t.match(await client.command({ createIndexes: 'v', indexes: [{ key: { a: 1 }, name: 'a_1' }] }), { code: 166 })

  await client.command({ create: 'val', validator: { $jsonSchema: { required: ['a'] } }, validationLevel: 'moderate' })
  t.match(await client.command({ insert: 'val', documents: [{ _id: 1 }] }), { writeErrors: [{ code: 121, errInfo: { failingDocumentId: 1, details: { operatorName: '$jsonSchema' } } }] })
  await client.command({ insert: 'val', documents: [{ _id: 2 }], bypassDocumentValidation: true })
  t.match(await client.command({ update: 'val', updates: [{ q: { _id: 2 }, u: { $set: { b: 1 } } }] }), { nModified: 1 }, 'was invalid before')
})

t.test('TTL', async t => {
  const client = await setup(t, { ttlSeconds: 0.2 })
  await client.command({ createIndexes: 'c', indexes: [{ key: { at: 1 }, name: 'at_1', expireAfterSeconds: 10, partialFilterExpression: { on: true } }] })
  const old = new Date(Date.now() - 20_000)
  const soon = new Date(Date.now() + 60_000)
  await client.command({
    insert: 'c',
    documents: [
      { _id: 1, on: true, at: old }, { _id: 2, on: false, at: old }, { _id: 3, on: true, at: soon }, { _id: 4, on: true, at: [soon, old] },
      { _id: 5, on: true, at: 5 }
    ]
  })
  await new Promise(resolve => setTimeout(resolve, 600))
  t.same(ids(await client.command({ find: 'c', sort: { _id: 1 } })), [2, 3, 5])
})

t.test('failCommand', async t => {
  const client = await setup(t)
  const fail = (data: Document, mode: unknown = { times: 1 }): Promise<Document> => client.command({ configureFailPoint: 'failCommand', mode, data, $db: 'admin' })
  t.match(await fail({ failCommands: ['find'], errorCode: 91 }), { ok: 1 })
  t.match(await client.command({ find: 'c' }), { ok: 0, code: 91, codeName: 'ShutdownInProgress' })
  t.match(await client.command({ find: 'c' }), { ok: 1 })
  await fail({ failCommands: ['insert'], writeConcernError: { code: 91, errmsg: 'x' }, errorLabels: ['a'] })
  t.match(await client.command({ insert: 'c', documents: [{}] }), { ok: 1, n: 1, writeConcernError: { code: 91 }, errorLabels: ['a'] })
  const { cursor } = await client.command({ aggregate: 'c', pipeline: [{ $changeStream: {} }], cursor: {} })
  await fail({ failCommands: ['getMore'], errorCode: 6 })
  t.match(await client.command({ getMore: cursor.id, collection: 'c' }), { code: 6, errorLabels: ['ResumableChangeStreamError'] })
  await fail({ failCommands: ['ping'], closeConnection: true })
  const other = await client.another()
  other.command({ ping: 1 }).catch(() => {})
  await other.closed
  t.match(await fail({}, 'off'), { ok: 1 })
})

t.test('maxTimeMS', async t => {
  const client = await setup(t)
  await client.command({ insert: 'c', documents: Array.from({ length: 30_000 }, (_, _id) => ({ _id, s: 'x'.repeat(20) })) })
  t.match(await client.command({ find: 'c', filter: { s: 'nothing' }, maxTimeMS: 1 }), { code: 50 })
  const pipeline = [{ $lookup: { from: 'c', localField: 's', foreignField: 's', as: 'x' } }]
  t.match(await client.command({ aggregate: 'c', pipeline, cursor: {}, maxTimeMS: 20 }), { code: 50 })
})

t.test('statistics', async t => {
  const client = await setup(t)
  await client.command({ insert: 'c', documents: [{ _id: 1 }, { _id: 2 }] })
  t.match(await client.command({ dbStats: 1 }), { db: 'test', collections: 1, objects: 2 })
  t.match(await client.command({ collStats: 'c' }), { ns: 'test.c', count: 2, nindexes: 1 })
  t.match(await client.command({ listDatabases: 1, $db: 'admin' }), { databases: [{ name: 'test' }] })
  t.match(await client.command({ serverStatus: 1 }), { repl: { setName: 'rs0' }, connections: { current: 1 } })
  t.match(await client.command({ validate: 'c' }), { valid: true })
  t.match(await client.command({ getParameter: 1, featureCompatibilityVersion: 1, $db: 'admin' }), { featureCompatibilityVersion: { version: '7.0' } })
})
