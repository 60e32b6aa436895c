import t from 'tap'
import { build, storyClock } from '../helper.js'
import { addressKey } from '../../src/services/address.js'
import { createLimiter } from '../../src/services/limits/limiter.js'

t.test('one process counts exactly, per account and person', async t => {
  const clock = storyClock()
  const limiter = createLimiter({ redis: null, clock })
  const passed = Array.from({ length: 12 }, () => limiter.take('auth-login', '203.0.113.7') as { allowed: boolean, remaining: number })
  t.equal(passed.filter(verdict => verdict.allowed).length, 10)
  t.strictSame(passed.map(verdict => verdict.remaining), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0])
  t.ok((limiter.take('auth-login', '203.0.113.8') as { allowed: boolean }).allowed)
  clock.forward(60_000)
  t.ok((limiter.take('auth-login', '203.0.113.7') as { allowed: boolean }).allowed)
})

t.test('over HTTP: the fields tell the rest, one above the limit is 429, others keep their quota', async t => {
  const app = await build(t)
  const one = await app.seed()
  const two = await app.seed()
  const heavy = (auth: Record<string, string>) => app.inject({ url: '/v1/url/export', headers: auth })
  for (let i = 0; i < 30; i++) {
    const res = await heavy(one.auth)
    t.match(res, { statusCode: 200, headers: { 'ratelimit-policy': '"heavy";q=30;w=60', ratelimit: new RegExp(`^"heavy";r=${29 - i};t=`) } })
  }
  t.match(await heavy(one.auth), { statusCode: 429, headers: { 'retry-after': /^\d+$/, ratelimit: /^"heavy";r=0/ } })
  t.equal((await heavy(two.auth)).statusCode, 200)
})

t.test('refused tokens and unknown addresses count against the caller\'s address, forged headers do not help', async t => {
  const app = await build(t)
  const guess = (i: number) => app.inject({ url: '/v1/url', headers: { authorization: `Bearer a.b.${i}`, 'x-forwarded-for': `198.51.100.${i}` } })
  const codes: number[] = []
  for (let i = 0; i < 62; i++) codes.push((await guess(i)).statusCode)
  t.strictSame([codes.filter(code => code === 401).length, codes.filter(code => code === 429).length], [60, 2])
  const unknown: number[] = []
  for (let i = 0; i < 301; i++) unknown.push((await app.inject({ url: `/v1/nowhere/${i}` })).statusCode)
  t.strictSame([unknown.filter(code => code === 404).length, unknown.filter(code => code === 429).length], [300, 1])
})

t.test('behind one proxy the last forwarded address counts, and an IPv6 household is one caller', async t => {
  const app = await build(t, { env: { TRUST_PROXY_HOPS: '1' } })
  const from = (ip: string) => app.inject({ url: '/v1/url', headers: { authorization: 'Bearer x', 'x-forwarded-for': `10.9.9.9, ${ip}` } })
  for (let i = 0; i < 60; i++) await from('2001:db8:1:2::' + i.toString(16))
  t.equal((await from('2001:db8:1:2:ffff::1')).statusCode, 429)
  t.equal((await from('2001:db8:1:3::1')).statusCode, 401)
  t.equal(addressKey('::ffff:192.0.2.1'), '192.0.2.1')
})
