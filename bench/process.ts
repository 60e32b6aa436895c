import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync, readdirSync } from 'node:fs'
import http from 'node:http'
import { availableParallelism } from 'node:os'
import net from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

export const PINNED = availableParallelism() >= 2 && spawnSync('taskset', ['-c', '0', 'true']).status === 0
export const CORE = { server: 0, other: 1 } as const

export interface Started {
  pid: number
  child: ChildProcess
  /** SIGTERM, and SIGKILL when it does not end; resolves with the exit code */
  stop: () => Promise<number | null>
}

interface Options {
  /** undefined: any */
  core: number | undefined
  env?: Record<string, string>
  log?: string
  cwd?: string
  flags?: string[]
  ipc?: boolean
}

const STOP_LIMIT_MS = 30_000

/** `node <script> <args>` on one core; output goes to a file, as a supervisor would have it. */
export function startNode (script: string, args: string[], options: Options): Started {
  return startProcess(process.execPath, [...options.flags ?? [], script, ...args], options)
}

export function startProcess (command: string, args: string[], { core, env = {}, log, cwd, ipc = false }: Options): Started {
  const out = log === undefined ? 'ignore' : openSync(log, 'a')
  const stdio: StdioOptions = ipc ? ['ignore', out, out, 'ipc'] : ['ignore', out, out]
  const [file, all] = PINNED && core !== undefined ? ['taskset', ['-c', String(core), command, ...args]] as const : [command, args] as const
  // the environment of whoever runs the bench must not reach what is measured
  const kept = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', TMPDIR: process.env.TMPDIR ?? '/tmp' }
  const child = spawn(file, all, { cwd, env: { ...kept, ...env }, stdio, serialization: 'advanced' })
  if (typeof out === 'number') closeSync(out)
  const exited = once(child, 'exit')
  running.add(child)
  child.once('exit', () => running.delete(child))
  return {
    pid: child.pid ?? -1,
    child,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        const killer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
        await exited
        clearTimeout(killer)
      }
      return child.exitCode
    }
  }
}

const running = new Set<ChildProcess>()
// a bench that is interrupted leaves no server behind
process.on('exit', () => { for (const child of running) child.kill('SIGKILL') })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

export async function freePort (): Promise<number> {
  const server = net.createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as net.AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

export function get (port: number, path: string, headers: Record<string, string> = {}): Promise<{ status: number, body: string }> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path, headers, agent: false, timeout: 5_000 }, response => {
      let body = ''
      response.setEncoding('utf8').on('data', part => { body += part }).on('end', () => resolve({ status: response.statusCode ?? 0, body })).on('error', reject)
    })
    request.on('error', reject).on('timeout', () => request.destroy(new Error(`no answer from ${path}`)))
  })
}

const READY_LIMIT_MS = 60_000

/** Polls `path` until it answers 200; resolves with the milliseconds that took. */
export async function ready (started: Started, port: number, path = '/status', everyMs = 10): Promise<number> {
  const began = performance.now()
  while (performance.now() - began < READY_LIMIT_MS) {
    if (started.child.exitCode !== null) throw new Error(`process ${started.pid} ended with ${started.child.exitCode} before it served ${path}`)
    const status = await get(port, path).then(answer => answer.status, () => 0)
    if (status === 200) return performance.now() - began
    await wait(everyMs)
  }
  throw new Error(`port ${port} did not serve ${path} within ${READY_LIMIT_MS} ms`)
}

const SCHEDSTAT = existsSync('/proc/self/schedstat')

/** CPU time of all threads in nanoseconds: the scheduler's own sum where the kernel offers it, else the 10 ms ticks of stat. */
export function cpuNs (pid: number): number {
  if (!SCHEDSTAT) return tickNs(pid)
  const tasks = `/proc/${pid}/task`
  return readdirSync(tasks).reduce((sum, task) => sum + Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]), 0)
}

const TICK_NS = 10_000_000

function tickNs (pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * TICK_NS
}

/** Resident memory in bytes. */
export function rss (pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1] ?? NaN) * 1_024
}
