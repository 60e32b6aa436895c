import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Test } from 'tap'
import { JWT_SECRET } from '../helper.js'

/** Real processes, started as they are shipped and killed by their own pid. */

export async function freePort (): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

export function folder (t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'faults-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

export type Running = {
  url: string
  /** ends the process and resolves with its exit code, or the signal that ended it */
  stop (signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null>
  exited: Promise<number | NodeJS.Signals | null>
  output (): string
}

function run (t: Test, command: string[], env: Record<string, string>): { child: ChildProcess, running: Omit<Running, 'url'> } {
  const child = spawn(process.execPath, command, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => { output += chunk.toString() })
  const exited = once(child, 'exit').then(([code, signal]) => (signal ?? code) as number | NodeJS.Signals | null)
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    return exited
  }
  return { child, running: { stop, exited, output: () => output } }
}

/** The database in a process of its own, on a port that stays the same over restarts. */
export async function database (t: Test, dir: string, port: number): Promise<Running> {
  const { running } = run(t, ['embedded/dist/cli.js', '--dir', join(dir, 'mongo'), '--port', String(port)], {})
  for (let i = 0; !running.output().includes('mongodb://'); i++) {
    if (i > 200) throw new Error(`the database did not start: ${running.output()}`)
    await wait(50)
  }
  return { ...running, url: `mongodb://127.0.0.1:${port}/app?directConnection=true` }
}

/** The service, ready when its status answers. */
export async function service (t: Test, dir: string, env: Record<string, string>): Promise<Running> {
  const port = env.PORT ?? String(await freePort())
  const { running } = run(t, ['dist/server.js'], {
    NODE_ENV: 'development', LOG_LEVEL: 'warn', HOST: '127.0.0.1', JWT_SECRET, DRAIN_MS: '500', DATA_DIR: dir, CLICK_JOURNAL_DIR: join(dir, 'clicks'), DEMO_SEED: 'false', ...env, PORT: port
  })
  const url = `http://127.0.0.1:${port}`
  for (let i = 0; ; i++) {
    if (await fetch(`${url}/status`).then(res => res.ok, () => false)) return { ...running, url }
    if (i > 400) throw new Error(`the service did not start: ${running.output()}`)
    await wait(50)
  }
}
