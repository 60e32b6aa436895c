import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { request } from 'undici'
import { Types } from 'mongoose'
import t, { type Test } from 'tap'
import { faultProxy } from '../fault-proxy.js'
import { database, folder, freePort, service } from './start.js'
import { connect, owner } from './people.js'

/** A Redis of its own from the binary on the machine. */
async function redis (t: Test): Promise<number> {
  const port = await freePort()
  const child = spawn('redis-server', ['--port', String(port), '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1'], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.teardown(() => { child.kill('SIGKILL') })
  const refused = once(child, 'error').then(([error]: Error[]) => { throw error! })
  await Promise.race([refused, (async () => {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) if (chunk.toString().includes('Ready to accept connections')) return
  })()])
  return port
}

for (const kind of ['without Redis', 'with Redis', 'with a Redis that is cut off']) {
  t.test(`${kind}: what ends on one process is refused on another within 5 s`, { timeout: 120_000 }, async t => {
    const dir = folder(t)
    const db = await database(t, dir, await freePort())
    const connection = await connect(db.url)
    const env: Record<string, string> = { MONGO_DB_URL: db.url }
    if (kind !== 'without Redis') {
      const proxy = await faultProxy({ host: '127.0.0.1', port: await redis(t) })
      t.teardown(() => { void proxy.down() })
      env.REDIS_URL = `redis://127.0.0.1:${proxy.port}`
      if (kind === 'with a Redis that is cut off') setTimeout(() => { void proxy.down() }, 6_000).unref()
    }
    const [one, two] = await Promise.all([service(t, dir, env), service(t, dir, env)])
    const call = async (base: string, path: string, auth: Record<string, string>) => {
      const res = await request(base + path, { headers: auth })
      await res.body.dump()
      return res.statusCode
    }
    const within = async (what: string, refuse: () => Promise<unknown>, base: string, path: string, auth: Record<string, string>, status: number) => {
      t.equal(await call(base, path, auth), 200, `${what}: open before`)
      await refuse()
      const started = Date.now()
      while (await call(base, path, auth) !== status && Date.now() - started < 8_000) await wait(50)
      const took = Date.now() - started
      t.ok(took < 5_000, `${what}: refused after ${took} ms`)
    }
    if (kind === 'with a Redis that is cut off') await wait(6_500)

    const person = await owner(connection)
    await within('a disabled user', () => connection.collection('_users').updateOne({ _id: new Types.ObjectId(person.userId) }, { $set: { status: 'inactive' } }), two.url, '/v1/url', person.auth, 403)
    const agency = await owner(connection)
    await within('a banned account', () => connection.collection('_accounts').updateOne({ _id: new Types.ObjectId(agency.accountId) }, { $set: { banned: true } }), two.url, '/v1/url', agency.auth, 403)

    const linker = await owner(connection)
    const json = { ...linker.auth, 'content-type': 'application/json' }
    const made = await request(`${one.url}/v1/url`, { method: 'POST', headers: json, body: '{"url":"https://example.com/revoked"}' })
    const { data: link } = await made.body.json() as { data: { id: string, code: string } }
    const follow = async () => {
      const res = await request(`${two.url}/${link.code}`)
      await res.body.dump()
      return res.statusCode
    }
    t.equal(await follow(), 302)
    const change = await request(`${one.url}/v1/url/${link.id}`, { method: 'PUT', headers: json, body: '{"active":false}' })
    await change.body.dump()
    const started = Date.now()
    while (await follow() !== 404 && Date.now() - started < 8_000) await wait(20)
    const took = Date.now() - started
    t.ok(took < (kind === 'with Redis' ? 1_500 : 5_000), `a disabled link: refused elsewhere after ${took} ms`)
    await connection.close()
  })
}
