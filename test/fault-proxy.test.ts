import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { faultProxy } from './fault-proxy.js'

async function echo (t: Test) {
  const open = new Set<net.Socket>()
  const server = net.createServer({ allowHalfOpen: true }, socket => {
    open.add(socket)
    socket.on('error', () => {}).once('close', () => open.delete(socket)).pipe(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as net.AddressInfo
  const proxy = await faultProxy({ host: '127.0.0.1', port })
  t.teardown(async () => {
    await proxy.down()
    server.close()
  })
  return { proxy, open }
}

interface Peer { socket: net.Socket, parts: Buffer[], error: () => string | undefined, closed: Promise<unknown> }

function dial (port: number): Peer {
  const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  const parts: Buffer[] = []
  let code: string | undefined
  socket.setNoDelay(true)
  socket.on('data', part => { parts.push(part as Buffer) })
  socket.on('error', error => { code = (error as NodeJS.ErrnoException).code })
  return { socket, parts, error: () => code, closed: new Promise(resolve => socket.once('close', resolve)) }
}

const received = (peer: Peer) => Buffer.concat(peer.parts)

async function until (holds: () => boolean, ms = 5_000) {
  const end = Date.now() + ms
  while (!holds() && Date.now() < end) await wait(5)
  return holds()
}

t.test('a calm proxy passes every byte both ways, and the end of the stream', async t => {
  const { proxy, open } = await echo(t)
  const peer = dial(proxy.port)
  const sent = Buffer.alloc(1 << 20, 'abcdefg')
  peer.socket.end(sent)
  await peer.closed
  t.ok(received(peer).equals(sent))
  t.equal(peer.error(), undefined)
  t.ok(await until(() => open.size === 0), 'nothing stays open behind it')
})

t.test('silence holds what was sent, healing delivers it once', async t => {
  const { proxy } = await echo(t)
  const peer = dial(proxy.port)
  await once(peer.socket, 'connect')
  proxy.set({ mode: 'silent' })
  peer.socket.write('held')
  await wait(80)
  t.equal(received(peer).length, 0)
  proxy.set({})
  t.ok(await until(() => received(peer).length >= 4))
  await wait(30)
  t.equal(received(peer).toString(), 'held')
  peer.socket.destroy()
})

t.test('reset cuts a new connection and leaves an older one alone', async t => {
  const { proxy } = await echo(t)
  const older = dial(proxy.port)
  older.socket.write('a')
  await until(() => received(older).length === 1)
  proxy.set({ mode: 'reset' })
  const newer = dial(proxy.port)
  await newer.closed
  t.equal(newer.error(), 'ECONNRESET')
  older.socket.write('b')
  t.ok(await until(() => received(older).toString() === 'ab'))
  older.socket.destroy()
})

t.test('delay slows each direction', async t => {
  const { proxy } = await echo(t)
  proxy.set({ delay: 60 })
  const peer = dial(proxy.port)
  const began = performance.now()
  peer.socket.write('x')
  t.ok(await until(() => received(peer).length === 1))
  t.ok(performance.now() - began >= 118, 'once there and once back')
  peer.socket.destroy()
})

t.test('drip: chunk and delay together hand out a few bytes at a time', async t => {
  const { proxy } = await echo(t)
  proxy.set({ chunk: 2, delay: 5 })
  const peer = dial(proxy.port)
  peer.socket.write('0123456789')
  t.ok(await until(() => received(peer).length === 10))
  t.equal(received(peer).toString(), '0123456789')
  t.ok(peer.parts.length >= 3, `${peer.parts.length} parts`)
  peer.socket.destroy()
})

t.test('a cut midway lets at most so many bytes through, then resets both ends', async t => {
  const { proxy, open } = await echo(t)
  const peer = dial(proxy.port)
  peer.socket.write('warm')
  await until(() => received(peer).length === 4)
  proxy.set({ cutAfter: 10 })
  peer.socket.write(Buffer.alloc(1_000, 'x'))
  await peer.closed
  t.ok(received(peer).length <= 14)
  t.equal(peer.error(), 'ECONNRESET')
  t.ok(await until(() => open.size === 0))
})

t.test('cut resets what is open; the next connection works', async t => {
  const { proxy } = await echo(t)
  const peer = dial(proxy.port)
  peer.socket.write('a')
  await until(() => received(peer).length === 1)
  proxy.cut()
  await peer.closed
  t.equal(peer.error(), 'ECONNRESET')
  const next = dial(proxy.port)
  next.socket.end('b')
  await next.closed
  t.equal(received(next).toString(), 'b')
})

t.test('down refuses, up serves on the same port again', async t => {
  const { proxy } = await echo(t)
  await proxy.down()
  const refused = dial(proxy.port)
  await refused.closed
  t.equal(refused.error(), 'ECONNREFUSED')
  await proxy.up()
  const peer = dial(proxy.port)
  peer.socket.end('back')
  await peer.closed
  t.equal(received(peer).toString(), 'back')
})

t.test('a target that is away shows as a reset, not as a hang', async t => {
  const gone = net.createServer()
  await once(gone.listen(0, '127.0.0.1'), 'listening')
  const { port } = gone.address() as net.AddressInfo
  await new Promise(resolve => gone.close(resolve))
  const proxy = await faultProxy({ host: '127.0.0.1', port })
  t.teardown(() => proxy.down())
  const peer = dial(proxy.port)
  await peer.closed
  t.equal(peer.error(), 'ECONNRESET')
})

t.test('a peer that leaves while the line is silent frees both sockets', async t => {
  const { proxy, open } = await echo(t)
  const peer = dial(proxy.port)
  peer.socket.write('a')
  await until(() => received(peer).length === 1)
  proxy.set({ mode: 'silent' })
  peer.socket.write('b')
  await wait(20)
  peer.socket.resetAndDestroy()
  t.ok(await until(() => open.size === 0))
})
