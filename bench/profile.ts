import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { WebSocket } from 'undici'
import type { Generator } from './client.js'
import type { Shot } from './load.js'
import { freePort, get } from './process.js'
import { startOurs, type World } from './servers.js'

const FOLDER = join(import.meta.dirname, 'profiles')
const SECONDS = 5
const HEAT_REQUESTS = 6_000
const SAMPLING_US = 100

interface Profile {
  nodes: { id: number, callFrame: Frame }[]
  samples: number[]
  timeDeltas: number[]
}

/** The few calls of the inspector protocol that a CPU profile needs. */
async function inspector (port: number) {
  const [target] = JSON.parse((await get(port, '/json/list')).body) as { webSocketDebuggerUrl: string }[]
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '')
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', reject)
  })
  const waiting = new Map<number, (result: object) => void>()
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number, result: object }
    if (id !== undefined) waiting.get(id)?.(result)
  })
  let next = 0
  return {
    call: (method: string, params = {}) => new Promise<object>(resolve => {
      waiting.set(++next, resolve)
      socket.send(JSON.stringify({ id: next, method, params }))
    }),
    close: () => socket.close()
  }
}

/** Writes bench/profiles/<name>.cpuprofile of a copy of ours under load, and answers where its time went. */
export async function profile (generator: Generator, world: World, name: string, shots: Shot[]): Promise<string[]> {
  const port = await freePort()
  const ours = await startOurs(world, { flags: [`--inspect=127.0.0.1:${port}`] })
  const target = `${name}-profiled`
  try {
    await generator.target(target, ours.port, 50, shots)
    await generator.burst(target, HEAT_REQUESTS)
    const session = await inspector(port)
    await session.call('Profiler.enable')
    await session.call('Profiler.setSamplingInterval', { interval: SAMPLING_US })
    await session.call('Profiler.start')
    const until = performance.now() + SECONDS * 1_000
    while (performance.now() < until) await generator.burst(target, 1_000)
    await wait(300)
    const { profile } = await session.call('Profiler.stop') as { profile: Profile }
    session.close()
    await generator.close(target)
    await mkdir(FOLDER, { recursive: true })
    await writeFile(join(FOLDER, `${name}.cpuprofile`), JSON.stringify(profile))
    return hottest(profile)
  } finally {
    await ours.stop()
  }
}

const HOTTEST = 20
const AREAS = 12

interface Frame { functionName: string, url: string, lineNumber: number }

/** Self time of each frame, idle left out. */
function * busyFrames ({ nodes, samples, timeDeltas }: Profile): Iterable<{ frame: Frame, spent: number }> {
  const byNode = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  for (const [index, id] of samples.entries()) {
    const frame = byNode.get(id)
    if (frame !== undefined && frame.functionName !== '(idle)') yield { frame, spent: timeDeltas[index] ?? 0 }
  }
}

/** A package, a module of Node, a file of ours, or what the engine does itself. */
function areaOf ({ url, functionName }: Frame): string {
  const dependency = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  if (dependency !== undefined) return dependency
  if (url.startsWith('node:')) return url
  return /\/(dist\/.*)$/.exec(url)?.[1] ?? `native ${functionName}`
}

const placeOf = ({ functionName, url, lineNumber }: Frame) =>
  `${functionName || '(anonymous)'} ${url.replace(/^.*\/(?:node_modules|main)\//, '').replace(/^file:\/\/.*\/dist\//, 'dist/')}:${lineNumber + 1}`

function shares (profile: Profile, keyOf: (frame: Frame) => string, most: number): string[] {
  const sums = new Map<string, number>()
  let total = 0
  for (const { frame, spent } of busyFrames(profile)) {
    const key = keyOf(frame)
    sums.set(key, (sums.get(key) ?? 0) + spent)
    total += spent
  }
  return [...sums].sort((a, b) => b[1] - a[1]).slice(0, most).map(([key, spent]) => `${(spent / total * 100).toFixed(1).padStart(5)} %  ${key}`)
}

const hottest = (profile: Profile) => ['by area', ...shares(profile, areaOf, AREAS), 'by function', ...shares(profile, placeOf, HOTTEST)]
