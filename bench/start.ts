import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cpuNs, freePort, ready, startNode } from './process.js'
import { OURS } from './servers.js'
import { median } from './stats.js'

export interface StartTimes {
  /** milliseconds from spawn to the first 200 of /status, each spawn */
  status: number[]
  /** the same to the first 200 of /v1/health */
  health: number[]
  /** CPU time of all threads until then, which a busy machine does not stretch */
  cpu: number[]
  median: number
  medianHealth: number
  medianCpu: number
  bound: number
}

const BOUND_MS = 1_500

/** P1: built code, embedded engine inside, an empty data folder for each spawn; not pinned, as on a developer's machine. */
export async function startTimes (folder: string, spawns: number): Promise<StartTimes> {
  const status: number[] = []
  const health: number[] = []
  const cpu: number[] = []
  for (let spawn = 0; spawn < spawns; spawn++) {
    const data = join(folder, `start-${spawn}`)
    await mkdir(data, { recursive: true })
    const port = await freePort()
    const server = startNode(OURS, [], {
      core: undefined,
      cwd: data,
      log: join(folder, `start-${spawn}.log`),
      env: { HOST: '127.0.0.1', PORT: String(port), DATA_DIR: data, DRAIN_MS: '0' }
    })
    const began = performance.now()
    try {
      await ready(server, port)
      status.push(performance.now() - began)
      cpu.push(cpuNs(server.pid) / 1e6)
      await ready(server, port, '/v1/health')
      health.push(performance.now() - began)
    } finally {
      await server.stop()
    }
    await rm(data, { recursive: true, force: true })
  }
  return { status, health, cpu, median: median(status), medianHealth: median(health), medianCpu: median(cpu), bound: BOUND_MS }
}
