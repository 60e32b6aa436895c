import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createTwinState } from '../../src/services/twin-state.js'
import { createTwin, type TwinHook, type TwinOptions, type TwinPlan } from '../../src/services/twin.js'
import { createHttpClient, silentLog } from '../../src/services/http/index.js'
import { failure, movedClock, wire } from './wire.js'

type Test = { testdir (): string, teardown (fn: () => unknown): void }
const clock = movedClock()

function twin (t: Test, options: Partial<TwinOptions> = {}) {
  const made = createTwin({ name: 'thing', dir: t.testdir(), clock, log: silentLog, ...options })
  t.teardown(() => made.close())
  return made
}

t.test('what a twin got is kept by day and read newest first', async t => {
  const one = twin(t)
  await one.record({ kind: 'send', accountId: 'a1', data: { n: 1 } })
  await one.record({ kind: 'other' })
  await one.record({ kind: 'send', data: { n: 2 } })
  t.strictSame((await one.entries({ kind: 'send' })).map(entry => entry.data), [{ n: 2 }, { n: 1 }])
  t.match((await one.entries())[2], { at: '2026-01-05T12:00:00.000Z', id: /^twin_[0-9a-f]{16}$/, account_id: 'a1' })
  t.strictSame(await one.days(), ['2026-01-05'])
  t.equal((await one.entries({ limit: 1 })).length, 1)
  t.strictSame(await one.entries({ day: '../../etc' }), [])
  t.strictSame(await one.entries({ day: '2020-01-01' }), [])
  const file = join(one.folder, '2026-01-05.ndjson')
  await appendFile(file, '{"half')
  t.equal((await one.entries()).length, 3, 'half a line of a killed process is passed over')
  t.equal((await readFile(file, 'utf8')).split('\n').length, 4)
})

t.test('faults act on the next calls they match, as often as asked', async t => {
  const one = twin(t)
  const plans: TwinPlan[] = []
  const call = (kind = 'send', accountId?: string) => one.act({ kind, accountId }, plan => { plans.push(plan); return 'done' })
  one.fault({ mode: 'status', status: 429, retryAfter: 9, count: 2 })
  t.match(await failure(call()), { status: 429, code: 'UPSTREAM_ERROR', retryAfter: 9 })
  t.match(await failure(call()), { status: 429 })
  t.equal(await call(), 'done')
  one.fault({ mode: 'timeout', match: 'send' })
  t.equal(await call('get'), 'done')
  t.match(await failure(call()), { status: 504, code: 'UPSTREAM_TIMEOUT', outcome: 'unknown' })
  t.equal(plans.length, 2)
  one.fault({ mode: 'timeout', after: true })
  await failure(call())
  t.equal(plans.length, 3, 'it has acted before it fell silent')
  one.fault({ mode: 'unreachable' })
  t.match(await failure(call()), { status: 502, outcome: 'not_sent' })
  one.fault({ mode: 'drop', accountId: 'a1' })
  await call('send', 'a2')
  await call('send', 'a1')
  one.fault({ mode: 'duplicate' })
  await call()
  one.fault({ mode: 'reorder' })
  await call()
  t.strictSame(plans.slice(3), [{ times: 1, reorder: false }, { times: 0, reorder: false }, { times: 2, reorder: false }, { times: 1, reorder: true }])
  one.fault({ mode: 'drop', count: 5 })
  t.match(one.faults(), [{ mode: 'drop', count: 5 }])
  one.clearFaults()
  t.strictSame(one.faults(), [])
  t.equal((await one.entries()).filter(entry => entry.fault !== undefined).length, 8)
})

t.test('hooks are posted until they are taken', async t => {
  const server = await wire(t, (_seen, res, count) => { res.writeHead(count < 2 ? 500 : 204).end() })
  const http = createHttpClient({ clock, log: silentLog })
  t.teardown(() => http.close())
  const one = twin(t, { http })
  one.hook({ url: `${server.url}/hook`, headers: { 'x-signature': 's' }, body: 'a=1' })
  await one.idle()
  t.match(server.seen, [{}, { method: 'POST', url: '/hook', body: 'a=1', headers: { 'x-signature': 's' } }])
  t.strictSame((await one.entries({ kind: 'hook' })).map(entry => (entry.data as { status: number }).status), [204, 500])
})

t.test('hooks can be handed over in the process; a receiver that throws is asked again', async t => {
  const got: TwinHook[] = []
  const one = twin(t, { deliver: async hook => { got.push(hook); if (got.length === 1) throw new Error('no'); return 200 } })
  one.hook({ url: '/x', headers: {}, body: '' })
  await one.idle()
  t.equal(got.length, 2)
})

t.test('closing drops what is still to come', async t => {
  const one = twin(t)
  one.later(60_000, async () => { t.fail('too late') })
  await one.close()
})

t.test('state survives a restart and is refused when it cannot be read', async t => {
  const dir = t.testdir({ 'broken.json': '{' })
  const first = createTwinState(join(dir, 'a', 'state.json'), () => ({ n: 0 }))
  await Promise.all([1, 2, 3].map(n => { first.value.n = n; return first.save() }))
  const second = createTwinState(join(dir, 'a', 'state.json'), () => ({ n: 0 }))
  t.equal(second.value.n, 3)
  t.throws(() => createTwinState(join(dir, 'broken.json'), () => ({})), /delete it to start afresh/)
})
