import { once } from 'node:events'
import { join } from 'node:path'
import type { Generator } from './client.js'
import { BUILT } from './compile.js'
import type { Shape } from './dataset.js'
import type { Shot } from './load.js'
import { mongoTap } from './mongo-tap.js'
import { CORE, startNode } from './process.js'
import { startOurs, type World } from './servers.js'
import { CONNECTIONS } from './workloads.js'

/** few tokens, so that what the service remembers of their users is there before the count begins */
const TOKENS = 50
const WARM = 100
const COUNTED = 300
/** rarer than this it is a background poll and no part of a request */
const NOTEWORTHY = 0.01

/** Database commands per request of a copy of ours behind a counting relay; in a process of its own, so that the measured one has no relay. */
export async function commandsPerRequest (world: World, generator: Generator, shots: Shot[]): Promise<Record<string, number>> {
  const tap = await mongoTap(world.mongo)
  const ours = await startOurs({ ...world, mongo: tap.url })
  try {
    await generator.target('tapped', ours.port, CONNECTIONS, shots.slice(0, TOKENS))
    await generator.burst('tapped', WARM)
    tap.take()
    await generator.burst('tapped', COUNTED)
    const counts = [...tap.take()].map(([command, count]) => [command, count / COUNTED] as const).filter(([, share]) => share >= NOTEWORTHY)
    await generator.close('tapped')
    return Object.fromEntries(counts)
  } finally {
    await ours.stop()
    tap.close()
  }
}

interface Alone { rate: number, costUs: number }

/** How much of W3 and W4 is the driver's and the database's: the same calls without HTTP. */
export async function driverAlone (world: World, { accounts, links }: Shape): Promise<{ findOne: Alone, find: Alone }> {
  const driver = startNode(join(BUILT, 'driver-alone.js'), [], {
    core: CORE.server,
    ipc: true,
    log: join(world.folder, 'driver-alone.log'),
    env: { MONGO_URL: world.mongo, ACCOUNTS: String(accounts), LINKS: String(links) }
  })
  const [result] = await once(driver.child, 'message') as [{ findOne: Alone, find: Alone }]
  const show = (title: string, { rate, costUs }: Alone) => console.log(`    driver alone, 50 in flight: ${title} ${costUs.toFixed(1)} us, ${Math.round(rate)}/s`)
  show('findOne', result.findOne)
  show('find of 20', result.find)
  await driver.stop()
  return result
}
