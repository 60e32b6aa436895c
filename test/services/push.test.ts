import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { jwtVerify } from 'jose'
import t from 'tap'
import { createHttpClient, silentLog } from '../../src/services/http/index.js'
import { createPush, type PushOptions } from '../../src/services/push/index.js'
import { failure, json, movedClock, wire, type Seen } from './wire.js'

type Test = { testdir (): string, teardown (fn: () => unknown): void }
type Answer = Parameters<Parameters<typeof wire>[1]>[1]

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
const message = { title: 'Deal', body: 'It is yours' }

function push (t: Test, options: Partial<PushOptions> = {}) {
  const clock = options.clock ?? movedClock()
  const http = createHttpClient({ clock, log: silentLog })
  const made = createPush({ http, clock, log: silentLog, production: false, twinDir: options.twinDir ?? t.testdir(), ...options })
  t.teardown(async () => { await http.close(); await made.twin?.close() })
  return made
}

/** Google's token door and FCM on one server. */
async function google (t: Test, fcm: (seen: Seen, res: Answer, count: number) => void) {
  const tokens: string[] = []
  let sent = 0
  const server = await wire(t, (seen, res) => {
    if (seen.url === '/token') {
      tokens.push(`access-${tokens.length + 1}`)
      json(res, 200, { access_token: tokens.at(-1), expires_in: 3600, token_type: 'Bearer' })
    } else fcm(seen, res, ++sent)
  })
  const account = {
    type: 'service_account',
    project_id: 'my-project',
    client_email: 'push@my-project.iam.gserviceaccount.com',
    private_key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    token_uri: `${server.url}/token`
  }
  return { server, tokens, options: { serviceAccount: JSON.stringify(account), baseUrl: server.url, expoUrl: server.url } }
}
const accepted = (_seen: Seen, res: Answer, count: number) => json(res, 200, { name: `projects/my-project/messages/${count}` })

t.test('the real client signs in with the service account and speaks FCM HTTP v1', async t => {
  const clock = movedClock()
  const { server, tokens, options } = await google(t, accepted)
  const real = push(t, { ...options, clock })
  t.equal(real.state(), 'ok')
  const results = await real.send({ ...message, tokens: ['t1', 't2'], data: { id: '1' }, link: 'https://app.test/deals', image: 'https://i', tag: 'd1', ttl: 60 }, { requestId: 'req-1' })
  t.match(results, [{ token: 't1', status: 'sent', messageId: /messages/ }, { token: 't2', status: 'sent' }])
  const form = new URLSearchParams(server.seen[0]?.body)
  t.equal(form.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer')
  const { payload } = await jwtVerify(form.get('assertion') ?? '', keys.publicKey as KeyObject, {
    issuer: 'push@my-project.iam.gserviceaccount.com', audience: `${server.url}/token`, currentDate: clock.now(), algorithms: ['RS256']
  })
  t.match(payload, { scope: 'https://www.googleapis.com/auth/firebase.messaging' })
  t.equal((payload.exp ?? 0) - (payload.iat ?? 0), 3600)
  const calls = server.seen.slice(1)
  t.match(calls[0], { method: 'POST', url: '/v1/projects/my-project/messages:send', headers: { authorization: 'Bearer access-1', 'x-request-id': 'req-1' } })
  t.strictSame(calls.map(call => (JSON.parse(call.body) as { message: { token: string } }).message.token).sort(), ['t1', 't2'])
  t.match(JSON.parse(calls[0]?.body ?? ''), {
    message: {
      notification: { title: 'Deal', body: 'It is yours', image: 'https://i' },
      data: { id: '1' },
      webpush: { fcm_options: { link: 'https://app.test/deals' }, headers: { TTL: '60' }, notification: { tag: 'd1' } }
    }
  })
  await real.send({ ...message, tokens: ['t1'] })
  t.equal(tokens.length, 1, 'the access token is kept')
  clock.move(3_600_000)
  await real.send({ ...message, tokens: ['t1'] })
  t.equal(tokens.length, 2, 'and renewed before it ends')
})

t.test('each token has a result of its own: sent, dead or to be tried later', async t => {
  const problem = (status: number, name: string, details: object[]) => (res: Answer, headers = {}) => json(res, status, { error: { code: status, status: name, message: 'm', details } }, headers)
  const answers: Record<string, (res: Answer) => void> = {
    good: res => json(res, 200, { name: 'projects/p/messages/1' }),
    gone: problem(404, 'NOT_FOUND', [{ errorCode: 'UNREGISTERED' }]),
    foreign: problem(403, 'PERMISSION_DENIED', [{ errorCode: 'SENDER_ID_MISMATCH' }]),
    wrong: problem(400, 'INVALID_ARGUMENT', [{ fieldViolations: [{ field: 'message.token' }] }]),
    body: problem(400, 'INVALID_ARGUMENT', [{ fieldViolations: [{ field: 'message.data' }] }]),
    limited: res => problem(429, 'RESOURCE_EXHAUSTED', [])(res, { 'retry-after': '60' }),
    down: problem(503, 'UNAVAILABLE', []),
    cut: res => { res.destroy() },
    empty: res => json(res, 200, {})
  }
  const { options } = await google(t, (seen, res) => answers[(JSON.parse(seen.body) as { message: { token: string } }).message.token]?.(res))
  const results = await push(t, options).send({ ...message, tokens: Object.keys(answers) })
  t.strictSame(results.map(result => [result.token, result.status, result.status === 'failed' ? result.error.status : 0]), [
    ['good', 'sent', 0], ['gone', 'unregistered', 0], ['foreign', 'unregistered', 0], ['wrong', 'unregistered', 0], ['body', 'failed', 400],
    ['limited', 'failed', 429], ['down', 'failed', 503], ['cut', 'failed', 502], ['empty', 'failed', 502]
  ])
  t.match(results[5], { retryAfter: 60 })
})

t.test('a revoked access token is renewed once; refused credentials fail the call', async t => {
  const once = await google(t, (seen, res, count) => count === 1 ? json(res, 401, {}) : accepted(seen, res, count))
  t.match(await push(t, once.options).send({ ...message, tokens: ['t1'] }), [{ status: 'sent' }])
  t.equal(once.tokens.length, 2)
  const never = await google(t, (_seen, res) => json(res, 401, {}))
  t.match(await failure(push(t, never.options).send({ ...message, tokens: ['t1'] })), { status: 401 })
  const server = await wire(t, (_seen, res) => json(res, 400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' }))
  const account = JSON.parse(never.options.serviceAccount) as object
  const refused = push(t, { serviceAccount: JSON.stringify({ ...account, token_uri: server.url }) })
  t.match(await failure(refused.send({ ...message, tokens: ['t1'] })), { status: 400, upstream: 'fcm-auth' })
})

t.test('Expo tokens go to Expo, a hundred at a time, and come back in order', async t => {
  const expo = Array.from({ length: 150 }, (_none, index) => `ExponentPushToken[${index}]`)
  const { server, options } = await google(t, (seen, res, count) => {
    if (!seen.url.startsWith('/--/')) { accepted(seen, res, count); return }
    const batch = JSON.parse(seen.body) as Array<{ to: string }>
    json(res, 200, {
      data: batch.map(({ to }) => to === 'ExponentPushToken[3]'
        ? { status: 'error', message: 'gone', details: { error: 'DeviceNotRegistered' } }
        : to === 'ExponentPushToken[4]' ? { status: 'error', details: { error: 'MessageRateExceeded' } } : { status: 'ok', id: to })
    })
  })
  const real = push(t, { ...options, expoAccessToken: 'expo-key' })
  const results = await real.send({ ...message, tokens: ['web-1', ...expo], badge: 3, link: '/deals' })
  t.strictSame(results.map(result => result.token), ['web-1', ...expo])
  t.match([results[4], results[5]], [{ status: 'unregistered' }, { status: 'failed', error: { code: 'MessageRateExceeded', status: 429 } }])
  const calls = server.seen.filter(seen => seen.url === '/--/api/v2/push/send')
  t.strictSame(calls.map(call => (JSON.parse(call.body) as unknown[]).length), [100, 50])
  t.match(calls[0]?.headers, { authorization: 'Bearer expo-key' })
  t.match(JSON.parse(calls[0]?.body ?? ''), [{ to: 'ExponentPushToken[0]', title: 'Deal', badge: 3, data: { link: '/deals' } }])
  const short = await google(t, (_seen, res) => json(res, 200, { data: [] }))
  t.match(await push(t, short.options).send({ ...message, tokens: ['ExponentPushToken[1]'] }), [{ status: 'failed', error: { status: 502 } }])
})

t.test('production without the service account refuses and names the variable; a broken one stops the start', async t => {
  const off = push(t, { production: true })
  t.equal(off.state(), 'not_configured')
  t.match(await failure(off.send({ ...message, tokens: ['x'] })), { status: 503, code: 'PUSH_NOT_CONFIGURED', info: 'FIREBASE_ADMIN_SDK_JSON is not set.' })
  t.throws(() => push(t, { serviceAccount: '{' }), /^FIREBASE_ADMIN_SDK_JSON is not JSON$/)
  t.throws(() => push(t, { serviceAccount: '{"private_key":"secret"}' }), /^FIREBASE_ADMIN_SDK_JSON needs project_id, client_email and private_key$/)
})

t.test('the twin keeps messages and plays dead, slow and failing devices', async t => {
  const twinDir = t.testdir()
  const local = push(t, { twinDir })
  t.match(await local.send({ ...message, account: 'a1', tokens: ['good', 'bad-1', 'slow-1', 'fail-1'] }), [
    { token: 'good', status: 'sent', messageId: String },
    { token: 'bad-1', status: 'unregistered' },
    { token: 'slow-1', status: 'failed', error: { status: 504 } },
    { token: 'fail-1', status: 'failed', error: { status: 503 } }
  ])
  t.match(local.twin?.messages({ token: 'good' }), [{ title: 'Deal', token: 'good' }])
  await local.twin?.markUnregistered('good')
  t.match(await push(t, { twinDir }).send({ ...message, tokens: ['good'] }), [{ status: 'unregistered' }])
  local.twin?.fault({ mode: 'drop' })
  t.match(await local.send({ ...message, tokens: ['other'] }), [{ status: 'sent' }])
  t.strictSame(local.twin?.messages({ token: 'other' }), [])
  local.twin?.fault({ mode: 'timeout' })
  t.match(await failure(local.send({ ...message, tokens: ['other'] })), { status: 504 })
})
