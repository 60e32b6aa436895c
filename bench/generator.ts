import os from 'node:os'
import { Load, type Burst, type OpenLoop, type Shot } from './load.js'

export type Command =
  | { op: 'target', name: string, port: number, connections: number, shots: Shot[] }
  | { op: 'burst', name: string, count: number }
  | { op: 'schedule', name: string, rate: number, seconds: number }
  | { op: 'close', name: string }

/** `cpuNs` is the generator's own: near the wall time it is the bottleneck. */
export type Reply = { id: number, error: string } | { id: number, cpuNs: number, result: Burst | OpenLoop | undefined }

const loads = new Map<string, Load>()

function load (name: string): Load {
  const found = loads.get(name)
  if (found === undefined) throw new Error(`no target ${name}`)
  return found
}

async function obey (command: Command): Promise<Burst | OpenLoop | undefined> {
  switch (command.op) {
    case 'target': {
      const made = new Load(command.port, command.connections, command.shots.map(restore))
      loads.set(command.name, made)
      await made.open()
      return
    }
    case 'burst': return load(command.name).burst(command.count)
    case 'schedule': {
      // it turns without pause, and the database shares its core: who wakes must come first
      os.setPriority(10)
      return load(command.name).schedule(command.rate, command.seconds)
    }
    case 'close':
      load(command.name).close()
      loads.delete(command.name)
  }
}

/** Buffers cross the channel as plain Uint8Arrays. */
const restore = ({ request, expect }: Shot): Shot => ({
  request: Buffer.from(request),
  expect: { ...expect, needles: expect.needles.map(needle => Buffer.from(needle)) }
})

process.on('message', (message: { id: number, command: Command }) => {
  const before = process.cpuUsage()
  obey(message.command).then(result => {
    const { user, system } = process.cpuUsage(before)
    process.send?.({ id: message.id, cpuNs: (user + system) * 1_000, result } satisfies Reply)
  }).catch((error: Error) => process.send?.({ id: message.id, error: error.message } satisfies Reply))
})
process.on('disconnect', () => process.exit(0))
