import { setTimeout as wait } from 'node:timers/promises'
import { request } from 'undici'
import t from 'tap'
import { faultProxy } from '../fault-proxy.js'
import { database, folder, freePort, service } from './start.js'
import { connect, owner } from './people.js'

t.test('a process that dies between commit and answer has done it once: the repeat elsewhere gets the stored answer', { timeout: 120_000 }, async t => {
  const dir = folder(t)
  const db = await database(t, dir, await freePort())
  const connection = await connect(db.url)
  const { auth } = await owner(connection)
  const one = await service(t, dir, { MONGO_DB_URL: db.url })
  const two = await service(t, dir, { MONGO_DB_URL: db.url })
  // The answer is held back on its way, so that the process can be killed after its commit and before the caller hears of it.
  const proxy = await faultProxy({ host: '127.0.0.1', port: Number(new URL(one.url).port) })
  t.teardown(() => { void proxy.down() })
  const post = (url: string) => request(`${url}/v1/url`, {
    method: 'POST', headers: { ...auth, 'content-type': 'application/json', 'idempotency-key': 'held-back' }, body: '{"url":"https://example.com/once"}'
  })
  const links = connection.collection('short-urls')
  proxy.set({ delay: 3_000 })
  const lost = post(`http://127.0.0.1:${proxy.port}`).then(res => res.statusCode, () => 'lost')
  for (let i = 0; i < 200 && await links.countDocuments({ url: 'https://example.com/once' }) === 0; i++) await wait(50)
  await one.stop('SIGKILL')
  proxy.cut()
  t.equal(await lost, 'lost')
  const repeat = await post(two.url)
  t.equal(repeat.statusCode, 201)
  t.equal(repeat.headers['idempotency-replayed'], 'true')
  await repeat.body.dump()
  t.equal(await links.countDocuments({ url: 'https://example.com/once' }), 1)
  await connection.close()
})
