import { once } from 'node:events'
import { createSocket } from 'node:dgram'
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { buildConnector } from 'undici'
import { createPinnedPools } from '../../src/services/guarded-fetch/pools.js'
import { createDnsResolver, createGuardedFetch, isPublicAddress, parseTarget, type GuardedFetchDeps } from '../../src/services/guarded-fetch/index.js'
import { silentLog } from '../../src/services/http/index.js'
import { failure, json, wire } from './wire.js'

type Test = { teardown (fn: () => unknown): void }
const PUBLIC = '93.184.216.34'

function guarded (t: Test, deps: Partial<GuardedFetchDeps> = {}) {
  const fetch = createGuardedFetch({ log: silentLog, userAgent: 'platform/1', production: false, ...deps })
  t.teardown(() => fetch.close())
  return fetch
}

/** Plays the internet: every dialled address is noted, and the socket really goes to `port` on this machine. */
function internet (port: number) {
  const dialled: string[] = []
  const connect = buildConnector({ timeout: 1_000 })
  return {
    dialled,
    dial: ((options, callback) => {
      dialled.push(options.hostname)
      connect({ ...options, protocol: 'http:', hostname: '127.0.0.1', port: String(port) }, callback)
    }) as buildConnector.connector
  }
}

/** Counts connections and bytes; a refused call must leave both at zero. */
async function tripwire (t: Test) {
  const seen = { connections: 0, bytes: 0 }
  const server = createServer(socket => {
    seen.connections++
    socket.on('data', chunk => { seen.bytes += chunk.length }).on('error', () => {})
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  return { seen, port: (server.address() as AddressInfo).port }
}

const REFUSED_ADDRESSES = [
  '0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.255.255.254', '169.254.169.254', '172.16.0.1',
  '172.31.255.255', '192.0.0.1', '192.0.0.170', '192.0.2.1', '192.88.99.1', '192.168.0.1', '198.18.0.1', '198.19.255.255', '198.51.100.7', '203.0.113.9',
  '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255',
  '::', '::1', '::2', '::7f00:1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '::ffff:169.254.169.254', '::ffff:8.8.8.8', '::ffff:0:127.0.0.1',
  'fe80::1', 'fe80::1%eth0', 'febf::1', 'fec0::1', 'fc00::1', 'fd12:3456:789a::1', 'ff02::1', 'ff0e::1', '100::1', '2001::1', '2001:0:4136:e378::1', '2001:2::1',
  '2001:10::1', '2001:20::1', '2001:db8::1', '2002:7f00:1::', '2002:a00:1::1', '64:ff9b::7f00:1', '64:ff9b::8.8.8.8', '64:ff9b:1::1', '3fff::1', '5f00::1',
  '4000::1', 'a000::1', '0177.0.0.1', '0x7f.0.0.1'
]
const NO_ADDRESSES = ['1.2.3', '127.1', '2130706433', '', 'not an address', '1.1.1.1 ', '1.1.1.1:80']
const PUBLIC_ADDRESSES = ['1.1.1.1', '8.8.8.8', PUBLIC, '100.63.255.255', '100.128.0.1', '172.15.0.1', '172.32.0.1', '198.20.0.1', '223.255.255.255', '2606:4700::1111', '2a00:1450:4001::1']

t.test('only addresses of the public internet are public', async t => {
  for (const address of [...REFUSED_ADDRESSES, ...NO_ADDRESSES]) t.notOk(isPublicAddress(address), address)
  for (const address of PUBLIC_ADDRESSES) t.ok(isPublicAddress(address), address)
})

t.test('every refused address, as a literal and behind a name: 403 and nobody is dialled', async t => {
  const net = internet(1)
  const inUrl = REFUSED_ADDRESSES.filter(address => !address.includes('%'))
  const literal = guarded(t, { dial: net.dial })
  for (const address of inUrl) {
    t.match(await failure(literal(`http://${address.includes(':') ? `[${address}]` : address}/`)), { status: 403, code: 'TARGET_NOT_ALLOWED' }, `literal ${address}`)
  }
  for (const address of [...REFUSED_ADDRESSES, ...NO_ADDRESSES]) {
    const named = guarded(t, { dial: net.dial, resolver: async () => [address] })
    t.match(await failure(named('http://rebind.example/')), { status: 403, code: 'TARGET_NOT_ALLOWED' }, `name for ${address}`)
  }
  t.strictSame(net.dialled, [])
})

t.test('disguised forms of 127.0.0.1 and inner names are refused before anybody is asked', async t => {
  const asked: string[] = []
  const net = internet(1)
  const fetch = guarded(t, { dial: net.dial, resolver: async name => { asked.push(name); return [PUBLIC] } })
  const disguised = [
    'http://2130706433/', 'http://0177.1/', 'http://0x7f.1/', 'http://0x7f000001/', 'http://127.1/', 'http://017700000001/', 'http://127.0.0.1./',
    'http://１２７.０.０.１/', 'http://１27。0。0。1/', 'http://127%2e0.0.1/', 'http://0/', 'http://[::ffff:7f00:1]/', 'http://[0:0:0:0:0:ffff:127.0.0.1]/',
    'http://localhost/', 'http://localhost./', 'http://LOCALHOST/', 'http://ｌocalhost/', 'http://a.localhost/', 'http://printer.local/', 'http://db.internal/',
    'http://metadata.google.internal/', 'http://metadata.example.com/', 'http://router.lan/', 'http://2852039166/'
  ]
  for (const address of disguised) t.match(await failure(fetch(address)), { status: 403, code: 'TARGET_NOT_ALLOWED' }, address)
  t.strictSame([asked, net.dialled], [[], []])
})

t.test('addresses of a wrong form are 422 and nobody is asked', async t => {
  const asked: string[] = []
  const fetch = guarded(t, { resolver: async name => { asked.push(name); return [PUBLIC] } })
  const wrong = [
    'file:///etc/passwd', 'gopher://example.com/', 'ftp://example.com/', 'data:text/plain,x', 'javascript:alert(1)', 'ws://example.com/', '//example.com/', 'example.com',
    'http:example.com', 'http:/example.com', 'http://user@example.com/', 'http://user:pw@example.com/', 'http://@example.com/', 'http://example.com@127.0.0.1/',
    'http://example.com:22/', 'http://example.com:25/', 'http://example.com:6379/', 'http://example.com:27017/', 'http://example.com:8080/', 'http://example.com:0/',
    'http://example.com/a\r\nHost: b', 'http://example.com/%0d%0aHost:%20b', 'http://exa\tmple.com/', ' http://example.com/', 'http://example.com/#part', 'http:\\\\example.com\\',
    'http://[fe80::1%25eth0]/', 'http://[fe80::1%eth0]/', 'http://somehost/', 'http://a..example.com/', 'http://example.com:99999/', `http://example.com/${'a'.repeat(2_100)}`, ''
  ]
  for (const address of wrong) t.match(await failure(fetch(address)), { status: 422, code: 'INVALID_TARGET_URL' }, JSON.stringify(address))
  t.strictSame(asked, [])
})

t.test('no byte arrives at a loopback server, however it is named', async t => {
  const { seen, port } = await tripwire(t)
  const fetch = guarded(t, { resolver: async () => ['127.0.0.1'] })
  for (const host of ['127.0.0.1', '2130706433', '0177.1', '0x7f.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', 'rebind.example']) {
    t.match(await failure(fetch(`http://${host}:${port}/`)), { code: /INVALID_TARGET_URL|TARGET_NOT_ALLOWED/ }, host)
  }
  // the same with the port out of the way: the guard on the socket alone must hold
  const real = buildConnector({ timeout: 1_000 })
  const onPort = guarded(t, {
    resolver: async () => ['127.0.0.1'],
    dial: (options, callback) => { real({ ...options, port: String(port) }, callback) }
  })
  t.match(await failure(onPort('http://rebind.example/')), { code: 'TARGET_NOT_ALLOWED' })
  t.strictSame(seen, { connections: 0, bytes: 0 })
})

t.test('a socket is checked as it is opened, whatever was decided before', async t => {
  const net = internet(1)
  const pools = createPinnedPools({ connectMs: 1_000, firstByteMs: 1_000, idleMs: 1_000, maxHeaderBytes: 32_768, dial: net.dial })
  t.teardown(() => pools.close())
  const target = parseTarget('http://a.example/', { allow: new Set() })
  t.match(await failure(pools.for(target, ['127.0.0.1']).request({ path: '/', method: 'GET' })), { code: 'TARGET_NOT_ALLOWED' })
  t.strictSame(net.dialled, [])
})

t.test('one bad address among good ones refuses the name as a whole', async t => {
  const net = internet(1)
  for (const mix of [[PUBLIC, '10.0.0.1'], [PUBLIC, '::1'], ['2606:4700::1111', '127.0.0.1'], [PUBLIC, '2606:4700::1111', 'fe80::1']]) {
    const fetch = guarded(t, { dial: net.dial, resolver: async () => mix })
    t.match(await failure(fetch('http://mixed.example/')), { code: 'TARGET_NOT_ALLOWED' }, mix.join())
  }
  t.strictSame(net.dialled, [])
})

t.test('a name that is public first and private next: the checked address is the one that is called', async t => {
  const server = await wire(t, (_seen, res) => { res.end('fine') })
  const net = internet(server.port)
  let asked = 0
  const fetch = guarded(t, { dial: net.dial, resolver: async () => ++asked === 1 ? [PUBLIC] : ['127.0.0.1'] })
  const answer = await fetch('http://rebind.example/')
  t.equal(await answer.text(), 'fine')
  t.strictSame([asked, net.dialled], [1, [PUBLIC]])
  t.match(await failure(fetch('http://rebind.example/')), { code: 'TARGET_NOT_ALLOWED' }, 'a kept-alive socket is no way around the check')
  t.equal(server.seen[0]?.headers.host, 'rebind.example')
  t.equal(server.seen.length, 1)
})

t.test('a kept-alive socket is used again only for the same addresses', async t => {
  const server = await wire(t, (_seen, res) => { res.end('x') })
  const net = internet(server.port)
  let address = PUBLIC
  const fetch = guarded(t, { dial: net.dial, resolver: async () => [address] })
  for (let i = 0; i < 4; i++) await (await fetch('http://name.example/')).text()
  const before = net.dialled.length
  t.ok(before <= 2)
  address = '8.8.8.8'
  await (await fetch('http://name.example/')).text()
  t.strictSame(net.dialled.slice(before), ['8.8.8.8'])
})

t.test('the second address is tried when the first does not answer', async t => {
  const server = await wire(t, (_seen, res) => { res.end('x') })
  const net = internet(server.port)
  const fetch = guarded(t, {
    resolver: async () => ['8.8.8.8', PUBLIC],
    dial: (options, callback) => {
      if (options.hostname === '8.8.8.8') callback(Object.assign(new Error('down'), { code: 'ECONNREFUSED' }), null)
      else net.dial(options, callback)
    }
  })
  t.equal((await fetch('http://two.example/')).status, 200)
})

t.test('redirects', async t => {
  const to = (location: string, status = 302) => async (t: Test) => {
    const server = await wire(t, (seen, res) => {
      if (seen.url === '/end') json(res, 200, { end: true })
      else res.writeHead(status, { location }).end('moved')
    })
    const net = internet(server.port)
    return { server, net, fetch: guarded(t, { dial: net.dial, resolver: async name => name === 'inner.example' ? ['10.0.0.1'] : [PUBLIC] }) }
  }

  t.test('none is followed unless asked for, and the place is not told', async t => {
    const { fetch, net } = await to('http://169.254.169.254/')(t)
    const answer = await fetch('http://a.example/')
    t.equal(answer.status, 302)
    t.equal(answer.headers.location, undefined)
    t.equal(net.dialled.length, 1)
  })
  t.test('into a refused address, name, scheme or port: 403 at every hop', async t => {
    for (const place of ['http://169.254.169.254/latest', 'http://127.0.0.1/', 'http://2130706433/', 'http://inner.example/', 'http://localhost/', 'file:///etc/passwd', 'http://b.example:22/', 'http://u:p@b.example/', 'http://[::1]/']) {
      const { fetch, net } = await to(place)(t)
      t.match(await failure(fetch('http://a.example/', { maxRedirects: 3 })), { status: 403, code: 'TARGET_NOT_ALLOWED' }, place)
      t.strictSame(net.dialled, [PUBLIC])
    }
  })
  t.test('too many', async t => {
    const { fetch, server } = await to('/again')(t)
    t.match(await failure(fetch('http://a.example/', { maxRedirects: 3 })), { status: 502, code: 'TOO_MANY_REDIRECTS' })
    t.equal(server.seen.length, 4)
  })
  t.test('other methods never follow', async t => {
    const { fetch, server } = await to('/end')(t)
    t.match(await failure(fetch('http://a.example/', { method: 'POST', body: 'x', maxRedirects: 3 })), { status: 502, code: 'PROXY_REDIRECT_REFUSED' })
    t.equal(server.seen.length, 1)
  })
  t.test('to the same host keeps the headers, to another only the harmless ones', async t => {
    const headers = { authorization: 'Bearer x', 'x-key': '1', accept: 'a/b', cookie: 'c=1', host: 'evil', 'x-forwarded-for': '1.1.1.1' }
    const same = await to('/end')(t)
    t.strictSame(await (await same.fetch('http://a.example/', { maxRedirects: 3, headers })).json(), { end: true })
    t.match(same.server.seen[1]?.headers, { authorization: 'Bearer x', 'x-key': '1', accept: 'a/b', 'user-agent': 'platform/1', host: 'a.example' })
    t.strictSame([same.server.seen[0]?.headers.cookie, same.server.seen[0]?.headers['x-forwarded-for']], [undefined, undefined])
    const other = await to('http://b.example/end')(t)
    const answer = await other.fetch('http://a.example/', { maxRedirects: 3, headers })
    await answer.bytes()
    t.equal(answer.url, 'http://b.example/end')
    t.match(other.server.seen[1]?.headers, { accept: 'a/b', host: 'b.example' })
    t.strictSame([other.server.seen[1]?.headers.authorization, other.server.seen[1]?.headers['x-key']], [undefined, undefined])
  })
  t.test('each hop is asked about', async t => {
    const { fetch } = await to('http://b.example/end')(t)
    const hops: string[] = []
    await fetch('http://a.example/', { maxRedirects: 3, checkHop: url => { hops.push(url.host) } })
    t.strictSame(hops, ['a.example', 'b.example'])
  })
})

t.test('hostile answers', async t => {
  type Play = Parameters<typeof wire>[1]
  async function against (t: Test, play: Play, deps: Partial<GuardedFetchDeps> = {}) {
    const server = await wire(t, play)
    return guarded(t, { allow: [`127.0.0.1:${server.port}`], ...deps }).bind(null, `${server.url}/`)
  }

  t.test('cookies and places of others are not passed on', async t => {
    const fetch = await against(t, (_seen, res) => json(res, 200, {}, { 'set-cookie': 'a=1', location: 'http://x/', etag: '"1"', 'www-authenticate': 'Basic' }))
    const answer = await fetch()
    t.strictSame(Object.keys(answer.headers).filter(name => /cookie|location|authenticate/.test(name)), [])
    t.equal(answer.headers.etag, '"1"')
  })
  t.test('gzip is unpacked, and a bomb is cut early with flat memory', async t => {
    const small = await against(t, (_seen, res) => { res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('hello')) })
    const answer = await small()
    t.equal(await answer.text(), 'hello')
    t.equal(answer.headers['content-encoding'], undefined)
    t.equal(answer.moved.unpacked, 5)
    const bomb = gzipSync(Buffer.alloc(64 * 1_048_576))
    const fetch = await against(t, (_seen, res) => { res.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb) })
    const before = process.memoryUsage().rss
    const bad = await fetch()
    t.match(await failure(bad.bytes()), { code: 'TARGET_TOO_LARGE', status: 502 })
    t.ok(bad.moved.unpacked < 12 * 1_048_576)
    t.ok(process.memoryUsage().rss - before < 64 * 1_048_576)
  })
  t.test('the unpacked size is limited also below the ratio', async t => {
    const fetch = await against(t, (_seen, res) => { res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('abc'.repeat(100_000))) })
    t.match(await failure((await fetch({ limits: { maxBytes: 50_000, maxRatio: 1e9 } })).bytes()), { code: 'TARGET_TOO_LARGE' })
  })
  t.test('a declared size above the limit is refused before the body, an endless body while it comes', async t => {
    const declared = await against(t, (_seen, res) => { res.writeHead(200, { 'content-length': '20000000' }).write('x') })
    t.match(await failure(declared()), { code: 'TARGET_TOO_LARGE' })
    const endless = await against(t, (_seen, res) => {
      const timer = setInterval(() => { res.write(Buffer.alloc(65_536)) }, 1)
      res.on('close', () => clearInterval(timer))
    })
    t.match(await failure((await endless({ limits: { maxBytes: 300_000 } })).bytes()), { code: 'TARGET_TOO_LARGE' })
  })
  t.test('huge headers are refused', async t => {
    const fetch = await against(t, (_seen, res) => { res.writeHead(200, { 'x-huge': 'a'.repeat(1_048_576) }).end() })
    t.match(await failure(fetch()), { code: 'TARGET_TOO_LARGE', status: 502 })
  })
  t.test('a silent host, a silent name server and a slow drip end at their times', async t => {
    const silent = await against(t, () => {}, { times: { firstByteMs: 150 } })
    t.match(await failure(silent()), { code: 'TARGET_TIMEOUT', status: 504 })
    const total = await against(t, () => {})
    t.match(await failure(total({ limits: { totalMs: 100 } })), { code: 'TARGET_TIMEOUT' })
    const drip = await against(t, (_seen, res) => {
      res.writeHead(200)
      const timer = setInterval(() => { res.write('.') }, 20)
      res.on('close', () => clearInterval(timer))
    })
    const answer = await drip({ limits: { totalMs: 200 } })
    t.match(await failure(answer.bytes()), { code: 'TARGET_TIMEOUT' })
    const noName = guarded(t, { resolver: () => new Promise(() => {}), times: { dnsMs: 80 } })
    t.match(await failure(noName('http://slow.example/')), { code: 'TARGET_TIMEOUT' })
  })
  t.test('an unknown packing, a packed part, broken gzip and no HTTP at all are bad answers', async t => {
    const plays: Play[] = [
      (_seen, res) => { res.writeHead(200, { 'content-encoding': 'zstd' }).end('x') },
      (_seen, res) => { res.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end('x') },
      (_seen, res) => { res.writeHead(206, { 'content-encoding': 'gzip' }).end('x') },
      (_seen, res) => { res.socket?.end('SSH-2.0-OpenSSH\r\n') }
    ]
    for (const play of plays) t.match(await failure((await against(t, play))()), { code: 'TARGET_BAD_RESPONSE', status: 502 })
    const broken = await against(t, (_seen, res) => { res.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip') })
    t.match(await failure((await broken()).bytes()), { code: 'TARGET_BAD_RESPONSE' })
    const cut = await against(t, (_seen, res) => { res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('abc'.repeat(1_000)).subarray(0, 20)) })
    t.match(await failure((await cut()).bytes()), { code: 'TARGET_BAD_RESPONSE' })
    const text = await against(t, (_seen, res) => { res.end('{"a"') })
    t.match(await failure((await text()).json()), { code: 'TARGET_BAD_RESPONSE' })
  })
  t.test('a body cut midway fails instead of looking complete', async t => {
    const fetch = await against(t, (_seen, res) => {
      res.writeHead(200, { 'content-length': '100' })
      res.write('half')
      setTimeout(() => res.destroy(), 20)
    })
    t.match(await failure((await fetch()).bytes()), { code: 'TARGET_UNREACHABLE', status: 502 })
  })
  t.test('the host sees the hang-up when the reader leaves or the caller gives up', async t => {
    const closed: Array<Promise<unknown>> = []
    const fetch = await against(t, (_seen, res) => {
      closed.push(once(res, 'close'))
      res.writeHead(200)
      res.write('x')
    })
    const stop = new AbortController()
    const one = await fetch()
    one.body.destroy()
    await closed[0]
    const other = await fetch({ signal: stop.signal })
    stop.abort()
    await closed[1]
    t.match(await failure(other.bytes()), { name: 'AbortError' })
  })
  t.test('only the start is read when that is enough', async t => {
    const fetch = await against(t, (_seen, res) => { res.end('x'.repeat(500_000)) })
    const answer = await fetch()
    t.equal((await answer.start(100)).length, 100)
  })
  t.test('HEAD and 304 have no body whatever they declare', async t => {
    const fetch = await against(t, (seen, res) => { res.writeHead(seen.method === 'HEAD' ? 200 : 304, { 'content-length': '99999999', 'content-encoding': 'gzip' }).end() })
    t.equal((await fetch({ method: 'HEAD' })).status, 200)
    t.equal((await (await fetch()).bytes()).length, 0)
  })
})

t.test('unreachable, unknown name', async t => {
  const fetch = guarded(t, { resolver: async () => { throw Object.assign(new Error('no'), { code: 'ENOTFOUND' }) }, allow: ['127.0.0.1:1'] })
  t.match(await failure(fetch('http://none.example/')), { code: 'TARGET_UNREACHABLE', status: 502 })
  t.match(await failure(fetch('http://127.0.0.1:1/')), { code: 'TARGET_UNREACHABLE' })
})

t.test('exceptions name host and port, and production does not start with them', async t => {
  t.throws(() => createGuardedFetch({ log: silentLog, userAgent: 'x', production: true, allow: ['127.0.0.1:80'] }), /not allowed in production/)
  const server = await wire(t, (_seen, res) => { res.end('x') })
  const { seen, port } = await tripwire(t)
  const fetch = guarded(t, { allow: [`127.0.0.1:${server.port}`] })
  t.equal((await fetch(server.url)).status, 200)
  await failure(fetch(`http://127.0.0.1:${port}/`))
  t.equal(seen.connections, 0)
})

t.test('callers may demand https and names', async t => {
  const fetch = guarded(t, { resolver: async () => [PUBLIC] })
  t.match(await failure(fetch('http://a.example/', { httpsOnly: true })), { code: 'INVALID_TARGET_URL' })
  t.match(await failure(fetch(`https://${PUBLIC}/`, { namesOnly: true })), { code: 'INVALID_TARGET_URL' })
})

t.test('header values that would split the request are refused', async t => {
  const server = await wire(t, (_seen, res) => { res.end('x') })
  const fetch = guarded(t, { allow: [`127.0.0.1:${server.port}`] })
  t.match(await failure(fetch(server.url, { headers: { 'x-a': 'b\r\nx-c: d' } })), { code: 'INVALID_TARGET_URL' })
  t.equal(server.seen.length, 0)
})

t.test('the https name is checked against the certificate, not the address', async t => {
  const hello: Buffer[] = []
  const server = createServer((socket: Socket) => socket.on('error', () => {}).once('data', chunk => { hello.push(chunk); socket.destroy() }))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const real = buildConnector({ timeout: 1_000 })
  const port = String((server.address() as AddressInfo).port)
  const fetch = guarded(t, {
    resolver: async () => [PUBLIC],
    dial: (options, callback) => { real({ ...options, hostname: '127.0.0.1', port }, callback) }
  })
  t.match(await failure(fetch('https://secure.example/')), { code: 'TARGET_UNREACHABLE' })
  t.match(Buffer.concat(hello).toString('latin1'), /secure\.example/)
})

/** A name server of one packet: answers A and AAAA questions with what it is given, others with silence. */
async function nameServer (t: Test, records: { a?: number[], aaaa?: number[] }) {
  const server = createSocket('udp4')
  server.on('message', (question, from) => {
    const nameEnd = question.indexOf(0, 12)
    const type = question.readUInt16BE(nameEnd + 1)
    const data = type === 1 ? records.a : type === 28 ? records.aaaa : undefined
    const asked = question.subarray(12, nameEnd + 5)
    const head = Buffer.from(question.subarray(0, 12))
    head.writeUInt16BE(0x8180, 2)
    head.writeUInt16BE(data === undefined ? 0 : 1, 6)
    head.writeUInt32BE(0, 8)
    const record = data === undefined ? [] : [0xc0, 0x0c, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length, ...data]
    if (records.a !== undefined) server.send(Buffer.concat([head, asked, Buffer.from(record)]), from.port, from.address)
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `127.0.0.1:${server.address().port}`
}

t.test('the real resolver brings A and AAAA together; a silent name server is left alone in time', async t => {
  const never = new AbortController().signal
  const loopback6 = [...Buffer.alloc(15), 1]
  const mixed = createDnsResolver(500, [await nameServer(t, { a: [93, 184, 216, 34], aaaa: loopback6 })])
  t.strictSame(await mixed('a.example', never), [PUBLIC, '::1'])
  t.match(await failure(guarded(t, { resolver: mixed, dial: internet(1).dial })('http://a.example/')), { code: 'TARGET_NOT_ALLOWED' })
  const one = createDnsResolver(500, [await nameServer(t, { a: [93, 184, 216, 34] })])
  t.strictSame(await one('a.example', never), [PUBLIC])
  const silent = createDnsResolver(100, [await nameServer(t, {})])
  t.match(await failure(guarded(t, { resolver: silent })('http://a.example/')), { code: /TARGET_(?:UNREACHABLE|TIMEOUT)/ })
})
