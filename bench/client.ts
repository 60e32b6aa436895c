import { join } from 'node:path'
import { BUILT } from './compile.js'
import type { Command, Reply } from './generator.js'
import type { Burst, OpenLoop, Shot } from './load.js'
import { CORE, startNode, type Started } from './process.js'

type Timed<T> = T & { cpuNs: number }

/** The load generator in a process and on a core of its own. */
export class Generator {
  readonly #process: Started
  readonly #waiting = new Map<number, { resolve: (reply: Extract<Reply, { cpuNs: number }>) => void, reject: (error: Error) => void }>()
  #id = 0

  constructor (log: string) {
    this.#process = startNode(join(BUILT, 'generator.js'), [], { core: CORE.other, ipc: true, log })
    this.#process.child.on('message', (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id)
      this.#waiting.delete(reply.id)
      if ('error' in reply) waiting?.reject(new Error(`generator: ${reply.error}`))
      else waiting?.resolve(reply)
    })
    this.#process.child.on('exit', code => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the generator ended with ${code}`))
    })
  }

  #ask (command: Command): Promise<Extract<Reply, { cpuNs: number }>> {
    const id = this.#id++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#process.child.send({ id, command })
    })
  }

  async target (name: string, port: number, connections: number, shots: Shot[]): Promise<void> {
    await this.#ask({ op: 'target', name, port, connections, shots })
  }

  async burst (name: string, count: number): Promise<Timed<Burst>> {
    const { result, cpuNs } = await this.#ask({ op: 'burst', name, count })
    return { ...result as Burst, cpuNs }
  }

  async schedule (name: string, rate: number, seconds: number): Promise<Timed<OpenLoop>> {
    const { result, cpuNs } = await this.#ask({ op: 'schedule', name, rate, seconds })
    return { ...result as OpenLoop, cpuNs }
  }

  async close (name: string): Promise<void> {
    await this.#ask({ op: 'close', name })
  }

  async stop (): Promise<void> { await this.#process.stop() }
}
