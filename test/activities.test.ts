import t from 'tap'
import { Types } from 'mongoose'
import { MISSING, build, stable, storyClock, type Account } from './helper.js'
import { redact } from '../src/services/activities/audit.js'

type Row = { id: string, title: string, comment_count: number }
type Verdict = { ok: boolean, checked: number, sealed_to: number, first_bad?: { seq: number, problem: string } }

t.test('activities', async t => {
  const clock = storyClock()
  const app = await build(t, { deps: { clock } })
  const one = await app.seed()
  const two = await app.seed()
  const { platform, activities } = app.services
  const { transactions, jobs } = platform
  const call = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, payload?: object, headers: Record<string, string> = one.auth) =>
    app.inject({ method, url: `/v1/activities${path}`, headers, ...(payload !== undefined && { payload }) })
  const contact = async (change: object = {}, owner: Account = one) => {
    const _id = new Types.ObjectId()
    await app.mongo.collection('crm.contacts').insertOne({ _id, account_id: new Types.ObjectId(owner.accountId), is_deleted: false, unique_keys: [_id.toHexString()], ...change })
    return _id.toHexString()
  }
  const mirror = (contactId: string, id: string, key = 'created', change: object = {}) => transactions.run(session => activities.record({
    account_id: one.accountId, contact: contactId, activity_type: 'note', activity_ref: { collection: 'crm.notes', id }, source_key: key, created_by: one.userId, title: `Note ${id}`, ...change
  }, session))
  const logCall = (contactId: string, headers = one.auth) => call('POST', '', { contact_id: contactId, logs_type: 'call', details: { direction: 'out', outcome: 'connected' } }, headers)

  t.test('one row per source event, however often it is told', async t => {
    const id = await contact()
    for (let i = 0; i < 3; i++) await mirror(id, 'n1')
    await mirror(id, 'n1', 'edited', { activity_type: 'change' })
    const rows = (await call('GET', `?contact_id=${id}`)).json<{ data: Row[] }>().data
    t.equal(rows.length, 2)
    const key = { 'idempotency-key': 'log-once', ...one.auth }
    const [first, again] = [await logCall(id, key), await logCall(id, key)]
    t.equal(first.statusCode, 201)
    t.equal(again.headers['idempotency-replayed'], 'true')
    t.equal((await call('GET', `?contact_id=${id}`)).json<{ data: Row[] }>().data.length, 3)
    t.ok((await app.mongo.collection('crm.contacts').findOne({ _id: new Types.ObjectId(id) }))!.last_activity_at)
  })

  t.test('details of another kind, missing or out of bounds are refused by their name', async t => {
    const id = await contact()
    const cases: [string, object, string][] = [
      ['call', { direction: 'in' }, 'outcome'],
      ['meeting', { title: 'x', start: '2026-01-02T10:00:00Z', end: '2026-01-02T09:00:00Z' }, 'end'],
      ['email', { direction: 'in', subject: 'x', duration_s: 3 }, 'duration_s']
    ]
    for (const [type, details, field] of cases) {
      t.match((await call('POST', '', { contact_id: id, logs_type: type, details })).json(), { errno: 400, data: { code: 'DETAILS_INVALID', errors: [{ path: `body.details.${field}` }] } }, field)
    }
    t.match((await call('POST', '', { logs_type: 'call', details: {} })).json(), { errno: 400, data: { code: 'REFERENCE_REQUIRED' } })
    const foreign = await contact({}, two)
    for (const other of [foreign, MISSING]) t.match((await logCall(other)).json(), { errno: 400, data: { code: 'INVALID_REFERENCE' } })
  })

  t.test('a restricted user meets only records that name him', async t => {
    const staff = await app.seed()
    const user = new Types.ObjectId(staff.userId)
    await app.mongo.collection('_users').updateOne({ _id: user }, { $set: { account_id: new Types.ObjectId(one.accountId), role: 'user', is_owner: false, preferences: { crm_visibility: 'own' } } })
    const auth = { authorization: `Bearer ${app.jwt.sign({ userId: staff.userId, accountId: one.accountId, permissions: ['read', 'write'] }, { expiresIn: 3600 })}` }
    const [seen, hidden] = [await contact({ visible_to: [user] }), await contact()]
    await mirror(seen, 'seen')
    await mirror(hidden, 'hidden')
    const titles = (path: string) => call('GET', path, undefined, auth).then(res => res.json<{ data: Row[] }>().data.map(row => row.title))
    t.strictSame(await titles(''), ['Note seen'])
    t.strictSame(await titles('/search?q=note'), ['Note seen'])
    t.equal((await call('GET', '/export?format=json', undefined, auth)).json<object[]>().length, 1)
    t.match((await call('GET', '/analytics/summary', undefined, auth)).json(), { data: { total: 1, contacts_touched: 1 } })
    const row = (await call('GET', `?contact_id=${hidden}`)).json<{ data: Row[] }>().data[0]!
    t.strictSame(stable(await call('GET', `/${row.id}`, undefined, auth)), stable(await call('GET', `/${MISSING}`, undefined, auth)))
    t.match((await call('GET', `?contact_id=${hidden}`, undefined, auth)).json(), { errno: 404, data: { code: 'CONTACT_NOT_FOUND' } })
  })

  t.test('another account gets nothing, by no way', async t => {
    const id = await contact()
    const { id: rowId } = (await logCall(id)).json<{ data: Row }>().data
    const { next_cursor: cursor } = (await call('GET', '?limit=1')).json<{ pagination: { next_cursor: string } }>().pagination
    t.equal((await call('GET', `/${rowId}`, undefined, two.auth)).statusCode, 404)
    t.equal((await call('POST', `/${rowId}/comments`, { content: 'x' }, two.auth)).statusCode, 404)
    t.strictSame((await call('GET', `?cursor=${cursor}`, undefined, two.auth)).json<{ data: Row[] }>().data, [])
    t.equal((await call('GET', `?contact_id=${id}`, undefined, two.auth)).statusCode, 404)
  })

  t.test('pages by cursor give each older row once while others come in', async t => {
    const id = await contact()
    for (let i = 0; i < 60; i++) { await mirror(id, `page${i}`); clock.forward(1_000) }
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page: { data: Row[], pagination: { next_cursor: string | null } } = (await call('GET', `?contact_id=${id}&limit=25${cursor === '' ? '' : `&cursor=${cursor}`}`)).json()
      seen.push(...page.data.map(row => row.title))
      cursor = page.pagination.next_cursor
      await mirror(id, `late${seen.length}`)
      clock.forward(1_000)
    }
    t.strictSame(seen, Array.from({ length: 60 }, (_, i) => `Note page${59 - i}`))
  })

  t.test('a mirrored row is changed at its source alone, and goes with it', async t => {
    const id = await contact()
    await mirror(id, 'src')
    await mirror(id, 'src', 'history', { activity_type: 'change' })
    const rows = (await call('GET', `?contact_id=${id}&activity_type=note`)).json<{ data: Row[] }>().data
    t.match((await call('PUT', `/${rows[0]!.id}`, { details: {} })).json(), { errno: 409, data: { code: 'ACTIVITY_NOT_EDITABLE' } })
    t.equal((await call('DELETE', `/${rows[0]!.id}`)).statusCode, 409)
    await transactions.run(session => activities.removeMirrors({ account_id: one.accountId, activity_ref: { collection: 'crm.notes', id: 'src' } }, session))
    t.match((await call('GET', `?contact_id=${id}`)).json<{ data: object[] }>().data, [{ activity_type: 'change' }])
  })

  t.test('comments: one level of answers, changed by their author for a day; ten pins', async t => {
    const id = await contact()
    const row = (await logCall(id)).json<{ data: Row }>().data
    const other = await app.seed()
    await app.mongo.collection('_users').updateOne({ _id: new Types.ObjectId(other.userId) }, { $set: { account_id: new Types.ObjectId(one.accountId), role: 'user', is_owner: false } })
    const auth = { authorization: `Bearer ${app.jwt.sign({ userId: other.userId, accountId: one.accountId, permissions: ['read', 'write'] }, { expiresIn: 864_000 })}` }
    const add = (payload: object) => call('POST', `/${row.id}/comments`, payload)
    const first = (await add({ content: 'One', mentions: [other.userId] })).json<{ data: { id: string } }>().data
    const answer = (await add({ content: 'Two', parent_id: first.id })).json<{ data: { id: string } }>().data
    t.match((await add({ content: 'Three', parent_id: answer.id })).json(), { errno: 400, data: { code: 'INVALID_REFERENCE' } })
    t.match((await add({ content: 'x', mentions: [two.userId] })).json(), { errno: 400, data: { code: 'INVALID_REFERENCE' } })
    t.match((await call('PUT', `/${row.id}/comments/${first.id}`, { content: 'Mine' }, auth)).json(), { errno: 403, data: { code: 'NOT_AUTHOR' } })
    t.match((await call('GET', `/${row.id}`)).json(), { data: { comment_count: 2, comments: [{ content: 'One' }, { content: 'Two' }] } })
    clock.forward(25 * 3_600_000)
    const later = one.as({ exp: 864_000 })
    t.match((await call('PUT', `/${row.id}/comments/${first.id}`, { content: 'Late' }, later)).json(), { errno: 409, data: { code: 'COMMENT_LOCKED' } })
    t.equal((await call('DELETE', `/${row.id}/comments/${answer.id}`, undefined, later)).statusCode, 200)
    t.match((await call('GET', `/${row.id}`, undefined, later)).json(), { data: { comment_count: 1 } })
    for (let i = 0; i < 11; i++) {
      const { id: each } = (await logCall(id, later)).json<{ data: Row }>().data
      t.equal((await call('PUT', `/${each}/pin`, { pinned: true }, later)).statusCode, i < 10 ? 200 : 422)
    }
  })

  t.test('figures agree with the list; a day without activity is 0', async t => {
    const three = await app.seed()
    await app.mongo.collection('_accounts').updateOne({ _id: new Types.ObjectId(three.accountId) }, { $set: { time_zone: 'Europe/Rome' } })
    const id = await contact({}, three)
    // The clocks of Rome went back in the night to 26 October 2025.
    for (const [i, at] of ['2025-10-24T21:59:00Z', '2025-10-24T22:01:00Z', '2025-10-26T22:59:00Z', '2025-10-26T23:01:00Z'].entries()) {
      await transactions.run(session => activities.record({ account_id: three.accountId, contact: id, activity_type: 'sms', activity_ref: { collection: 'communications', id: String(i) }, source_key: 'sent', created_by: three.userId, occurred_at: new Date(at) }, session))
    }
    const range = 'from=2025-10-23T22:00:00Z&to=2025-10-27T23:00:00Z'
    const days = (await call('GET', `/analytics/timeline?${range}`, undefined, three.auth)).json<{ data: { at: string, total: number }[] }>().data
    t.strictSame(days.map(({ at, total }) => [at, total]), [['2025-10-24', 1], ['2025-10-25', 1], ['2025-10-26', 1], ['2025-10-27', 1]])
    const list = (await call('GET', `?${range}`, undefined, three.auth)).json<{ pagination: { total: number } }>().pagination.total
    t.match((await call('GET', `/analytics/summary?${range}&compare=previous`, undefined, three.auth)).json(), { data: { total: list, counts: { sms: 4 }, contacts_touched: 1, active_users: 1, previous: { total: 0 }, change_percent: null } })
    t.match((await call('GET', `/analytics/users?${range}`, undefined, three.auth)).json(), { data: [{ user_id: three.userId, total: 4, active_days: 4 }] })
    t.match((await call('GET', '/analytics/timeline?from=2025-11-01T00:00:00Z&to=2025-11-03T00:00:00Z', undefined, three.auth)).json(), { data: [{ total: 0 }, { total: 0 }, { total: 0 }] })
    t.equal((await call('GET', '/analytics/summary?from=2020-01-01T00:00:00Z', undefined, three.auth)).statusCode, 422)
  })

  t.test('the audit log', async t => {
    const four = await app.seed()
    const auth = () => four.as({ exp: 864_000 * 50 })
    const audit = (path: string) => call('GET', `/audit${path}`, undefined, auth())
    const verify = async () => (await audit('/verify')).json<{ data: Verdict }>().data
    const write = (n: number, fail = false) => transactions.run(async session => {
      await activities.audit({ accountId: four.accountId, action: 'user.updated', resource: { type: 'user', id: String(n) }, actor: { kind: 'user', id: four.userId }, ip: '203.0.113.7', requestId: 'req-1', before: { role: 'user' }, after: { role: 'admin', password: 'hunter2' } }, session)
      if (fail) throw new Error('no')
    })

    t.test('a row is there with its change, or neither is', async t => {
      await t.rejects(write(0, true))
      t.equal(await app.mongo.collection('_audit').countDocuments({ account_id: new Types.ObjectId(four.accountId) }), 0)
      await write(0)
      const row = (await audit('?action=user.&actor_id=' + four.userId)).json<{ data: { id: string }[] }>().data[0]!
      t.match((await audit(`/${row.id}`)).json(), { data: { ip: '203.0.113.7', request_id: 'req-1', before: { role: 'user' }, after: { role: 'admin', password: '[redacted]' } } })
      t.notMatch(JSON.stringify(redact({ a: { api_token: 'x', list: [{ card_number: '4242' }] } })), /4242|"x"/)
    })

    t.test('many writers, one chain; a changed or removed row shows with its place', async t => {
      await Promise.all(Array.from({ length: 300 }, (_, n) => write(n + 1)))
      await Promise.all([jobs.runOnce('audit-sealer'), jobs.runOnce('audit-sealer').catch(() => {})])
      await jobs.runOnce('audit-sealer')
      t.strictSame(await verify(), { ok: true, checked: 301, sealed_to: 301 })
      const rows = app.mongo.collection('_audit')
      const own = { account_id: new Types.ObjectId(four.accountId) }
      const before = (await rows.findOne({ ...own, seq: 150 }))!
      await rows.updateOne({ _id: before._id }, { $set: { 'after.role': 'owner' } })
      t.match(await verify(), { ok: false, first_bad: { seq: 150, problem: 'changed' } })
      await rows.deleteOne({ _id: before._id })
      t.match(await verify(), { ok: false, first_bad: { seq: 150, problem: 'missing' } })
      await rows.insertOne(before)
      t.match(await verify(), { ok: true })
      const last = (await rows.findOne({ ...own, seq: 301 }))!
      await rows.deleteOne({ _id: last._id })
      t.match(await verify(), { ok: false, first_bad: { seq: 301, problem: 'missing' } })
      await rows.insertOne(last)
    })

    t.test('an export is in the log itself; events of audited kinds come in once', async t => {
      t.equal((await audit('/export?format=json')).json<object[]>().length, 302)
      t.match((await audit('?action=audit.exported')).json(), { data: [{ action: 'audit.exported' }] })
      await transactions.run(session => platform.events.emit({ type: 'user.updated', actor: 'system', accountId: four.accountId, resource: { type: 'user', id: 'from-event' }, changed: { role: { old: 'user', new: 'admin' } } }, session))
      const { signal } = new AbortController()
      await platform.fanOut.drain(signal)
      await platform.outbox.drain('audit', signal)
      await platform.outbox.drain('audit', signal)
      t.match((await audit('?resource_id=from-event')).json<{ data: object[] }>().data, [{ action: 'user.updated', before: { role: 'user' }, after: { role: 'admin' } }])
    })

    t.test('no route changes a row; retention keeps the chain', async t => {
      const changing = app.routeList.filter(({ url, method }) => url.startsWith('/v1/activities/audit') && !['GET', 'HEAD'].includes(String(method)))
      t.strictSame(changing, [])
      await jobs.runOnce('audit-sealer')
      clock.forward(401 * 86_400_000)
      await write(999)
      await jobs.runOnce('audit-sealer')
      await jobs.runOnce('retention')
      t.equal(await app.mongo.collection('_audit').countDocuments({ account_id: new Types.ObjectId(four.accountId) }), 1)
      t.match(await verify(), { ok: true, checked: 1 })
    })
  })
})
