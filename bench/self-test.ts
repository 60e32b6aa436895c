import type { Generator } from './client.js'
import { Measurement, type Plan } from './measure.js'
import { startFloor, type World } from './servers.js'
import type { Estimate } from './stats.js'
import { workloads } from './workloads.js'

export interface SelfTest {
  /** floor / second copy: must hold 1.00 */
  same: Estimate
  /** floor / copy with 5 % of work added: must lie wholly below 1 */
  added: Estimate
  trusted: boolean
}

const ADDED = 0.05

/** Can this machine, now, tell 5 % from nothing? If not, no figure of this run is worth a claim. */
export async function selfTest (generator: Generator, world: World, plan: Plan): Promise<SelfTest> {
  const shots = workloads.W1.shots({ accounts: 1, users: 1, links: 0 }, world.secret)
  const floor = await startFloor('W1', world)
  const first = new Measurement(generator, { servers: [floor], shots, connections: 50 }, { ...plan, rounds: 4, mostRounds: 4 })
  await first.open()
  await first.run()
  await first.close()

  const copy = await startFloor('W1', world, { name: 'copy' })
  const slower = await startFloor('W1', world, { name: 'slower', extraNs: first.median('floor').costNs * ADDED })
  const servers = [floor, copy, slower]
  try {
    const race = new Measurement(generator, { servers, shots, connections: 50 }, { ...plan, mostRounds: plan.rounds })
    await race.open()
    await race.run()
    await race.close()
    const same = race.ratio('floor', 'copy')
    const added = race.ratio('floor', 'slower')
    return { same, added, trusted: same.low <= 1 && same.high >= 1 && added.high < 1 }
  } finally {
    for (const server of servers) await server.stop()
  }
}
