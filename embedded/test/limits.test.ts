import { once } from 'node:events'
import type { Document } from 'bson'
import t from 'tap'
import { startEngine } from '../src/index.js'
import { RawClient } from './support/raw-client.js'

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
