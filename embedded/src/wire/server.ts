import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import type { Engine } from '../commands/engine.js'
import { Connection } from './connection.js'

/** Where to listen: a unix socket's path, or a port of the loopback interface (0: any free one). */
export type Endpoint = { readonly path: string } | { readonly port: number }

/** Serves an engine on one endpoint. */
export class WireServer {
  readonly #connections = new Map<Socket, Connection>()
  readonly #server: Server
  #lastId = 0

  private constructor (private readonly engine: Engine) {
    this.#server = createServer(socket => this.#accept(socket))
  }

  static async listen (engine: Engine, endpoint: Endpoint): Promise<WireServer> {
    const server = new WireServer(engine)
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject)
      const options = 'path' in endpoint ? { path: endpoint.path } : { host: '127.0.0.1', port: endpoint.port }
      server.#server.listen(options, () => {
        server.#server.off('error', reject)
        resolve()
      })
    })
    return server
  }

  get port (): number | undefined {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : undefined
  }

  #accept (socket: Socket): void {
    const connection = new Connection(this.engine, socket, ++this.#lastId)
    this.#connections.set(socket, connection)
    this.engine.connections++
    socket.on('close', () => {
      this.#connections.delete(socket)
      this.engine.connections--
    })
  }

  /** Takes no more requests, lets those under way end, closes. */
  async close (): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    await Promise.all([...this.#connections.values()].map(connection => connection.finish()))
    await closed
  }
}
