import http from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { tokenOf, type Shape } from './dataset.js'
import { get, rss } from './process.js'
import { startOurs, type Server, type World } from './servers.js'

const MB = 1_048_576
const SAMPLE_MS = 100

export interface Idle { bytes: number, afterMs: number, bound: number, engineBytes: number | undefined }

/** P2: resident memory of the service some time after its first 200, no forced collection. */
export async function idleMemory (world: World, afterMs: number, enginePid: number | undefined): Promise<Idle> {
  const ours = await startOurs(world)
  try {
    await wait(afterMs)
    return { bytes: rss(ours.pid), afterMs, bound: 160 * MB, engineBytes: enginePid === undefined ? undefined : rss(enginePid) }
  } finally {
    await ours.stop()
  }
}

export interface Export {
  rows: number
  seconds: number
  firstByteMs: number
  /** resident memory when 10,000 rows had gone out, and the peak after that */
  afterFirst: number
  peak: number
  bound: number
  /** p99 of the event loop's delay as the metrics say, in milliseconds; undefined without them */
  loopP99: number | undefined
  bytes: number
}

const FIRST_ROWS = 10_000
const NEWLINE = 10
/** what the peak may add, and the other promises of P3 */
const GROWTH = 32 * MB
export const FIRST_BYTE_MS = 500
export const LOOP_P99_MS = 50
export const STALL_MS = 10_000

function countLines (data: Buffer): number {
  let lines = 0
  for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, at + 1)) lines++
  return lines
}

/** P3: reads the export of one account, stalled for `stallMs` once half of it is there. */
export async function exportMemory (ours: Server, shape: Shape, secret: string, stallMs = 0): Promise<Export> {
  let peak = 0
  let afterFirst = 0
  let lines = 0
  const sampler = setInterval(() => {
    const now = rss(ours.pid)
    if (lines >= FIRST_ROWS && afterFirst === 0) afterFirst = now
    if (afterFirst > 0) peak = Math.max(peak, now)
  }, SAMPLE_MS)
  const began = performance.now()
  try {
    const response = await open(ours.port, tokenOf(0, shape, secret))
    let firstByteMs = 0
    let bytes = 0
    let stalled = stallMs === 0
    for await (const data of response as AsyncIterable<Buffer>) {
      if (firstByteMs === 0) firstByteMs = performance.now() - began
      bytes += data.length
      lines += countLines(data)
      if (!stalled && lines > shape.links / shape.accounts / 2) {
        stalled = true
        await wait(stallMs)
      }
    }
    const seconds = (performance.now() - began) / 1_000
    return { rows: lines - 1, seconds, firstByteMs, afterFirst, peak, bound: afterFirst + GROWTH, loopP99: await loopDelay(ours), bytes }
  } finally {
    clearInterval(sampler)
  }
}

function open (port: number, token: string): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port, path: '/v1/url/export?format=csv', agent: false, headers: { authorization: `Bearer ${token}` } }, response => {
      if (response.statusCode === 200) resolve(response)
      else reject(new Error(`export answered ${response.statusCode}`))
    }).on('error', reject)
  })
}

/** p99 of the event loop's delay since the last look, from the service's own metrics. */
export async function loopDelay ({ metricsPort }: Server): Promise<number | undefined> {
  if (metricsPort === undefined) return undefined
  const { body } = await get(metricsPort, '/metrics')
  const found = /^nodejs_eventloop_lag_p99_seconds(?:\{[^}]*\})? (\S+)$/m.exec(body)
  return found === null ? undefined : Number(found[1]) * 1_000
}
