import { createHmac, createSign, generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { JWT_SECRET, build } from '../helper.js'
import { tokenKey } from '../../src/services/auth/tokens.js'

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const hs = (header: object, payload: object, key: string | Buffer = JWT_SECRET, digest = 'sha256') => {
  const body = `${part(header)}.${part(payload)}`
  return `${body}.${createHmac(digest, key).update(body).digest('base64url')}`
}

t.test('the door', async t => {
  const app = await build(t)
  const one = await app.seed()
  const user = await app.seed({ role: 'user' })
  const client = await app.seed({ role: 'client' })
  const child = await app.seed({ parent: one })
  const now = Math.floor(Date.now() / 1_000)
  const claims = { userId: one.userId, accountId: one.accountId, permissions: ['read', 'write'], exp: now + 600 }
  const get = (token: string) => app.inject({ url: '/v1/url', headers: { authorization: `Bearer ${token}` } })
  const header = { alg: 'HS256', typ: 'JWT' }

  t.test('a token that the router signs with only ids, permissions and exp is accepted', async t => {
    t.equal((await get(hs(header, claims))).statusCode, 200)
  })

  t.test('anything else as a token is refused', async t => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const rsBody = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`
    const rs = `${rsBody}.${createSign('RSA-SHA256').update(rsBody).sign(privateKey).toString('base64url')}`
    const bad: Record<string, string> = {
      'no algorithm': `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.`,
      'no algorithm, signed': hs({ alg: 'none' }, claims),
      'another algorithm': hs({ alg: 'HS512', typ: 'JWT' }, claims, JWT_SECRET, 'sha512'),
      'a public key algorithm': rs,
      'a public key algorithm, signed with the secret': hs({ alg: 'RS256' }, claims),
      'another secret': hs(header, claims, 'another secret that is long enough too'),
      'no expiry': hs(header, { ...claims, exp: undefined }),
      'not yet valid': hs(header, { ...claims, nbf: now + 60 }),
      'an expiry that is no number': hs(header, { ...claims, exp: 'tomorrow' }),
      'no permissions': hs(header, { ...claims, permissions: undefined }),
      'no user': hs(header, { ...claims, userId: undefined }),
      'an unknown user': hs(header, { ...claims, userId: 'f'.repeat(24) }),
      'a user that is an operator': hs(header, { ...claims, userId: { $ne: null } }),
      'another account\'s user': hs(header, { ...claims, userId: user.userId }),
      'an unknown account': hs(header, { ...claims, accountId: 'f'.repeat(24) }),
      'an unknown session': hs(header, { ...claims, sid: 'f'.repeat(24) }),
      'a changed payload': hs(header, claims).replace(/\.[^.]+\./, `.${part({ ...claims, accountId: user.accountId })}.`),
      nothing: '',
      'three dots': '...'
    }
    for (const [what, token] of Object.entries(bad)) {
      const res = await get(token)
      t.equal(res.statusCode, 401, what)
      t.notMatch(res.body, /stack|FAST_JWT|signature/i, what)
    }
    t.match((await get(hs(header, { ...claims, exp: now - 1 }))).json(), { errno: 401, data: { code: 'TOKEN_EXPIRED' } })
    for (const extra of [{ jku: 'http://x' }, { jwk: {} }, { kid: '../../etc/passwd' }, { x5u: 'http://x' }]) {
      t.equal((await get(hs({ ...header, ...extra }, claims, 'another secret that is long enough too'))).statusCode, 401, JSON.stringify(extra))
    }
  })

  t.test('a token of another kind opens no door, whatever signed it', async t => {
    for (const typ of ['refresh', 'invite', 'password_reset', 'otp', 'oauth_state', 'step_up']) {
      t.match((await get(hs(header, { ...claims, typ }))).json(), { errno: 401, data: { code: 'TOKEN_INVALID' } }, typ)
      t.equal((await get(hs(header, { ...claims, typ: 'access' }, tokenKey(JWT_SECRET, typ)))).statusCode, 401, `${typ} key`)
    }
  })

  t.test('permissions and scopes must both allow', async t => {
    const post = (auth: Record<string, string>) => app.inject({ method: 'POST', url: '/v1/url', headers: auth, payload: { url: 'https://example.com/p' } })
    t.equal((await post(one.as({ permissions: ['read'] }))).statusCode, 403)
    t.match((await post(one.as({ scope: 'crm' }))).json(), { errno: 403, data: { code: 'SCOPE_REQUIRED', required: ['url.links.write'] } })
    t.equal((await post(one.as({ scope: 'url.links.read' }))).statusCode, 403)
    for (const scope of ['url', 'url.links', 'url.links.write', 'url.links.create', 'crm url']) t.equal((await post(one.as({ scope }))).statusCode, 201, scope)
    t.equal((await app.inject({ url: '/v1/url', headers: one.as({ scope: 'url.links.write' }) })).statusCode, 403)
    t.equal((await post(user.auth)).statusCode, 201)
    t.equal((await post(client.auth)).statusCode, 403)
    t.equal((await post(child.auth)).statusCode, 201)
  })

  t.test('a method override does nothing', async t => {
    const res = await app.inject({ method: 'GET', url: '/v1/url', headers: { ...one.auth, 'x-http-method-override': 'DELETE' } })
    t.equal(res.statusCode, 200)
  })

  t.test('an inactive user, a banned, suspended or archived account and an orphan are refused by name', async t => {
    const accounts = app.mongo.collection('_accounts')
    const cases: [string, Record<string, unknown>, string][] = [['suspended', { status: 'suspended' }, 'ACCOUNT_SUSPENDED'], ['archived', { status: 'archived' }, 'ACCOUNT_ARCHIVED'], ['banned', { banned: true }, 'UNAUTHORIZED_ACCOUNT'], ['pending', { status: 'pending' }, 'ACCOUNT_PENDING']]
    for (const [what, change, code] of cases) {
      const account = await app.seed()
      const grandchild = await app.seed({ parent: account })
      await accounts.updateOne({ name: 'Seeded', email: account.email }, { $set: change })
      t.match((await app.inject({ url: '/v1/url', headers: account.auth })).json(), { errno: 403, data: { code } }, what)
      t.match((await app.inject({ url: '/v1/url', headers: grandchild.auth })).json(), { errno: 403, data: { code: 'ACCOUNT_ORPHANED' } }, what)
    }
    const person = await app.seed()
    await app.mongo.collection('_users').updateOne({ email: person.email }, { $set: { status: 'inactive' } })
    t.match((await app.inject({ url: '/v1/url', headers: person.auth })).json(), { errno: 403, data: { code: 'USER_INACTIVE' } })
  })

  t.test('login opens a session, logout ends it at once', async t => {
    const person = await app.seed({ password: 'correct horse battery' })
    const login = (password: string, email = person.email) => app.inject({ method: 'POST', url: '/v1/auth/login', payload: { email, password } })
    const wrong = await login('wrong')
    const unknown = await login('wrong', 'nobody@seed.test')
    t.match(wrong.json(), { errno: 400, message: 'Invalid login credentials provided', data: { code: 'INVALID_CREDENTIALS' } })
    t.strictSame({ ...wrong.json<{ data: object }>(), data: 0 }, { ...unknown.json<{ data: object }>(), data: 0 })
    const { data } = (await login('correct horse battery')).json<{ data: { access_token: string } }>()
    const auth = { authorization: `Bearer ${data.access_token}` }
    t.equal((await app.inject({ url: '/v1/url', headers: auth })).statusCode, 200)
    t.match((await app.inject({ method: 'POST', url: '/v1/auth/logout', headers: auth })).json(), { data: { ended: true } })
    t.match((await app.inject({ url: '/v1/url', headers: auth })).json(), { errno: 401, data: { code: 'SESSION_REVOKED' } })
  })
})

t.test('a key that is being changed still opens the door', async t => {
  const app = await build(t, { env: { JWT_SECRET: 'the new secret, long enough for HS256 ....', JWT_SECRET_PREVIOUS: JWT_SECRET } })
  const one = await app.seed()
  const old = hs({ alg: 'HS256', typ: 'JWT' }, { userId: one.userId, accountId: one.accountId, permissions: ['read'], exp: Math.floor(Date.now() / 1_000) + 60 })
  t.equal((await app.inject({ url: '/v1/url', headers: { authorization: `Bearer ${old}` } })).statusCode, 200)
  t.equal((await app.inject({ url: '/v1/url', headers: one.auth })).statusCode, 200)
})
