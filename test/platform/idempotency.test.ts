import t from 'tap'
import { build, storyClock } from '../helper.js'

t.test('Idempotency-Key', async t => {
  const clock = storyClock()
  const app = await build(t, { deps: { clock } })
  const one = await app.seed()
  const two = await app.seed()
  const post = (key: string, payload: object, headers = one.auth, url = '/v1/url') => app.inject({ method: 'POST', url, headers: { ...headers, 'idempotency-key': key }, payload })
  const count = (url: string) => app.mongo.collection('short-urls').countDocuments({ url })

  t.test('50 equal requests at once have one effect and one answer', async t => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => post('k-1', { url: 'https://example.com/fifty' })))
    const made = answers.filter(res => res.statusCode === 201)
    t.equal(await count('https://example.com/fifty'), 1)
    t.ok(made.length >= 1)
    t.equal(new Set(made.map(res => res.body)).size, 1)
    for (const res of answers.filter(res => res.statusCode !== 201)) t.match(res, { statusCode: 409, headers: { 'retry-after': '1' } })
    const again = await post('k-1', { url: 'https://example.com/fifty' })
    t.match(again, { statusCode: 201, headers: { 'idempotency-replayed': 'true', location: made[0]!.headers.location } })
    t.equal(again.body, made[0]!.body)
  })

  t.test('another body under the key is refused; the order of its fields does not matter', async t => {
    await post('k-2', { url: 'https://example.com/a', title: 'A' })
    t.match((await post('k-2', { url: 'https://example.com/b', title: 'A' })).json(), { errno: 422, data: { code: 'IDEMPOTENCY_KEY_REUSED' } })
    t.match((await post('k-2', { title: 'A', url: 'https://example.com/a' })).headers, { 'idempotency-replayed': 'true' })
  })

  t.test('the key is the account\'s, the person\'s and the route\'s own', async t => {
    await post('k-3', { url: 'https://example.com/own' })
    const other = await post('k-3', { url: 'https://example.com/theirs' }, two.auth)
    t.match(other, { statusCode: 201 })
    t.notOk(other.headers['idempotency-replayed'])
    const bulk = await post('k-3', { operation: 'create', items: [{ url: 'https://example.com/bulk' }] }, one.auth, '/v1/url/bulk')
    t.equal(bulk.statusCode, 200)
  })

  t.test('a refusal is kept, a broken request leaves the key free', async t => {
    const refused = await post('k-4', { url: 'javascript:alert(1)' })
    t.equal(refused.statusCode, 422)
    t.match(await post('k-4', { url: 'javascript:alert(1)' }), { statusCode: 422, headers: { 'idempotency-replayed': 'true' } })
    t.equal((await post('k-5', { nonsense: true })).statusCode, 400)
    t.equal((await post('k-5', { url: 'https://example.com/k5' })).statusCode, 201)
  })

  t.test('keys have 1 to 255 characters and live for 24 hours', async t => {
    t.equal((await post('x'.repeat(256), { url: 'https://example.com/' })).statusCode, 400)
    await post('k-6', { url: 'https://example.com/day' })
    clock.forward(24 * 3_600_000 + 1)
    const fresh = one.as({ exp: 30 * 86_400 })
    t.equal((await post('k-6', { url: 'https://example.com/next-day' }, fresh)).statusCode, 201)
  })
})
