import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { deserialize, serialize } from 'bson'
import type { Document } from 'bson'

/** A client without a driver: what is sent is what was asked for, and errors are replies. */
export class RawClient {
  readonly #waiting: ((reply: Document) => void)[] = []
  #rest = Buffer.alloc(0)
  #requests = 0
  readonly closed: Promise<void>

  private constructor (readonly socket: Socket, private readonly url: string, private readonly db: string) {
    socket.on('data', chunk => this.#receive(chunk))
    this.closed = new Promise(resolve => socket.on('close', () => resolve()).on('error', () => {}))
  }

  static async open (url: string, db = 'test'): Promise<RawClient> {
    const host = decodeURIComponent(/^mongodb:\/\/([^/?]+)/.exec(url)![1]!)
    const [name, port] = host.split(':')
    const socket = host.endsWith('.sock') ? connect(host) : connect(Number(port), name)
    await new Promise<void>((resolve, reject) => { socket.once('connect', resolve).once('error', reject) })
    return new RawClient(socket, url, db)
  }

  /** A further connection to the same engine. */
  another (): Promise<RawClient> {
    return RawClient.open(this.url, this.db)
  }

  command (command: Document): Promise<Document> {
    return new Promise(resolve => {
      this.#waiting.push(resolve)
      this.socket.write(this.frame(command))
    })
  }

  frame (command: Document): Buffer {
    const body = serialize({ ...command, $db: command['$db'] ?? this.db }, { ignoreUndefined: true })
    const head = Buffer.alloc(21)
    head.writeInt32LE(21 + body.length, 0)
    head.writeInt32LE(++this.#requests, 4)
    head.writeInt32LE(2013, 12)
    return Buffer.concat([head, body])
  }

  #receive (chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    while (this.#rest.length >= 4 && this.#rest.length >= this.#rest.readInt32LE(0)) {
      const length = this.#rest.readInt32LE(0)
      const reply = deserialize(this.#rest.subarray(21, length), { promoteValues: true })
      this.#rest = this.#rest.subarray(length)
      this.#waiting.shift()?.(reply)
    }
  }

  close (): void {
    this.socket.destroy()
  }
}
