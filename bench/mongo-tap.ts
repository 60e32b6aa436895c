import { once } from 'node:events'
import net from 'node:net'

const HEADER = 16
const OP_MSG = 2_013
const OP_CODE_AT = 12
/** header, flag bits, kind of the first section, length of its document */
const FIRST_ELEMENT_AT = HEADER + 4 + 1 + 4

export interface MongoTap {
  /** connect string that goes through the tap */
  url: string
  /** commands since the last call, such as `find short-urls` */
  take: () => Map<string, number>
  close: () => void
}

/** A relay in front of MongoDB that counts commands, since CPU time does not show a round trip. Used beside the measured bursts, never in them. */
export async function mongoTap (url: string): Promise<MongoTap> {
  const parts = /^mongodb:\/\/(?:([^@/]+)@)?([^:/,]+):(\d+)(\/[^?]*)?(\?.*)?$/.exec(url)
  if (parts === null) throw new Error('commands can be counted only on one host without TLS')
  const [, login, host, port, path = '/', options] = parts
  let counts = new Map<string, number>()
  const sockets = new Set<net.Socket>()
  const count = (command: string) => { counts.set(command, (counts.get(command) ?? 0) + 1) }

  const server = net.createServer(client => {
    const upstream = net.connect(Number(port), host)
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => {}).on('close', () => { client.destroy(); upstream.destroy() }))
    upstream.pipe(client)
    const seen = reader(count)
    client.on('data', data => {
      seen(data as Buffer)
      upstream.write(data)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const own = (server.address() as net.AddressInfo).port
  return {
    // a replica set's own host names would lead around the tap
    url: `mongodb://${login === undefined ? '' : `${login}@`}127.0.0.1:${own}${path}${direct(options)}`,
    take: () => {
      const taken = counts
      counts = new Map()
      return taken
    },
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    }
  }
}

const direct = (options = '') => {
  const query = new URLSearchParams(options.replace(/^\?/, ''))
  query.delete('replicaSet')
  query.set('directConnection', 'true')
  return `?${query.toString()}`
}

/** Splits one direction of a connection into messages and names each. */
function reader (count: (command: string) => void): (data: Buffer) => void {
  let rest = Buffer.alloc(0)
  return data => {
    rest = Buffer.concat([rest, data])
    while (rest.length >= HEADER) {
      const length = rest.readInt32LE(0)
      if (rest.length < length) return
      if (rest.readInt32LE(OP_CODE_AT) === OP_MSG) count(commandOf(rest))
      rest = rest.subarray(length)
    }
  }
}

const BSON_STRING = 2

/** The first element of a command names it, and its collection when it has one. */
function commandOf (message: Buffer): string {
  const nameAt = FIRST_ELEMENT_AT + 1
  const nameEnd = message.indexOf(0, nameAt)
  const name = message.toString('utf8', nameAt, nameEnd)
  if (message[FIRST_ELEMENT_AT] !== BSON_STRING) return name
  const length = message.readInt32LE(nameEnd + 1)
  return `${name} ${message.toString('utf8', nameEnd + 5, nameEnd + 4 + length)}`
}
