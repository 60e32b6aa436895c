import { join } from 'node:path'
import type { Document } from 'bson'
import t from 'tap'
import { startEngine } from '../src/index.js'
import { decodeToken, encodeToken } from '../src/changes/token.js'
import { Timestamp } from '../src/values/types.js'
import { RawClient } from './support/raw-client.js'

type Teardown = { teardown: (fn: () => Promise<void>) => void }

async function setup (t: Teardown, more: { changeLogBytes?: number } = {}): Promise<RawClient> {
  const engine = await startEngine({ memory: true, worker: false, ...more })
  const client = await RawClient.open(engine.url)
  t.teardown(async () => {
    client.close()
    await engine.stop()
  })
  return client
}

type Stream = { next: (maxTimeMS?: number) => Promise<Document[]>, reply: Document }

async function watch (client: RawClient, coll: string | 1, spec: Document = {}, more: Document[] = [], db = 'test'): Promise<Stream> {
  const reply = await client.command({ aggregate: coll, pipeline: [{ $changeStream: spec }, ...more], cursor: {}, $db: db })
  const id = reply['cursor']?.id
  const first: Document[] = reply['cursor']?.firstBatch ?? []
  return {
    reply,
    async next (maxTimeMS = 30) {
      const { cursor } = await client.command({ getMore: id, collection: coll === 1 ? '$cmd.aggregate' : coll, maxTimeMS, $db: db })
      return [...first.splice(0), ...cursor?.nextBatch ?? []]
    }
  }
}

const types = (events: Document[]): string[] => events.map(event => event['operationType'])

t.test('tokens sort like their events', async t => {
  const places = [[1, 1, -1], [1, 1, 0], [1, 1, 7], [1, 2, 0], [2, 0, 0], [300, 0, 0]] as const
  const positions = places.map(([s, i, index]) => ({ time: new Timestamp(s, i), index }))
  const tokens = positions.map(encodeToken)
  const data = tokens.map(token => token.get('_data') as string)
  t.same([...data].sort(), data)
  t.same(tokens.map(token => decodeToken(token, 'resumeAfter').index), positions.map(p => p.index))
})

t.test('the events of a collection', async t => {
  const client = await setup(t)
  await client.command({ insert: 'c', documents: [{ _id: 0 }] })
  const stream = await watch(client, 'c')
  t.same(await stream.next(), [])
  await client.command({ insert: 'c', documents: [{ _id: 1, a: 1, b: [1, 2, 3] }] })
  await client.command({ update: 'c', updates: [{ q: { _id: 1 }, u: { $set: { a: 2, 'o.p': 1 }, $unset: { zz: 1 } } }] })
  await client.command({ update: 'c', updates: [{ q: { _id: 1 }, u: { $unset: { a: 1 } } }] })
  await client.command({ update: 'c', updates: [{ q: { _id: 1 }, u: [{ $set: { b: [1] } }] }] })
  await client.command({ update: 'c', updates: [{ q: { _id: 1 }, u: { z: 1 } }] })
  await client.command({ update: 'c', updates: [{ q: { _id: 1 }, u: { $set: { z: 1 } } }] })
  await client.command({ delete: 'c', deletes: [{ q: { _id: 1 }, limit: 1 }] })
  await client.command({ insert: 'other', documents: [{ _id: 1 }] })
  const events = await stream.next()
  t.same(types(events), ['insert', 'update', 'update', 'update', 'replace', 'delete'])
  t.same(Object.keys(events[0]!), ['_id', 'operationType', 'clusterTime', 'wallTime', 'fullDocument', 'ns', 'documentKey'])
  t.match(events[0], { fullDocument: { _id: 1, a: 1 }, ns: { db: 'test', coll: 'c' }, documentKey: { _id: 1 } })
  t.same(events[1]!['updateDescription'], { updatedFields: { a: 2, o: { p: 1 } }, removedFields: [], truncatedArrays: [] })
  t.same(events[2]!['updateDescription'], { updatedFields: {}, removedFields: ['a'], truncatedArrays: [] })
  t.same(events[3]!['updateDescription'], { updatedFields: {}, removedFields: [], truncatedArrays: [{ field: 'b', newSize: 1 }] })
  t.match(events[4], { fullDocument: { _id: 1, z: 1 } })
  t.notOk('fullDocument' in events[5]!)
})

t.test('drop and rename invalidate', async t => {
  const client = await setup(t)
  for (const [name, command] of [['c', { drop: 'c' }], ['d', { renameCollection: 'test.d', to: 'test.e', $db: 'admin' }]] as const) {
    await client.command({ insert: name, documents: [{ _id: 0 }] })
    const stream = await watch(client, name)
    await client.command(command)
    const events = await stream.next()
    t.same(types(events), [name === 'c' ? 'drop' : 'rename', 'invalidate'])
    const token = events[1]!['_id']
    t.match((await watch(client, name, { resumeAfter: token })).reply, { code: 260 })
    const later = await watch(client, name, { startAfter: token })
    await client.command({ insert: name, documents: [{ _id: 5 }] })
    t.same(types(await later.next()), ['insert'])
  }
})

t.test('a database and the whole cluster', async t => {
  const client = await setup(t)
  const one = await watch(client, 1)
  const all = await watch(client, 1, { allChangesForCluster: true }, [], 'admin')
  await client.command({ insert: 'a', documents: [{ _id: 1 }] })
  await client.command({ insert: 'b', documents: [{ _id: 1 }] })
  await client.command({ insert: 'a', documents: [{ _id: 1 }], $db: 'elsewhere' })
  await client.command({ dropDatabase: 1 })
  t.same(types(await one.next()), ['insert', 'insert', 'drop', 'drop', 'dropDatabase', 'invalidate'])
  t.same(types(await all.next()), ['insert', 'insert', 'insert', 'drop', 'drop', 'dropDatabase'])
  t.match((await watch(client, 1, { allChangesForCluster: true })).reply, { ok: 0 })
})

t.test('pipeline, full document, the token must stay', async t => {
  const client = await setup(t)
  await client.command({ insert: 'c', documents: [{ _id: 0, n: 0 }] })
  const stream = await watch(client, 'c', { fullDocument: 'updateLookup' }, [{ $match: { operationType: 'update' } }, { $project: { n: '$fullDocument.n' } }])
  const broken = await watch(client, 'c', {}, [{ $unset: '_id' }])
  await client.command({ insert: 'c', documents: [{ _id: 1 }] })
  await client.command({ update: 'c', updates: [{ q: { _id: 0 }, u: { $inc: { n: 1 } } }] })
  await client.command({ update: 'c', updates: [{ q: { _id: 0 }, u: { $inc: { n: 1 } } }] })
  t.same((await stream.next()).map(event => event['n']), [2, 2], 'looked up when it is read')
  t.match(await client.command({ getMore: broken.reply['cursor'].id, collection: 'c' }), { code: 280 })
})

t.test('awaitData: a getMore waits for the next event', async t => {
  const client = await setup(t)
  await client.command({ insert: 'c', documents: [{ _id: 0 }] })
  const stream = await watch(client, 'c')
  const began = Date.now()
  t.same(await stream.next(80), [])
  t.ok(Date.now() - began >= 70)
  const waiting = stream.next(5000)
  const other = await client.another()
  await other.command({ insert: 'c', documents: [{ _id: 1 }] })
  other.close()
  t.same(types(await waiting), ['insert'])
})

t.test('a transaction is one place in the log', async t => {
  const client = await setup(t)
  await client.command({ insert: 'c', documents: [{ _id: 0 }] })
  const stream = await watch(client, 'c')
  const { id: lsid } = await client.command({ startSession: 1 })
  const tx = { lsid, txnNumber: 1n, autocommit: false }
  await client.command({ insert: 'c', documents: [{ _id: 1 }], ...tx, startTransaction: true })
  await client.command({ delete: 'c', deletes: [{ q: { _id: 0 }, limit: 1 }], ...tx })
  t.same(await stream.next(), [])
  await client.command({ commitTransaction: 1, ...tx, $db: 'admin' })
  const events = await stream.next()
  t.same(types(events), ['insert', 'delete'])
  t.same(events[0]!['clusterTime'], events[1]!['clusterTime'])
  t.equal(Number(events[0]!['txnNumber']), 1)
  const resumed = await watch(client, 'c', { resumeAfter: events[0]!['_id'] })
  t.same(types(await resumed.next()), ['delete'])
})

t.test('the log is bounded, and says so', async t => {
  const client = await setup(t, { changeLogBytes: 20_000 })
  const stream = await watch(client, 'c')
  await client.command({ insert: 'c', documents: [{ _id: -1 }] })
  const [first] = await stream.next()
  for (let i = 0; i < 100; i++) await client.command({ insert: 'c', documents: [{ _id: i, pad: 'x'.repeat(500) }] })
  t.match((await watch(client, 'c', { resumeAfter: first!['_id'] })).reply, { code: 286 })
})

t.test('it survives a restart', async t => {
  const dir = join(t.testdir(), 'data')
  const first = await startEngine({ dir, worker: false, log: () => {} })
  const client = await RawClient.open(first.url)
  await client.command({ insert: 'c', documents: [{ _id: 0 }] })
  const stream = await watch(client, 'c')
  await client.command({ insert: 'c', documents: [{ _id: 1 }] })
  const [event] = await stream.next()
  await client.command({ insert: 'c', documents: [{ _id: 2 }] })
  client.close()
  await first.stop()

  const second = await startEngine({ dir, worker: false, log: () => {} })
  const again = await RawClient.open(second.url)
  const resumed = await watch(again, 'c', { resumeAfter: event!['_id'] })
  await again.command({ insert: 'c', documents: [{ _id: 3 }] })
  t.same((await resumed.next()).map(e => e['documentKey']._id), [2, 3])
  const since = await watch(again, 'c', { startAtOperationTime: event!['clusterTime'] })
  t.same((await since.next()).map(e => e['documentKey']._id), [1, 2, 3])
  again.close()
  await second.stop()
})

t.test('options', async t => {
  const client = await setup(t)
  for (const spec of [{ nope: 1 }, { fullDocument: 'nope' }, { fullDocumentBeforeChange: 'required' }, { showExpandedEvents: true },
    { resumeAfter: { _data: 'zz' } }, { resumeAfter: {} }]) t.match((await watch(client, 'c', spec)).reply, { ok: 0 }, JSON.stringify(spec))
  t.match((await watch(client, 'c', {}, [{ $group: { _id: 1 } }])).reply, { ok: 0 })
})
