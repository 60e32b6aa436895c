import type { Socket } from 'node:net'
import { dispatch } from '../commands/dispatch.js'
import type { Engine } from '../commands/engine.js'
import type { Client } from '../commands/operation.js'
import { encodeDocument } from '../values/bson-write.js'
import { docOf, int } from '../values/build.js'
import { MongoError } from '../values/errors.js'
import { Double } from '../values/types.js'
import type { Doc } from '../values/types.js'
import { FrameReader } from './frames.js'
import { BadRequest, parseMessage, ProtocolFault, replyHeader } from './message.js'
import type { Request } from './message.js'

/** Requests that may wait while one is worked on, before the socket is no longer read. */
const MAX_QUEUED = 16
/** A small reply is copied behind its header: one buffer is written faster than two. */
const SMALL_REPLY = 16 * 1024

/** One client: its requests are answered one after the other, in order. */
export class Connection {
  readonly #frames = new FrameReader()
  readonly #queue: Buffer[] = []
  readonly #gone = new AbortController()
  readonly client: Client
  #working = false
  #paused = false

  constructor (private readonly engine: Engine, private readonly socket: Socket, id: number) {
    this.client = { id, remote: socket.remoteAddress ?? 'local', appName: undefined, closed: this.#gone.signal }
    socket.setNoDelay(true)
    socket.on('data', chunk => this.#receive(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#gone.abort())
  }

  /** Resolves when the request under way is answered; the connection takes no further ones. */
  async finish (): Promise<void> {
    this.#queue.length = 0
    this.#gone.abort()
    this.socket.pause()
    if (this.#working) await new Promise<void>(resolve => { this.#onIdle = resolve })
    this.socket.destroy()
  }

  #onIdle: (() => void) | undefined

  #receive (chunk: Buffer): void {
    try {
      for (const message of this.#frames.push(chunk)) this.#queue.push(message)
    } catch {
      this.socket.destroy()
      return
    }
    if (this.#queue.length > MAX_QUEUED && !this.#paused) {
      this.#paused = true
      this.socket.pause()
    }
    if (!this.#working) this.#work().catch(() => this.socket.destroy())
  }

  async #work (): Promise<void> {
    this.#working = true
    for (let message = this.#queue.shift(); message !== undefined && !this.socket.destroyed; message = this.#queue.shift()) {
      try {
        await this.#handle(message)
      } catch (error) {
        if (!(error instanceof ProtocolFault)) this.engine.settings.log(`connection: ${error instanceof Error ? error.stack : String(error)}`)
        this.socket.destroy()
        break
      }
      if (this.#paused && this.#queue.length <= MAX_QUEUED / 2) {
        this.#paused = false
        this.socket.resume()
      }
    }
    this.#working = false
    this.#onIdle?.()
  }

  async #handle (message: Buffer): Promise<void> {
    let request: Request
    try {
      request = parseMessage(message)
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error
      return this.#send(error.request, errorDocument(error.reason))
    }
    if (request.legacy && !LEGACY.has(request.body.firstKey() ?? '')) {
      const problem = new MongoError(352, `Unsupported OP_QUERY command: ${request.body.firstKey()}. The client driver may require an upgrade.`)
      return this.#send(request, errorDocument(problem))
    }
    const answer = await dispatch(this.engine, this.client, request.db, request.body)
    if (answer === 'close') this.socket.destroy()
    else await this.#send(request, answer)
  }

  async #send (request: Pick<Request, 'id' | 'legacy' | 'silent'>, reply: Doc): Promise<void> {
    if (request.silent || this.socket.destroyed) return
    const body = encodeReply(reply)
    const header = replyHeader(request, body.length)
    if (!this.#write(header, body)) await this.#drained()
  }

  #write (header: Buffer, body: Buffer): boolean {
    if (body.length < SMALL_REPLY) return this.socket.write(Buffer.concat([header, body]))
    this.socket.cork()
    this.socket.write(header)
    const flowing = this.socket.write(body)
    this.socket.uncork()
    return flowing
  }

  #drained (): Promise<void> {
    return new Promise(resolve => {
      const done = (): void => {
        this.socket.off('drain', done)
        this.#gone.signal.removeEventListener('abort', done)
        resolve()
      }
      this.socket.on('drain', done)
      this.#gone.signal.addEventListener('abort', done)
    })
  }
}

const MAX_REPLY = 16 * 1024 * 1024 + 16 * 1024

/** A reply that no client could read becomes the error that says so. */
function encodeReply (reply: Doc): Buffer {
  let problem: MongoError
  try {
    const body = encodeDocument(reply)
    if (body.length <= MAX_REPLY) return body
    problem = new MongoError(10334, `BSONObj size: ${body.length} is invalid. Size must be between 0 and ${MAX_REPLY}(16MB)`)
  } catch (error) {
    if (!(error instanceof MongoError)) throw error
    problem = error
  }
  return encodeDocument(errorDocument(problem))
}

const errorDocument = ({ message, code, codeName }: MongoError): Doc => docOf({ ok: new Double(0), errmsg: message, code: int(code), codeName })

const LEGACY: ReadonlySet<string> = new Set(['isMaster', 'ismaster', 'hello'])
