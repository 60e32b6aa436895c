import { setTimeout as wait } from 'node:timers/promises'
import { request } from 'undici'
import t from 'tap'
import { faultProxy } from '../fault-proxy.js'
import { database, folder, freePort, service } from './start.js'
import { connect, owner } from './people.js'

t.test('without the database probes and cached redirects go on, the rest says 503 in time, and all comes back', { timeout: 120_000 }, async t => {
  const dir = folder(t)
  const dbPort = await freePort()
  const db = await database(t, dir, dbPort)
  const proxy = await faultProxy({ host: '127.0.0.1', port: dbPort })
  t.teardown(() => { void proxy.down() })
  const connection = await connect(db.url)
  const { auth } = await owner(connection)
  const app = await service(t, dir, { MONGO_DB_URL: `mongodb://127.0.0.1:${proxy.port}/app?directConnection=true` })
  const call = async (path: string, options: object = {}) => {
    const started = performance.now()
    const res = await request(app.url + path, options)
    return { status: res.statusCode, ms: performance.now() - started, body: await res.body.text(), headers: res.headers }
  }
  const { body } = await call('/v1/url', { method: 'POST', headers: { ...auth, 'content-type': 'application/json' }, body: '{"url":"https://example.com/db"}' })
  const { data: link } = JSON.parse(body) as { data: { code: string, id: string } }
  t.equal((await call(`/${link.code}`)).status, 302)

  await proxy.down()
  await wait(200)
  t.equal((await call('/status')).status, 200)
  t.equal((await call('/')).status, 200)
  t.equal((await call(`/${link.code}`)).status, 302, 'a cached link goes on')
  const unknown = await call('/never-seen')
  t.match({ status: unknown.status, retry: unknown.headers['retry-after'] }, { status: 503, retry: /\d/ })
  const list = await call('/v1/url', { headers: auth })
  t.equal(list.status, 503)
  t.notMatch(list.body, /mongo|127\.0\.0\.1|ECONN/i)
  t.ok(list.ms < 5_000, 'in time')
  const health = await call('/v1/health')
  t.equal(health.status, 503)
  t.equal((await call('/v1/health?probe=live')).status, 200)

  await proxy.up()
  for (let i = 0; i < 50 && (await call('/v1/url', { headers: auth })).status !== 200; i++) await wait(200)
  t.equal((await call('/v1/url', { headers: auth })).status, 200, 'back again')
  const visits = async () => (JSON.parse((await call(`/v1/url/${link.id}`, { headers: auth })).body) as { data: { visits: number, bot_visits: number } }).data
  for (let i = 0; i < 50 && (await visits()).bot_visits < 2; i++) await wait(200)
  t.match(await visits(), { bot_visits: 2 }, 'clicks of the outage are counted')
  await connection.close()
})
