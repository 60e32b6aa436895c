import { setTimeout as wait } from 'node:timers/promises'
import type { Generator } from './client.js'
import type { Shot } from './load.js'
import { cpuNs } from './process.js'
import type { Server } from './servers.js'
import { estimate, median, verdict, type Estimate, type Verdict } from './stats.js'

export interface Sample {
  /** CPU time of the server per request, all threads, until what the burst left behind is done too */
  costNs: number
  /** the same until shortly after the last answer; differs where answers leave work behind, as redirects leave clicks to be counted */
  burstNs: number
  /** requests a second */
  rate: number
  /** server's CPU time / wall time */
  busy: number
  /** the generator's CPU time / wall time */
  generator: number
}

export type Round = Record<string, Sample>

export interface Plan {
  warmUp: number
  rounds: number
  /** while the verdict is undecided */
  mostRounds: number
  burstMs: number
}

export const FULL: Plan = { warmUp: 5, rounds: 200, mostRounds: 1_000, burstMs: 250 }
export const QUICK: Plan = { warmUp: 2, rounds: 8, mostRounds: 8, burstMs: 120 }

export interface Race {
  servers: Server[]
  /** the requests, of all servers or of each */
  shots: Shot[] | ((server: Server) => Shot[])
  connections: number
  /** waits for what a burst left behind: the clicks of its redirects, counted exactly */
  settle?: (server: Server, answered: number) => Promise<void>
  /** after a void round */
  reset?: () => Promise<void>
}

export interface Comparison { over: string, under: string, target: number }

/** Before the rounds of the warm-up, until the compiler has seen the hot path: so many requests, or as many as fit into the time. */
const HEAT_REQUESTS = 4_000
const HEAT_STEP = 50
const HEAT_MS = 2_500
const LEAST_COUNT = 100
/** Lines of log and idle collections that a burst leaves behind are part of its cost. */
const AFTERMATH_MS = 10
const MOST_VOID = 0.2
/** Until the clicks of a void round are counted. */
const VOID_PAUSE_MS = 1_500

/** Bursts against several servers in turn, forwards and backwards, so that drift hits all alike. */
export class Measurement {
  readonly rounds: Round[] = []
  readonly voided: string[] = []
  /** requests per burst, the same for all: how often a token or code comes again must not depend on who is asked */
  #count = LEAST_COUNT

  constructor (private readonly generator: Generator, private readonly race: Race, private readonly plan: Plan) {}

  async open (): Promise<void> {
    const { servers, connections, shots } = this.race
    for (const server of servers) {
      await this.generator.target(server.name, server.port, connections, typeof shots === 'function' ? shots(server) : shots)
    }
    for (const server of servers) await this.#heat(server)
    for (let round = 0; round < this.plan.warmUp; round++) {
      const samples = await this.#round(round)
      // fixed after the warm-up; before, it follows the rate of the middle one
      if (samples !== undefined) this.#count = this.#countFor(median(Object.values(samples).map(({ rate }) => rate)))
    }
  }

  async #heat (server: Server): Promise<void> {
    const until = performance.now() + HEAT_MS
    for (let sent = 0; sent < HEAT_REQUESTS && performance.now() < until; sent += HEAT_STEP) {
      await this.generator.burst(server.name, HEAT_STEP)
    }
    if (this.race.reset === undefined) return
    await wait(VOID_PAUSE_MS)
    await this.race.reset()
  }

  #countFor (rate: number): number {
    return Math.max(LEAST_COUNT, Math.round(rate * this.plan.burstMs / 1_000))
  }

  /** Runs the planned rounds, then more while `undecided` says so. */
  async run (undecided: () => boolean = () => false): Promise<void> {
    const { rounds, mostRounds } = this.plan
    while (this.rounds.length < rounds || (undecided() && this.rounds.length < mostRounds)) {
      const samples = await this.#round(this.rounds.length)
      if (samples !== undefined) this.rounds.push(samples)
      if (this.voided.length > 5 && this.voided.length > this.rounds.length * MOST_VOID) throw new Error(`too many void rounds: ${this.voided[0]}`)
    }
  }

  async close (): Promise<void> {
    for (const { name } of this.race.servers) await this.generator.close(name)
  }

  /** Per round the ratio of two servers' costs; above 1 the second is the cheaper one. */
  ratio (over: string, under: string, cost: 'costNs' | 'burstNs' = 'costNs'): Estimate {
    return estimate(this.rounds.map(round => (round[over]?.[cost] ?? NaN) / (round[under]?.[cost] ?? NaN)))
  }

  verdict ({ over, under, target }: Comparison): Verdict {
    return verdict(this.ratio(over, under), target)
  }

  median (name: string): Sample {
    const of = (pick: (sample: Sample) => number) => median(this.rounds.flatMap(round => round[name] === undefined ? [] : [pick(round[name])]))
    return { costNs: of(s => s.costNs), burstNs: of(s => s.burstNs), rate: of(s => s.rate), busy: of(s => s.busy), generator: of(s => s.generator) }
  }

  async #round (turn: number): Promise<Round | undefined> {
    const order = turn % 2 === 0 ? this.race.servers : [...this.race.servers].reverse()
    const round: Round = {}
    for (const server of order) {
      const sample = await this.#burst(server)
      if (sample === undefined) return undefined
      round[server.name] = sample
    }
    return round
  }

  async #burst (server: Server): Promise<Sample | undefined> {
    const before = cpuNs(server.pid)
    const burst = await this.generator.burst(server.name, this.#count)
    if (burst.errors.length > 0) return this.#void(server, burst.errors.join('; '))
    await wait(AFTERMATH_MS)
    const atEnd = cpuNs(server.pid) - before
    try {
      await this.race.settle?.(server, burst.answered)
    } catch (error) {
      return this.#void(server, (error as Error).message)
    }
    const cpu = cpuNs(server.pid) - before
    return {
      costNs: cpu / burst.answered,
      burstNs: atEnd / burst.answered,
      rate: burst.answered / burst.wallNs * 1e9,
      busy: Math.min(1, atEnd / burst.wallNs),
      generator: burst.cpuNs / burst.wallNs
    }
  }

  async #void (server: Server, reason: string): Promise<undefined> {
    this.voided.push(`${server.name}: ${reason}`)
    await wait(VOID_PAUSE_MS)
    await this.race.reset?.()
    return undefined
  }
}
