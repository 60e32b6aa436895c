import net from 'node:net'
import { fault, scan, type Expectation } from './scanner.js'

export interface Shot { request: Buffer, expect: Expectation }

export interface Burst {
  answered: number
  wallNs: number
  /** what went wrong, first few; a burst with any is void */
  errors: string[]
}

export interface OpenLoop extends Burst {
  /** microseconds from the scheduled moment to the last byte, in order of answer */
  latencies: Float64Array
}

const BURST_LIMIT_MS = 60_000
const ERRORS_KEPT = 5

/** One keep-alive connection with at most one request on its way. */
class Connection {
  shot: Shot | undefined
  /** index in the schedule of an open loop */
  turn = 0
  alive = true
  readonly #socket: net.Socket
  #received: Buffer | undefined

  constructor (socket: net.Socket, private readonly owner: Load) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', data => this.#read(data as Buffer))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.alive = false
      if (this.shot !== undefined) owner.lost('the connection was closed before the answer')
    })
  }

  send (shot: Shot): void {
    this.shot = shot
    this.#socket.write(shot.request)
  }

  close (): void {
    this.shot = undefined
    this.#socket.destroy()
  }

  #read (data: Buffer): void {
    const { shot } = this
    if (shot === undefined) return this.owner.lost('an answer that nobody asked for')
    const all = this.#received === undefined ? data : Buffer.concat([this.#received, data])
    const answer = scan(all)
    if (answer === undefined) {
      this.#received = all
      return
    }
    this.#received = undefined
    this.shot = undefined
    const wrong = answer.total === all.length ? fault(all, answer, shot.expect) : `${all.length - answer.total} bytes after the answer`
    this.owner.answered(this, wrong)
  }
}

/** A set of connections to one server and the requests to draw from. */
export class Load {
  readonly #port: number
  readonly #size: number
  readonly #shots: Shot[]
  #connections: Connection[] = []
  #next = 0
  #errors: string[] = []
  #onAnswer: (connection: Connection) => void = () => {}
  #onLost: () => void = () => {}

  constructor (port: number, connections: number, shots: Shot[]) {
    this.#port = port
    this.#size = connections
    this.#shots = shots
  }

  /** Replaces what the server closed while idle; inside a burst a closed connection is an error. */
  async open (): Promise<void> {
    this.#connections = this.#connections.filter(connection => connection.alive)
    const missing = this.#size - this.#connections.length
    this.#connections.push(...await Promise.all(Array.from({ length: missing }, () => this.#connect())))
  }

  close (): void {
    for (const connection of this.#connections) connection.close()
    this.#connections = []
  }

  #connect (): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(this.#port, '127.0.0.1')
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new Connection(socket, this))
      })
    })
  }

  answered (connection: Connection, wrong: string | undefined): void {
    if (wrong !== undefined) this.#note(wrong)
    this.#onAnswer(connection)
  }

  lost (reason: string): void {
    this.#note(reason)
    this.#onLost()
  }

  #note (error: string): void {
    if (this.#errors.length < ERRORS_KEPT) this.#errors.push(error)
  }

  #draw (): Shot {
    const shot = this.#shots[this.#next++ % this.#shots.length]
    if (shot === undefined) throw new Error('nothing to send')
    return shot
  }

  /** Closed loop: every connection sends its next request when it has its answer, `count` requests in all. */
  async burst (count: number): Promise<Burst> {
    await this.open()
    this.#errors = []
    let sent = 0
    let answered = 0
    const began = process.hrtime.bigint()
    await this.#settled(done => {
      this.#onAnswer = connection => {
        answered++
        if (sent < count) {
          sent++
          connection.send(this.#draw())
        } else if (answered === count) done()
      }
      for (const connection of this.#connections.slice(0, count)) {
        sent++
        connection.send(this.#draw())
      }
    })
    return { answered, wallNs: Number(process.hrtime.bigint() - began), errors: this.#errors }
  }

  /**
   * Open loop: `rate` requests a second on a fixed schedule for `seconds`. A request whose moment finds no idle connection
   * waits for one, and the wait is part of its latency.
   */
  async schedule (rate: number, seconds: number): Promise<OpenLoop> {
    await this.open()
    this.#errors = []
    const total = Math.floor(rate * seconds)
    const gap = 1_000 / rate
    const latencies = new Float64Array(total)
    const idle = [...this.#connections]
    let due = 0
    let sent = 0
    let answered = 0
    const began = performance.now() + 5
    await this.#settled(done => {
      const dispatch = () => {
        while (sent < due) {
          const connection = idle.pop()
          if (connection === undefined) return
          connection.turn = sent++
          connection.send(this.#draw())
        }
      }
      this.#onAnswer = connection => {
        latencies[answered++] = (performance.now() - began - connection.turn * gap) * 1_000
        idle.push(connection)
        if (answered === total) done()
        else dispatch()
      }
      // timers are too coarse for gaps below a millisecond, so the loop turns without pause
      const tick = () => {
        due = Math.min(total, Math.floor((performance.now() - began) / gap) + 1)
        dispatch()
        if (due < total && this.#errors.length === 0) setImmediate(tick)
      }
      tick()
    })
    return { answered, wallNs: (performance.now() - began) * 1e6, errors: this.#errors, latencies: latencies.subarray(0, answered) }
  }

  async #settled (start: (done: () => void) => void): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>(resolve => {
      timer = setTimeout(() => {
        this.#note(`not finished after ${BURST_LIMIT_MS} ms`)
        resolve()
      }, BURST_LIMIT_MS)
      this.#onLost = resolve
      start(resolve)
    })
    clearTimeout(timer)
    this.#onAnswer = () => {}
    this.#onLost = () => {}
    // what is still on its way would fall into the next burst
    if (this.#connections.some(connection => connection.shot !== undefined)) this.close()
  }
}
