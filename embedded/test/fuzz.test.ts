import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Document } from 'bson'
import fc from 'fast-check'
import t from 'tap'
import { startEngine } from '../src/index.js'
import { RawClient } from './support/raw-client.js'

const COMMANDS: Document[] = [
  { hello: 1 },
  { insert: 'c', documents: [{ _id: 1, a: [1, { b: 2 }], d: new Date(0) }, { a: 'x'.repeat(300) }], ordered: false },
  { find: 'c', filter: { a: { $elemMatch: { b: { $gt: 1 } } } }, sort: { a: 1 }, projection: { a: { $slice: 1 } }, limit: 5 },
  { update: 'c', updates: [{ q: { _id: 1 }, u: { $set: { 'a.0': 5 }, $push: { z: { $each: [1, 2], $slice: 3 } } }, upsert: true }] },
  { aggregate: 'c', pipeline: [{ $match: { a: 1 } }, { $group: { _id: '$a', n: { $sum: 1 } } }, { $sort: { n: -1 } }], cursor: {} },
  { findAndModify: 'c', query: { _id: 1 }, update: [{ $set: { n: { $add: ['$n', 1] } } }], new: true },
  { delete: 'c', deletes: [{ q: { $expr: { $eq: ['$a', 1] } }, limit: 0 }] },
  { createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'a_1', partialFilterExpression: { a: { $gt: 1 } } }] },
  { getMore: 5n, collection: 'c' }
]

type Damage = { command: number, edits: [number, number][], cut: number | undefined }

const byte = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 3, 4, 127, 128, 255))
const damage: fc.Arbitrary<Damage> = fc.record({
  command: fc.nat(COMMANDS.length - 1),
  edits: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), byte), { minLength: 1, maxLength: 6 }),
  cut: fc.option(fc.nat(400), { nil: undefined, freq: 4 })
})

t.test('damaged messages end in an error or a closed connection, never in more', async t => {
  const engine = await startEngine({ memory: true, worker: false })
  let sent = 0
  await fc.assert(fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 8 }), async damages => {
    const client = await RawClient.open(engine.url)
    for (const { command, edits, cut } of damages) {
      const frame = client.frame(COMMANDS[command]!)
      for (const [where, byte] of edits) frame[Math.min(frame.length - 1, Math.floor(where * frame.length))] = byte
      client.socket.write(cut === undefined ? frame : frame.subarray(0, cut))
      sent++
    }
    client.socket.end()
    await Promise.race([client.closed, sleep(300)])
    client.close()
    const other = await RawClient.open(engine.url)
    if ((await other.command({ ping: 1 }))['ok'] !== 1) throw new Error('does not answer any more')
    other.close()
  }), { numRuns: 150 })
  t.pass(`${sent} messages`)
  await engine.stop()
})

t.test('limits', async t => {
  const engine = await startEngine({ memory: true, worker: false })
  const client = await RawClient.open(engine.url)
  t.match(await client.command({ insert: 'c', documents: [{ n: nestedTo(150) }] }), { n: 1 })
  t.match(await client.command({ find: 'c', filter: nestedTo(190, '$nor') }), { ok: 0 })
  t.match(await client.command({ insert: 'c', documents: [{ s: 'x'.repeat(16 * 1024 * 1024) }] }), { writeErrors: [{ code: 10334 }] })
  client.close()

  const tooLong = await RawClient.open(engine.url)
  const head = Buffer.alloc(16)
  head.writeInt32LE(48_000_001, 0)
  tooLong.socket.write(head)
  await once(tooLong.socket, 'close')
  t.pass('a message over 48 MB closes the connection')
  await engine.stop()
})

function nestedTo (depth: number, key = 'a'): Document {
  let doc: Document = { x: 1 }
  for (let i = 0; i < depth; i++) doc = { [key]: key === 'a' ? doc : [doc] }
  return doc
}
