import { jwtVerify } from 'jose'
import t from 'tap'
import { createAi } from '../../src/services/ai/index.js'
import { createConversationSocket } from '../../src/services/conversation-socket/index.js'
import { createCurrency } from '../../src/services/currency/index.js'
import { createExternalApi } from '../../src/services/external-api/index.js'
import { createGeneralSocket } from '../../src/services/general-socket/index.js'
import { createHttpClient, silentLog } from '../../src/services/http/index.js'
import { createNotificationService } from '../../src/services/notification-service/index.js'
import { createQueueManager } from '../../src/services/queue-manager/index.js'
import { failure, json, movedClock, wire } from './wire.js'

type Test = { testdir (): string, teardown (fn: () => unknown): void }
const SECRET = 'an app secret of at least thirty-two bytes'

function options (t: Test, baseUrl?: string, production = false) {
  const clock = movedClock()
  const http = createHttpClient({ clock, log: silentLog })
  t.teardown(() => http.close())
  return { http, clock, log: silentLog, production, twinDir: t.testdir(), baseUrl, secret: SECRET }
}

t.test('General Socket: its four doors, a token of five minutes and the account', async t => {
  const server = await wire(t, (_seen, res) => json(res, 200, { success: true }))
  const given = options(t, `${server.url}/`)
  const socket = createGeneralSocket(given)
  t.match({ mode: socket.mode, state: socket.state() }, { mode: 'real', state: 'ok' })
  await socket.emit({ event: 'store_updated', data: { a: 1 }, accountId: 'acc1', userIds: ['u1', 'u2'] }, { requestId: 'req-1', ref: 'row-1' })
  await socket.emitToUser({ userId: 'u/1', event: 'job_progress', data: { percent: 5 }, accountId: 'acc1' })
  await socket.emitMessage({ channel: 'prospect', messageId: 'm1', accountId: 'acc1' })
  await socket.emitConversation({ channel: 'prospect', conversationId: 'c1', isNew: true, accountId: 'acc1' })
  await socket.emitConversation({ channel: 'prospect', conversationId: 'c1', isNew: false, accountId: 'acc1' })
  t.strictSame(server.seen.map(seen => [seen.method, seen.url, seen.body]), [
    ['POST', '/emit', '{"event":"store_updated","data":{"a":1},"account_id":"acc1","user_ids":["u1","u2"]}'],
    ['POST', '/emit/u%2F1/job_progress', '{"percent":5}'],
    ['GET', '/conversations/prospect/emit/message/m1', ''],
    ['GET', '/conversations/prospect/emit/conversation/c1/new', ''],
    ['GET', '/conversations/prospect/emit/conversation/c1/existing', '']
  ])
  const [first] = server.seen
  t.match(first?.headers, { 'x-account-id': 'acc1', 'x-request-id': 'req-1', 'idempotency-key': 'row-1' })
  const token = String(first?.headers.authorization).replace('Bearer ', '')
  const { payload } = await jwtVerify(token, new TextEncoder().encode(SECRET), { algorithms: ['HS256'], currentDate: given.clock.now() })
  t.match(payload, { accountId: 'acc1', typ: 'socket' })
  t.equal((payload.exp ?? 0) - (payload.iat ?? 0), 300)
})

t.test('sockets are called once, within three seconds; the outbox repeats', async t => {
  const server = await wire(t, (_seen, res) => json(res, 503, { message: 'busy' }, { 'retry-after': '4' }))
  const socket = createGeneralSocket(options(t, server.url))
  t.match(await failure(socket.emitMessage({ channel: 'support', messageId: 'm1', accountId: 'a' })), { status: 503, retryAfter: 4, upstream: 'general-socket' })
  t.equal(server.seen.length, 1)
  t.match(await failure(createGeneralSocket(options(t, 'http://127.0.0.1:1')).emit({ event: 'e', data: 1 })), { status: 502, outcome: 'not_sent' })
})

t.test('Conversation Socket: rooms or users', async t => {
  const server = await wire(t, (_seen, res) => { res.writeHead(204).end() })
  const socket = createConversationSocket(options(t, server.url))
  await socket.emit({ event: 'newMessage', rooms: ['r1'], data: { id: 'm1' }, accountId: 'acc1' })
  await socket.emit({ event: 'roomUpdated', users: ['u1'], data: {} })
  t.strictSame(server.seen.map(seen => [seen.url, seen.body]), [
    ['/emit', '{"event":"newMessage","rooms":["r1"],"data":{"id":"m1"}}'], ['/emit', '{"event":"roomUpdated","users":["u1"],"data":{}}']
  ])
  t.match(server.seen[0]?.headers, { 'x-account-id': 'acc1', authorization: /^Bearer ey/ })
})

t.test('Queue Manager and Notification service: triggers with the bearer of the call', async t => {
  const server = await wire(t, (_seen, res) => { res.writeHead(202).end() })
  await createQueueManager(options(t, server.url)).trigger({ source: 'contacts-import', action: 'run', id: 'q1' }, { bearer: 'jwt', requestId: 'req-2' })
  await createNotificationService(options(t, server.url)).trigger({ module: 'deals', id: 'n1' }, { bearer: 'jwt' })
  t.match(server.seen, [
    { method: 'POST', url: '/queue/contacts-import', body: '{"action":"run","id":"q1"}', headers: { authorization: 'Bearer jwt', 'x-request-id': 'req-2' } },
    { method: 'POST', url: '/trigger/deals', body: '{"id":"n1"}', headers: { authorization: 'Bearer jwt' } }
  ])
})

t.test('External API: paths, query and bearer; reads are tried twice, writes once', async t => {
  const server = await wire(t, (_seen, res, count) => json(res, count === 1 ? 502 : 200, { success: true, data: [{ id: '1' }] }))
  const api = createExternalApi(options(t, server.url))
  const read = await api.call({ integration: 'google-ads', path: ['campaigns', 'a/b'], query: { page: 2, q: undefined, all: true } }, { bearer: 'jwt', requestId: 'req-3' })
  t.strictSame(read, { success: true, data: [{ id: '1' }] })
  t.equal(server.seen.length, 2)
  t.match(server.seen[1], { method: 'GET', url: '/v1/e/google-ads/campaigns/a%2Fb?page=2&all=true', headers: { authorization: 'Bearer jwt', 'x-request-id': 'req-3' } })
  server.script((_seen, res) => json(res, 503, { success: false, message: 'down', data: { token: 'x' } }))
  const error = await failure(api.call({ integration: 'facebook', path: ['accounts', 'webhook'], method: 'POST', json: { page: 1 } }))
  t.match(error, { status: 503, data: { upstream: { message: 'down', data: {} } } })
  t.equal(server.seen.length, 3)
  server.script((_seen, res) => { res.writeHead(200, { 'content-type': 'application/json' }).end('{') })
  t.match(await failure(api.call({ integration: 'x', path: [] })), { code: 'UPSTREAM_BAD_RESPONSE' })
  await t.rejects(api.call({ integration: 'x', path: ['..', '..', 'admin'] }), /climbs/)
})

t.test('production without an address refuses and names the variable', async t => {
  const off = options(t, undefined, true)
  const cases: Array<[{ mode: string, state (): string }, () => Promise<unknown>, string, string]> = []
  const general = createGeneralSocket(off)
  cases.push([general, () => general.emit({ event: 'e', data: 1 }), 'GENERAL_SOCKET_NOT_CONFIGURED', 'GENERAL_SOCKET'])
  const conversation = createConversationSocket(off)
  cases.push([conversation, () => conversation.emit({ event: 'newMessage', rooms: [], data: 1 }), 'CONVERSATION_SOCKET_NOT_CONFIGURED', 'CONVERSATION_SOCKET'])
  const queue = createQueueManager(off)
  cases.push([queue, () => queue.trigger({ source: 's', action: 'a', id: 'i' }), 'QUEUE_MANAGER_NOT_CONFIGURED', 'QUEUE_MANAGER_URL'])
  const notification = createNotificationService(off)
  cases.push([notification, () => notification.trigger({ module: 'm', id: 'i' }), 'NOTIFICATION_NOT_CONFIGURED', 'NOTIFICATION_URL'])
  const external = createExternalApi(off)
  cases.push([external, () => external.call({ integration: 'x', path: [] }), 'EXTERNAL_API_NOT_CONFIGURED', 'EXTERNAL_API_URL'])
  const currency = createCurrency(off)
  cases.push([currency, () => currency.rates('USD'), 'CURRENCY_NOT_CONFIGURED', 'CURRENCY_URL'])
  const ai = createAi(off)
  cases.push([ai, () => ai.ask({ task: 't', input: {}, accountId: 'a' }), 'AI_NOT_CONFIGURED', 'AI_URL'])
  for (const [client, call, code, variable] of cases) {
    t.match({ mode: client.mode, state: client.state() }, { mode: 'off', state: 'not_configured' })
    t.match(await failure(call()), { status: 503, code, info: `${variable} is not set.` })
  }
})

t.test('twins record each call and wake what runs in this process', async t => {
  const emits: unknown[] = []
  const general = createGeneralSocket({ ...options(t), onEmit: emit => { emits.push(emit) } })
  await general.emit({ event: 'e', data: 1, accountId: 'a1' })
  await general.emitToUser({ userId: 'u1', event: 'x', data: { d: 1 }, accountId: 'a1' })
  general.twin?.fault({ mode: 'drop' })
  await general.emit({ event: 'lost', data: 1 })
  general.twin?.fault({ mode: 'duplicate' })
  await general.emit({ event: 'twice', data: 1 })
  general.twin?.fault({ mode: 'status', status: 500 })
  t.match(await failure(general.emit({ event: 'bad', data: 1 })), { status: 500 })
  t.match(emits, [{ event: 'e', data: 1, accountId: 'a1' }, { event: '/emit/u1/x', data: { d: 1 } }, { event: 'twice' }, { event: 'twice' }])
  t.equal(emits.length, 4)
  t.strictSame((await general.twin?.entries())?.map(entry => entry.kind), ['POST /emit', 'POST /emit', 'POST /emit', 'POST /emit/u1/x', 'POST /emit'])

  const woken: unknown[] = []
  const queue = createQueueManager({ ...options(t), wake: trigger => { woken.push(trigger) } })
  await queue.trigger({ source: 'crm-export', action: 'run', id: 'q1', accountId: 'a1' })
  const notification = createNotificationService({ ...options(t), wake: trigger => { woken.push(trigger) } })
  await notification.trigger({ module: 'deals', id: 'n1' })
  t.strictSame(woken, [{ source: 'crm-export', action: 'run', id: 'q1' }, { module: 'deals', id: 'n1' }])
  const rooms: unknown[] = []
  const conversation = createConversationSocket({ ...options(t), onEmit: emit => { rooms.push(emit) } })
  await conversation.emit({ event: 'newMessage', rooms: ['r1'], data: 1 })
  t.match(rooms, [{ event: 'newMessage', rooms: ['r1'] }])
})

t.test('the External API twin answers in its integrations\' shapes and learns more', async t => {
  const api = createExternalApi(options(t))
  const call = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown) => {
    const [integration = '', ...rest] = path.split('/')
    return api.call({ integration, path: rest, method, json: body }) as Promise<{ data: Array<{ id: string }> & { id: string } }>
  }
  t.equal((await call('GET', 'integrations')).data.length, 4)
  await call('DELETE', 'integrations/facebook')
  t.equal((await call('GET', 'integrations')).data.length, 3)
  t.match(await failure(call('DELETE', 'integrations/facebook')), { status: 404 })
  t.match(await call('GET', 'google-ads/campaigns'), { data: [{ status: 'ENABLED' }] })
  t.equal((await call('GET', 'square/payments')).data.length, 3)
  const { data: { id } } = await call('POST', 'cloudflare/custom_hostnames', { hostname: 'a.example' })
  t.match(await call('GET', `cloudflare/custom_hostnames/${id}`), { data: { hostname: 'a.example', ssl: { status: 'active' } } })
  t.match(await call('POST', 'facebook/accounts/webhook', { page: 'p' }), { data: { id: /^wh_/ } })
  t.match(await failure(call('GET', 'unknown/door')), { status: 501, data: { upstream: { message: 'The twin does not play GET /v1/e/unknown/door' } } })
  api.twin?.on('GET', 'yext/:id', ({ params }) => ({ success: true, data: params }))
  t.strictSame(await call('GET', 'yext/7'), { success: true, data: { id: '7' } })
})

t.test('currency rates are kept for six hours and the last known ones serve when the service is away', async t => {
  const server = await wire(t, (_seen, res) => json(res, 200, { success: true, data: { base: 'USD', as_of: '2026-01-05', rates: { EUR: 0.855, JPY: '156.8', XX: 1, BAD: 'x', ZAR: -1 } } }))
  const given = options(t, server.url)
  const currency = createCurrency(given)
  const expected = { base: 'USD', asOf: new Date('2026-01-05'), rates: { EUR: '0.855', JPY: '156.8' }, stale: false }
  const both = await Promise.all([currency.rates('USD', { bearer: 'jwt' }), currency.rates('USD')])
  t.strictSame(both, [expected, expected])
  t.equal(server.seen.length, 1, 'callers at once share one call')
  t.match(server.seen[0], { url: '/v1/currency?base=USD', headers: { authorization: 'Bearer jwt' } })
  given.clock.move(6 * 3_600_000 - 1)
  await currency.rates('USD')
  t.equal(server.seen.length, 1)
  server.script((_seen, res) => json(res, 500, {}))
  given.clock.move(1)
  t.strictSame(await currency.rates('USD'), { ...expected, stale: true })
  const asked = server.seen.length
  await currency.rates('USD')
  t.equal(server.seen.length, asked, 'a service that is away is not asked by every call')
  t.match(await failure(currency.rates('EUR')), { status: 500 })
  server.script((_seen, res) => json(res, 200, { data: { rates: {}, as_of: '2026' } }))
  t.match(await failure(currency.rates('GBP')), { code: 'UPSTREAM_BAD_RESPONSE' })
  server.script((_seen, res) => json(res, 200, { data: { base: 'USD', as_of: '2026-01-06', rates: { EUR: 0.86 } } }))
  given.clock.move(30_000)
  t.match(await currency.rates('USD'), { stale: false, rates: { EUR: '0.86' } })
})

t.test('the currency twin has a dated table and can be away', async t => {
  const currency = createCurrency(options(t))
  t.match(await currency.rates('EUR'), { base: 'EUR', asOf: new Date('2026-01-02T00:00:00Z'), stale: false, rates: { EUR: '1', USD: '1.16959064327', JPY: String } })
  t.match(await failure(currency.rates('XXX')), { status: 404 })
  currency.twin?.fault({ mode: 'unreachable' })
  t.match(await failure(currency.rates('USD')), { status: 502 })
})

t.test('AI answers are kept for ten minutes, each account its own', async t => {
  const server = await wire(t, (_seen, res, count) => json(res, 200, { data: { text: `answer ${count}` } }))
  const given = options(t, server.url)
  const ai = createAi(given)
  const ask = (accountId: string) => ai.ask({ task: 'reviews/reply', input: { text: 'Great' }, accountId }, { bearer: 'jwt' })
  t.strictSame(await ask('a1'), { data: { text: 'answer 1' } })
  t.strictSame(await ask('a1'), { data: { text: 'answer 1' } })
  t.strictSame(await ask('a2'), { data: { text: 'answer 2' } })
  t.match(server.seen[0], { method: 'POST', url: '/v1/ai/reviews/reply', body: '{"text":"Great"}' })
  given.clock.move(600_000)
  t.strictSame(await ask('a1'), { data: { text: 'answer 3' } })
  server.script(() => {})
  t.match(await failure(ask('a3')), { status: 504 })
  t.match(await createAi(options(t)).ask({ task: 'summary', input: { text: 'One two' }, accountId: 'a' }), { data: { text: 'Sample answer to summary: text One two', sample: true } })
})
