import t from 'tap'
import { Types } from 'mongoose'
import { build } from './helper.js'
import { evaluate } from '../src/services/flags.js'
import type { FlagRow } from '../src/models/flags.js'

const flag = (change: Partial<FlagRow>): FlagRow => ({
  key: 'new_inbox', description: null, enabled: true, default_value: 'off', rules: [], kill: false, version: 1, updated_by: null, updated_at: '2026-01-01T00:00:00.000Z', ...change
})
const facts = { account_id: 'a'.repeat(24), user_id: 'b'.repeat(24), plan: 'pro', main: true }

t.test('the first rule whose given conditions all hold decides; kill and off beat every rule', async t => {
  const rules = [{ plans: ['free'], value: 1 }, { plans: ['pro'], main: true, value: 2 }, { value: 3 }]
  t.equal(evaluate(flag({ rules }), facts), 2)
  t.equal(evaluate(flag({ rules }), { ...facts, main: false }), 3)
  t.equal(evaluate(flag({ rules, kill: true }), facts), 'off')
  t.equal(evaluate(flag({ rules, enabled: false }), facts), 'off')
  t.equal(evaluate(flag({ rules: [{ users: ['c'.repeat(24)], value: 1 }] }), facts), 'off')
})

t.test('a percentage takes about its share of accounts, and keeps them when it grows', async t => {
  const on = (percentage: number) => Array.from({ length: 2_000 }, (_, i) => i.toString(16).padStart(24, '0'))
    .filter(account_id => evaluate(flag({ rules: [{ percentage, value: true }] }), { ...facts, account_id }) === true)
  const ten = on(10)
  const thirty = new Set(on(30))
  t.ok(ten.length > 140 && ten.length < 260, String(ten.length))
  t.ok(ten.every(account => thirty.has(account)))
})

t.test('a caller gets the flags for himself', async t => {
  const app = await build(t)
  const one = await app.seed()
  await app.mongo.collection('_admin.flags').insertMany([
    { key: 'beta', enabled: true, default_value: false, kill: false, rules: [{ accounts: [new Types.ObjectId(one.accountId)], value: true }] },
    { key: 'other', enabled: false, default_value: 7, kill: false, rules: [] }
  ])
  const res = await app.inject({ url: '/v1/features', headers: one.auth })
  t.match(res.json(), { success: true, data: { beta: true, other: 7 } })
  t.match((await app.inject({ url: '/v1/features', headers: (await app.seed()).auth })).json(), { data: { beta: false } })
  t.equal((await app.inject({ url: '/v1/features' })).statusCode, 401)
})
