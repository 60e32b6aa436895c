import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { spawnSync } from 'node:child_process'
import net from 'node:net'
import { CORE, freePort, startNode, startProcess, type Started } from './process.js'

export interface Databases {
  /** connect string of a database of that name */
  mongo: (name: string) => string
  mongoName: string
  /** undefined: neither REDIS_URL nor a redis-server on this machine, and then no production mode */
  redis: string | undefined
  /** ours to stop and to weigh; undefined when MONGO_DB_URL names a server */
  engine: Started | undefined
  stop: () => Promise<void>
}

const ENGINE = join(import.meta.dirname, '../embedded/dist/cli.js')
const START_LIMIT_MS = 20_000

async function firstLine (log: string, started: Started): Promise<string> {
  for (let waited = 0; waited < START_LIMIT_MS; waited += 20) {
    if (started.child.exitCode !== null) break
    const found = /^mongodb:\/\/\S+/m.exec(await readFile(log, 'utf8').catch(() => ''))
    if (found !== null) return found[0]
    await wait(20)
  }
  throw new Error(`the embedded engine did not print its connect string; see ${log}`)
}

/** Same server, another database. Seed lists with several hosts are no URLs, hence the pattern. */
const named = (url: string, name: string) => url.replace(/^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/[^?]*)?(\?.*)?$/, (_, server: string, options = '') => `${server}/${name}${options}`)

async function startEngine (folder: string): Promise<{ url: string, engine: Started }> {
  if (!existsSync(ENGINE)) throw new Error('set MONGO_DB_URL, or build the embedded engine first: npm run build')
  const log = join(folder, 'engine.log')
  const engine = startNode(ENGINE, ['--dir', join(folder, 'mongo'), '--port', '0'], { core: CORE.other, log })
  return { url: await firstLine(log, engine), engine }
}

async function startRedis (folder: string): Promise<{ url: string, server: Started } | undefined> {
  if (spawnSync('redis-server', ['--version']).status !== 0) return undefined
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  const server = startProcess('redis-server', args, { core: CORE.other, log: join(folder, 'redis.log') })
  for (let waited = 0; waited < START_LIMIT_MS && !await accepts(port); waited += 20) await wait(20)
  return { url: `redis://127.0.0.1:${port}`, server }
}

const accepts = (port: number) => new Promise<boolean>(resolve => {
  const socket = net.connect(port, '127.0.0.1')
  socket.once('connect', () => { socket.destroy(); resolve(true) }).once('error', () => resolve(false))
})

/** MONGO_DB_URL and REDIS_URL where given; else the embedded engine and redis-server, each in a process of its own. */
export async function databases (folder: string): Promise<Databases> {
  const { MONGO_DB_URL, REDIS_URL } = process.env
  const started = MONGO_DB_URL === undefined ? await startEngine(folder) : undefined
  const url = started?.url ?? MONGO_DB_URL ?? ''
  const redis = REDIS_URL === undefined ? await startRedis(folder) : undefined
  return {
    mongo: name => named(url, name),
    mongoName: started === undefined ? 'MONGO_DB_URL' : 'embedded engine, own process',
    redis: REDIS_URL ?? redis?.url,
    engine: started?.engine,
    stop: async () => {
      await redis?.server.stop()
      await started?.engine.stop()
    }
  }
}
