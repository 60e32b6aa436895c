import t from 'tap'
import { createHttpClient, silentLog } from '../../src/services/http/index.js'
import { createStripe, signEvent, type StripeOptions } from '../../src/services/stripe/index.js'
import type { TwinHook } from '../../src/services/twin.js'
import { failure, json, movedClock, wire } from './wire.js'

type Test = { testdir (): string, teardown (fn: () => unknown): void }
type Event = { type: string, account?: string, data: { object: { id: string } } }

function stripe (t: Test, options: Partial<StripeOptions> = {}) {
  const clock = options.clock ?? movedClock()
  const http = createHttpClient({ clock, log: silentLog, random: () => 0 })
  const made = createStripe({ http, clock, log: silentLog, production: false, twinDir: options.twinDir ?? t.testdir(), twinPort: 0, ...options })
  t.teardown(async () => { await made.close(); await http.close() })
  return made
}

t.test('the real client pins the version, passes key, account and idempotency key on', async t => {
  const server = await wire(t, (_seen, res) => json(res, 200, { id: 'cus_1', object: 'customer' }))
  const real = stripe(t, { apiKey: 'sk_test_123', baseUrl: server.url })
  t.match({ mode: real.mode, state: real.state() }, { mode: 'real', state: 'ok' })
  const customer = await real.run(
    library => library.customers.create({ email: 'ada@example.com', metadata: { a: '1' } }, { idempotencyKey: 'op-1', stripeAccount: 'acct_1' }), { requestId: 'req-1' }
  )
  t.equal(customer.id, 'cus_1')
  t.match(server.seen[0], {
    method: 'POST',
    url: '/v1/customers',
    body: 'email=ada%40example.com&metadata[a]=1',
    headers: {
      authorization: 'Bearer sk_test_123', 'idempotency-key': 'op-1', 'stripe-account': 'acct_1', 'stripe-version': '2026-10-28.endive', 'x-request-id': 'req-1'
    }
  })
})

t.test('errors: cards with their reason, overload and absence as 503, others by status and code only', async t => {
  const server = await wire(t, (_seen, res) => json(res, 402, { error: { type: 'card_error', code: 'card_declined', decline_code: 'insufficient_funds', message: 'No', payment_intent: { id: 'pi_1' } } }))
  const real = stripe(t, { apiKey: 'sk_test_123', baseUrl: server.url })
  const call = () => failure(real.run(library => library.paymentIntents.retrieve('pi_1')))
  t.match(await call(), { status: 402, code: 'CARD_DECLINED', data: { decline_code: 'insufficient_funds', payment_intent: 'pi_1' } })
  server.script((_seen, res) => json(res, 402, { error: { type: 'card_error', code: 'authentication_required', payment_intent: { id: 'pi_1', client_secret: 'pi_1_secret' } } }))
  t.match(await call(), { status: 402, code: 'PAYMENT_ACTION_REQUIRED', data: { client_secret: 'pi_1_secret' } })
  server.script((_seen, res) => json(res, 429, { error: { type: 'rate_limit_error', code: 'rate_limit' } }, { 'retry-after': '7' }))
  t.match(await call(), { status: 503, code: 'STRIPE_RATE_LIMITED', headers: { 'retry-after': '7' } })
  server.script((_seen, res) => json(res, 404, { error: { type: 'invalid_request_error', code: 'resource_missing', param: 'id', message: 'No such payment_intent with key sk_test_123' } }))
  const missing = await call()
  t.match(missing, { status: 404, code: 'UPSTREAM_ERROR', data: { upstream: { code: 'resource_missing', param: 'id' } } })
  t.notMatch(JSON.stringify(missing.data), /sk_test|No such/)
  server.script((_seen, res) => json(res, 500, { error: { type: 'api_error' } }, { 'stripe-should-retry': 'false' }))
  t.match(await call(), { status: 503, code: 'STRIPE_UNAVAILABLE', outcome: 'unknown' })
  t.match(await failure(stripe(t, { apiKey: 'sk', baseUrl: 'http://127.0.0.1:1' }).run(library => library.balance.retrieve())), { status: 503, code: 'STRIPE_UNAVAILABLE', outcome: 'not_sent' })
})

t.test('repeats go under one key; silence ends at the total time with an unknown outcome; nonsense is a bad answer', async t => {
  const server = await wire(t, (_seen, res, count) => count < 3 ? json(res, 503, { error: { type: 'api_error' } }) : json(res, 200, { id: 'cus_1' }))
  const real = stripe(t, { apiKey: 'sk_test_123', baseUrl: server.url })
  await real.run(library => library.customers.create({ email: 'a@b.c' }))
  const keys = server.seen.map(seen => seen.headers['idempotency-key'])
  t.equal(keys.length, 3)
  t.equal(new Set(keys).size, 1)
  t.ok(keys[0])
  const silent = await wire(t, () => {})
  const slow = stripe(t, { apiKey: 'sk_test_123', baseUrl: silent.url, timeoutMs: 200 })
  const started = Date.now()
  t.match(await failure(slow.run(library => library.customers.create({}))), { status: 504, code: 'UPSTREAM_TIMEOUT', outcome: 'unknown' })
  t.ok(Date.now() - started < 3_000)
  t.equal(silent.seen.length, 1, 'there is no time for a repeat')
  server.script((_seen, res) => { res.end('<html>') })
  t.match(await failure(real.run(library => library.balance.retrieve())), { code: 'UPSTREAM_BAD_RESPONSE' })
  server.script((_seen, res) => json(res, 400, { message: 'a proxy in between' }))
  t.match(await failure(real.run(library => library.balance.retrieve())), { code: 'UPSTREAM_BAD_RESPONSE' }, 'no failure passes for an answer')
})

t.test('an open breaker refuses at once', async t => {
  const server = await wire(t, (_seen, res) => json(res, 500, { error: { type: 'api_error' } }, { 'stripe-should-retry': 'false' }))
  const real = stripe(t, { apiKey: 'sk_test_123', baseUrl: server.url })
  for (let i = 0; i < 20; i++) await failure(real.run(library => library.balance.retrieve()))
  t.equal(real.state(), 'open')
  t.match(await failure(real.run(library => library.balance.retrieve())), { status: 503, code: 'STRIPE_UNAVAILABLE', outcome: 'not_sent', headers: { 'retry-after': '30' } })
  t.equal(server.seen.length, 20)
})

t.test('production without a key refuses and names the variable', async t => {
  const off = stripe(t, { production: true })
  t.equal(off.state(), 'not_configured')
  t.match(await failure(off.run(library => library.balance.retrieve())), { status: 503, code: 'STRIPE_NOT_CONFIGURED', info: 'STRIPE_SECRET_KEY is not set.' })
})

t.test('signatures', async t => {
  const clock = movedClock()
  const { verifyEvent } = stripe(t, { clock })
  const header = signEvent('{"a":1}', 'whsec_1', clock.now())
  const { default: Library } = await import('stripe')
  const judge = new Library('sk_test')
  t.ok(judge.webhooks.constructEvent('{"a":1}', header, 'whsec_1', 300, undefined, clock.now().getTime()))
  const theirs = judge.webhooks.generateTestHeaderString({ payload: '{"a":1}', secret: 'whsec_1', timestamp: clock.now().getTime() / 1_000 })
  t.equal(verifyEvent('{"a":1}', theirs, 'whsec_1'), 'ok')
  t.equal(verifyEvent('{"a":1}', `t=${clock.now().getTime() / 1_000},v1=00,${theirs.split(',')[1]}`, 'whsec_1'), 'ok')
  for (const [body, sent, secret] of [['{"a":2}', header, 'whsec_1'], ['{"a":1}', header, 'whsec_2'], ['{"a":1}', header.replace('v1', 'v0'), 'whsec_1'], ['{"a":1}', '', 'whsec_1'], ['{"a":1}', 't=x,v1=y', 'whsec_1']] as const) {
    t.equal(verifyEvent(body, sent, secret), 'invalid', sent)
  }
  clock.move(301_000)
  t.equal(verifyEvent('{"a":1}', header, 'whsec_1'), 'stale')
})

t.test('the twin is spoken to by the real library', async t => {
  const hooks: TwinHook[] = []
  const twinDir = t.testdir()
  const endpoints = [{ url: 'http://localhost:5002/v1/store/webhooks', connect: true }]
  const local = stripe(t, { twinDir, endpoints, deliver: async hook => { hooks.push(hook); return 200 } })
  const events = async () => {
    await local.twin?.idle()
    return hooks.splice(0).map(hook => JSON.parse(hook.body as string) as Event)
  }

  await t.test('customers: create, change, search by field, page, delete', async t => {
    const made = await local.run(library => library.customers.create({ email: 'ada@example.com', metadata: { a: '1', b: '2' }, address: { city: 'Berlin' } }))
    t.match(made, { id: /^cus_\w{16}$/, object: 'customer', email: 'ada@example.com', metadata: { a: '1', b: '2' }, address: { city: 'Berlin' }, delinquent: false })
    const changed = await local.run(library => library.customers.update(made.id, { name: 'Ada', metadata: { a: '', c: '3' } }))
    t.match(changed, { name: 'Ada', metadata: { b: '2', c: '3' } })
    for (let i = 0; i < 24; i++) await local.run(library => library.customers.create({ email: `c${i}@example.com` }))
    t.equal((await local.run(library => library.customers.list({ email: 'ada@example.com' }))).data.length, 1)
    const all = await local.run(library => library.customers.list({ limit: 10 }).autoPagingToArray({ limit: 100 }))
    t.equal(new Set(all.map(one => one.id)).size, 25)
    t.strictSame(await local.run(library => library.customers.del(made.id)), { id: made.id, object: 'customer', deleted: true })
    t.match(await failure(local.run(library => library.customers.retrieve(made.id))), { status: 404, data: { upstream: { code: 'resource_missing' } } })
    const told = await events()
    t.strictSame(told.filter(event => event.data.object.id === made.id).map(event => event.type), ['customer.created', 'customer.updated', 'customer.deleted'])
  })

  await t.test('products and prices', async t => {
    const product = await local.run(library => library.products.create({ name: 'Plan' }))
    const price = await local.run(library => library.prices.create({ product: product.id, currency: 'usd', unit_amount: 4_900, recurring: { interval: 'month' } }))
    t.match(price, { unit_amount: 4_900, type: 'recurring', recurring: { interval: 'month' }, active: true })
    t.equal((await local.run(library => library.prices.list({ product: product.id, active: true }))).data.length, 1)
    t.match(await failure(local.run(library => library.prices.create({ product: product.id } as never))), { status: 400, data: { upstream: { code: 'parameter_missing', param: 'currency' } } })
    await events()
  })

  await t.test('payments: success, declines, confirmation, refunds', async t => {
    const pay = (method: string, more: object = {}) => local.run(library => library.paymentIntents.create({ amount: 1_000, currency: 'usd', payment_method: method, confirm: true, off_session: true, ...more }))
    const paid = await pay('pm_card_visa')
    t.match(paid, { status: 'succeeded', amount_received: 1_000, latest_charge: /^ch_/ })
    t.strictSame((await events()).map(event => event.type), ['payment_intent.created', 'charge.succeeded', 'payment_intent.succeeded'])
    t.match(await failure(pay('pm_card_chargeDeclinedInsufficientFunds')), { code: 'CARD_DECLINED', data: { decline_code: 'insufficient_funds' } })
    t.match(await failure(pay('pm_card_authenticationRequired')), { code: 'PAYMENT_ACTION_REQUIRED', data: { client_secret: /_secret_/ } })
    const asked = await pay('pm_card_authenticationRequired', { off_session: false })
    t.equal(asked.status, 'requires_action')
    t.equal((await local.run(library => library.paymentIntents.confirm(asked.id))).status, 'succeeded')
    const refund = await local.run(library => library.refunds.create({ payment_intent: paid.id, amount: 400 }))
    t.match(refund, { amount: 400, status: 'succeeded' })
    t.match(await failure(local.run(library => library.refunds.create({ payment_intent: paid.id, amount: 601 }))), { status: 400, data: { upstream: { code: 'amount_too_large' } } })
    t.match(await failure(local.run(library => library.paymentIntents.create({ amount: 0, currency: 'usd' }))), { status: 400 })
    await events()
  })

  await t.test('an idempotency key has one effect', async t => {
    const create = (email: string) => local.run(library => library.customers.create({ email }, { idempotencyKey: 'op-7' }))
    const [one, two] = [await create('x@example.com'), await create('x@example.com')]
    t.equal(one.id, two.id)
    t.equal(two.lastResponse.headers['idempotent-replayed'], 'true')
    t.match(await failure(create('y@example.com')), { status: 400 })
    const decline = () => failure(local.run(library => library.paymentIntents.create({ amount: 500, currency: 'usd', payment_method: 'pm_card_chargeDeclined', confirm: true }, { idempotencyKey: 'op-8' })))
    t.match([await decline(), await decline()], [{ code: 'CARD_DECLINED' }, { code: 'CARD_DECLINED' }])
    t.equal((await events()).filter(event => event.type === 'payment_intent.payment_failed').length, 1)
  })

  await t.test('connected accounts are apart', async t => {
    const made = await local.run(library => library.customers.create({ email: 'c@example.com' }, { stripeAccount: 'acct_1' }))
    t.match(await failure(local.run(library => library.customers.retrieve(made.id))), { status: 404 })
    t.equal((await local.run(library => library.customers.retrieve(made.id, {}, { stripeAccount: 'acct_1' }))).id, made.id)
    t.match(await events(), [{ type: 'customer.created', account: 'acct_1' }])
  })

  await t.test('hooks are signed, for our own routes and for registered ones', async t => {
    const endpoint = await local.run(library => library.webhookEndpoints.create({ url: 'http://localhost:5002/hook', enabled_events: ['product.created'] }))
    await local.run(library => library.products.create({ name: 'Other' }))
    await local.run(library => library.customers.create({}))
    await local.twin?.idle()
    t.strictSame(hooks.map(hook => hook.url), ['http://localhost:5002/hook', endpoints[0]?.url, endpoints[0]?.url])
    const [registered, own] = hooks
    t.equal(local.verifyEvent(registered?.body ?? '', registered?.headers['stripe-signature'] ?? '', String(endpoint.secret)), 'ok')
    t.equal(local.verifyEvent(own?.body ?? '', own?.headers['stripe-signature'] ?? '', local.twin?.webhookSecret ?? ''), 'ok')
    hooks.length = 0
  })

  await t.test('failures on demand', async t => {
    const create = () => local.run(library => library.customers.create({ email: 'f@example.com' }))
    local.twin?.fault({ mode: 'status', status: 500 })
    t.match(await failure(create()), { code: 'STRIPE_UNAVAILABLE' })
    local.twin?.fault({ mode: 'status', status: 429, retryAfter: 3 })
    t.match(await failure(create()), { code: 'STRIPE_RATE_LIMITED', headers: { 'retry-after': '3' } })
    local.twin?.fault({ mode: 'unreachable', count: 1 })
    t.ok((await create()).id, 'a cut connection is repeated under the same key')
    const before = (await local.run(library => library.customers.list({ email: 'late@example.com' }))).data.length
    const base = await local.twin?.start() ?? ''
    const impatient = stripe(t, { apiKey: local.twin?.secretKey, baseUrl: base, timeoutMs: 300 })
    const lost = () => impatient.run(library => library.customers.create({ email: 'late@example.com' }, { idempotencyKey: 'op-9' }))
    local.twin?.fault({ mode: 'timeout', after: true })
    t.match(await failure(lost()), { code: 'UPSTREAM_TIMEOUT', outcome: 'unknown' })
    const found = await lost()
    t.ok(found.id)
    t.equal((await local.run(library => library.customers.list({ email: 'late@example.com' }))).data.length, before + 1, 'asking again under the key finds the first effect')
    t.match(await failure(stripe(t, { apiKey: 'sk_test_wrong', baseUrl: base }).run(library => library.balance.retrieve())), { status: 401 })
    t.match(await failure(local.run(library => library.balance.retrieve())), { code: 'STRIPE_UNAVAILABLE' }, 'what is not played is refused, not invented')
    await events()
  })

  await t.test('control doors', async t => {
    const base = await local.twin?.start() ?? ''
    const ask = async (path: string, body?: unknown) => {
      const answer = await fetch(base + path, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) })
      return { status: answer.status, body: await answer.json() as { now: number } & Array<{ id: string, type: string }> }
    }
    t.ok((await ask('/_twin/objects/customer')).body.length > 20)
    const [first] = (await ask('/_twin/events')).body
    t.match(first, { object: 'event' })
    t.equal((await ask(`/_twin/events/${first?.id}/resend`, {})).status, 200)
    t.equal((await events()).length, 1)
    t.ok((await ask('/_twin/deliveries')).body.length > 0)
    const { body: { now } } = await ask('/_twin/clock', { advance: 86_400 })
    t.equal(now, new Date('2026-01-06T12:00:00Z').getTime() / 1_000)
    t.equal((await ask('/_twin/fail', { mode: 'rate_limit', times: 1, match: 'customers' })).status, 200)
    t.match(await failure(local.run(library => library.customers.list())), { code: 'STRIPE_RATE_LIMITED' })
    t.equal((await ask('/_twin/fail', { mode: 'nonsense' })).status, 400)
    t.equal((await ask('/_twin/nothing', {})).status, 501)
  })

  await t.test('state survives a restart', async t => {
    const again = stripe(t, { twinDir })
    t.equal(again.twin?.secretKey, local.twin?.secretKey)
    t.ok((await again.run(library => library.customers.list({ limit: 100 }))).data.length > 20)
  })
})

t.test('other modules add doors to the twin', async t => {
  const local = stripe(t, { doors: [{ method: 'GET', path: '/v1/balance', handle: ({ account }) => ({ object: 'balance', account, available: [] }) }] })
  t.match(await local.run(library => library.balance.retrieve({}, { stripeAccount: 'acct_9' })), { object: 'balance', account: 'acct_9' })
})
