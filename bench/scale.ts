import { setTimeout as wait } from 'node:timers/promises'
import type { Generator } from './client.js'
import type { Shape } from './dataset.js'
import { Measurement, type Plan } from './measure.js'
import { rss } from './process.js'
import { seed } from './seed.js'
import { startOurs, type Server, type World } from './servers.js'
import { sorted } from './stats.js'
import { cachedCodes, listByCursor, workloads, type WorkloadName } from './workloads.js'

export interface Scaled {
  what: string
  workload: WorkloadName
  /** microseconds per request at each size, smallest store first */
  costUs: Record<string, number>
  /** largest cost / smallest cost */
  spread: number
  bound: number
}

export interface Stage { name: string, shape: Shape, world: World, server: Server }

const BOUND = 1.10
const PLAN: Plan = { warmUp: 5, rounds: 40, mostRounds: 40, burstMs: 250 }
/** a journalled click is flushed within 250 ms; its work belongs to the redirect */
const FLUSHED_MS = 400

/** A service of its own over a store of its own, so that the sizes can be measured in turn and drift hits all alike. */
export async function stage (world: World, mongo: (name: string) => string, name: string, shape: Shape): Promise<Stage> {
  const own = { ...world, mongo: mongo(`${new URL(world.mongo).pathname.slice(1)}_${name}`) }
  // the service builds its indexes first: that is how a store grows in production
  const server = { ...await startOurs(own), name }
  await seed(own.mongo, shape)
  return { name, shape, world: own, server }
}

/** The total that a page carries grows with the list by its nature; a cursor must not. */
const shotsOf = (name: WorkloadName, shape: Shape, secret: string) => (name === 'W4' ? listByCursor : workloads[name].shots)(shape, secret)

export async function scaled (generator: Generator, what: string, names: WorkloadName[], stages: Stage[]): Promise<Scaled[]> {
  const results: Scaled[] = []
  for (const name of names) {
    const shots = new Map(stages.map(({ server, shape, world }) => [server.name, shotsOf(name, shape, world.secret)]))
    const race = new Measurement(generator, {
      servers: stages.map(({ server }) => server),
      shots: server => shots.get(server.name) ?? [],
      connections: 50,
      ...(name === 'W2' && { settle: () => wait(FLUSHED_MS) })
    }, PLAN)
    await race.open()
    await race.run()
    await race.close()
    const costUs = Object.fromEntries(stages.map(stage => [stage.name, race.median(stage.name).costNs / 1_000]))
    const ordered = sorted(Object.values(costUs))
    results.push({ what, workload: name, costUs, spread: (ordered.at(-1) ?? NaN) / (ordered[0] ?? NaN), bound: BOUND })
  }
  return results
}

/** W1 of a worker, which serves little more than the probes, against W1 of a copy with every route. */
export async function overRoutes (generator: Generator, world: World): Promise<Scaled[]> {
  const shape = { accounts: 1, users: 1, links: 0 }
  const stages: Stage[] = []
  for (const [name, role] of [['probes only', 'worker'], ['all routes', 'all']] as const) {
    stages.push({ name, shape, world, server: { ...await startOurs(world, { env: { PROCESS_ROLE: role } }), name } })
  }
  try {
    return await scaled(generator, 'routes', ['W1'], stages)
  } finally {
    for (const { server } of stages) await server.stop()
  }
}

/** Resident bytes that each further cached link costs, collections and all: an upper bound. */
export async function bytesPerLink (generator: Generator, { server, shape }: Stage): Promise<number> {
  const shots = cachedCodes(shape)
  await generator.target('cache', server.port, 50, shots.slice(0, 1_000))
  await generator.burst('cache', 20_000)
  const before = rss(server.pid)
  await generator.target('cache', server.port, 50, shots)
  await generator.burst('cache', shots.length)
  await generator.close('cache')
  return (rss(server.pid) - before) / shots.length
}
