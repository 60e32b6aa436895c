import { resolve } from 'node:path'
import { Engine } from '../commands/engine.js'
import { WireServer } from '../wire/server.js'
import { addressOf, socketPlace, urlOf } from './endpoint.js'
import type { Place } from './endpoint.js'
import { lockFolder } from './lock.js'
import type { PlainOptions, RunningEngine } from './options.js'

const DEFAULTS = { ttlSeconds: 30, transactionLifetimeSeconds: 60, cursorTimeoutSeconds: 600 }
const CHANGE_LOG_BYTES = 64 * 1024 * 1024

/** Runs an engine in this thread. */
export async function runEngine (options: PlainOptions, log: (line: string) => void): Promise<RunningEngine> {
  const dir = options.dir === undefined ? undefined : resolve(options.dir)
  const lock = dir === undefined ? undefined : lockFolder(dir)
  let engine: Engine | undefined
  let place: Place | undefined
  try {
    engine = Engine.open({ ...DEFAULTS, changeLogBytes: CHANGE_LOG_BYTES, ...given(options), where: dir === undefined ? { memory: true } : { dir }, log })
    place = placeOf(options, dir)
    const server = await WireServer.listen(engine, place.endpoint)
    const address = addressOf(place.endpoint, server.port)
    engine.address = address
    log(`in use instead of a MongoDB, its data are ${dir === undefined ? 'in memory' : `in ${dir}`}`)
    const running = { engine, place, server, lock }
    let stopped: Promise<void> | undefined
    return { url: urlOf(place.endpoint, address, options.database ?? 'app'), stop: () => (stopped ??= stop(running)) }
  } catch (error) {
    place?.remove()
    await engine?.close()
    lock?.release()
    throw error
  }
}

function placeOf (options: PlainOptions, dir: string | undefined): Place {
  const listen = options.listen ?? (process.platform === 'win32' || options.port !== undefined ? 'tcp' : 'unix')
  return listen === 'unix' ? socketPlace(dir) : { endpoint: { port: options.port ?? 0 }, remove: () => {} }
}

/** The settings that the caller gave, without those left undefined. */
function given (options: PlainOptions): Partial<typeof DEFAULTS & { changeLogBytes: number }> {
  const { ttlSeconds, transactionLifetimeSeconds, cursorTimeoutSeconds, changeLogBytes } = options
  return Object.fromEntries(Object.entries({ ttlSeconds, transactionLifetimeSeconds, cursorTimeoutSeconds, changeLogBytes })
    .filter(([, value]) => value !== undefined))
}

type Running = { engine: Engine, place: Place, server: WireServer, lock: { release: () => void } | undefined }

async function stop ({ engine, place, server, lock }: Running): Promise<void> {
  engine.beginStop()
  await server.close()
  await engine.close()
  place.remove()
  lock?.release()
}
