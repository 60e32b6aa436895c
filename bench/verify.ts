import { once } from 'node:events'
import net from 'node:net'
import type { Shot } from './load.js'
import { scan } from './scanner.js'
import type { Server } from './servers.js'

async function exchange (port: number, request: Buffer): Promise<{ head: string, body: string }> {
  const socket = net.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(request)
  let received = Buffer.alloc(0)
  try {
    for await (const part of socket as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, part])
      const answer = scan(received)
      if (answer !== undefined) {
        return { head: received.toString('latin1', 0, answer.bodyStart - 4), body: received.toString('utf8', answer.bodyStart, answer.total) }
      }
    }
  } finally {
    socket.destroy()
  }
  throw new Error('closed before the answer was complete')
}

/** Times and request ids differ by nature. */
const steady = (body: string) => body
  .replace(/"timestamp":"[^"]{24}"/, '"timestamp":"…"')
  .replace(/"request_id":"[^"]+"/, '"request_id":"…"')

function headersOf (head: string): Map<string, string> {
  return new Map(head.split('\r\n').slice(1).map(line => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  }))
}

const less = (names: Iterable<string>, others: Map<string, string>) => [...names].filter(name => !others.has(name))

function firstDifference (left: string, right: string): string {
  const at = [...left].findIndex((char, index) => char !== right[index])
  const from = Math.max(0, (at < 0 ? Math.min(left.length, right.length) : at) - 40)
  return `…${left.slice(from, from + 120)}… against …${right.slice(from, from + 120)}…`
}

/** Where another server's answer to one request departs from ours; headers only for a floor, which promises the same names. */
export async function differences (ours: Server, other: Server, shot: Shot, headers: boolean): Promise<string[]> {
  const [left, right] = [await exchange(ours.port, shot.request), await exchange(other.port, shot.request)]
  const found: string[] = []
  const status = (head: string) => head.slice(0, 'HTTP/1.1 200'.length)
  if (status(left.head) !== status(right.head)) found.push(`status ${status(left.head)} against ${status(right.head)}`)
  if (headers) {
    const [own, theirs] = [headersOf(left.head), headersOf(right.head)]
    found.push(...less(own.keys(), theirs).map(name => `only ours has ${name}: ${own.get(name)}`))
    found.push(...less(theirs.keys(), own).map(name => `only ${other.name} has ${name}: ${theirs.get(name)}`))
  }
  if (steady(left.body) !== steady(right.body)) found.push(`body ${firstDifference(steady(left.body), steady(right.body))}`)
  return found
}
