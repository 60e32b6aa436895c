import { randomBytes } from 'node:crypto'
import { appendFile, mkdir, readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { answeredWith, timedOut, unreachable } from './http/errors.js'
import type { HttpClient } from './http/index.js'
import type { Log } from './http/log.js'
import type { Clock } from './kit.js'

/**
 * What the next calls run into:
 * `status` the provider refuses with this status; `timeout` it does not answer (with `after` it has acted all the same);
 * `drop` it accepts the call and nothing follows; `duplicate` what follows comes twice; `reorder` it comes backwards;
 * `unreachable` nobody is there.
 */
export type TwinFault = {
  mode: 'status' | 'timeout' | 'drop' | 'duplicate' | 'reorder' | 'unreachable'
  status?: number
  /** seconds, sent as `Retry-After` with `status` */
  retryAfter?: number
  after?: boolean
  /** how many calls (default 1) */
  count?: number
  /** only calls whose kind contains this */
  match?: string
  /** only calls of this account */
  accountId?: string
}

export type TwinEntry = { at: string, id: string, kind: string, account_id?: string, fault?: TwinFault['mode'], data: unknown }

/** A webhook that the provider would send to us. */
export type TwinHook = { url: string, headers: Readonly<Record<string, string>>, body: string }

export type TwinCall = { kind: string, accountId?: string, data?: unknown }

/** How often what follows a call happens, and in which order. */
export type TwinPlan = { times: 0 | 1 | 2, reorder: boolean }

export type TwinOptions = {
  name: string
  /** folder of all twins */
  dir: string
  clock: Clock
  log: Log
  /** posts a hook and answers its status; default: over HTTP */
  deliver?: (hook: TwinHook) => Promise<number>
  http?: Pick<HttpClient, 'send'>
}

const HOOK_WAITS = [0, 200, 1_000] as const
const DAY = /^\d{4}-\d{2}-\d{2}$/

const dayOf = (now: Date) => now.toISOString().slice(0, 10)

/** Plays an outside system on this machine: keeps what it got in `<dir>/<name>/<day>.ndjson`, fails on demand, sends hooks. */
export function createTwin (options: TwinOptions) {
  const { name, clock, log } = options
  const folder = join(options.dir, name)
  const faults: Array<TwinFault & { count: number }> = []
  const running = new Set<Promise<void>>()
  const stop = new AbortController()
  let writes: Promise<void> = Promise.resolve()

  const id = (prefix = '', bytes = 16) => prefix + randomBytes(bytes).toString('hex')

  /** Keeps one line; resolves when it is in the file. */
  async function record (call: TwinCall, fault?: TwinFault['mode']): Promise<TwinEntry> {
    const at = clock.now()
    const entry: TwinEntry = {
      at: at.toISOString(),
      id: id('twin_', 8),
      kind: call.kind,
      ...(call.accountId === undefined ? {} : { account_id: call.accountId }),
      ...(fault === undefined ? {} : { fault }),
      data: call.data ?? null
    }
    writes = writes.catch(() => {}).then(async () => {
      await mkdir(folder, { recursive: true })
      await appendFile(join(folder, `${dayOf(at)}.ndjson`), JSON.stringify(entry) + '\n')
    })
    await writes
    return entry
  }

  function takeFault (call: TwinCall): TwinFault | undefined {
    const fault = faults.find(one => (one.match === undefined || call.kind.includes(one.match)) &&
      (one.accountId === undefined || one.accountId === call.accountId))
    if (fault !== undefined && --fault.count <= 0) faults.splice(faults.indexOf(fault), 1)
    return fault
  }

  /**
   * One call to the provider: kept, and played as the next fault says.
   * @param effect what the provider does; its plan says how often what follows happens
   * @throws UpstreamError by a fault
   */
  async function act<T> (call: TwinCall, effect: (plan: TwinPlan) => T | Promise<T>): Promise<T> {
    const fault = takeFault(call)
    await record(call, fault?.mode)
    switch (fault?.mode) {
      case 'status':
        throw answeredWith(fault.status ?? 500, { upstream: name, body: { message: 'fault of the twin' }, retryAfter: fault.retryAfter })
      case 'timeout':
        if (fault.after === true) await effect({ times: 1, reorder: false })
        throw timedOut(name, 'fault of the twin')
      case 'unreachable':
        throw unreachable(name, 'fault of the twin', 'not_sent')
      case 'drop': return await effect({ times: 0, reorder: false })
      case 'duplicate': return await effect({ times: 2, reorder: false })
      case 'reorder': return await effect({ times: 1, reorder: true })
      default: return await effect({ times: 1, reorder: false })
    }
  }

  /** Runs something later, as the provider would; `idle` waits for it, `close` drops it. */
  function later (ms: number, work: () => Promise<void>): void {
    const task = wait(ms, undefined, { signal: stop.signal }).then(work).catch((error: unknown) => {
      if (!stop.signal.aborted) log.warn({ twin: name, err: error }, 'twin failed in the background')
    }).finally(() => running.delete(task))
    running.add(task)
  }

  const deliver = options.deliver ?? (async (hook: TwinHook) => {
    if (options.http === undefined) return 0
    return (await options.http.send({ upstream: `${name}-hook`, url: hook.url, method: 'POST', headers: hook.headers, body: hook.body })).status
  })

  /** Sends a hook in the background, up to three times until it is taken with a 2xx. */
  function hook (one: TwinHook, afterMs = 0): void {
    later(afterMs, async () => {
      for (const ms of HOOK_WAITS) {
        await wait(ms, undefined, { signal: stop.signal })
        const status = await deliver(one).catch(() => 0)
        await record({ kind: 'hook', data: { ...one, status } })
        if (status >= 200 && status < 300) return
      }
    })
  }

  return {
    name,
    folder,
    id,
    record,
    act,
    later,
    hook,
    /** Adds a fault for the next calls. */
    fault (fault: TwinFault): void { faults.push({ ...fault, count: fault.count ?? 1 }) },
    faults: (): readonly TwinFault[] => faults.map(fault => ({ ...fault })),
    clearFaults (): void { faults.length = 0 },
    /** Days of which something is kept, newest first. */
    async days (): Promise<string[]> {
      const names = await readdir(folder).catch(() => [])
      return names.filter(file => file.endsWith('.ndjson')).map(file => file.slice(0, -7)).filter(day => DAY.test(day)).sort().reverse()
    },
    /** What was kept on a day (default today), newest first, at most `limit` (default 100). */
    async entries ({ day = dayOf(clock.now()), kind, limit = 100 }: { day?: string, kind?: string, limit?: number } = {}): Promise<TwinEntry[]> {
      if (!DAY.test(day)) return []
      await writes.catch(() => {})
      const text = await readFile(join(folder, `${day}.ndjson`), 'utf8').catch(() => '')
      const all = text.split('\n').filter(line => line !== '').flatMap(parseLine)
      return all.filter(entry => kind === undefined || entry.kind === kind).reverse().slice(0, limit)
    },
    /** Resolves when nothing runs in the background. */
    async idle (): Promise<void> { while (running.size > 0) await Promise.all(running) },
    async close (): Promise<void> {
      stop.abort()
      await Promise.all(running)
      await writes.catch(() => {})
    }
  }
}

export type Twin = ReturnType<typeof createTwin>

// a process that was killed while it wrote leaves half a line
function parseLine (line: string): TwinEntry[] {
  try {
    return [JSON.parse(line) as TwinEntry]
  } catch {
    return []
  }
}
