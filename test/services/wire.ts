import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../src/services/kit.js'

export type Seen = { method: string, url: string, headers: IncomingMessage['headers'], body: string }
type Script = (seen: Seen, res: ServerResponse, count: number) => void | Promise<void>

type Teardown = { teardown (fn: () => unknown): void }

/** A local HTTP server that plays a provider: `script` answers, `seen` keeps what arrived. */
export async function wire (t: Teardown, script: Script) {
  const seen: Seen[] = []
  let play = script
  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const one = { method: req.method ?? '', url: req.url ?? '', headers: req.headers, body: Buffer.concat(chunks).toString() }
      seen.push(one)
      Promise.resolve(play(one, res, seen.length)).catch(error => { res.destroy(error as Error) })
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    port: (server.address() as AddressInfo).port,
    seen,
    /** changes what the server does from now on */
    script (next: Script) { play = next }
  }
}

export const json = (res: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) => {
  res.writeHead(status, { 'content-type': 'application/json', ...headers })
  res.end(JSON.stringify(body))
}

/** A clock that stands still until it is moved. */
export function movedClock (start = '2026-01-05T12:00:00.000Z'): Clock & { move (ms: number): void } {
  let now = new Date(start).getTime()
  return { now: () => new Date(now), move (ms) { now += ms } }
}

/** The error that a promise must end with. */
export async function failure (promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise
  } catch (error) {
    return error as Error & Record<string, unknown>
  }
  throw new Error('it should have failed')
}

/** A log that keeps its lines. */
export function memoryLog () {
  const lines: Array<{ level: string, text: string | undefined } & Record<string, unknown>> = []
  const at = (level: string) => (fields: object, text?: string) => { lines.push({ level, text, ...fields }) }
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
