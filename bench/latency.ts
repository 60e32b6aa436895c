import { Generator } from './client.js'
import { join } from 'node:path'
import { Measurement, type Plan } from './measure.js'
import { loopDelay } from './memory.js'
import type { Server, World } from './servers.js'
import { quantile, sorted } from './stats.js'
import type { Shot } from './load.js'

interface Latency {
  rate: number
  /** microseconds */
  p50: number
  p99: number
  p999: number
  max: number
  loopP99Ms: number | undefined
  errors: string[]
}

export interface Tail { floor: Latency, ours: Latency, ratio: number, bound: number }

const BOUND = 2
const SHARE = 0.7
const SECONDS = 10
const REPEATS = 3
const CAPACITY: Plan = { warmUp: 5, rounds: 10, mostRounds: 10, burstMs: 250 }

/** P5: arrivals on a fixed schedule at 70 % of the capacity that a closed loop finds for ours just before. */
export async function tail (world: World, floor: Server, ours: Server, shots: Shot[]): Promise<Tail> {
  const generator = new Generator(join(world.folder, 'latency-generator.log'))
  const runs: Record<'floor' | 'ours', Latency[]> = { floor: [], ours: [] }
  try {
    const rate = await capacity(generator, ours, shots) * SHARE
    for (const server of [floor, ours]) await generator.target(server.name, server.port, 50, shots)
    for (let turn = 0; turn < REPEATS; turn++) {
      runs.floor.push(await once(generator, floor, rate))
      runs.ours.push(await once(generator, ours, rate))
    }
  } finally {
    await generator.stop()
  }
  const [one, other] = [middle(runs.floor), middle(runs.ours)]
  return { floor: one, ours: other, ratio: other.p99 / one.p99, bound: BOUND }
}

async function capacity (generator: Generator, ours: Server, shots: Shot[]): Promise<number> {
  const loop = new Measurement(generator, { servers: [ours], shots, connections: 50 }, CAPACITY)
  await loop.open()
  await loop.run()
  await loop.close()
  return loop.median('ours').rate
}

async function once (generator: Generator, server: Server, rate: number): Promise<Latency> {
  await loopDelay(server)
  const { latencies, errors } = await generator.schedule(server.name, rate, SECONDS)
  const ascending = sorted(latencies)
  const at = (q: number) => quantile(ascending, q)
  return { rate, p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1), loopP99Ms: await loopDelay(server), errors }
}

/** The run with the middle p99: a mean would mix, a best-of would flatter. */
function middle (runs: Latency[]): Latency {
  const ordered = [...runs].sort((a, b) => a.p99 - b.p99)
  const found = ordered[Math.floor(ordered.length / 2)]
  if (found === undefined) throw new Error('no latency was measured')
  return found
}
