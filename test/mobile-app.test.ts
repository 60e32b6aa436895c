import t from 'tap'
import { Types } from 'mongoose'
import { build, storyClock } from './helper.js'
import { inRollout } from '../src/services/mobile-app/releases.js'

t.test('the apps', async t => {
  const clock = storyClock()
  const app = await build(t, { deps: { clock } })
  const one = await app.seed()
  const two = await app.seed()
  const staff = await app.seed({ staff: ['system_admin'] })
  const get = (url: string, headers: Record<string, string> = {}) => app.inject({ url: `/v1/mobile-app${url}`, headers })
  const publish = (body: object, auth = staff.auth) => app.inject({ method: 'POST', url: '/v1/mobile-app/updates', headers: auth, payload: { platform: 'android', variant: 'dashclicks', ...body } })
  const latest = (query = '', headers = {}) => get(`/updates/latest?platform=android&variant=dashclicks${query}`, headers)

  t.test('no release is a 404, else the highest active one answers without a token', async t => {
    t.match((await latest()).json(), { errno: 404, data: { code: 'UPDATE_NOT_FOUND' } })
    t.equal((await publish({ version_code: 10 })).statusCode, 201)
    t.equal((await publish({ version_code: 9 })).statusCode, 201)
    t.match((await latest()).json(), { data: { version_code: 10 } })
  })

  t.test('a mandatory step that was skipped still counts', async t => {
    await publish({ version_code: 11, is_mandatory: true })
    await publish({ version_code: 12 })
    t.match((await latest('&version_code=10')).json(), { data: { version_code: 12, update_available: true, must_update: true } })
    t.match((await latest('&version_code=11')).json(), { data: { update_available: true, must_update: false } })
    t.match((await get('/config?platform=android&variant=dashclicks')).json(), { data: { min_version_code: 11, update: { version_code: 12 } } })
  })

  t.test('of two parallel equal releases one is a duplicate', async t => {
    const both = await Promise.all([publish({ version_code: 13 }), publish({ version_code: 13 })])
    t.strictSame(both.map(res => res.statusCode).sort(), [201, 409])
    t.match(both.find(res => res.statusCode === 409)!.json(), { message: 'Duplicate document.', data: { code: 'DUPLICATE_DOCUMENT' } })
  })

  t.test('unknown platforms, variants and codes name their field', async t => {
    for (const [query, path] of [['platform=palm&variant=dashclicks', 'platform'], ['platform=ios&variant=beta', 'variant'], ['platform=ios&variant=dashclicks&version_code=abc', 'version_code']]) {
      const res = await get(`/updates/latest?${query}`)
      t.equal(res.statusCode, 400)
      t.match(res.body, path!)
    }
  })

  t.test('releases are the staff\'s', async t => {
    t.equal((await publish({ version_code: 50 }, one.auth)).statusCode, 403)
    t.equal((await publish({ version_code: 50 }, {} as never)).statusCode, 401)
  })

  t.test('an unchanged answer is 304 until a release changes it', async t => {
    const { etag } = (await latest()).headers
    t.equal((await latest('', { 'if-none-match': String(etag) })).statusCode, 304)
    await publish({ version_code: 14 })
    t.match(await latest('', { 'if-none-match': String(etag) }), { statusCode: 200 })
  })

  t.test('the last active release stays, also of two that go at once', async t => {
    const ids = await Promise.all([20, 21].map(async code => (await publish({ platform: 'ios', version_code: code })).json<{ data: { id: string } }>().data.id))
    const gone = await Promise.all(ids.map(id => app.inject({ method: 'DELETE', url: `/v1/mobile-app/updates/${id}`, headers: staff.auth })))
    t.strictSame(gone.map(res => res.statusCode).sort(), [200, 409])
  })

  t.test('a share of the devices gets a release first, each always the same way', async t => {
    const row = { _id: new Types.ObjectId(), is_mandatory: false, rollout_percent: 20 }
    const devices = Array.from({ length: 1_000 }, (_, i) => `device-${i}`)
    const inside = devices.filter(device => inRollout(row, device))
    t.ok(inside.length > 140 && inside.length < 260, String(inside.length))
    t.strictSame(devices.filter(device => inRollout(row, device)), inside)
    t.equal(inRollout(row, undefined), false)
    t.ok(devices.every(device => inRollout({ ...row, rollout_percent: 100 }, device) && inRollout({ ...row, is_mandatory: true }, device)))
  })

  t.test('the start screens of two people share nothing, and a part that is down is named', async t => {
    const start = (auth: Record<string, string>) => get('/bootstrap?platform=android&variant=dashclicks&version_code=1', auth)
    const [mine, other] = [await start(one.auth), await start(two.auth)]
    t.match(mine.json(), { data: { user: { id: one.userId }, account: { id: one.accountId }, unread: { total: 0 }, degraded: [] } })
    t.notMatch(mine.body, two.accountId)
    t.notMatch(other.body, one.userId)
    app.services.mobile.provide({ conversations: async () => { throw new Error('down') } })
    t.match((await start(one.auth)).json(), { data: { user: { id: one.userId }, degraded: ['conversations'] } })
    app.services.mobile.provide({ conversations: async () => 0 })
  })

  t.test('the badge falls by one when a notice was read', async t => {
    const { platform, notifications } = app.services
    const notice = { event_id: 'evt_1', type: 'users.test', account_id: one.accountId, users: [one.userId], title: 'Hello', body: 'There' }
    await platform.transactions.run(tx => notifications.notify(notice, tx))
    await platform.transactions.run(tx => notifications.notify(notice, tx))
    t.match((await get('/badge', one.auth)).json(), { data: { notifications: 1, total: 1 } })
    t.match((await get('/badge', two.auth)).json(), { data: { notifications: 0 } })
    await app.mongo.collection('fcm.notifications').updateMany({}, { $addToSet: { read_by: new Types.ObjectId(one.userId) } } as never)
    t.match((await get('/badge', one.auth)).json(), { data: { notifications: 0, total: 0 } })
  })
})
