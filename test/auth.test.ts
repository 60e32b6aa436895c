import t from 'tap'
import type { LightMyRequestResponse } from 'fastify'
import { Types } from 'mongoose'
import { build, stable, storyClock, type TestApp } from './helper.js'
import { stepAt, totpCode } from '../src/services/auth/totp.js'
import { isCommonPassword } from '../src/services/auth/common-passwords.js'

const PASSWORD = 'correct horse battery'
const MINUTE = 60_000
type Answer = { data: { session_id: string, access_token: string, refresh_token: string, scope: string, mfa_token: string, selection_token: string,
  accounts: { account_id: string }[], code: string } }
const data = (res: LightMyRequestResponse) => res.json<Answer>().data
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

function calls (app: TestApp) {
  const send = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, payload?: object, headers: Record<string, string> = {}, ip = '127.0.0.1') =>
    app.inject({ method, url: `/v1/auth${path}`, headers, remoteAddress: ip, ...(payload !== undefined && { payload }) })
  const login = (email: string, password = PASSWORD, ip = '127.0.0.1', extra: object = {}) => send('POST', '/login', { email, password, ...extra }, {}, ip)
  const enter = async (email: string) => data(await login(email, PASSWORD, `10.0.${Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}`))
  const mails = async () => (await app.mongo.collection('_outbox').find({ topic: 'mail' }).toArray()).map(row => row.payload as { to: { email: string }[], from: { name: string }, subject: string, text: string })
  const tokenOf = (text: string) => /token=([\w.-]+)/.exec(text)![1]!
  return { send, login, enter, mails, tokenOf }
}

t.test('login, status and logout', async t => {
  const app = await build(t)
  const { send, login, enter } = calls(app)
  const one = await app.seed({ password: PASSWORD })
  const session = await enter(one.email)
  const status = await send('GET', '/session', undefined, bearer(session.access_token))
  t.match(status.json(), { data: { user: { id: one.userId }, plan: { tier: 'pro' }, branding: { name: 'Seeded' }, scope: session.scope, degraded: ['announcements', 'low_balance', 'loyalty_tier', 'twilio'] } })

  t.test('a session id is a bearer by header and by cookie', async t => {
    const byHeader = await send('POST', '/session/token', undefined, { 'x-session-id': session.session_id })
    t.equal((await send('GET', '/sessions', undefined, bearer(data(byHeader).access_token))).statusCode, 200)
    t.equal((await send('POST', '/session/token', undefined, { cookie: `sid_dc_sw=${session.session_id}` })).statusCode, 200)
    t.match((await send('POST', '/session/token')).json(), { errno: 401, data: { code: 'INVALID_SESSION' } })
    const cookie = await login(one.email, PASSWORD, '10.9.9.9', { cookie: true })
    t.match(String(cookie.headers['set-cookie']), /^sid_dc_sw=dcs_[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  })

  t.test('nothing shows a secret of another session, and the bearer dies with its session', async t => {
    const list = await send('GET', '/sessions', undefined, bearer(session.access_token))
    t.notMatch(list.body, /dcs_|hash|secret/)
    t.match((await send('POST', '/logout', undefined, bearer(session.access_token))).json(), { data: { ended: true } })
    t.match((await send('GET', '/session', undefined, bearer(session.access_token))).json(), { errno: 401, data: { code: 'SESSION_REVOKED' } })
    t.equal((await send('POST', '/refresh', { refresh_token: session.refresh_token })).statusCode, 401)
  })

  t.test('unknown mail, unknown phone and wrong password answer alike', async t => {
    const wrong = [await login(one.email, 'wrong', '10.2.0.1'), await login('nobody@seed.test', 'wrong', '10.2.0.2'), await send('POST', '/login', { phone: '+390551234567', password: 'wrong' }, {}, '10.2.0.3')]
    for (const res of wrong) t.strictSame([res.statusCode, stable(res)], [400, stable(wrong[0]!)])
    t.match(wrong[0]!.json(), { message: 'Invalid login credentials provided', data: { code: 'INVALID_CREDENTIALS' } })
  })

  t.test('failures from one address wait, another address gets in', async t => {
    for (let i = 0; i < 5; i++) t.equal((await login(one.email, 'wrong', '10.3.0.1')).statusCode, 400)
    const sixth = await login(one.email, PASSWORD, '10.3.0.1')
    t.match(sixth.json(), { errno: 429, data: { code: 'TOO_MANY_ATTEMPTS' } })
    t.ok(Number(sixth.headers['retry-after']) <= 60)
    t.equal((await login(one.email, PASSWORD, '10.3.0.2')).statusCode, 200)
  })

  t.test('a banned account is told only to who knows the password', async t => {
    const banned = await app.seed({ password: PASSWORD })
    await app.mongo.collection('_accounts').updateOne({ email: banned.email }, { $set: { banned: true } })
    t.match((await login(banned.email, PASSWORD, '10.4.0.1')).json(), { errno: 403, data: { code: 'UNAUTHORIZED_ACCOUNT' } })
    t.equal((await login(banned.email, 'wrong', '10.4.0.1')).statusCode, 400)
  })

  t.test('a person of several accounts chooses among those that the password fits', async t => {
    const email = 'three@seed.test'
    const a = await app.seed({ email, password: PASSWORD })
    const b = await app.seed({ email, password: PASSWORD })
    await app.seed({ email, password: 'another one entirely' })
    const res = data(await login(email, PASSWORD, '10.5.0.1'))
    t.strictSame(res.accounts.map(row => row.account_id).sort(), [a.accountId, b.accountId].sort())
    t.equal((await send('GET', '/session', undefined, bearer(res.selection_token))).statusCode, 401)
    const chosen = await send('POST', '/login/select', { selection_token: res.selection_token, account_id: b.accountId })
    t.match(chosen.json(), { data: { account: { id: b.accountId } } })
    t.equal((await send('POST', '/login/select', { selection_token: res.selection_token, account_id: b.accountId })).statusCode, 400)
  })
})

t.test('refresh', async t => {
  const clock = storyClock()
  const app = await build(t, { deps: { clock } })
  const { send, enter } = calls(app)
  const one = await app.seed({ password: PASSWORD })
  const refresh = (token: string) => send('POST', '/refresh', { refresh_token: token })

  t.test('two parallel refreshes are both usable', async t => {
    const session = await enter(one.email)
    const both = await Promise.all([refresh(session.refresh_token), refresh(session.refresh_token)])
    for (const res of both) {
      t.equal(res.statusCode, 200)
      t.equal((await send('GET', '/mfa', undefined, bearer(data(res).access_token))).statusCode, 200)
    }
  })

  t.test('an old token after 40 s ends the family and the session', async t => {
    const session = await enter(one.email)
    const next = data(await refresh(session.refresh_token))
    clock.forward(40_000)
    t.match((await refresh(session.refresh_token)).json(), { errno: 401, data: { code: 'REFRESH_REUSED' } })
    t.equal((await refresh(next.refresh_token)).statusCode, 401)
    t.equal((await send('GET', '/mfa', undefined, bearer(next.access_token))).statusCode, 401)
    t.equal(await app.mongo.collection('_events').countDocuments({ type: 'auth.refresh_reused' }), 1)
  })
})

t.test('tokens of another kind open no door', async t => {
  const app = await build(t)
  const { send, enter } = calls(app)
  const one = await app.seed({ password: PASSWORD })
  const session = await enter(one.email)
  const claims = { userId: one.userId, accountId: one.accountId, permissions: ['read', 'write', 'admin'] }
  const { makeToken, readToken } = app.services.auth
  const kinds = ['password_reset', 'invite', 'signup', 'step_up'] as const
  for (const kind of kinds) {
    const token = makeToken(kind, claims, 600)
    t.match((await send('GET', '/mfa', undefined, bearer(token))).json(), { errno: 401, data: { code: 'TOKEN_INVALID' } }, kind)
    for (const other of kinds) t.equal(readToken(other, token) !== null, other === kind, `${kind} read as ${other}`)
    t.equal(readToken(kind, `${token.slice(0, -2)}AA`), null)
    t.equal(readToken(kind, makeToken(kind, claims, 0)), null, 'expired')
  }
  for (const token of [session.refresh_token, session.session_id]) t.equal((await send('GET', '/mfa', undefined, bearer(token))).statusCode, 401)
})

t.test('passwords', async t => {
  const app = await build(t)
  const { send, login, enter, mails, tokenOf } = calls(app)
  const agency = await app.seed({ password: PASSWORD })
  await app.mongo.collection('_accounts').updateOne({ email: agency.email }, { $set: { name: 'Harbour Lights' } })
  const one = await app.seed({ parent: agency, password: PASSWORD })
  const ask = (email: string) => send('POST', '/password', { type: 'email', email })
  const set = (token: string, password: string) => send('POST', '/password', { type: 'reset', token, password })

  t.test('unknown and known mails answer alike; one mail leaves, in the agency\'s brand', async t => {
    const unknown = await ask('nobody@seed.test')
    t.strictSame(stable(await ask(one.email)), stable(unknown))
    const sent = await mails()
    t.equal(sent.length, 1)
    t.match(sent[0], { to: [{ email: one.email }], from: { name: 'Harbour Lights' } })
  })

  t.test('a link works once, of two parallel uses one; older sessions are dead', async t => {
    const before = await enter(one.email)
    const token = tokenOf((await mails()).find(mail => mail.subject.startsWith('Set'))!.text)
    t.match((await send('GET', `/password/check?token=${token}`)).json(), { data: { valid: true, kind: 'reset' } })
    t.match((await set(token, 'password')).json(), { errno: 422, data: { code: 'PASSWORD_WEAK', errors: [{ code: 'common' }] } })
    t.match((await set(token, PASSWORD)).json(), { errno: 422, data: { errors: [{ code: 'same_as_old' }] } })
    const both = await Promise.all([set(token, 'a quite new passphrase'), set(token, 'a quite new passphrase')])
    t.strictSame(both.map(res => res.statusCode).sort(), [200, 400])
    t.match((await send('GET', `/password/check?token=${token}`)).json(), { data: { valid: false } })
    t.equal((await send('GET', '/mfa', undefined, bearer(before.access_token))).statusCode, 401)
    t.equal((await login(one.email, 'a quite new passphrase')).statusCode, 200)
  })

  t.test('changing the password ends the other sessions and keeps this one', async t => {
    const other = await enter(agency.email)
    const mine = await enter(agency.email)
    const change = (current: string) => send('PUT', '/password', { current_password: current, password: 'seven brass lanterns' }, bearer(mine.access_token))
    t.equal((await change('wrong')).statusCode, 400)
    t.match((await change(PASSWORD)).json(), { data: { ended_sessions: 1 } })
    t.equal((await send('GET', '/mfa', undefined, bearer(mine.access_token))).statusCode, 200)
    t.equal((await send('GET', '/mfa', undefined, bearer(other.access_token))).statusCode, 401)
  })

  t.test('the list of accounts goes to the address', async t => {
    const res = await send('POST', '/accounts/find', { email: agency.email })
    t.strictSame(stable(res), stable(await send('POST', '/accounts/find', { email: 'nobody@seed.test' })))
    t.match((await mails()).at(-1), { subject: /Your accounts/, to: [{ email: agency.email }] })
  })
  t.ok(isCommonPassword('Password'))
  t.notOk(isCommonPassword(PASSWORD))
})

t.test('second factor', async t => {
  const clock = storyClock()
  const app = await build(t, { deps: { clock } })
  const { send, login, enter } = calls(app)
  const one = await app.seed({ password: PASSWORD })
  const session = await enter(one.email)
  const auth = bearer(session.access_token)
  const { secret } = (await send('POST', '/mfa/totp', undefined, auth)).json<{ data: { secret: string } }>().data
  const code = () => totpCode(secret, stepAt(clock.now()))
  const enabled = await send('POST', '/mfa/totp/verify', { code: code() }, auth)
  const { recovery_codes: codes } = enabled.json<{ data: { recovery_codes: string[] } }>().data
  t.equal(codes.length, 10)
  t.equal(totpCode('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', Math.floor(59 / 30)), '287082', 'RFC 6238')
  const challenge = async () => data(await login(one.email, PASSWORD, `10.8.0.${Math.floor(Math.random() * 250)}`)).mfa_token
  const answer = async (body: object) => send('POST', '/mfa/challenge', { mfa_token: await challenge(), ...body })

  t.test('a code works once', async t => {
    t.match((await answer({ code: code() })).json(), { errno: 400, data: { code: 'MFA_CODE_INVALID' } }, 'used when it was switched on')
    clock.forward(30_000)
    t.equal((await answer({ code: code() })).statusCode, 200)
    t.equal((await answer({ code: code() })).statusCode, 400)
  })

  t.test('a recovery code works once', async t => {
    t.equal((await answer({ recovery_code: codes[0] })).statusCode, 200)
    t.equal((await answer({ recovery_code: codes[0] })).statusCode, 400)
    t.match((await send('GET', '/mfa', undefined, auth)).json(), { data: { enabled: true, recovery_codes_left: 9 } })
  })

  t.test('five wrong tries end a challenge', async t => {
    const token = await challenge()
    for (let i = 0; i < 5; i++) t.match((await send('POST', '/mfa/challenge', { mfa_token: token, code: '000000' })).json(), { data: { code: 'MFA_CODE_INVALID' } })
    t.match((await send('POST', '/mfa/challenge', { mfa_token: token, recovery_code: codes[1] })).json(), { data: { code: 'MFA_TOKEN_INVALID' } })
  })

  t.test('switching it off needs a proof', async t => {
    clock.forward(11 * MINUTE)
    t.match((await send('DELETE', '/mfa/totp', undefined, auth)).json(), { errno: 403, data: { code: 'STEP_UP_REQUIRED' } })
    const { step_up_token: proof } = (await send('POST', '/step-up', { password: PASSWORD, code: code() }, auth)).json<{ data: { step_up_token: string } }>().data
    t.equal((await send('GET', '/mfa', undefined, bearer(proof))).statusCode, 401)
    t.match((await send('DELETE', '/mfa/totp', undefined, { ...auth, 'x-step-up': proof })).json(), { data: { enabled: false } })
  })

  t.test('an account that asks for it lets nobody further without it', async t => {
    await app.mongo.collection('_accounts').updateOne({ email: one.email }, { $set: { settings: { security: { require_mfa: true } } } })
    const fresh = await enter(one.email)
    await new Promise(resolve => setTimeout(resolve, 3_200))
    t.match((await app.inject({ url: '/v1/url', headers: bearer(fresh.access_token) })).json(), { errno: 403, data: { code: 'MFA_ENROLMENT_REQUIRED' } })
    t.equal((await send('GET', '/mfa', undefined, bearer(fresh.access_token))).statusCode, 200)
  })
})

t.test('entering accounts and acting as others', async t => {
  const clock = storyClock()
  const app = await build(t, { deps: { clock } })
  const { send, enter } = calls(app)
  const agency = await app.seed({ password: PASSWORD })
  const child = await app.seed({ parent: agency, password: PASSWORD })
  const stranger = await app.seed()
  const foreign = await app.seed({ parent: stranger })
  const staff = await app.seed({ staff: ['platform_admin'], password: PASSWORD })
  const session = await enter(agency.email)
  const auth = bearer(session.access_token)

  t.test('a main account enters its own client only', async t => {
    t.match((await send('GET', '/accounts?include=sub_accounts', undefined, auth)).json(), { data: [{ account_id: agency.accountId }, { account_id: child.accountId }], pagination: { total: 2 } })
    const inside = await send('POST', '/sso', { account_id: child.accountId }, auth)
    t.match(inside.json(), { data: { account: { id: child.accountId }, user: { id: agency.userId } } })
    t.notMatch(data(inside).scope, /instasites|accounts\.sub_accounts/)
    t.equal((await app.inject({ url: '/v1/url', headers: bearer(data(inside).access_token) })).statusCode, 200)
    t.match((await send('POST', '/sso', { account_id: foreign.accountId }, auth)).json(), { errno: 404, data: { code: 'ACCOUNT_NOT_FOUND' } })
    t.equal((await send('POST', '/sso', { account_id: agency.accountId }, bearer((await enter(child.email)).access_token))).statusCode, 404)
  })

  t.test('a link opens one session, on its host only', async t => {
    const { url } = (await send('POST', '/sso/link', { account_id: child.accountId, path: '/deals' }, auth)).json<{ data: { url: string } }>().data
    const code = new URL(url).searchParams.get('code')!
    t.match((await send('POST', '/sso/redeem', { code }, { origin: 'https://evil.test' })).json(), { errno: 400, data: { code: 'LINK_INVALID' } })
    t.match((await send('POST', '/sso/redeem', { code })).json(), { data: { account: { id: child.accountId } } })
    t.equal((await send('POST', '/sso/redeem', { code })).statusCode, 400)
  })

  t.test('acting as a client\'s user: never more than theirs, both ids on record, an hour at most', async t => {
    const start = (userId: string, headers = auth) => send('POST', '/impersonate', { user_id: userId, reason: 'the client asked for help' }, headers)
    t.match((await start(stranger.userId)).json(), { errno: 404, data: { code: 'USER_NOT_FOUND' } })
    t.match((await start(agency.userId)).json(), { errno: 403, data: { code: 'IMPERSONATION_FORBIDDEN' } })
    t.match((await start(staff.userId, bearer((await enter(staff.email)).access_token))).json(), { errno: 403, data: { code: 'IMPERSONATION_FORBIDDEN' } })
    const acting = await start(child.userId)
    t.match(acting.json(), { data: { user: { id: child.userId }, impersonation: { by: agency.userId, reason: 'the client asked for help' } } })
    t.equal(data(acting).refresh_token, undefined)
    const as = bearer(data(acting).access_token)
    t.match((await send('PUT', '/password', { current_password: PASSWORD, password: 'seven brass lanterns' }, as)).json(), { errno: 403, data: { code: 'IMPERSONATION_FORBIDDEN' } })
    const created = await app.inject({ method: 'POST', url: '/v1/url', headers: as, payload: { url: 'https://example.com/as' } })
    t.equal(created.statusCode, 201)
    t.match(await app.mongo.collection('_events').findOne({ type: 'auth.impersonation_started' }), { actor: { id: new Types.ObjectId(child.userId).toHexString(), impersonator_id: agency.userId } })
    t.match(await app.mongo.collection('_events').findOne({ 'actor.impersonator_id': agency.userId, type: { $nin: ['auth.impersonation_started'] } }), { actor: { id: child.userId } })
    t.match((await send('DELETE', '/impersonate', undefined, as)).json(), { data: { user: { id: agency.userId } } })
    t.equal((await send('GET', '/mfa', undefined, as)).statusCode, 401)
    const again = bearer(data(await start(child.userId)).access_token)
    clock.forward(61 * MINUTE)
    t.match((await send('GET', '/mfa', undefined, again)).json(), { errno: 401, data: { code: 'SESSION_EXPIRED' } })
  })

  t.test('under a suspended agency its clients are orphans; reactivated, the same session works', async t => {
    const inside = bearer((await enter(child.email)).access_token)
    const accounts = app.mongo.collection('_accounts')
    await accounts.updateOne({ email: agency.email }, { $set: { status: 'suspended' } })
    await new Promise(resolve => setTimeout(resolve, 3_200))
    t.match((await app.inject({ url: '/v1/url', headers: inside })).json(), { errno: 403, data: { code: 'ACCOUNT_ORPHANED' } })
    await accounts.updateOne({ email: agency.email }, { $set: { status: 'active' } })
    await new Promise(resolve => setTimeout(resolve, 3_200))
    t.equal((await app.inject({ url: '/v1/url', headers: inside })).statusCode, 200)
  })
})
