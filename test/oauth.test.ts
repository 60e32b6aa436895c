import { createHash, randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { JWT_SECRET, MISSING, build, stable, storyClock, type Account } from './helper.js'
import { createKindTokens } from '../src/services/auth/tokens.js'

const MOUNT = '/v1/auth/oauth'
const CALLBACK = 'https://app.example.com/callback'
const PASSWORD = 'correct horse battery'
type Made = { id: string, key: string, key_id: string }
type Tokens = { access_token: string, refresh_token: string, scope: string, error?: string, data: { code: string } }

const stepUp = ({ userId }: Account, clock: { now (): Date }) =>
  ({ 'x-step-up': createKindTokens({ secret: JWT_SECRET, now: () => clock.now() }).makeToken('step_up', { userId }, 300) })
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const pkce = () => {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

/** Calls as the owner of an agency, a browser, and an app. */
async function stage (t: Test) {
  const clock = storyClock()
  const app = await build(t, { deps: { clock }, env: { TRUST_PROXY_HOPS: '1' } })
  const one = await app.seed({ password: PASSWORD })
  let address = 0
  /** every browser has its own address: throttles are tested elsewhere */
  const from = () => ({ 'x-forwarded-for': `198.51.${Math.floor(++address / 250)}.${address % 250 + 1}` })
  const makeKey = async (payload: object, who: Account = one) => {
    const res = await app.inject({ method: 'POST', url: `${MOUNT}/keys`, headers: { ...who.auth, ...stepUp(who, clock) }, payload: { name: 'Key', ...payload } })
    return { res, made: res.json<{ data: Made }>().data }
  }
  const makeApp = async (payload: object = {}, who: Account = one) => (await app.inject({
    method: 'POST',
    url: `${MOUNT}/apps`,
    headers: who.auth,
    payload: { name: `App ${randomBytes(4).toString('hex')}`, type: 'confidential', redirect_uris: [CALLBACK], scopes: ['url.links', 'crm.contacts.read'], ...payload }
  })).json<{ data: { id: string, client_secret: string } }>().data
  const post = (path: string, payload: Record<string, string>, headers: Record<string, string> = {}) => app.inject({
    method: 'POST', url: `${MOUNT}/${path}`, headers: { ...from(), 'content-type': 'application/x-www-form-urlencoded', ...headers }, payload: new URLSearchParams(payload).toString()
  })
  return { app, clock, one, from, makeKey, makeApp, post }
}
type Stage = Awaited<ReturnType<typeof stage>>

const cookiesOf = (header: string | string[] | undefined) => [header ?? []].flat().map(line => line.split(';')[0]!)

/** A browser that walks the screens by JSON. */
function browser ({ app, from }: Stage) {
  const jar = new Map<string, string>()
  const call = async (method: 'GET' | 'POST', path: string, form?: Record<string, string | string[]>) => {
    const body = new URLSearchParams(Object.entries(form ?? {}).flatMap(([name, value]) => [value].flat().map(one => [name, one] as [string, string])))
    const res = await app.inject({
      method,
      url: path.startsWith('/') ? path : `${MOUNT}/${path}`,
      headers: { ...from(), accept: 'application/json', cookie: [...jar].map(pair => pair.join('=')).join('; '), ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }) },
      ...(form !== undefined && { payload: body.toString() })
    })
    for (const line of cookiesOf(res.headers['set-cookie'])) {
      const at = line.indexOf('=')
      jar.set(line.slice(0, at), line.slice(at + 1))
    }
    return res
  }
  return { call, jar }
}

const query = (parameters: Record<string, string | undefined>) =>
  `authorize?${new URLSearchParams(Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined))}`

/** From the app's link to the code, as a person who allows `scopes` (all unless said). */
async function authorise (stage: Stage, client: string, { who = stage.one, scopes, visitor = browser(stage), more = {} }: { who?: Account, scopes?: string[], visitor?: ReturnType<typeof browser>, more?: Record<string, string | undefined> } = {}) {
  const { verifier, challenge } = pkce()
  let res = await visitor.call('GET', query({ response_type: 'code', client_id: client, redirect_uri: CALLBACK, state: 'st', code_challenge: challenge, code_challenge_method: 'S256', ...more }))
  for (let step = 0; step < 8 && res.statusCode === 200; step++) {
    const { data } = res.json<{ data: { screen: string, form_token: string, scopes?: { name: string }[] } }>()
    if (data.screen === 'signin') res = await visitor.call('POST', 'signin', { form_token: data.form_token, identifier: who.email, password: PASSWORD })
    else if (data.screen === 'accounts') res = await visitor.call('POST', 'accounts', { form_token: data.form_token, account_id: who.accountId })
    else res = await visitor.call('POST', 'consent', { form_token: data.form_token, decision: 'allow', scopes: scopes ?? data.scopes!.map(scope => scope.name) })
  }
  if (res.headers.location === `${MOUNT}/loading`) res = await visitor.call('GET', 'loading')
  const target = res.headers.location === undefined ? null : new URL(String(res.headers.location))
  return { res, target, code: target?.searchParams.get('code') ?? '', verifier, visitor }
}

t.test('API keys', async t => {
  const s = await stage(t)
  const { app, clock, one, makeKey } = s
  const links = (key: string, method: 'GET' | 'POST' = 'GET', headers: Record<string, string> = {}) => app.inject({
    method, url: '/v1/url', headers: { ...bearer(key), ...headers }, ...(method === 'POST' && { payload: { url: 'https://example.com/k' } })
  })

  t.test('a key is shown once, stored only as a hash, and its use is seen', async t => {
    const { res, made } = await makeKey({ scopes: ['url.links.read'] })
    t.equal(res.statusCode, 201)
    t.match(made.key, /^dck_[A-Za-z0-9]{12}_[A-Za-z0-9_-]{43}$/)
    t.equal((await links(made.key)).statusCode, 200)
    await app.services.oauth.keyDoor.flush()
    const read = await app.inject({ url: `${MOUNT}/keys/${made.id}`, headers: one.auth })
    t.match(read.json(), { data: { state: 'active', last_used_at: clock.now().toISOString() } })
    t.notMatch(read.body, /key_hash|dck_/)
    t.notMatch(JSON.stringify(await app.mongo.collection('api.keys').find().toArray()), made.key.slice(-43))
    t.match((await app.inject({ url: `${MOUNT}/keys/${made.id}/usage`, headers: one.auth })).json(), { data: [{ requests: 1, refused: 0, by_status: { '2xx': 1 } }] })
    const last = made.key.endsWith('A') ? 'B' : 'A'
    t.match((await links(made.key.slice(0, -1) + last)).json(), { errno: 401, data: { code: 'TOKEN_INVALID' } })
  })

  t.test('making a key needs a step-up', async t => {
    const res = await app.inject({ method: 'POST', url: `${MOUNT}/keys`, headers: one.auth, payload: { name: 'x', scopes: ['url.links.read'] } })
    t.match(res.json(), { errno: 403, data: { code: 'STEP_UP_REQUIRED' } })
  })

  t.test('a key opens what its scopes open, and nothing else', async t => {
    const { made } = await makeKey({ scopes: ['url.links.read'] })
    t.equal((await links(made.key)).statusCode, 200)
    t.match((await links(made.key, 'POST')).json(), { errno: 403 })
    const other = await makeKey({ scopes: ['crm.contacts'] })
    t.match((await links(other.made.key)).json(), { errno: 403, data: { code: 'SCOPE_REQUIRED' } })
    const writer = await makeKey({ scopes: ['url.links.read', 'url.links.create'] })
    t.equal((await links(writer.made.key, 'POST')).statusCode, 201)
    await app.mongo.collection('_users').updateOne({ email: one.email }, { $set: { scopes: ['url.links.read', 'oauth'] } })
    clock.forward(5_000)
    await new Promise(resolve => setTimeout(resolve, 3_200))
    t.equal((await links(writer.made.key, 'POST')).statusCode, 403, 'the person behind lost the scope')
    await app.mongo.collection('_users').updateOne({ email: one.email }, { $set: { scopes: null } })
    await new Promise(resolve => setTimeout(resolve, 3_200))
  })

  t.test('what keys may not hold, or the maker does not hold, is refused', async t => {
    for (const scope of ['dashclicks.orders', 'users.scopes', 'auth.self', 'auth', 'onebalance.charge', 'accounts']) {
      t.match((await makeKey({ scopes: [scope] })).res.json(), { errno: 422, data: { code: 'SCOPE_NOT_ALLOWED' } }, scope)
    }
    t.match((await makeKey({ scopes: ['nonsense.read'] })).res.json(), { errno: 422, data: { code: 'UNKNOWN_SCOPE' } })
    const child = await app.seed({ parent: one })
    t.match((await makeKey({ scopes: ['instasites.read'] }, child)).res.json(), { errno: 403, data: { code: 'SCOPE_ESCALATION' } })
    const { made } = await makeKey({ scopes: ['url.links.read'] })
    await app.mongo.collection('api.keys').updateOne({ key_id: made.key_id }, { $set: { scopes: ['users.scopes', 'auth.self', 'url.links.read'] } })
    t.equal((await app.inject({ method: 'POST', url: '/v1/auth/logout', headers: bearer(made.key) })).statusCode, 403, 'forged into the row it opens nothing')
  })

  t.test('a key makes only keys no wider than itself', async t => {
    const { made } = await makeKey({ scopes: ['oauth.keys.create', 'url.links.read'], admin: true, rate_per_minute: 50 })
    const mint = (payload: object) => app.inject({ method: 'POST', url: `${MOUNT}/keys`, headers: bearer(made.key), payload: { name: 'm', rate_per_minute: 50, ...payload } })
    t.equal((await mint({ scopes: ['url.links.read'] })).statusCode, 201)
    for (const wider of [{ scopes: ['url.links'] }, { scopes: ['url.links.read'], rate_per_minute: 60 }, { scopes: ['url.links.read'], sub_accounts: 'all' }]) {
      t.match((await mint(wider)).json(), { errno: 403, data: { code: 'SCOPE_ESCALATION' } })
    }
  })

  t.test('a reroll keeps the old key for its overlap, and not a moment with none', async t => {
    const { made } = await makeKey({ scopes: ['url.links.read'] })
    const reroll = async (hours: number) => (await app.inject({ method: 'POST', url: `${MOUNT}/keys/${made.id}/reroll`, headers: { ...one.auth, ...stepUp(one, clock) }, payload: { overlap_hours: hours } })).json<{ data: Made }>().data.key
    const second = await reroll(2)
    t.strictSame([(await links(made.key)).statusCode, (await links(second)).statusCode], [200, 200])
    clock.forward(2 * 3_600_000)
    t.strictSame([(await links(made.key)).statusCode, (await links(second)).statusCode], [401, 200])
    const third = await reroll(0)
    t.strictSame([(await links(second)).statusCode, (await links(third)).statusCode], [401, 200])
  })

  t.test('unknown, revoked, expired and switched off answer alike', async t => {
    const expired = await makeKey({ scopes: ['url.links.read'], expires_at: new Date(clock.now().getTime() + 60_000).toISOString() })
    const off = await makeKey({ scopes: ['url.links.read'] })
    const gone = await makeKey({ scopes: ['url.links.read'] })
    for (const { made } of [expired, off, gone]) t.equal((await links(made.key)).statusCode, 200)
    await app.inject({ method: 'PUT', url: `${MOUNT}/keys/${off.made.id}/status`, headers: one.auth, payload: { enabled: false } })
    await app.inject({ method: 'DELETE', url: `${MOUNT}/keys/${gone.made.id}`, headers: one.auth })
    clock.forward(60_000)
    const unknown = stable(await links(`dck_${'a'.repeat(12)}_${'b'.repeat(43)}`))
    for (const { made } of [expired, off, gone]) t.strictSame(stable(await links(made.key)), unknown)
  })

  t.test('an address outside the list is refused, also when another hop claims to be inside', async t => {
    const { made } = await makeKey({ scopes: ['url.links.read'], ip_allow: ['203.0.113.0/24'] })
    t.equal((await links(made.key, 'GET', { 'x-forwarded-for': '203.0.113.9' })).statusCode, 200)
    t.match((await links(made.key, 'GET', { 'x-forwarded-for': '203.0.113.9, 198.51.100.1' })).json(), { errno: 403, data: { code: 'KEY_ADDRESS_FORBIDDEN' } })
  })

  t.test('all calls of a key count against its own rate', async t => {
    const { made } = await makeKey({ scopes: ['url.links.read'], rate_per_minute: 2 })
    t.strictSame([(await links(made.key)).statusCode, (await links(made.key)).statusCode, (await links(made.key)).statusCode], [200, 200, 429])
  })

  t.test('another account\'s key answers exactly like a missing one', async t => {
    const { made } = await makeKey({ scopes: ['url.links.read'] })
    const two = await app.seed()
    const get = (id: string) => app.inject({ url: `${MOUNT}/keys/${id}`, headers: two.auth })
    t.strictSame(stable(await get(made.id)), stable(await get(MISSING)))
  })

  t.test('a mail tells of an expiry once, seven days before', async t => {
    await makeKey({ scopes: ['url.links.read'], expires_at: new Date(clock.now().getTime() + 6 * 86_400_000).toISOString() })
    const before = await app.mongo.collection('_events').countDocuments({ type: 'api_key.expiring' })
    await app.services.oauth.keys.noticeExpiry()
    await app.services.oauth.keys.noticeExpiry()
    t.equal(await app.mongo.collection('_events').countDocuments({ type: 'api_key.expiring' }) - before, 1)
  })

  t.test('a key of an agency gets a token for its own client, and for no other account', async t => {
    const child = await app.seed({ parent: one })
    const foreign = await app.seed()
    const { made } = await makeKey({ scopes: ['url.links'], sub_accounts: [child.accountId] })
    const exchange = (id: string) => s.post('token', { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: made.key, account_id: id })
    const token = (await exchange(child.accountId)).json<Tokens>()
    t.match(token, { token_type: 'Bearer', expires_in: 3_600, scope: 'url.links' })
    const link = await app.inject({ method: 'POST', url: '/v1/url', headers: bearer(token.access_token), payload: { url: 'https://example.com/c' } })
    t.match(link.json(), { data: { account_id: child.accountId } })
    t.equal((await exchange(foreign.accountId)).statusCode, 403)
    t.equal((await exchange((await app.seed({ parent: one })).accountId)).statusCode, 403, 'a child that is not listed')
    await app.inject({ method: 'DELETE', url: `${MOUNT}/keys/${made.id}`, headers: one.auth })
    t.equal((await app.inject({ url: '/v1/url', headers: bearer(token.access_token) })).statusCode, 401, 'it dies with the key')
  })

  t.test('the catalogue lists every scope', async t => {
    const { SCOPES } = await import('../src/schemas/scopes.js')
    const res = await app.inject({ url: `${MOUNT}/scopes`, headers: one.auth })
    t.strictSame(res.json<{ data: { name: string }[] }>().data.map(({ name }) => name), [...SCOPES.keys()])
  })
})

t.test('the authorization server', async t => {
  const s = await stage(t)
  const { app, clock, one, post, makeApp } = s
  const client = await makeApp()
  const basic = { authorization: `Basic ${Buffer.from(`${client.id}:${client.client_secret}`).toString('base64')}` }
  const exchange = (code: string, verifier: string, headers: Record<string, string> = basic, more: Record<string, string> = {}) =>
    post('token', { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: verifier, ...more }, headers)
  const refresh = (token: string, more: Record<string, string> = {}) => post('token', { grant_type: 'refresh_token', refresh_token: token, ...more }, basic)
  const links = (token: string, method: 'GET' | 'POST' = 'GET') =>
    app.inject({ method, url: '/v1/url', headers: bearer(token), ...(method === 'POST' && { payload: { url: 'https://example.com/o' } }) })

  t.test('authorize, token, call, refresh, introspect, revoke', async t => {
    const { target, code, verifier, res } = await authorise(s, client.id)
    t.equal(res.statusCode, 303)
    t.match(target!.searchParams.get('state'), 'st')
    t.equal(target!.searchParams.get('iss'), `http://localhost:5002${MOUNT}`)
    const answer = await exchange(code, verifier)
    t.equal(answer.statusCode, 200)
    t.equal(answer.headers['cache-control'], 'no-store')
    const tokens = answer.json<Tokens>()
    t.match(tokens, { success: true, token_type: 'Bearer', data: { access_token: tokens.access_token } })
    t.equal((await links(tokens.access_token, 'POST')).statusCode, 201)
    const next = (await refresh(tokens.refresh_token)).json<Tokens>()
    t.ok(next.refresh_token !== tokens.refresh_token)
    t.match((await post('introspect', { token: next.access_token }, basic)).json(), { active: true, client_id: client.id })
    t.equal((await post('revoke', { token: next.refresh_token }, basic)).statusCode, 200)
    t.equal((await links(next.access_token)).statusCode, 401)
    t.match((await post('introspect', { token: next.access_token }, basic)).json(), { active: false })
    t.match((await refresh(next.refresh_token)).json(), { errno: 400, error: 'invalid_grant' })
  })

  t.test('a redirect address that is not the registered one gets an error screen and no redirect', async t => {
    const variants = [`${CALLBACK}/x`, `${CALLBACK}?x=1`, CALLBACK.toUpperCase(), 'https://app.example.com@evil.example/callback', 'https://app.example.com//callback', 'https://app.example.com/call%62ack',
      'https://app.example.com./callback', 'https://app.example.com:8443/callback', 'http://app.example.com/callback', `${CALLBACK}#x`, 'https://evil.example/callback']
    for (const uri of variants) {
      const res = await app.inject({ url: `${MOUNT}/${query({ response_type: 'code', client_id: client.id, redirect_uri: uri, code_challenge: pkce().challenge, code_challenge_method: 'S256' })}`, headers: s.from() })
      t.equal(res.statusCode, 400, uri)
      t.equal(res.headers.location, undefined, uri)
      t.match(res.headers['content-type'], 'text/html', uri)
      t.match(res.headers['content-security-policy'], "default-src 'none'", uri)
    }
  })

  t.test('no PKCE, plain PKCE, a wrong verifier, a late code and another client are refused', async t => {
    for (const more of [{ code_challenge: undefined }, { code_challenge_method: 'plain' }, { code_challenge_method: undefined }]) {
      const { target } = await authorise(s, client.id, { more })
      t.equal(target!.searchParams.get('error'), 'invalid_request')
    }
    const wrong = await authorise(s, client.id)
    t.match((await exchange(wrong.code, pkce().verifier)).json(), { error: 'invalid_grant' })
    t.match((await exchange(wrong.code, wrong.verifier, basic, { redirect_uri: `${CALLBACK}/` })).json(), { error: 'invalid_grant' })
    const other = await makeApp()
    t.match((await exchange(wrong.code, wrong.verifier, {}, { client_id: other.id, client_secret: other.client_secret })).json(), { error: 'invalid_grant' })
    t.match((await exchange(wrong.code, wrong.verifier, {}, { client_id: client.id, client_secret: 'dcx_wrong' })).json(), { errno: 401, error: 'invalid_client' })
    t.match((await exchange(wrong.code, wrong.verifier, basic, { client_secret: client.client_secret })).json(), { error: 'invalid_request' })
    clock.forward(61_000)
    t.match((await exchange(wrong.code, wrong.verifier)).json(), { error: 'invalid_grant' })
  })

  t.test('a code used twice is refused, and what the first use got is dead', async t => {
    const { code, verifier } = await authorise(s, client.id)
    const tokens = (await exchange(code, verifier)).json<Tokens>()
    t.match((await exchange(code, verifier)).json(), { error: 'invalid_grant' })
    t.equal((await links(tokens.access_token)).statusCode, 401)
    t.match((await refresh(tokens.refresh_token)).json(), { error: 'invalid_grant' })
    t.equal(await app.mongo.collection('_events').countDocuments({ type: 'oauth.code_reused' }), 1)
  })

  t.test('of twenty who exchange one code at once, one gets tokens', async t => {
    const { code, verifier } = await authorise(s, client.id)
    const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(code, verifier)))
    t.equal(answers.filter(res => res.statusCode === 200).length, 1)
    t.ok(answers.every(res => res.statusCode === 200 || res.json<Tokens>().error === 'invalid_grant'))
  })

  t.test('two refreshes at once are one family; a late replay ends it', async t => {
    const { code, verifier } = await authorise(s, client.id)
    const first = (await exchange(code, verifier)).json<Tokens>()
    const both = await Promise.all([refresh(first.refresh_token), refresh(first.refresh_token)])
    t.strictSame(both.map(res => res.statusCode), [200, 200])
    const row = await app.mongo.collection('_api.refresh.tokens').findOne({ token_hash: createHash('sha256').update(first.refresh_token).digest('base64url') })
    t.equal(await app.mongo.collection('_api.refresh.tokens').countDocuments({ family_id: row!.family_id }), 3)
    clock.forward(31_000)
    t.match((await refresh(first.refresh_token)).json(), { error: 'invalid_grant' })
    for (const res of both) t.match((await refresh(res.json<Tokens>().refresh_token)).json(), { error: 'invalid_grant' })
    t.equal((await links(both[0]!.json<Tokens>().access_token)).statusCode, 401)
  })

  t.test('fewer scopes may be allowed; asking for more later is refused', async t => {
    const narrow = await makeApp({ scopes: ['url.links.read', 'url.links.create'] })
    const { code, verifier } = await authorise(s, narrow.id, { scopes: ['url.links.read'] })
    const auth = { client_id: narrow.id, client_secret: narrow.client_secret }
    const tokens = (await exchange(code, verifier, {}, auth)).json<Tokens>()
    t.equal(tokens.scope, 'url.links.read')
    t.strictSame([(await links(tokens.access_token)).statusCode, (await links(tokens.access_token, 'POST')).statusCode], [200, 403])
    t.match((await post('token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, scope: 'url.links', ...auth })).json(), { error: 'invalid_scope' })
  })

  t.test('an app in development is only for its own account tree; staff let it out', async t => {
    const stranger = await app.seed({ password: PASSWORD })
    const staff = await app.seed({ staff: ['system_admin'] })
    t.equal((await authorise(s, client.id, { who: stranger })).res.statusCode, 403)
    const approve = (active: boolean) => app.inject({ method: 'PUT', url: `${MOUNT}/apps/${client.id}/status`, headers: staff.auth, payload: { active } })
    t.equal((await approve(true)).statusCode, 200)
    const { code, verifier } = await authorise(s, client.id, { who: stranger })
    const tokens = (await exchange(code, verifier)).json<Tokens>()
    t.equal((await links(tokens.access_token)).statusCode, 200)
    const [connection] = (await app.inject({ url: `${MOUNT}/connections`, headers: stranger.auth })).json<{ data: { id: string }[] }>().data
    t.strictSame(stable(await app.inject({ method: 'DELETE', url: `${MOUNT}/connections/${connection!.id}`, headers: one.auth })),
      stable(await app.inject({ method: 'DELETE', url: `${MOUNT}/connections/${MISSING}`, headers: one.auth })))
    t.equal((await app.inject({ method: 'DELETE', url: `${MOUNT}/connections/${connection!.id}`, headers: stranger.auth })).statusCode, 200)
    t.equal((await links(tokens.access_token)).statusCode, 401, 'the connection was revoked')
    await approve(false)
  })

  t.test('a form from another browser, or without its token, is refused', async t => {
    const visitor = browser(s)
    const { challenge } = pkce()
    const first = await visitor.call('GET', query({ response_type: 'code', client_id: client.id, redirect_uri: CALLBACK, code_challenge: challenge, code_challenge_method: 'S256' }))
    const { form_token: formToken } = first.json<{ data: { form_token: string } }>().data
    const form = { identifier: one.email, password: PASSWORD }
    t.match((await visitor.call('POST', 'signin', form)).json(), { errno: 403, data: { code: 'FORM_EXPIRED' } })
    t.match((await browser(s).call('POST', 'signin', { ...form, form_token: formToken })).json(), { errno: 403, data: { code: 'FORM_EXPIRED' } })
    t.match((await browser(s).call('POST', 'consent', { form_token: formToken, decision: 'allow' })).json(), { errno: 403 })
    t.equal((await visitor.call('POST', 'signin', { ...form, form_token: formToken })).statusCode, 303)
  })

  t.test('what is given is not asked again, and a refusal goes to the app', async t => {
    const fresh = await makeApp()
    const { visitor } = await authorise(s, fresh.id)
    const { challenge } = pkce()
    const ask = (prompt?: string) => visitor.call('GET', query({ response_type: 'code', client_id: fresh.id, redirect_uri: CALLBACK, code_challenge: challenge, code_challenge_method: 'S256', state: 'n', prompt }))
    const consent = await ask('consent')
    t.match(consent.json(), { data: { screen: 'scopes' } })
    const denied = await visitor.call('POST', 'consent', { form_token: consent.json<{ data: { form_token: string } }>().data.form_token, decision: 'deny' })
    t.equal(new URL(String(denied.headers.location)).searchParams.get('error'), 'access_denied')
    t.match((await ask('login')).json(), { data: { screen: 'signin' } })
  })

  t.test('screens hold no script, no frame and nothing that was not escaped', async t => {
    const evil = await makeApp({ name: '<img src=x onerror=alert(1)>' })
    const res = await app.inject({ url: `${MOUNT}/${query({ response_type: 'code', client_id: evil.id, redirect_uri: CALLBACK, code_challenge: pkce().challenge, code_challenge_method: 'S256', login_hint: '"><script>' })}`, headers: s.from() })
    t.match(res, { statusCode: 200, headers: { 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY' } })
    t.notMatch(res.body, /<script|<img src=x/)
    t.match(res.headers['content-security-policy'], "frame-ancestors 'none'")
    t.notMatch(res.headers['content-security-policy'], 'script-src')
    t.match(res.headers['set-cookie'], /dc_oauth=.*HttpOnly; Secure; SameSite=Lax/)
  })

  t.test('secrets rotate with an overlap and are never listed; addresses and scopes of apps are checked', async t => {
    const made = await makeApp()
    const rotated = (await app.inject({ method: 'POST', url: `${MOUNT}/apps/${made.id}/secret`, headers: { ...one.auth, ...stepUp(one, clock) }, payload: { overlap_hours: 1 } })).json<{ data: { client_secret: string, secrets: { id: string }[] } }>().data
    const known = async (secret: string) => (await post('introspect', { token: 'x', client_id: made.id, client_secret: secret })).statusCode
    t.strictSame([await known(made.client_secret), await known(rotated.client_secret)], [200, 200])
    await app.inject({ method: 'DELETE', url: `${MOUNT}/apps/${made.id}/secret/${rotated.secrets[0]!.id}`, headers: { ...one.auth, ...stepUp(one, clock) } })
    t.strictSame([await known(made.client_secret), await known(rotated.client_secret)], [401, 200])
    t.notMatch((await app.inject({ url: `${MOUNT}/apps`, headers: one.auth })).body, /dcx_|"hash"/)
    const make = (payload: object) => app.inject({ method: 'POST', url: `${MOUNT}/apps`, headers: one.auth, payload: { name: 'Bad', type: 'confidential', redirect_uris: [CALLBACK], scopes: ['url.links'], ...payload } })
    for (const uri of ['http://app.example.com/', 'https://u:p@app.example.com/', `${CALLBACK}#f`, 'https://*.example.com/', 'http://127.0.0.1/cb', 'myapp:/cb', 'javascript:alert(1)']) {
      t.match((await make({ redirect_uris: [uri] })).json(), { errno: 422, data: { code: 'REDIRECT_URI_INVALID' } }, uri)
    }
    t.match((await make({ scopes: ['dashclicks'] })).json(), { errno: 422, data: { code: 'SCOPE_NOT_ALLOWED' } })
  })

  t.test('unknown grant types, missing and doubled parameters are named as the RFC names them', async t => {
    t.match((await post('token', { grant_type: 'password' }, basic)).json(), { errno: 400, error: 'unsupported_grant_type', data: { code: 'UNSUPPORTED_GRANT_TYPE' } })
    t.match((await post('token', {}, basic)).json(), { error: 'invalid_request' })
    const unknown = await post('token', { grant_type: 'refresh_token', refresh_token: 'x', client_id: MISSING, client_secret: 'x' })
    t.match(unknown, { statusCode: 401, headers: { 'www-authenticate': /Basic/ } })
    const doubled = await app.inject({ method: 'POST', url: `${MOUNT}/token`, headers: { ...s.from(), 'content-type': 'application/x-www-form-urlencoded' }, payload: 'grant_type=refresh_token&grant_type=password' })
    t.match(doubled.json(), { error: 'invalid_request' })
    t.match((await app.inject({ url: `${MOUNT}/.well-known/oauth-authorization-server` })).json(), { code_challenge_methods_supported: ['S256'], response_types_supported: ['code'] })
  })

  t.test('deleting an app ends all its access', async t => {
    const made = await makeApp()
    const { code, verifier } = await authorise(s, made.id)
    const tokens = (await exchange(code, verifier, {}, { client_id: made.id, client_secret: made.client_secret })).json<Tokens>()
    t.equal((await links(tokens.access_token)).statusCode, 200)
    t.equal((await app.inject({ method: 'DELETE', url: `${MOUNT}/apps/${made.id}`, headers: one.auth })).statusCode, 200)
    t.equal((await links(tokens.access_token)).statusCode, 401)
  })
})
