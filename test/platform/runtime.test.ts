import t from 'tap'
import { Types } from 'mongoose'
import { build, storyClock } from '../helper.js'
import { nextAttempt, RETRY_DELAYS } from '../../src/services/runtime/outbox.js'
import { latestSlot } from '../../src/services/runtime/schedule.js'

const ACCOUNT = 'a'.repeat(24)
const noop = new AbortController().signal

t.test('events and outbox', async t => {
  const clock = storyClock()
  const app = await build(t, { deps: { clock } })
  const { events, outbox, transactions, fanOut } = app.services.platform
  const row = (n: number, extra: object = {}) => ({ topic: 'test', key: 'k', dedupeId: `d${n}`, payload: { n }, ...extra })
  const delivered: number[] = []
  let failing = new Map<number, Error>()
  outbox.topic('test', {
    ordered: true,
    deliver: async ({ payload }) => {
      const { n } = payload as { n: number }
      const error = failing.get(n)
      if (error !== undefined) throw error
      delivered.push(n)
    }
  })

  t.test('what belongs to a change refuses to be written without its transaction', async t => {
    await t.rejects(outbox.add([row(0)], undefined as never), /transaction/)
    await t.rejects(events.emit({ type: 'link.created', actor: 'system', resource: { type: 'link', id: 'x' } }, undefined as never), /transaction/)
    await t.rejects(transactions.run(session => events.emit({ type: 'link.unheard', actor: 'system', resource: { type: 'link', id: 'x' } }, session)), /catalogue/)
  })

  t.test('a rolled-back change leaves no event and no row', async t => {
    await t.rejects(transactions.run(async session => {
      await outbox.add([row(100)], session)
      await events.emit({ type: 'link.created', actor: 'system', resource: { type: 'link', id: 'gone' } }, session)
      throw new Error('no')
    }))
    t.equal(await app.mongo.collection('_outbox').countDocuments({ dedupe_id: 'd100' }), 0)
    t.equal(await app.mongo.collection('_events').countDocuments({ 'resource.id': 'gone' }), 0)
  })

  t.test('rows of a key arrive in order; a failing head blocks its key alone; a row added twice is one', async t => {
    failing = new Map([[1, Object.assign(new Error('away'), { status: 503 })]])
    await transactions.run(session => outbox.add([row(1), row(2), row(1), row(3, { key: 'other' })], session))
    await outbox.drain('test', noop)
    t.strictSame(delivered, [3])
    failing.clear()
    clock.forward(2_000)
    await outbox.drain('test', noop)
    t.strictSame(delivered, [3, 1, 2])
  })

  t.test('400 is never tried again, 500 ten more times, an outdated row not at all', async t => {
    failing = new Map([[10, Object.assign(new Error('bad'), { status: 422 })], [11, Object.assign(new Error('down'), { status: 500 })]])
    await transactions.run(session => outbox.add([row(10, { key: 'a' }), row(11, { key: 'b' }), row(12, { key: 'c', expiresAt: new Date(clock.now().getTime() - 1) })], session))
    const state = async (n: number) => (await app.mongo.collection('_outbox').findOne({ dedupe_id: `d${n}` }))!
    await outbox.drain('test', noop)
    t.match(await state(10), { state: 'dead', tries: 1, last_error: { status: 422 } })
    t.match(await state(12), { state: 'expired' })
    for (let i = 0; i < 12; i++) {
      clock.forward(10 * 3_600_000)
      await outbox.drain('test', noop)
    }
    t.match(await state(11), { state: 'dead', tries: RETRY_DELAYS.length + 1 })
    t.equal(await app.mongo.collection('_events').countDocuments({ type: 'outbox.dead' }), 2)
  })

  t.test('fan-out makes one row per listener, however often it runs', async t => {
    fanOut.listen({ name: 'listener', rows: async event => event.type === 'link.created' ? [{ topic: 'test', key: event.resource.id, payload: { n: 900 } }] : [] })
    const id = await transactions.run(session => events.emit({ type: 'link.created', actor: 'system', accountId: ACCOUNT, resource: { type: 'link', id: 'l1' } }, session))
    await fanOut.drain(noop)
    await app.mongo.collection('_events').updateOne({ _id: id as never }, { $set: { state: 'new' } })
    await fanOut.drain(noop)
    t.equal(await app.mongo.collection('_outbox').countDocuments({ event_id: id }), 1)
    t.match(id, /^evt_[0-9A-Z]{26}$/)
  })
})

t.test('retry times', async t => {
  const now = new Date(0)
  const failure = { status: 500, code: 'X', message: '', retryAfterMs: null }
  t.strictSame(RETRY_DELAYS.map((_, i) => nextAttempt(i + 1, failure, now, () => 0.5)!.getTime()), [...RETRY_DELAYS])
  t.equal(nextAttempt(RETRY_DELAYS.length + 1, failure, now), null)
  t.equal(nextAttempt(1, { ...failure, status: 429, retryAfterMs: 90_000 }, now)!.getTime(), 90_000)
})

t.test('work rows', async t => {
  const app = await build(t)
  const { queues, transactions, jobs } = app.services.platform
  let crashes = 1
  queues.handle('test-work', {
    label: 'Test', cancellable: true, retryable: true,
    run: async work => {
      for (let from = Number((work.row.payload as { next?: number }).next ?? 0); from < 40; from += 10) {
        const going = await work.batch(async session => {
          await app.mongo.collection('effects').insertMany(Array.from({ length: 10 }, (_, i) => ({ n: from + i })), { session: session as never })
          return { progress: { done: 10, added: 10 }, payload: { next: from + 10 } }
        })
        if (!going) return
        if (from === 20 && crashes-- > 0) throw new Error('the process died')
      }
      return { result: { ok: true } }
    }
  })
  await app.mongo.createCollection('effects')
  const add = (key: string | null = null) => transactions.run(session => queues.add({ source: 'test-work', accountId: ACCOUNT, payload: {}, total: 40, dedupeKey: key }, session))
  const read = (id: string) => app.mongo.collection('queues').findOne({ _id: new Types.ObjectId(id) })

  t.test('a run that broke goes on where it stopped, and no row is written twice', async t => {
    const id = await add()
    await queues.drain('test-work', noop)
    t.match(await read(id), { status: 'pending', tries: 1, progress: { done: 30 } })
    await app.mongo.collection('queues').updateOne({ _id: new Types.ObjectId(id) }, { $set: { next_attempt_at: new Date(0) } })
    await queues.drain('test-work', noop)
    t.match(await read(id), { status: 'completed', progress: { total: 40, done: 40, added: 40 } })
    t.equal(await app.mongo.collection('effects').countDocuments({}), 40)
  })

  t.test('work that is cancelled stops after its batch', async t => {
    const id = await add()
    await app.mongo.collection('queues').updateOne({ _id: new Types.ObjectId(id) }, { $set: { status: 'cancelled' } })
    await queues.drain('test-work', noop)
    t.match(await read(id), { status: 'cancelled', progress: { done: 0 } })
  })

  t.test('the same piece of work waits only once', async t => {
    await add('one')
    await t.rejects(add('one'), { code: 11000 })
  })

  t.test('a job is registered once', async t => {
    const job = { name: 'twice', family: null, kind: 'tick' as const, everyMs: 1_000, run: async () => ({}) }
    jobs.register(job)
    t.throws(() => jobs.register(job), /twice/)
  })
})

t.test('calendars and sweeps', async t => {
  const clock = storyClock()
  const app = await build(t, { deps: { clock } })
  const { jobs } = app.services.platform
  let runs = 0
  jobs.register({ name: 'test-hourly', family: null, kind: 'cron', calendar: { minute: 0 }, run: async () => { runs++; return { runs: 1 } } })
  jobs.register({ name: 'test-sweep', family: null, kind: 'sweep', everyMs: 60_000, run: async () => { runs++; return { runs: 1 } } })

  t.test('one run per slot, whoever asks how often', async t => {
    runs = 0
    for (let hour = 0; hour < 24; hour++) {
      await Promise.all([jobs.runOnce('test-hourly'), jobs.runOnce('test-hourly'), jobs.runOnce('test-hourly')])
      clock.forward(3_600_000)
    }
    t.equal(runs, 24)
    t.equal(await app.mongo.collection('_job-runs').countDocuments({ job: 'test-hourly', state: 'done' }), 24)
  })

  t.test('a sweep runs once per interval', async t => {
    runs = 0
    await Promise.all([jobs.runOnce('test-sweep'), jobs.runOnce('test-sweep')]).catch(() => {})
    await jobs.runOnce('test-sweep')
    t.equal(runs, 1)
    clock.forward(61_000)
    await jobs.runOnce('test-sweep')
    t.equal(runs, 2)
  })

  t.test('slots', async t => {
    const slot = (calendar: object, at: string, zone = 'UTC') => latestSlot(calendar, zone, new Date(at)).toISOString()
    t.equal(slot({ hour: 6 }, '2026-03-01T05:59:00Z'), '2026-02-28T06:00:00.000Z')
    t.equal(slot({ hour: 9 }, '2026-06-01T08:00:00Z', 'Europe/Rome'), '2026-06-01T07:00:00.000Z')
    t.equal(slot({ day: 1, hour: 10 }, '2026-03-01T09:00:00Z'), '2026-02-01T10:00:00.000Z')
    t.equal(slot({ weekday: 7, hour: 2, minute: 30 }, '2026-03-04T00:00:00Z'), '2026-03-01T02:30:00.000Z')
    t.equal(slot({ everyHours: 6 }, '2026-03-01T13:00:00Z'), '2026-03-01T12:00:00.000Z')
  })
})
