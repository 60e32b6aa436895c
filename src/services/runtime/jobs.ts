import type { FastifyBaseLogger } from 'fastify'
import type { JobModel, JobRunModel } from '../../models/platform.js'
import type { ModelOf } from '../../models/define.js'
import type { Config } from '../../config.js'
import type { Clock } from '../kit.js'
import { latestSlot, type Calendar } from './schedule.js'
import { Poller } from './poller.js'

export type Counts = Record<string, number>
export type JobRun = {
  signal: AbortSignal
  now: Date
  /** Where the run before stopped; saved with `save`. */
  cursor: unknown
  save (cursor: unknown): Promise<void>
  /** False once another copy holds the sweep: batches check it in their transaction and write nothing then. */
  stillMine (): Promise<boolean>
}

type Common = { name: string, family: keyof Config & `QM_${string}` | null, run (run: JobRun): Promise<Counts> }
/**
 * tick: every worker polls and claims rows itself. cron: one run per calendar slot in the whole service, the latest missed one at start.
 * sweep: an interval scan by the one holder of the `_jobs` lease.
 */
export type Job =
  | Common & { kind: 'tick', everyMs: number }
  | Common & { kind: 'cron', calendar: Calendar }
  | Common & { kind: 'sweep', everyMs: number }

type Deps = {
  jobs: ModelOf<typeof JobModel>
  runs: ModelOf<typeof JobRunModel>
  clock: Clock
  config: Config
  log: FastifyBaseLogger
  worker: string
  onFailed (job: string, error: Error): Promise<void>
}

const CRON_LOOK_MS = 20_000
const PAUSE_CACHE_MS = 3_000

/** Whether a switch lets this copy run the job's rows: on here, off, or remote (another service takes them). */
export const familyState = (config: Config, family: Common['family']): 'on' | 'off' | 'remote' => {
  const value = family === null ? 'on' : String(config[family])
  return value === 'remote' ? 'remote' : value === 'off' || value === 'false' ? 'off' : 'on'
}

const list = (text: string) => new Set(text.split(',').map(name => name.trim()).filter(name => name !== ''))

export function createJobs ({ jobs, runs, clock, config, log, worker, onFailed }: Deps) {
  const registry = new Map<string, Job>()
  const pollers = new Map<string, Poller>()
  const only = list(config.JOBS_ONLY)
  const off = list(config.JOBS_OFF)
  let paused = new Set<string>()
  let pausedAt = 0

  const mayRun = (job: Job) => familyState(config, job.family) === 'on' && !off.has(job.name) && (only.size === 0 || only.has(job.name))

  async function isPaused (name: string): Promise<boolean> {
    if (Date.now() - pausedAt > PAUSE_CACHE_MS) {
      const rows = await jobs.find({ paused: { $ne: null } }, { _id: 1 }).lean()
      paused = new Set(rows.map(row => row._id))
      pausedAt = Date.now()
    }
    return paused.has(name)
  }

  async function turn (job: Job, signal: AbortSignal): Promise<number> {
    if (await isPaused(job.name)) return 0
    if (job.kind === 'tick') return sum(await job.run(plain(signal)))
    if (job.kind === 'cron') return cron(job, signal)
    return sweep(job, signal)
  }

  const plain = (signal: AbortSignal): JobRun => ({
    signal, now: clock.now(), cursor: null, save: async () => {}, stillMine: async () => !signal.aborted
  })

  async function cron (job: Job & { kind: 'cron' }, signal: AbortSignal): Promise<number> {
    const started = clock.now()
    const slot = latestSlot(job.calendar, config.JOBS_TIMEZONE, started).toISOString()
    const row = { job: job.name, slot, worker, state: 'running' as const, counts: {}, error: null, started_at: started, finished_at: null }
    try {
      await runs.create([row])
    } catch (error) {
      if ((error as { code?: number }).code === 11000) return 0
      throw error
    }
    const outcome = await attempt(job, plain(signal))
    await runs.updateOne({ job: job.name, slot }, { $set: { ...outcome, state: outcome.error === null ? 'done' : 'failed', finished_at: clock.now() } })
    await note(job, outcome, slot, started)
    return sum(outcome.counts)
  }

  async function sweep (job: Job & { kind: 'sweep' }, signal: AbortSignal): Promise<number> {
    const now = clock.now()
    await jobs.updateOne({ _id: job.name }, { $setOnInsert: { kind: 'sweep', paused: null, last: null, last_success_at: null, cursor: null, lease_until: null, worker: null, lease_no: 0 } }, { upsert: true })
    const held = await jobs.findOneAndUpdate(
      { _id: job.name, $and: [{ $or: [{ lease_until: null }, { lease_until: { $lte: now } }] }, { $or: [{ last_success_at: null }, { last_success_at: { $lte: new Date(now.getTime() - job.everyMs) } }] }] },
      { $set: { worker, lease_until: new Date(now.getTime() + config.JOB_LEASE_MS) }, $inc: { lease_no: 1 } },
      { returnDocument: 'after' }
    ).lean()
    if (held === null) return 0
    const mine = { _id: job.name, worker, lease_no: held.lease_no }
    const extend = async () => {
      const { matchedCount } = await jobs.updateOne(mine, { $set: { lease_until: new Date(clock.now().getTime() + config.JOB_LEASE_MS) } })
      return matchedCount === 1 && !signal.aborted
    }
    const outcome = await attempt(job, {
      signal, now, cursor: held.cursor, stillMine: extend, save: async cursor => { await jobs.updateOne(mine, { $set: { cursor } }) }
    })
    await note(job, outcome, null, now, mine)
    return sum(outcome.counts)
  }

  async function attempt (job: Job, run: JobRun): Promise<{ counts: Counts, error: string | null }> {
    try {
      return { counts: await job.run(run), error: null }
    } catch (error) {
      log.error({ err: error, job: job.name }, 'a job failed')
      await onFailed(job.name, error as Error)
      return { counts: {}, error: (error as Error).message.slice(0, 500) }
    }
  }

  async function note (job: Job, { counts, error }: { counts: Counts, error: string | null }, slot: string | null, startedAt: Date, mine: object = { _id: job.name }): Promise<void> {
    const finished = clock.now()
    await jobs.updateOne(mine, {
      $set: {
        kind: job.kind, lease_until: null,
        last: { slot, started_at: startedAt, finished_at: finished, status: error === null ? 'done' : 'failed', error, counts },
        ...(error === null && { last_success_at: finished })
      },
      $setOnInsert: { paused: null, cursor: null }
    }, { upsert: mine === undefined || !('worker' in mine) })
  }

  return {
    register (job: Job): void {
      if (registry.has(job.name)) throw new Error(`the job ${job.name} is registered twice`)
      registry.set(job.name, job)
    },
    registry: registry as ReadonlyMap<string, Job>,
    start (): void {
      for (const job of registry.values()) {
        if (!mayRun(job)) continue
        const everyMs = job.kind === 'cron' ? CRON_LOOK_MS : job.everyMs
        const poller = new Poller({ name: job.name, run: signal => turn(job, signal), busyMs: Math.min(everyMs, 1_000), idleMs: everyMs, log })
        pollers.set(job.name, poller)
        poller.start()
      }
    },
    wake (name: string): void { pollers.get(name)?.wake() },
    async stop (): Promise<void> { await Promise.all([...pollers.values()].map(poller => poller.stop())) },
    /** One turn now, for tests under a moved clock and for staff. */
    async runOnce (name: string): Promise<number> {
      const job = registry.get(name)
      if (job === undefined) throw new Error(`no job is called ${name}`)
      return turn(job, new AbortController().signal)
    },
    /** Sweeps and calendars without a success for three cadences; jobs switched off. */
    async figures (): Promise<{ late: string[], off: string[] }> {
      const rows = await jobs.find({}, { last_success_at: 1 }).lean()
      const last = new Map(rows.map(row => [row._id, row.last_success_at]))
      const now = clock.now().getTime()
      const late = [...registry.values()].filter(job => {
        const success = last.get(job.name)
        return job.kind === 'sweep' && success instanceof Date && now - success.getTime() > 3 * job.everyMs + config.JOB_LEASE_MS
      })
      return { late: late.map(job => job.name), off: [...registry.values()].filter(job => !mayRun(job)).map(job => job.name) }
    }
  }
}
export type Jobs = ReturnType<typeof createJobs>

const sum = (counts: Counts) => Object.values(counts).reduce((total, count) => total + count, 0)
