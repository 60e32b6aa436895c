import t from 'tap'
import { createBreaker, createHttpClient, redact, redactText, retryAfterSeconds, silentLog, type HttpClientOptions, type UpstreamError } from '../../src/services/http/index.js'
import { ServiceError } from '../../src/services/kit.js'
import { failure, json, memoryLog, movedClock, wire } from './wire.js'

type Test = { teardown (fn: () => unknown): void }

function client (t: Test, options: Partial<HttpClientOptions> = {}) {
  const http = createHttpClient({ clock: movedClock(), log: silentLog, random: () => 0, ...options })
  t.teardown(() => http.close())
  return http
}

t.test('a call carries JSON and the request id, and its duration is logged', async t => {
  const server = await wire(t, (_seen, res) => json(res, 200, { ok: true }))
  const log = memoryLog()
  const http = client(t, { log, requestId: () => 'from-context' })
  const answer = await http.call({ upstream: 'thing', url: `${server.url}/a?secret=1`, method: 'POST', json: { a: 1 }, requestId: 'req-1' })
  t.strictSame(answer.json(), { ok: true })
  t.match(server.seen[0], { method: 'POST', body: '{"a":1}', headers: { 'x-request-id': 'req-1', 'content-type': 'application/json' } })
  t.match(log.lines[0], { upstream: 'thing', method: 'POST', status: 200, request_id: 'req-1', target: `${server.url}/a`, ms: Number })
  t.notMatch(JSON.stringify(log.lines), /secret/)
  await http.call({ upstream: 'thing', url: `${server.url}/sso/ada%40example.com/+14155550100/link` })
  t.match(log.lines.at(-1), { target: `${server.url}/sso/[personal]/[personal]/link` }, 'no person in the log')
  await http.call({ upstream: 'thing', url: server.url })
  t.equal(server.seen[2]?.headers['x-request-id'], 'from-context')
})

t.test('sockets are kept alive between calls', async t => {
  const ports = new Set<number | undefined>()
  const server = await wire(t, (_seen, res) => { ports.add(res.socket?.remotePort); json(res, 200, {}) })
  const http = client(t)
  for (let i = 0; i < 10; i++) await http.call({ upstream: 'x', url: server.url })
  t.ok(ports.size <= 2, `${ports.size} sockets for 10 calls`)
})

t.test('an error answer keeps its status and data, without secrets, headers or our address', async t => {
  const server = await wire(t, (_seen, res) => json(res, 422, {
    message: `no such thing at ${server.url}/a`,
    code: 21211,
    config: { headers: { authorization: 'Bearer abcdefghi' } },
    nested: { api_key: 'k', list: ['Bearer abcdefghijk', 'fine'], stack: 'Error: at file.ts' }
  }))
  const error = await failure(client(t).call({ upstream: 'x', url: server.url, headers: { authorization: 'Bearer abcdefghi' } }))
  t.ok(error instanceof ServiceError)
  t.match(error, { status: 422, code: 'UPSTREAM_ERROR', outcome: 'answered' })
  t.strictSame(error.data, {
    upstream: { message: 'no such thing at [address]', code: 21211, nested: { list: ['[redacted]', 'fine'] } }
  })
})

t.test('an HTML error page is kept as its status alone', async t => {
  const server = await wire(t, (_seen, res) => { res.writeHead(500).end('<h1>secret stack</h1>') })
  const error = await failure(client(t).call({ upstream: 'x', url: server.url }))
  t.match(error, { status: 500, code: 'UPSTREAM_ERROR' })
  t.equal(error.data, undefined)
})

t.test('unreachable is 502 and known as never sent; a cut answer is 502 with unknown outcome', async t => {
  const http = client(t)
  const refused = await failure(http.call({ upstream: 'x', url: 'http://127.0.0.1:1' }))
  t.match(refused, { status: 502, code: 'UPSTREAM_UNAVAILABLE', outcome: 'not_sent' })
  const server = await wire(t, (_seen, res) => {
    res.writeHead(200, { 'content-length': '100' })
    res.write('half')
    setTimeout(() => res.destroy(), 20)
  })
  t.match(await failure(http.call({ upstream: 'x', url: server.url, method: 'POST' })), { status: 502, outcome: 'unknown' })
})

t.test('a silent host and a dripping host both end as 504 at the total time', async t => {
  const server = await wire(t, () => {})
  const http = client(t)
  const started = Date.now()
  t.match(await failure(http.call({ upstream: 'x', url: server.url, timeoutMs: 150 })), { status: 504, code: 'UPSTREAM_TIMEOUT' })
  server.script((_seen, res) => {
    res.writeHead(200)
    const timer = setInterval(() => res.write('.'), 20)
    res.on('close', () => clearInterval(timer))
  })
  t.match(await failure(http.call({ upstream: 'x', url: server.url, timeoutMs: 150 })), { status: 504 })
  t.ok(Date.now() - started < 2_000)
})

t.test('an answer that is not HTTP, not JSON, a redirect or too large is 502', async t => {
  const server = await wire(t, (_seen, res) => { res.socket?.end('nonsense\r\n\r\n') })
  const http = client(t)
  t.match(await failure(http.call({ upstream: 'x', url: server.url })), { code: 'UPSTREAM_BAD_RESPONSE', status: 502 })
  server.script((_seen, res) => { res.end('{"broken"') })
  const answer = await http.call({ upstream: 'x', url: server.url })
  t.throws(() => answer.json(), { code: 'UPSTREAM_BAD_RESPONSE' })
  server.script((_seen, res) => { res.writeHead(302, { location: 'http://127.0.0.1:1/' }).end() })
  t.match(await failure(http.call({ upstream: 'x', url: server.url })), { code: 'UPSTREAM_BAD_RESPONSE' })
  server.script((_seen, res) => { res.end('x'.repeat(5_000)) })
  t.match(await failure(http.call({ upstream: 'x', url: server.url, maxBytes: 1_000 })), { code: 'UPSTREAM_BAD_RESPONSE' })
})

t.test('only idempotent calls are repeated', async t => {
  const server = await wire(t, (_seen, res, count) => json(res, count % 2 === 1 ? 503 : 200, {}))
  const http = client(t)
  t.equal((await http.call({ upstream: 'x', url: server.url })).status, 200)
  t.equal(server.seen.length, 2)
  t.match(await failure(http.call({ upstream: 'x', url: server.url, method: 'POST', json: {}, tries: 5 })), { status: 503 })
  t.equal(server.seen.length, 3)
  server.script((_seen, res, count) => json(res, count < 6 ? 503 : 200, {}))
  t.equal((await http.call({ upstream: 'x', url: server.url, method: 'POST', json: {}, tries: 3, idempotent: true })).status, 200)
  t.equal(server.seen.length, 6)
})

t.test('repeats stay near a tenth of the calls', async t => {
  const server = await wire(t, (_seen, res) => json(res, 503, {}))
  const http = client(t, { breaker: { minCalls: Infinity } })
  for (let i = 0; i < 100; i++) await http.send({ upstream: 'x', url: server.url })
  t.ok(server.seen.length <= 100 + 3 + 10, `${server.seen.length} requests for 100 calls`)
})

t.test('Retry-After of a refusal is passed on in seconds', async t => {
  const server = await wire(t, (_seen, res) => json(res, 429, {}, { 'retry-after': '17' }))
  const error = await failure(client(t).call({ upstream: 'x', url: server.url }))
  t.match(error, { status: 429, retryAfter: 17, headers: { 'retry-after': '17' } })
  const now = new Date('2026-01-01T00:00:00Z')
  t.equal(retryAfterSeconds('Thu, 01 Jan 2026 00:00:30 GMT', now), 30)
  t.equal(retryAfterSeconds('soon', now), undefined)
  t.equal(retryAfterSeconds('-5', now), undefined)
  t.equal(retryAfterSeconds('999999999', now), 86_400)
})

t.test('the breaker opens at half of twenty calls, spares the host, and one call after 30 s decides', async t => {
  const clock = movedClock()
  let status = 500
  const server = await wire(t, (_seen, res) => json(res, status, {}))
  const http = client(t, { clock })
  for (let i = 0; i < 19; i++) await failure(http.call({ upstream: 'x', url: server.url, method: 'POST' }))
  t.equal(http.state(server.url), 'ok')
  await failure(http.call({ upstream: 'x', url: server.url, method: 'POST' }))
  t.equal(http.state(server.url), 'open')
  const error = await failure(http.call({ upstream: 'x', url: server.url, method: 'POST' }))
  t.match(error, { status: 502, code: 'UPSTREAM_UNAVAILABLE', outcome: 'not_sent', retryAfter: 30 })
  t.equal(server.seen.length, 20)
  clock.move(30_000)
  await failure(http.call({ upstream: 'x', url: server.url, method: 'POST' }))
  t.equal(server.seen.length, 21)
  t.equal(http.state(server.url), 'open', 'a failed probe closes the door again')
  clock.move(30_000)
  status = 200
  await http.call({ upstream: 'x', url: server.url })
  t.equal(http.state(server.url), 'ok')
})

t.test('breaker rules', async t => {
  t.test('good calls keep it closed below half', async t => {
    const breaker = createBreaker(movedClock())
    for (let i = 0; i < 40; i++) breaker.enter()?.(i % 5 < 3 ? 'ok' : 'failed')
    t.equal(breaker.state(), 'ok')
  })
  t.test('old failures leave the window', async t => {
    const clock = movedClock()
    const breaker = createBreaker(clock)
    for (let i = 0; i < 19; i++) breaker.enter()?.('failed')
    clock.move(10_001)
    breaker.enter()?.('failed')
    t.equal(breaker.state(), 'ok')
  })
  t.test('one probe at a time; a probe without a result leaves room for the next; late results are ignored', async t => {
    const clock = movedClock()
    const breaker = createBreaker(clock)
    const late = breaker.enter()
    for (let i = 0; i < 20; i++) breaker.enter()?.('failed')
    clock.move(30_000)
    const probe = breaker.enter()
    t.ok(probe)
    t.equal(breaker.enter(), null)
    probe?.('ignored')
    const next = breaker.enter()
    t.ok(next)
    next?.('ok')
    for (let i = 0; i < 19; i++) breaker.enter()?.('failed')
    late?.('failed')
    t.equal(breaker.state(), 'ok')
  })
})

t.test('a caller that gives up neither trips the breaker nor becomes an upstream error', async t => {
  const server = await wire(t, () => {})
  const http = client(t, { breaker: { minCalls: 1 } })
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 30)
  const error = await failure(http.call({ upstream: 'x', url: server.url, signal: stop.signal }))
  t.equal(error.name, 'AbortError')
  t.equal(http.state(server.url), 'ok')
})

t.test('guard puts a foreign client behind the same breaker', async t => {
  const http = client(t, { breaker: { minCalls: 2 } })
  const target = { upstream: 'sdk', url: 'http://sdk.example' }
  const run = async () => { throw new Error('down') }
  await failure(http.guard(target, run, () => true))
  await failure(http.guard(target, run, () => true))
  t.equal(http.state(target.url), 'open')
  t.match(await failure(http.guard(target, async () => 1, () => true)), { code: 'UPSTREAM_UNAVAILABLE' })
})

t.test('redaction', async t => {
  t.equal(redactText('see https://user:pw@host/x?token=abc&a=1 or /y?token=abc&a=1'), 'see [address] or /y?token=[redacted]&a=1')
  t.equal(redactText('connect ECONNREFUSED 10.0.0.5:3000, mongodb+srv://u:p@db/x of version 1.2.3'), 'connect ECONNREFUSED [address], [address] of version 1.2.3')
  t.equal(redactText('key sk_live_123abc and eyJhbGciOi.eyJzdWIiOi.sig'), 'key [redacted] and [redacted]')
  t.strictSame(redact({ a: { b: { c: { d: { e: { f: { g: 1 } } } } } } }), { a: { b: { c: { d: { e: { f: '[cut]' } } } } } })
  t.equal((redact(Array.from({ length: 500 }, () => 1)) as unknown[]).length, 50)
  t.strictSame(redact(JSON.parse('{"__proto__": {"polluted": true}, "a": null}')), { a: null })
  const started = performance.now()
  for (const text of ['Bearer '.repeat(20_000), 'https://' + 'a'.repeat(50_000), 'a'.repeat(50_000), '1.'.repeat(20_000)]) redactText(text)
  t.ok(performance.now() - started < 50)
})

t.test('an upstream error keeps its inner reason for the log', async t => {
  const error = await failure(client(t).call({ upstream: 'x', url: 'http://127.0.0.1:1' })) as unknown as UpstreamError
  t.match(error.cause, { code: 'ECONNREFUSED' })
  t.equal(error.upstream, 'x')
})
