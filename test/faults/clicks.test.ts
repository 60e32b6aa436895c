import { setTimeout as wait } from 'node:timers/promises'
import { Agent, request } from 'undici'
import t from 'tap'
import { database, folder, freePort, service, type Running } from './start.js'
import { connect, owner } from './people.js'

const TOTAL = 20_000
const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'

t.test('every answered redirect is one counted click, over SIGTERM, kill -9 and a database that stops', { timeout: 240_000 }, async t => {
  const dir = folder(t)
  const dbPort = await freePort()
  let db = await database(t, dir, dbPort)
  let connection = await connect(db.url)
  const env = { MONGO_DB_URL: db.url }
  const ports = [await freePort(), await freePort()]
  const start = (i: number) => service(t, dir, { ...env, PORT: String(ports[i]) })
  const processes: Running[] = await Promise.all([start(0), start(1)])
  const { auth } = await owner(connection)
  const made = await request(`${processes[0]!.url}/v1/url`, { method: 'POST', headers: { ...auth, 'content-type': 'application/json' }, body: '{"url":"https://example.com/kill"}' })
  const { data: link } = await made.body.json() as { data: { id: string, code: string } }

  const agent = new Agent({ connections: 20, pipelining: 1, keepAliveTimeout: 1_000 })
  let answered = 0
  let sent = 0
  const worker = async (n: number) => {
    while (answered < TOTAL) {
      const i = sent++
      try {
        const res = await request(`http://127.0.0.1:${ports[(n + i) % 2]}/${link.code}`, { dispatcher: agent, headers: { 'user-agent': CHROME } })
        await res.body.dump()
        if (res.statusCode === 302) answered++
        else if (res.statusCode >= 500) await wait(20)
      } catch {
        await wait(10)
      }
    }
  }
  const load = Promise.all(Array.from({ length: 20 }, (_, n) => worker(n)))
  const reach = async (share: number) => { while (answered < TOTAL * share) await wait(5) }

  await reach(0.2)
  t.equal(await processes[0]!.stop('SIGTERM'), 0, 'SIGTERM ends with exit code 0')
  processes[0] = await start(0)
  await reach(0.45)
  await processes[1]!.stop('SIGKILL')
  processes[1] = await start(1)
  await reach(0.6)
  await connection.close()
  await db.stop('SIGKILL')
  await wait(1_500)
  db = await database(t, dir, dbPort)
  await reach(0.85)
  await processes[0].stop('SIGKILL')
  processes[0] = await start(0)
  await load
  await agent.close()

  connection = await connect(db.url)
  const links = connection.collection('short-urls')
  const count = async () => Number((await links.findOne({ code: link.code }))!.visits)
  for (let i = 0; i < 120 && await count() < answered; i++) await wait(500)
  await wait(1_500)
  t.equal(await count(), answered, `${answered} answered`)
  const rows = await connection.collection('short-urls.clicks').countDocuments({})
  const stats = await connection.collection('short-urls.stats').find({ dim: 'total' }).toArray()
  t.equal(rows, answered, 'single clicks')
  t.equal(stats.reduce((sum, stat) => sum + Number(stat.clicks), 0), answered, 'hourly counts')
  t.ok(answered >= TOTAL, 'all were answered in the end')
  await connection.close()
})
