import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Connection } from 'mongoose'
import type { Redis } from 'ioredis'
import type { Config } from '../config.js'
import type { Jobs } from './runtime/jobs.js'
import type { OutboxService } from './runtime/outbox.js'
import { redisReady } from './redis-ready.js'

export type SiblingState = 'ok' | 'open' | 'not_configured'
type Check = { status: 'ok' | 'down' | 'not_configured', ms: number }
export type Health = {
  status: 'ok' | 'degraded' | 'down', role: string, uptime_s: number, draining: boolean,
  checks: {
    mongo: Check, redis: Check, outbox: { oldest_s: number, ready: number, dead: number }, jobs: { late: string[], off: string[] },
    clicks: { status: string, pending: number }, event_loop: { p99_ms: number }, memory: { rss: number, heap: number }, cpu: { percent: number },
    siblings: Record<string, SiblingState>
  }
}

type Deps = {
  config: Config
  mongo: Connection
  redis: Redis | null
  outbox: Pick<OutboxService, 'figures'>
  jobs: Pick<Jobs, 'figures'>
  siblings: () => Record<string, SiblingState>
  clicks: () => { status: string, pending: number }
  draining: () => boolean
}

const BUDGET_MS = 3_000
const SHARED_MS = 1_000
const OUTBOX_LATE_S = 15 * 60

async function timed (ask: Promise<unknown>): Promise<Check> {
  const started = performance.now()
  const budget = new Promise<never>((_resolve, reject) => { setTimeout(() => reject(new Error('no answer in time')), BUDGET_MS).unref() })
  try {
    await Promise.race([ask, budget])
    return { status: 'ok', ms: Math.round(performance.now() - started) }
  } catch {
    return { status: 'down', ms: Math.round(performance.now() - started) }
  }
}

/** What `GET /v1/health` says; one look is shared by all who ask within a second. No host names, versions or error texts. */
export function createHealth ({ config, mongo, redis, outbox, jobs, siblings, clicks, draining }: Deps) {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  let cpu = process.cpuUsage()
  let cpuAt = performance.now()
  let last: { at: number, health: Promise<Health> } | undefined

  function cpuPercent (): number {
    const used = process.cpuUsage(cpu)
    const wall = performance.now() - cpuAt
    cpu = process.cpuUsage()
    cpuAt = performance.now()
    return Math.round((used.user + used.system) / 10 / Math.max(1, wall))
  }

  async function look (): Promise<Health> {
    const [mongoCheck, redisCheck] = await Promise.all([
      timed(mongo.db!.command({ ping: 1 }, { timeoutMS: BUDGET_MS } as object)),
      redis === null ? { status: 'not_configured' as const, ms: 0 } : timed(redisReady(redis) ? redis.ping() : Promise.reject(new Error('away')))
    ])
    const up = mongoCheck.status === 'ok'
    const [outboxFigures, jobFigures] = up
      ? await Promise.all([outbox.figures(), jobs.figures()]).catch(() => [NO_OUTBOX, NO_JOBS] as const)
      : [NO_OUTBOX, NO_JOBS] as const
    const memory = process.memoryUsage()
    const checks = {
      mongo: mongoCheck, redis: redisCheck, outbox: outboxFigures, jobs: jobFigures, clicks: clicks(), siblings: siblings(),
      event_loop: { p99_ms: Math.round(delay.percentile(99) / 1e6) }, memory: { rss: memory.rss, heap: memory.heapUsed }, cpu: { percent: cpuPercent() }
    }
    delay.reset()
    return { status: judge(checks), role: config.PROCESS_ROLE, uptime_s: Math.round(process.uptime()), draining: draining(), checks }
  }

  function judge ({ mongo: db, redis: store, outbox: box, jobs: { late }, clicks: journal, siblings: others }: Health['checks']): Health['status'] {
    const worker = config.PROCESS_ROLE !== 'web'
    if (db.status !== 'ok' || (worker && config.production && box.oldest_s > OUTBOX_LATE_S)) return 'down'
    const degraded = store.status === 'down' || late.length > 0 || box.oldest_s > 60 || journal.status !== 'ok' || Object.values(others).includes('open')
    return degraded ? 'degraded' : 'ok'
  }

  return {
    get (): Promise<Health> {
      const now = performance.now()
      if (last === undefined || now - last.at > SHARED_MS) last = { at: now, health: look() }
      return last.health
    },
    stop (): void { delay.disable() }
  }
}
export type HealthService = ReturnType<typeof createHealth>

const NO_OUTBOX = { oldest_s: 0, ready: 0, dead: 0 }
const NO_JOBS = { late: [], off: [] }
