import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

export interface Fault {
  /** `silent` holds every byte until healed, `reset` cuts each new connection with RST */
  mode: 'pass' | 'silent' | 'reset'
  /** milliseconds before each part */
  delay: number
  /** up to so many milliseconds more, drawn per part */
  jitter: number
  /** bytes per part */
  chunk: number
  /** bytes that one direction of a connection lets through before both ends are reset */
  cutAfter: number
}

export interface FaultProxy {
  port: number
  /** replaces the fault as a whole: what is not named is calm, so `{}` heals */
  set: (fault: Partial<Fault>) => void
  /** resets every open connection */
  cut: () => void
  /** refuses new connections and resets the open ones */
  down: () => Promise<void>
  /** listens again, on the same port */
  up: () => Promise<void>
}

const calm: Readonly<Fault> = { mode: 'pass', delay: 0, jitter: 0, chunk: 65_536, cutAfter: Infinity }
const SILENCE_POLL_MS = 10

/** A TCP relay that misbehaves on demand. Point MONGO_DB_URL, REDIS_URL or a provider's base URL at its port. */
export async function faultProxy (target: { host: string, port: number }, random = Math.random): Promise<FaultProxy> {
  const fault: Fault = { ...calm }
  const open = new Set<net.Socket>()
  const cut = () => { for (const socket of open) reset(socket) }

  const server = net.createServer({ allowHalfOpen: true }, client => {
    if (fault.mode === 'reset') {
      reset(client)
      return
    }
    const upstream = net.connect({ ...target, allowHalfOpen: true })
    track(client)
    track(upstream)
    const abort = () => {
      reset(client)
      reset(upstream)
    }
    relay(client, upstream).catch(abort)
    relay(upstream, client).catch(abort)
  })

  function track (socket: net.Socket) {
    open.add(socket)
    socket.setNoDelay(true)
    // a relay never keeps a test's process alive
    socket.unref()
    socket.on('error', () => {}).once('close', () => open.delete(socket))
  }

  async function relay (from: net.Socket, to: net.Socket) {
    let left = fault.cutAfter
    // destroying at the end of the stream would close the other direction too
    const parts: AsyncIterable<Buffer> = from.iterator({ destroyOnReturn: false })
    for await (const data of parts) {
      left = Math.min(left, fault.cutAfter)
      for (let at = 0; at < data.length;) {
        const part = data.subarray(at, at + Math.min(fault.chunk, left))
        await hold(from, to)
        await send(to, part)
        at += part.length
        left -= part.length
        if (left <= 0) throw new Error('cut')
      }
    }
    to.end()
  }

  async function hold (from: net.Socket, to: net.Socket) {
    while (fault.mode === 'silent' && !from.destroyed && !to.destroyed) await wait(SILENCE_POLL_MS)
    const pause = fault.delay + random() * fault.jitter
    if (pause > 0) await wait(pause)
  }

  const listen = async (port: number) => { await once(server.listen(port, '127.0.0.1'), 'listening') }
  await listen(0)
  const { port } = server.address() as net.AddressInfo

  return {
    port,
    set: change => { Object.assign(fault, calm, change) },
    cut,
    down: () => new Promise(resolve => {
      server.close(() => resolve())
      cut()
    }),
    up: () => listen(port)
  }
}

/** A reset of a socket that is already being shut down never completes on Node 20 and spins at exit: such a one is closed. */
function reset (socket: net.Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}

async function send (to: net.Socket, part: Buffer) {
  if (to.destroyed) throw new Error('peer is gone')
  if (!to.write(part)) await Promise.race([once(to, 'drain'), once(to, 'close')])
}
