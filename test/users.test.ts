import t from 'tap'
import { Types } from 'mongoose'
import { MISSING, build, stable, storyClock, type Account, type TestApp } from './helper.js'
import { LinkModel } from '../src/models/url.js'
import { UserModel } from '../src/models/users.js'
import { newUserRow } from '../src/services/users/index.js'

type Body = { data: Record<string, unknown> & { id: string, invite_link: string, code: string } }
type Call = { method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', auth?: Record<string, string>, body?: object }
let serial = 0
const person = (more: object = {}) => ({ first_name: 'Ada', last_name: 'Byron', email: `ada${++serial}@team.test`, ...more })

const caller = (app: TestApp, by: Account) => (url: string, { method = 'GET', auth = by.auth, body }: Call = {}) =>
  app.inject({ method, url: `/v1/users${url}`, headers: auth, ...(body !== undefined && { payload: body }) })

/** An active colleague, as if he had taken his invitation. */
async function colleague (app: TestApp, { accountId }: Account, role: 'admin' | 'user' | 'client' = 'user', more: object = {}) {
  const _id = new Types.ObjectId()
  await UserModel.on(app.mongo).create([newUserRow({
    _id, account_id: new Types.ObjectId(accountId), first_name: 'Col', last_name: 'League', email: `${_id.toHexString()}@team.test`, role, status: 'active', created_at: new Date(), ...more
  })] as never)
  const id = _id.toHexString()
  const token = app.jwt.sign({ userId: id, accountId, permissions: role === 'admin' ? ['read', 'write', 'admin'] : ['read', 'write'] }, { expiresIn: 3_600 })
  return { id, auth: { authorization: `Bearer ${token}` } }
}

const drain = (app: TestApp) => app.services.platform.queues.drain('user-reassign', new AbortController().signal)
const sent = async (app: TestApp, topic: string) => (await app.mongo.collection('_outbox').find({ topic }).toArray()).map(row => row.payload as { text?: string, body?: string, to: unknown })
const tokenOf = (link: string) => new URL(link).searchParams.get('token')!

t.test('the team', async t => {
  const app = await build(t)
  const one = await app.seed()
  const two = await app.seed()
  const call = caller(app, one)

  t.test('an invitation sets a password that logs in; the link is dead afterwards, and a resend kills the first', async t => {
    const made = await call('', { method: 'POST', body: person({ email: 'invited@team.test' }) })
    t.match(made, { statusCode: 201 })
    const { id, invite_link: link } = made.json<Body>().data
    t.match(made.json(), { data: { status: 'invited', role: 'user' } })
    t.match((await call(`/${id}/invite`, { method: 'POST', body: {} })).json(), { errno: 429, data: { code: 'TOO_MANY_ATTEMPTS' } })
    await app.mongo.collection('_users').updateOne({ _id: new Types.ObjectId(id) }, { $set: { 'invite.sent_at': new Date(Date.now() - 120_000) } })
    const again = await call(`/${id}/invite`, { method: 'POST', body: {} })
    const second = again.json<Body>().data.invite_link
    const set = (token: string) => app.inject({ method: 'POST', url: '/v1/auth/password', payload: { type: 'reset', token, password: 'a long enough secret 7' } })
    t.equal((await set(tokenOf(link))).statusCode, 400)
    t.equal((await set(tokenOf(second))).statusCode, 200)
    t.equal((await set(tokenOf(second))).statusCode, 400)
    const login = await app.inject({ method: 'POST', url: '/v1/auth/login', payload: { email: 'invited@team.test', password: 'a long enough secret 7' } })
    const bearer = { authorization: `Bearer ${login.json<{ data: { access_token: string } }>().data.access_token}` }
    t.match((await call('/me', { auth: bearer })).json(), { data: { id, status: 'active' } })
  })

  t.test('of two parallel creations with one mail one is made; another account may have it too', async t => {
    const body = person({ email: 'twice@team.test' })
    const both = await Promise.all([call('', { method: 'POST', body }), call('', { method: 'POST', body: { ...body, email: 'TWICE@team.test' } })])
    t.strictSame(both.map(res => res.statusCode).sort(), [201, 409])
    t.strictSame(stable(both.find(res => res.statusCode === 409)!), {
      success: false, errno: 409, message: 'Duplicate document.', data: { code: 'USER_EXISTS', errors: [] }
    })
    t.equal((await call('', { method: 'POST', body, auth: two.auth })).statusCode, 201)
  })

  t.test('a plan of three users never holds four, whatever runs in parallel', async t => {
    const small = await app.seed()
    await app.mongo.collection('_accounts').updateOne({ _id: new Types.ObjectId(small.accountId) }, { $set: { plan: 'free' } })
    const all = await Promise.all(Array.from({ length: 10 }, () => call('', { method: 'POST', auth: small.auth, body: person() })))
    t.equal(all.filter(res => res.statusCode === 201).length, 2)
    t.match(all.find(res => res.statusCode === 403)!.json(), { data: { code: 'PLAN_LIMIT_REACHED', limit: 3, used: 3 } })
  })

  t.test('a scope that is taken away closes its door at once, and everybody else keeps his', async t => {
    const ada = await colleague(app, one)
    const links = () => app.inject({ url: '/v1/url', headers: ada.auth })
    t.equal((await links()).statusCode, 200)
    t.equal((await call(`/${ada.id}/scopes`, { method: 'PUT', body: { scopes: ['crm.contacts', 'users.me'] } })).statusCode, 200)
    t.ok([401, 403].includes((await links()).statusCode))
  })

  t.test('nobody grants more than he holds, changes himself or the owner', async t => {
    const admin = await colleague(app, one, 'admin')
    const ada = await colleague(app, one)
    const scopes = (id: string, body: object) => call(`/${id}/scopes`, { method: 'PUT', auth: admin.auth, body })
    t.match((await scopes(ada.id, { scopes: ['accounts.ownership'] })).json(), { errno: 403, data: { code: 'SCOPE_ESCALATION' } })
    t.match((await scopes(ada.id, { scopes: ['dashclicks.accounts'] })).json(), { errno: 403 })
    t.match((await scopes(ada.id, { scopes: ['accounts'] })).json(), { errno: 403 })
    t.match((await scopes(ada.id, { role: 'owner' })).json(), { errno: 403 })
    t.match((await scopes(ada.id, { scopes: ['no.such'] })).json(), { errno: 422, data: { code: 'UNKNOWN_SCOPE' } })
    t.match((await scopes(admin.id, { role: 'user' })).json(), { errno: 403, data: { code: 'SELF_CHANGE_FORBIDDEN' } })
    t.match((await scopes(one.userId, { role: 'user' })).json(), { errno: 409, data: { code: 'OWNER_PROTECTED' } })
    t.match((await call(`/${one.userId}`, { method: 'DELETE', auth: admin.auth })).json(), { errno: 409, data: { code: 'OWNER_PROTECTED' } })
    t.match((await call(`/${ada.id}`)).json(), { data: { role: 'user', scopes: null } })
  })

  t.test('open work must be handed over, moves exactly once though a worker dies, and ends with the person gone', async t => {
    const ada = await colleague(app, one)
    const links = LinkModel.on(app.mongo)
    const made = await app.inject({ method: 'POST', url: '/v1/url', headers: ada.auth, payload: { url: 'https://example.com/work' } })
    const row = (await links.findOne({ account_id: new Types.ObjectId(one.accountId), _id: made.json<Body>().data.id }).lean())!
    await links.insertMany(Array.from({ length: 1_199 }, (_, i) => ({ ...row, _id: new Types.ObjectId(), code: `w${i}work`, code_keys: [`w${i}work`] })))
    t.match((await call(`/${ada.id}`, { method: 'DELETE' })).json(), { errno: 409, data: { code: 'REASSIGN_REQUIRED', workload: { short_links: 1_200 } } })
    const res = await call(`/${ada.id}?reassign_to=${one.userId}`, { method: 'DELETE' })
    t.match(res, { statusCode: 202 })
    t.equal((await call('/me', { auth: ada.auth })).statusCode >= 401, true)
    t.match((await call(`/${ada.id}`)).json(), { data: { status: 'deleting' } })
    const broken = { module: `broken${serial}`, kinds: ['broken'], workload: async () => ({}), times: 1, async reassignUser () { if (this.times-- > 0) throw new Error('the module is away'); return { moved: 0, left: 0 } } }
    app.services.users.registry.join(broken)
    await drain(app)
    t.match((await call(`/${ada.id}`)).json(), { data: { status: 'deleting' } })
    await app.mongo.collection('queues').updateMany({ source: 'user-reassign' }, { $set: { next_attempt_at: new Date(0) } })
    await drain(app)
    t.equal((await call(`/${ada.id}`)).statusCode, 404)
    t.equal(await links.countDocuments({ account_id: row.account_id, created_by: new Types.ObjectId(one.userId) }), 1_200)
    t.match(await app.mongo.collection('queues').findOne({ source: 'user-reassign', reference_id: ada.id }), { status: 'completed', progress: { done: 1_200 } })
    t.match(await app.mongo.collection('_users').findOne({ _id: new Types.ObjectId(ada.id) }), { status: 'deleted', email: null, email_key: null, name: 'Col League' })
  })

  t.test('people of another account are missing by id and no reference in a body', async t => {
    const ada = await colleague(app, one)
    t.strictSame(stable(await call(`/${two.userId}`)), stable(await call(`/${MISSING}`)))
    t.match((await call(`/${ada.id}/reassign`, { method: 'POST', body: { reassign_to: two.userId } })).json(), { errno: 400, data: { code: 'INVALID_REFERENCE' } })
    const absence = { from: '2026-01-01T00:00:00.000Z', to: '2026-01-02T00:00:00.000Z', delegate: two.userId }
    t.match((await call(`/${ada.id}/availability`, { method: 'PUT', body: { absences: [absence] } })).json(), { errno: 400, data: { code: 'INVALID_REFERENCE' } })
    const short = await call(`/${one.userId}`, { auth: ada.auth })
    t.strictSame(Object.keys(short.json<Body>().data).sort(), ['availability_state', 'email', 'id', 'image', 'job_title', 'name', 'role', 'status'])
  })

  t.test('renaming the owner renames him on the account in the same write', async t => {
    await call('/me', { method: 'PUT', body: { first_name: 'Nora', last_name: 'Lind' } })
    t.match(await app.mongo.collection('_accounts').findOne({ _id: new Types.ObjectId(one.accountId) }), { owner: { name: 'Nora Lind' } })
  })

  t.test('people are found by name; by phone only for administrators', async t => {
    const ada = await colleague(app, one, 'user', { first_name: 'Zelda', last_name: 'Quartz', phone: '+14155550177' })
    t.match((await call('/search?q=quart')).json(), { data: [{ id: ada.id }] })
    t.match((await call('/search?q=4155550177')).json(), { data: [] })
    t.match((await call('/search?q=%2B14155550177')).json(), { data: [{ id: ada.id }] })
    t.strictSame((await call('/search?q=%2B14155550177', { auth: ada.auth })).json<{ data: unknown[] }>().data, [])
  })

  t.test('no answer carries hashes, secrets or the keys behind an address', async t => {
    for (const path of ['', '/me', `/${one.userId}`, '/export?format=json']) {
      t.notMatch((await call(path)).body, /password_hash|email_key|token_hash|totp_secret|recovery_hashes|search_terms|tokens_valid_from/)
    }
  })
})

t.test('ownership goes to one person though two calls run', async t => {
  const app = await build(t)
  const one = await app.seed({ password: 'a long enough secret 7' })
  const login = await app.inject({ method: 'POST', url: '/v1/auth/login', payload: { email: one.email, password: 'a long enough secret 7' } })
  const auth = { authorization: `Bearer ${login.json<{ data: { access_token: string } }>().data.access_token}` }
  const [ada, bob] = [await colleague(app, one, 'admin'), await colleague(app, one)]
  const give = (id: string) => caller(app, one)('/transfer-ownership', { method: 'POST', auth, body: { user_id: id } })
  const both = await Promise.all([give(ada.id), give(bob.id)])
  t.equal(both.filter(res => res.statusCode === 200).length, 1)
  const owners = await app.mongo.collection('_users').find({ account_id: new Types.ObjectId(one.accountId), is_owner: true }).toArray()
  t.equal(owners.length, 1)
  t.match(await app.mongo.collection('_accounts').findOne({ _id: new Types.ObjectId(one.accountId) }), { owner: { id: owners[0]!._id } })
  t.equal((await caller(app, one)('/me', { auth })).statusCode, 401)
})

t.test('addresses', async t => {
  const clock = storyClock()
  const app = await build(t, { deps: { clock } })
  const one = await app.seed()
  const call = caller(app, one)
  const proof = { ...one.auth, 'x-step-up': app.services.auth.makeToken('step_up', { userId: one.userId }, 300) }
  const lastCode = async (topic: string) => {
    const last = (await sent(app, topic)).filter(({ text, body }) => /code/i.test(text ?? body ?? '')).at(-1)!
    return /([0-9]{6})(?![0-9])/.exec(last.text ?? last.body!)![1]!
  }

  t.test('a mail change needs proof and the code; undo restores the address and ends sessions', async t => {
    t.match((await call('/me/email', { method: 'POST', body: { email: 'new@team.test' } })).json(), { errno: 403, data: { code: 'STEP_UP_REQUIRED' } })
    t.equal((await call('/me/email', { method: 'POST', auth: proof, body: { email: 'new@team.test' } })).statusCode, 200)
    t.match((await call('/me')).json(), { data: { email: one.email } })
    const code = await lastCode('mail')
    t.match((await call('/me/email/verify', { method: 'POST', auth: proof, body: { code } })).json(), { data: { email: 'new@team.test' } })
    t.match((await call('/me/email/verify', { method: 'POST', auth: proof, body: { code } })).json(), { errno: 400, data: { code: 'CODE_INVALID' } })
    const notice = (await sent(app, 'mail')).find(mail => mail.text?.includes('undo-email'))!
    const undo = () => app.inject({ method: 'POST', url: '/v1/users/email/undo', payload: { token: /token=(\S+)/.exec(notice.text!)![1] } })
    t.equal((await undo()).statusCode, 200)
    t.equal((await undo()).statusCode, 400)
    t.match(await app.mongo.collection('_users').findOne({ _id: new Types.ObjectId(one.userId) }), { email: one.email, email_key: one.email.toLowerCase() })
  })

  t.test('an address that is taken by then is a duplicate', async t => {
    const two = await app.seed()
    const ask = { ...two.auth, 'x-step-up': app.services.auth.makeToken('step_up', { userId: two.userId }, 300) }
    await call('/me/email', { method: 'POST', auth: ask, body: { email: 'late@team.test' } })
    const code = await lastCode('mail')
    await colleague(app, two, 'user', { email: 'late@team.test' })
    t.match((await call('/me/email/verify', { method: 'POST', auth: ask, body: { code } })).json(), { errno: 409, message: 'Duplicate document.', data: { code: 'USER_EXISTS' } })
  })

  t.test('recovery by SMS answers alike for all; the sixth try is refused even when right', async t => {
    const phone = '+14155550188'
    await colleague(app, one, 'user', { phone, phone_verified_at: clock.now() })
    const start = (to: string) => app.inject({ method: 'POST', url: '/v1/users/sms-recovery', payload: { phone: to } })
    const verify = (code: string) => app.inject({ method: 'POST', url: '/v1/users/sms-recovery/verify', payload: { phone, code } })
    t.strictSame(stable(await start(phone)), stable(await start('+14155550199')))
    const code = await lastCode('sms')
    t.equal((await sent(app, 'sms')).length, 1)
    const wrong = code === '000000' ? '111111' : '000000'
    for (let i = 0; i < 5; i++) t.equal((await verify(wrong)).statusCode, 400)
    t.match((await verify(code)).json(), { errno: 400, data: { code: 'CODE_INVALID' } })
    clock.forward(60_000)
    await start(phone)
    const answer = await verify(await lastCode('sms'))
    const { token } = answer.json<{ data: { token: string } }>().data
    t.equal((await app.inject({ method: 'POST', url: '/v1/auth/password', payload: { type: 'reset', token, password: 'a long enough secret 8' } })).statusCode, 200)
  })
})

t.test('configuration and devices', async t => {
  const app = await build(t)
  const one = await app.seed()
  const call = caller(app, one)
  const ada = await colleague(app, one)

  t.test('twenty first reads make one row', async t => {
    const all = await Promise.all(Array.from({ length: 20 }, () => call('/config/people_table')))
    t.ok(all.every(res => res.statusCode === 200))
    t.equal(await app.mongo.collection('user_configs').countDocuments({ type: 'people_table' }), 1)
    t.match(all[0]!.json(), { data: { source: 'default', locked: false, mandatory_fields: ['name'] } })
  })

  t.test('mandatory fields stay, unknown ones are refused, stale versions conflict', async t => {
    const patch = (body: object) => call('/config/people_table', { method: 'PATCH', body })
    t.match((await patch({ data: { fields: [{ key: 'name', visible: false }] } })).json(), { errno: 422, data: { code: 'MANDATORY_FIELD_HIDDEN' } })
    t.match((await patch({ data: { fields: [{ key: 'nope', visible: true }] } })).json(), { errno: 400, data: { errors: [{ path: 'body.data.fields.0.key' }] } })
    t.match((await patch({ data: { fields: [{ key: 'phone', visible: false }] }, version: 0 })).json(), { data: { version: 1, source: 'user' } })
    t.match((await patch({ data: { options: { dense: true } }, version: 0 })).json(), { errno: 409, data: { code: 'VERSION_CONFLICT' } })
    t.match((await call('/config/people_table', { method: 'DELETE' })).json(), { data: { source: 'default' } })
    t.equal((await call('/config/nothing')).statusCode, 404)
  })

  t.test('an administrator fixes a type for everybody', async t => {
    const body = { data: { options: { compact: true } } }
    t.match((await call('/config/app_drawer', { method: 'PATCH', auth: ada.auth, body })).json(), { errno: 403, data: { code: 'ADMIN_ONLY_CONFIG' } })
    t.equal((await call('/config/app_drawer', { method: 'PATCH', body })).statusCode, 200)
    t.match((await call('/config/app_drawer', { auth: ada.auth })).json(), { data: { locked: true, source: 'account', data: { options: { compact: true } } } })
  })

  t.test('a push token belongs to the last who registered it', async t => {
    const body = { token: 'ExponentPushToken[one]', device_id: 'd1', platform: 'ios' }
    const register = (auth: Record<string, string>) => call('/push-tokens', { method: 'POST', auth, body })
    t.equal((await register(one.auth)).statusCode, 201)
    t.equal((await register(one.auth)).statusCode, 200)
    t.equal((await register(ada.auth)).statusCode, 201)
    t.strictSame((await call('/push-tokens')).json<{ data: unknown[] }>().data, [])
    t.notMatch((await call('/push-tokens', { auth: ada.auth })).body, 'ExponentPushToken')
    t.match((await call(`/push-tokens/${encodeURIComponent(body.token)}`, { method: 'DELETE' })).json(), { data: { removed: false } })
    t.match((await call(`/push-tokens/${encodeURIComponent(body.token)}`, { method: 'DELETE', auth: ada.auth })).json(), { data: { removed: true } })
  })
})
