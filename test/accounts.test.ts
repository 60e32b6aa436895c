import t from 'tap'
import { MISSING, build, stable, storyClock } from './helper.js'

const noop = new AbortController().signal
type Mail = { to: { email: string }[], subject: string, text: string }
type Made = { account: { id: string, status: string }, user: { id: string }, invite_link: string }
const PASSWORD = 'a harbour full of lights'

t.test('accounts', async t => {
  const clock = storyClock()
  const app = await build(t, { deps: { clock }, env: { TRUST_PROXY_HOPS: '1', PROCESS_ROLE: 'web' } })
  const one = await app.seed()
  const two = await app.seed()
  let address = 0
  const call = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, { auth = {}, payload, accept }: { auth?: Record<string, string>, payload?: object, accept?: string } = {}) =>
    app.inject({ method, url: `/v1/accounts${url}`, headers: { ...auth, 'x-forwarded-for': `203.0.113.${++address % 250}`, ...(accept && { accept }) }, ...(payload && { payload }) })
  const mails = async (to: string) => (await app.mongo.collection('_outbox').find({ topic: 'mail', key: to }).sort({ _id: 1 }).toArray()).map(row => row.payload as Mail)
  const tokenOf = (link: string) => new URL(link).searchParams.get('token')!
  const invite = async (name: string, auth = one.auth) => {
    const email = `${name}@client.test`
    const res = await call('POST', '/invite', { auth, payload: { business: { name, email }, user: { first_name: 'Cleo', last_name: 'Client', email } } })
    return { res, data: res.json<{ data: Made }>().data, email }
  }
  const setPassword = (token: string) => app.inject({
    method: 'POST', url: '/v1/auth/password', headers: { 'x-forwarded-for': `198.51.100.${++address % 250}` }, payload: { type: 'reset', token, password: PASSWORD }
  })
  const login = (email: string) => app.inject({ method: 'POST', url: '/v1/auth/login', headers: { 'x-forwarded-for': `192.0.2.${++address % 250}` }, payload: { email, password: PASSWORD } })
  const codeFor = async (email: string) => {
    await call('GET', `/email-check?email=${email}`)
    return /code is (\w{10})/.exec((await mails(email)).at(-1)!.text)![1]!
  }
  const newAccount = (extra: object) => ({ first_name: 'Nora', last_name: 'Lind', password: PASSWORD, accept_terms: true, business: { name: 'Harbour Lights' }, ...extra })

  t.test('sign-up: code by mail, token, account, and a session that works', async t => {
    const code = await codeFor('nora@new.test')
    const verified = await call('GET', `/verify/${code.toLowerCase()}`)
    t.match(verified.json(), { data: { valid: true, email: 'nora@new.test' } })
    const { token } = verified.json<{ data: { token: string } }>().data
    t.match((await call('GET', `/verify?token=${token}`)).json(), { data: { valid: true, kind: 'signup' } })
    const res = await call('POST', '', { payload: newAccount({ token }) })
    t.equal(res.statusCode, 201, res.body)
    const { access_token: access, account } = res.json<{ data: { access_token: string, account: { id: string } } }>().data
    const mine = await call('GET', `/${account.id}`, { auth: { authorization: `Bearer ${access}` } })
    t.match(mine.json(), { data: { name: 'Harbour Lights', main: true, plan: 'pro', domain: { dashclicks: 'harbour-lights' }, affiliate: { enabled: true }, owner: { email: 'nora@new.test' } } })
    t.notMatch(mine.body, /search_keys|token_hash|password_hash/)
    t.equal((await call('POST', '', { payload: newAccount({ token }) })).statusCode, 400)
    t.equal(await app.mongo.collection('queues').countDocuments({ source: 'account-setup' }), 1)
  })

  t.test('one code in many sign-ups at once makes one account', async t => {
    const code = await codeFor('race@new.test')
    const before = await app.mongo.collection('_accounts').countDocuments()
    const answers = await Promise.all(Array.from({ length: 20 }, () => call('POST', '', { payload: newAccount({ code }) })))
    t.strictSame(answers.map(res => res.statusCode).sort(), [201, ...Array<number>(19).fill(400)])
    t.equal(await app.mongo.collection('_accounts').countDocuments(), before + 1)
    t.equal(await app.mongo.collection('_users').countDocuments({ email_key: 'race@new.test' }), 1)
  })

  t.test('email-check answers alike for known and unknown addresses, the mails differ', async t => {
    const unknown = await call('GET', '/email-check?email=nobody@new.test')
    const known = await call('GET', `/email-check?email=${one.email}`)
    t.strictSame(stable(known), stable(unknown))
    t.match((await mails('nobody@new.test'))[0], { subject: 'Your sign-up code' })
    t.match((await mails(one.email))[0], { subject: 'You have an account already' })
  })

  t.test('terms and passwords are demanded, reserved and taken labels refused', async t => {
    const code = await codeFor('picky@new.test')
    t.match((await call('POST', '', { payload: newAccount({ code, accept_terms: false }) })).json(), { errno: 422, data: { code: 'TERMS_NOT_ACCEPTED' } })
    t.match((await call('POST', '', { payload: newAccount({ code, password: 'password' }) })).json(), { errno: 422, data: { code: 'PASSWORD_WEAK' } })
    t.match((await call('POST', '', { payload: newAccount({ code, subdomain: 'api' }) })).json(), { errno: 422, data: { code: 'LABEL_RESERVED' } })
    t.match((await call('POST', '', { payload: newAccount({ code, subdomain: 'harbour-lights' }) })).json(), { errno: 409, data: { code: 'LABEL_TAKEN' } })
    t.equal((await call('POST', '', { payload: newAccount({ code }) })).statusCode, 201)
  })

  t.test('an invite: looking changes nothing, the password begins the account, the second password is refused', async t => {
    const { res, data, email } = await invite('sunny')
    t.equal(res.statusCode, 201, res.body)
    t.match(data, { account: { status: 'pending' }, user: { role: 'owner', status: 'invited' } })
    const token = tokenOf(data.invite_link)
    for (let i = 0; i < 2; i++) t.match((await call('GET', `/accept-invite?token=${token}`)).json(), { data: { valid: true, email } })
    t.equal((await call('GET', `/accept-invite?token=${token}`, { accept: 'text/html' })).statusCode, 302)
    t.not((await login(email)).statusCode, 200, 'nobody logs in before the password is set')
    t.match((await call('GET', '/counts', { auth: one.auth })).json(), { data: { pending: 1 } })
    t.equal((await setPassword(token)).statusCode, 200)
    t.equal((await setPassword(token)).statusCode, 400)
    t.match((await call('GET', '/counts', { auth: one.auth })).json(), { data: { pending: 0, active: 1 } })
    t.equal((await login(email)).statusCode, 200)
    t.match((await call('GET', `/accept-invite?token=${token}`)).json(), { errno: 400, data: { code: 'LINK_INVALID' } })
  })

  t.test('two invites for one business at once: one account, one 409, no orphan', async t => {
    const answers = await Promise.all([invite('twice'), invite('twice')])
    t.strictSame(answers.map(({ res }) => res.statusCode).sort(), [201, 409])
    t.match(answers.find(({ res }) => res.statusCode === 409)!.res.json(), { data: { code: 'BUSINESS_HAS_ACCOUNT' } })
    t.equal(await app.mongo.collection('_users').countDocuments({ email_key: 'twice@client.test' }), 1)
  })

  t.test('a resend kills the first link, a cancel frees the business or keeps what has orders', async t => {
    const { data } = await invite('again')
    const resend = () => call('POST', `/${data.account.id}/invite`, { auth: one.auth, payload: {} })
    t.match(await resend(), { statusCode: 429, headers: { 'retry-after': '60' } })
    clock.forward(61_000)
    const second = (await resend()).json<{ data: Made }>().data
    t.equal((await call('GET', `/accept-invite?token=${tokenOf(data.invite_link)}`)).statusCode, 400)
    t.equal((await call('GET', `/accept-invite?token=${tokenOf(second.invite_link)}`)).statusCode, 200)
    t.match((await call('DELETE', `/${data.account.id}/cancel-invite`, { auth: one.auth })).json(), { data: { result: 'removed' } })
    const fresh = await invite('again')
    t.equal(fresh.res.statusCode, 201)
    await app.mongo.collection('_accounts').updateOne({ name: 'again' }, { $set: { has_orders: true } })
    t.match((await call('DELETE', `/${fresh.data.account.id}/cancel-invite`, { auth: one.auth })).json(), { data: { result: 'kept' } })
    t.equal((await setPassword(tokenOf(fresh.data.invite_link))).statusCode, 400)
    t.match((await call('DELETE', `/${fresh.data.account.id}/cancel-invite`, { auth: one.auth })).json(), { errno: 409, data: { code: 'INVITE_NOT_PENDING' } })
  })

  t.test('300 rows of which 10 are bad: 290 accounts, 10 row errors', async t => {
    const rows = Array.from({ length: 300 }, (_, i) => ({
      business_name: `Bulk ${i}`, first_name: 'B', last_name: 'Ulk', email: i % 30 === 0 ? 'no mail' : `bulk${i}@bulk.test`
    }))
    t.match((await call('POST', '/invite/bulk?dry_run=true', { auth: two.auth, payload: { rows } })).json(), { data: { total: 300, ready: 290 } })
    const res = await call('POST', '/invite/bulk', { auth: two.auth, payload: { rows } })
    t.equal(res.statusCode, 202, res.body)
    await app.services.platform.queues.drain('account-invite', noop)
    t.match((await call('GET', '/counts', { auth: two.auth })).json(), { data: { pending: 290 } })
    t.equal(await app.mongo.collection('queue-row-errors').countDocuments(), 10)
    t.equal(await app.mongo.collection('_outbox').countDocuments({ topic: 'mail', key: /@bulk\.test$/ }), 290)
  })

  t.test('own and children, and the same 404 for everything else', async t => {
    const child = await app.seed({ parent: one })
    const sibling = await app.seed({ parent: one })
    t.equal((await call('GET', `/${child.accountId}`, { auth: one.auth })).statusCode, 200)
    t.equal((await call('GET', `/${child.accountId}`, { auth: child.auth })).statusCode, 200)
    const missing = stable(await call('GET', `/${MISSING}`, { auth: two.auth }))
    for (const [auth, id] of [[two.auth, child.accountId], [child.auth, sibling.accountId], [child.auth, one.accountId]] as const) {
      t.strictSame(stable(await call('GET', `/${id}`, { auth })), missing)
    }
    t.match((await call('GET', '', { auth: child.auth })).json(), { errno: 403, data: { code: 'MAIN_ACCOUNT_ONLY' } })
  })

  t.test('archive and suspend shut the door, and back opens it in the state before', async t => {
    const child = await app.seed({ parent: one })
    const self = () => call('GET', `/${child.accountId}`, { auth: child.auth })
    t.match((await call('PUT', `/${child.accountId}/status`, { auth: one.auth, payload: { status: 'suspended', reason: 'late' } })).json(), { data: { status: 'suspended', status_reason: 'late' } })
    t.match((await self()).json(), { errno: 403, data: { code: 'ACCOUNT_SUSPENDED' } })
    t.match((await call('DELETE', `/${child.accountId}`, { auth: one.auth })).json(), { data: { status: 'archived' } })
    t.match((await self()).json(), { errno: 403, data: { code: 'ACCOUNT_ARCHIVED' } })
    t.match((await call('PUT', `/${child.accountId}/unarchive`, { auth: one.auth })).json(), { data: { status: 'suspended' } })
    t.match((await call('PUT', `/${child.accountId}/unarchive`, { auth: one.auth })).json(), { errno: 409, data: { code: 'ACCOUNT_STATE_INVALID' } })
    t.equal((await call('PUT', `/${child.accountId}/status`, { auth: one.auth, payload: { status: 'active', reason: 'paid' } })).statusCode, 200)
    t.equal((await self()).statusCode, 200)
  })

  t.test('a change is searched at once; protected fields are refused', async t => {
    const child = await app.seed({ parent: one })
    const put = (payload: object) => call('PUT', `/${child.accountId}`, { auth: one.auth, payload })
    t.match((await put({ name: 'Zebra Plumbing', time_zone: 'Europe/Rome', manager: one.userId })).json(), { data: { name: 'Zebra Plumbing', manager: one.userId } })
    t.match((await call('GET', '/search?q=zeb%20plum', { auth: one.auth })).json<{ data: unknown[] }>().data, [{ id: child.accountId }])
    for (const field of ['parent_account', 'plan', 'banned', 'stripe_customer', 'affiliate']) t.equal((await put({ [field]: 'x' })).statusCode, 400, field)
    t.match((await put({ manager: two.userId })).json(), { errno: 400, data: { code: 'INVALID_REFERENCE' } })
    t.match((await call('PUT', `/${child.accountId}`, { auth: child.auth, payload: { name: 'Own Name' } })).json(), { data: { name: 'Own Name' } })
  })

  t.test('a request under an agency: nothing when sign-up is off, two approvals make one account', async t => {
    const ask = () => call('POST', '/email', { payload: { email: 'walkin@public.test', parent_account: one.accountId } })
    t.match((await ask()).json(), { data: { sent: true } })
    t.equal((await mails('walkin@public.test')).length, 0)
    await app.mongo.collection('_accounts').updateOne({ owner: null, plan: 'pro', email: one.email }, { $set: { settings: { public_signup: { enabled: true } } } })
    t.match((await ask()).json(), { data: { sent: true } })
    const token = /token=(\S+)/.exec((await mails('walkin@public.test'))[0]!.text)![1]!
    t.match((await call('GET', `/verify-public-invite?token=${token}`)).json(), { data: { valid: true, parent: { name: 'Seeded' } } })
    const profile = await call('POST', '/public-profile', { payload: { token, first_name: 'Walt', last_name: 'Kin', password: PASSWORD, business: { name: 'Walk In' } } })
    t.equal(profile.statusCode, 202, profile.body)
    const [request] = (await call('GET', '/public-account-requests', { auth: one.auth })).json<{ data: { id: string }[] }>().data
    const decide = () => call('PUT', `/public-account-requests/${request!.id}/status`, { auth: one.auth, payload: { status: 'approved' } })
    const answers = await Promise.all([decide(), decide()])
    t.strictSame(answers.map(res => res.statusCode).sort(), [200, 409])
    t.equal((await login('walkin@public.test')).statusCode, 200)
  })

  t.test('the trial ends: plan-gated routes are shut, a subscription opens them', async t => {
    const code = await codeFor('trial@new.test')
    const { access_token: access, account } = (await call('POST', '', { payload: newAccount({ code, business: { name: 'Trial' } }) })).json<{ data: { access_token: string, account: { id: string } } }>().data
    const auth = { authorization: `Bearer ${access}` }
    t.equal((await invite('trial1', auth)).res.statusCode, 201)
    await app.mongo.collection('_accounts').updateMany({ name: 'Trial' }, { $set: { plan_trial_ends_at: clock.now() } })
    t.match((await invite('trial2', auth)).res.json(), { errno: 403, data: { code: 'PLAN_REQUIRED' } })
    await app.services.platform.jobs.runOnce('account-trials')
    t.match((await call('GET', `/${account.id}`, { auth })).json(), { data: { plan: 'free' } })
    const { platform, accounts } = app.services
    const row = await accounts.core.reach({ accountId: account.id } as never, account.id)
    await platform.transactions.run(session => accounts.plans.set(row._id, 'pro', 'subscription', session))
    t.equal((await invite('trial2', auth)).res.statusCode, 201)
  })
})
