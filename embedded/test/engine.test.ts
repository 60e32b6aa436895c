import './support/own-tmp.js'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { tmpdir } from 'node:os'
import t from 'tap'
import { startEngine } from '../src/index.js'
import { RawClient } from './support/raw-client.js'

const socketOf = (url: string): string => decodeURIComponent(/^mongodb:\/\/([^/?]+)/.exec(url)![1]!)
const temporaryFolders = (): string[] => readdirSync(tmpdir()).filter(name => name.startsWith('embedded-mongo-'))

async function insertOne (url: string, id: number): Promise<void> {
  const client = await RawClient.open(url)
  t.match(await client.command({ insert: 'c', documents: [{ _id: id }] }), { ok: 1, n: 1 })
  client.close()
}

async function countAll (url: string): Promise<number> {
  const client = await RawClient.open(url)
  const { n } = await client.command({ count: 'c' })
  client.close()
  return n
}

t.test('a folder keeps its data between two starts', async t => {
  const dir = join(t.testdir(), 'data')
  for (const [worker, id] of [[false, 1], [true, 2]] as const) {
    const engine = await startEngine({ dir, worker, log: () => {} })
    t.match(engine.url, /^mongodb:\/\/%2F.*s\.sock\/app\?directConnection=true$/)
    t.equal(statSync(dirname(socketOf(engine.url))).mode & 0o777, 0o700)
    await insertOne(engine.url, id)
    t.equal(await countAll(engine.url), id)
    await engine.stop()
    t.notOk(existsSync(socketOf(engine.url)))
    t.notOk(existsSync(join(dir, 'engine.lock')))
  }
})

t.test('a loopback port', async t => {
  const engine = await startEngine({ memory: true, listen: 'tcp', worker: false, database: 'x' })
  t.match(engine.url, /^mongodb:\/\/127\.0\.0\.1:\d+\/x\?directConnection=true$/)
  await insertOne(engine.url, 1)
  await engine.stop()
})

t.test('a path that is too long for a socket', async t => {
  const dir = join(t.testdir(), 'd'.repeat(100))
  const engine = await startEngine({ dir, worker: false, log: () => {} })
  t.ok(Buffer.byteLength(socketOf(engine.url)) <= 100)
  await insertOne(engine.url, 1)
  await engine.stop()
  t.notOk(existsSync(dirname(socketOf(engine.url))))
})

t.test('one owner', async t => {
  const dir = t.testdir()
  const engine = await startEngine({ dir, worker: false, log: () => {} })
  await t.rejects(startEngine({ dir, worker: false, log: () => {} }), { message: new RegExp(`in use by process ${process.pid}$`) })
  await engine.stop()
})

t.test("a dead owner's lock is taken over, an unknown format is not", async t => {
  const dir = t.testdir()
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  writeFileSync(join(dir, 'engine.lock'), `${child.pid} 1`)
  const engine = await startEngine({ dir, worker: false, log: () => {} })
  t.match(readFileSync(join(dir, 'engine.lock'), 'utf8'), new RegExp(`^${process.pid} `))
  await engine.stop()
  writeFileSync(join(dir, 'engine.lock'), `${process.pid} 1`)
  const reused = await startEngine({ dir, worker: false, log: () => {} })
  await reused.stop()
})

t.test('production is refused', async t => {
  const before = process.env['NODE_ENV']
  process.env['NODE_ENV'] = 'production'
  t.teardown(() => { if (before === undefined) delete process.env['NODE_ENV']; else process.env['NODE_ENV'] = before })
  await t.rejects(startEngine({ memory: true }), { message: /NODE_ENV=production/ })
  const engine = await startEngine({ memory: true, worker: false, allowProduction: true })
  await engine.stop()
  await t.rejects(startEngine({ allowProduction: true }), { message: /either/ })
})

t.test('200 engines in memory: isolated, quick, nothing left behind', async t => {
  const folders = temporaryFolders()
  const warm = await startEngine({ memory: true })
  await warm.stop()
  const times: number[] = []
  const rss = process.memoryUsage().rss
  for (let i = 0; i < 200; i++) {
    const began = performance.now()
    const engine = await startEngine({ memory: true })
    const started = performance.now() - began
    await insertOne(engine.url, i)
    if (await countAll(engine.url) !== 1) t.fail('sees the data of another')
    const ending = performance.now()
    await engine.stop()
    times.push(started + performance.now() - ending)
  }
  times.sort((a, b) => a - b)
  t.ok(times[100]! < 50, `half of them within ${times[100]!.toFixed(1)} ms`)
  t.ok(process.memoryUsage().rss - rss < 150e6, `grown by ${((process.memoryUsage().rss - rss) / 1e6).toFixed(0)} MB`)
  t.same(temporaryFolders(), folders)
})

t.test('many engines at once', async t => {
  const engines = await Promise.all(Array.from({ length: 20 }, () => startEngine({ memory: true })))
  await Promise.all(engines.map(({ url }, i) => insertOne(url, i)))
  t.same(await Promise.all(engines.map(({ url }) => countAll(url))), engines.map(() => 1))
  await Promise.all(engines.map(engine => engine.stop()))
})

t.test('stop ends what waits', async t => {
  const engine = await startEngine({ memory: true, worker: false })
  const client = await RawClient.open(engine.url)
  const opened = await client.command({ aggregate: 'c', pipeline: [{ $changeStream: {} }], cursor: {} })
  const waiting = client.command({ getMore: opened['cursor'].id, collection: 'c', maxTimeMS: 60000 })
  await new Promise(resolve => setTimeout(resolve, 50))
  const began = Date.now()
  await engine.stop()
  await Promise.race([waiting, client.closed])
  t.ok(Date.now() - began < 2000)
})

t.test('the command line', async t => {
  const dir = t.testdir()
  mkdirSync(join(dir, 'data'))
  const cli = new URL('../src/cli.ts', import.meta.url).pathname
  const child = spawn(process.execPath, ['--import', 'tsx', cli, '--dir', join(dir, 'data'), '--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [url] = await once(createInterface(child.stdout), 'line') as [string]
  t.match(url, /^mongodb:\/\/127\.0\.0\.1:\d+\//)
  await insertOne(url, 1)
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  t.equal(code, 0)
})
