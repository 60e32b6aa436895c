import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { BUILT } from './compile.js'
import { CORE, freePort, ready, startNode, type Started } from './process.js'
import type { WorkloadName } from './workloads.js'

export interface Server extends Started {
  name: string
  port: number
  metricsPort?: number
  folder?: string
}

export interface World {
  /** folder of this run: logs, data */
  folder: string
  mongo: string
  redis: string | undefined
  secret: string
}

export const OURS = join(import.meta.dirname, '../dist/server.js')
const PUBLIC_URL = 'https://go.example.com'
/** What the service allows itself by default; the floors and Express get the same. */
const POOL = '50'
const FLOORS: Record<WorkloadName, string> = { W1: 'status', W2: 'redirect', W3: 'read', W4: 'list' }

let started = 0

/** `node dist/server.js` as it is shipped, in production where a Redis is there. */
export async function startOurs (world: World, { flags = [] as string[], env = {} as Record<string, string> } = {}): Promise<Server> {
  const name = `ours-${started++}`
  const [port, metricsPort] = [await freePort(), await freePort()]
  const folder = join(world.folder, name)
  await mkdir(folder, { recursive: true })
  const server = startNode(OURS, [], {
    core: CORE.server,
    log: join(world.folder, `${name}.log`),
    flags,
    cwd: folder,
    env: {
      NODE_ENV: world.redis === undefined ? 'development' : 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      METRICS_PORT: String(metricsPort),
      DATA_DIR: folder,
      // nobody stands in front who would have to notice
      DRAIN_MS: '0',
      PUBLIC_URL,
      MONGO_DB_URL: world.mongo,
      ...(world.redis !== undefined && { REDIS_URL: world.redis }),
      JWT_SECRET: world.secret,
      APP_SECRET: world.secret,
      ENCRYPTION_KEY: world.secret,
      ...env
    }
  })
  await ready(server, port)
  return { ...server, name: 'ours', port, metricsPort, folder }
}

async function startBuilt (script: string, name: string, world: World, env: Record<string, string> = {}): Promise<Server> {
  const port = await freePort()
  const server = startNode(join(BUILT, script), [], {
    core: CORE.server,
    log: join(world.folder, `${name}-${started++}.log`),
    env: { NODE_ENV: 'production', PORT: String(port), MONGO_URL: world.mongo, SECRET: world.secret, POOL, SHORT_URL: `${PUBLIC_URL}/`, ...env }
  })
  await ready(server, port)
  return { ...server, name, port }
}

export const startFloor = (workload: WorkloadName, world: World, { name = 'floor', extraNs = 0 } = {}) =>
  startBuilt(`floor/${FLOORS[workload]}.js`, name, world, { EXTRA_NS: String(Math.round(extraNs)) })

export const startExpress = (world: World) => startBuilt('express/server.js', 'express', world)
