import { setTimeout as wait } from 'node:timers/promises'
import { request, Agent } from 'undici'
import t from 'tap'
import { database, folder, freePort, service, type Running } from './start.js'
import { connect, owner } from './people.js'

t.test('a rolling restart under load drops no call: readiness fails first, serving goes on', { timeout: 120_000 }, async t => {
  const dir = folder(t)
  const db = await database(t, dir, await freePort())
  const connection = await connect(db.url)
  const ports = [await freePort(), await freePort()]
  const start = (i: number) => service(t, dir, { MONGO_DB_URL: db.url, PORT: String(ports[i]), DRAIN_MS: '1500' })
  const processes: Running[] = await Promise.all([start(0), start(1)])
  const { auth } = await owner(connection)

  // A load balancer: asks for readiness all the time and sends calls only where it is given.
  const ready = [true, true]
  let running = true
  const probing = Promise.all(ports.map(async (port, i) => {
    while (running) {
      ready[i] = await request(`http://127.0.0.1:${port}/v1/health?probe=ready`).then(async res => { await res.body.dump(); return res.statusCode === 200 }, () => false)
      await wait(100)
    }
  }))
  const agent = new Agent({ connections: 8, pipelining: 1 })
  const failed: string[] = []
  let calls = 0
  const caller = async (n: number) => {
    while (running) {
      const i = ready[n % 2] ? n % 2 : (n + 1) % 2
      if (!ready[i]) { await wait(5); continue }
      try {
        const res = await request(`http://127.0.0.1:${ports[i]}/v1/url?limit=5`, { headers: auth, dispatcher: agent })
        await res.body.dump()
        if (res.statusCode !== 200 && res.statusCode !== 429) failed.push(String(res.statusCode))
      } catch (error) {
        failed.push((error as Error).message)
      }
      calls++
      await wait(5)
    }
  }
  const load = Promise.all(Array.from({ length: 8 }, (_, n) => caller(n)))
  await wait(1_000)
  for (const i of [0, 1]) {
    const stopping = processes[i]!.stop('SIGTERM')
    t.equal(await stopping, 0, 'exit 0')
    processes[i] = await start(i)
    while (!ready[i]) await wait(20)
    await wait(500)
  }
  running = false
  await Promise.all([load, probing])
  await agent.close()
  await connection.close()
  t.strictSame(failed, [])
  t.ok(calls > 200, `${calls} calls`)
})

t.test('a second SIGTERM is harmless, an unforeseen rejection ends with 1 by the same door', { timeout: 60_000 }, async t => {
  const dir = folder(t)
  const db = await database(t, dir, await freePort())
  const one = await service(t, dir, { MONGO_DB_URL: db.url })
  const first = one.stop('SIGTERM')
  await wait(100)
  void one.stop('SIGTERM')
  t.equal(await first, 0)
})
