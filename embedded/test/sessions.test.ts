import { randomBytes } from 'node:crypto'
import { Binary, Long, Timestamp } from 'bson'
import type { Document } from 'bson'
import fc from 'fast-check'
import t from 'tap'
import { startEngine } from '../src/index.js'
import { RawClient } from './support/raw-client.js'

const newLsid = (): Document => ({ id: new Binary(randomBytes(16), 4) })

/** One client session of the test: it numbers its transactions. */
class TestSession {
  readonly lsid = newLsid()
  #number = 0
  #fresh = false

  constructor (readonly client: RawClient) {}

  start (): void {
    this.#number++
    this.#fresh = true
  }

  run (command: Document): Promise<Document> {
    const start = this.#fresh ? { startTransaction: true } : {}
    this.#fresh = false
    return this.client.command({ ...command, lsid: this.lsid, txnNumber: Long.fromNumber(this.#number), autocommit: false, ...start })
  }

  end (how: 'commitTransaction' | 'abortTransaction'): Promise<Document> {
    return this.run({ [how]: 1, $db: 'admin' })
  }
}

async function setup (t: { teardown: (fn: () => Promise<void>) => void }): Promise<RawClient> {
  const engine = await startEngine({ memory: true, worker: false })
  const client = await RawClient.open(engine.url)
  t.teardown(async () => {
    client.close()
    await engine.stop()
  })
  return client
}

t.test('commit, abort and what they answer', async t => {
  const client = await setup(t)
  await client.command({ insert: 'c', documents: [{ _id: 0 }] })
  const s = new TestSession(client)
  s.start()
  t.match(await s.run({ insert: 'c', documents: [{ _id: 1 }] }), { ok: 1, n: 1 })
  t.match(await client.command({ count: 'c' }), { n: 1 })
  t.match(await s.end('commitTransaction'), { ok: 1 })
  t.match(await s.end('commitTransaction'), { ok: 1 }, 'a commit may be repeated')
  t.match(await s.end('abortTransaction'), { ok: 0, code: 256 })
  t.match(await client.command({ count: 'c' }), { n: 2 })

  s.start()
  await s.run({ insert: 'c', documents: [{ _id: 2 }] })
  t.match(await s.end('abortTransaction'), { ok: 1 })
  t.match(await s.end('commitTransaction'), { ok: 0, code: 251, errorLabels: ['TransientTransactionError'] })
  t.match(await client.command({ count: 'c' }), { n: 2 })
})

t.test('what a transaction refuses', async t => {
  const client = await setup(t)
  await client.command({ insert: 'c', documents: [{ _id: 0 }] })
  for (const command of [{ count: 'c' }, { drop: 'c' }, { listCollections: 1 }, { explain: { find: 'c' } }, { createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'a_1' }] }]) {
    const s = new TestSession(client)
    s.start()
    t.match(await s.run(command), { ok: 0, code: 263 }, Object.keys(command)[0])
  }
  const lsid = newLsid()
  t.match(await client.command({ find: 'c', txnNumber: Long.ONE }), { code: 72 }, 'a number needs a session')
  t.match(await client.command({ find: 'c', lsid, txnNumber: Long.ONE }), { code: 50768 }, 'find is no retryable write')
  t.match(await client.command({ find: 'c', lsid, txnNumber: Long.ONE, autocommit: false }), { code: 251 })
})

t.test('a definition changes only when nobody uses the collection', async t => {
  const client = await setup(t)
  const other = await setup(t)
  t.ok(other)
  await client.command({ insert: 'c', documents: [{ _id: 0, a: 1 }] })
  const s = new TestSession(client)
  s.start()
  await s.run({ find: 'c' })
  t.match(await client.command({ drop: 'c', maxTimeMS: 50 }), { code: 50 })
  const late = new TestSession(client)
  late.start()
  await late.run({ find: 'elsewhere' })
  await s.end('abortTransaction')
  t.match(await client.command({ createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'a_1' }] }), { ok: 1 })
  t.match(await late.run({ find: 'c', filter: { a: 1 } }), { code: 246, errorLabels: ['TransientTransactionError'] })
})

t.test('retryable writes', async t => {
  const client = await setup(t)
  await client.command({ insert: 'c', documents: [{ _id: 1, v: 0 }] })
  const lsid = newLsid()
  const send = (txnNumber: number, command: Document): Promise<Document> => client.command({ ...command, lsid, txnNumber: Long.fromNumber(txnNumber) })
  const update = { update: 'c', updates: [{ q: { _id: 1 }, u: { $inc: { v: 1 } } }, { q: { _id: 9 }, u: { $set: { z: 1 } }, upsert: true }] }
  const first = await send(1, update)
  const again = await send(1, update)
  t.match(again, { n: 2, nModified: 1, upserted: [{ index: 1, _id: 9 }], retriedStmtIds: [0, 1] })
  t.same([first['n'], first['nModified'], first['upserted']], [again['n'], again['nModified'], again['upserted']])

  const claim = { findAndModify: 'c', query: { _id: 1 }, update: { $inc: { v: 1 } }, new: true }
  t.match(await send(2, claim), { value: { v: 2 } })
  t.match(await send(2, claim), { value: { v: 2 } })
  t.match(await send(1, update), { code: 225 })

  // a statement that failed is tried again, those before it are not
  const insert = { insert: 'c', documents: [{ _id: 20 }, { _id: 1 }] }
  t.match(await send(3, insert), { n: 1, writeErrors: [{ index: 1, code: 11000 }] })
  await client.command({ delete: 'c', deletes: [{ q: { _id: 1 }, limit: 1 }] })
  t.match(await send(3, insert), { n: 2, retriedStmtIds: [0] })
  t.match(await send(4, { update: 'c', updates: [{ q: {}, u: { $set: { a: 1 } }, multi: true }] }), { code: 72 })
})

t.test('a session that ends takes its transaction and cursors along', async t => {
  const client = await setup(t)
  await client.command({ insert: 'c', documents: Array.from({ length: 10 }, (_, _id) => ({ _id })) })
  const s = new TestSession(client)
  s.start()
  await s.run({ update: 'c', updates: [{ q: { _id: 1 }, u: { $set: { x: 1 } } }] })
  t.match(await client.command({ update: 'c', updates: [{ q: { _id: 1 }, u: { $set: { x: 2 } } }], maxTimeMS: 30 }), { code: 50 })
  await client.command({ endSessions: [s.lsid] })
  t.match(await client.command({ update: 'c', updates: [{ q: { _id: 1 }, u: { $set: { x: 2 } } }] }), { nModified: 1 })
  t.match(await s.end('commitTransaction'), { code: 251 })

  const lsid = newLsid()
  const { cursor } = await client.command({ find: 'c', batchSize: 2, lsid })
  await client.command({ endSessions: [lsid] })
  t.match(await client.command({ getMore: cursor.id, collection: 'c' }), { code: 43 })
})

t.test('a snapshot session reads one state', async t => {
  const client = await setup(t)
  await client.command({ insert: 'c', documents: [{ _id: 1 }, { _id: 2 }] })
  const read = (more: Document): Promise<Document> => client.command({ ...more, readConcern: { level: 'snapshot', ...time } })
  let time = {}
  const { cursor } = await read({ find: 'c', sort: { _id: 1 }, batchSize: 1 })
  time = { atClusterTime: cursor.atClusterTime }
  await client.command({ delete: 'c', deletes: [{ q: {}, limit: 0 }] })
  t.same((await client.command({ getMore: cursor.id, collection: 'c' }))['cursor'].nextBatch, [{ _id: 2 }])
  t.match(await read({ distinct: 'c', key: '_id' }), { values: [1, 2], ...time })
  t.match(await read({ aggregate: 'c', pipeline: [{ $count: 'n' }], cursor: {} }), { cursor: { firstBatch: [{ n: 2 }], ...time } })
  t.match(await client.command({ count: 'c' }), { n: 0 })
  t.match(await client.command({ find: 'c', readConcern: { level: 'snapshot', atClusterTime: new Timestamp({ t: 5, i: 1 }) } }), { code: 239 })
})

// ---------------------------------------------------------------- property: interleaved transactions against a model

type Bracket = { s: number, do: 'begin' | 'commit' | 'abort' }
type Action = { s: number, do: 'read' | 'inc' | 'delete' | 'insert' | 'tag', id: number, tag: number }
type Step = Bracket | Action
const isBracket = (step: Step): step is Bracket => !('id' in step)

const IDS = 4
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ s: fc.nat(2), do: fc.constantFrom('begin' as const, 'commit' as const, 'abort' as const) }),
  // session 3 stands for plain commands
  {
    weight: 4,
    arbitrary: fc.record({
      s: fc.nat(3), do: fc.constantFrom('read' as const, 'inc' as const, 'delete' as const, 'insert' as const, 'tag' as const), id: fc.nat(IDS - 1), tag: fc.nat(2)
    })
  }
)

type Row = { v: number, tag: number | undefined }
type State = ReadonlyMap<number, Row>
type ModelTx = { base: State, seen: number, state: Map<number, Row>, locks: Set<string> }

/** Snapshot isolation in which the first writer of a document or of a unique key wins. */
class Model {
  committed = new Map<number, Row>()
  readonly written = new Map<string, number>()
  readonly open = new Map<number, ModelTx>()
  #sequence = 0

  begin (s: number): void {
    this.open.set(s, { base: new Map(this.committed), seen: this.#sequence, state: new Map(this.committed), locks: new Set() })
  }

  #conflict (s: number | undefined, key: string): boolean {
    const own = s === undefined ? undefined : this.open.get(s)
    for (const tx of this.open.values()) if (tx !== own && tx.locks.has(key)) return true
    return own !== undefined && !own.locks.has(key) && (this.written.get(key) ?? 0) > own.seen
  }

  /** @returns the expected outcome: a number of documents, 'duplicate' or 'conflict' */
  write (s: number | undefined, action: Action): number | 'duplicate' | 'conflict' {
    const state = s === undefined ? this.committed : this.open.get(s)!.state
    const row = state.get(action.id)
    const after = change(row, action)
    if (after === row && action.do !== 'insert') return 0
    const locks = locksOf(action, row, after)
    for (const { key, clash } of locks) {
      if (this.#conflict(s, key)) return 'conflict'
      if (clash?.(state) === true) return 'duplicate'
    }
    if (after === undefined) state.delete(action.id)
    else state.set(action.id, after)
    const keys = locks.map(({ key }) => key)
    if (s === undefined) this.#commit(keys)
    else for (const key of keys) this.open.get(s)!.locks.add(key)
    return 1
  }

  #commit (keys: Iterable<string>): void {
    this.#sequence++
    for (const key of keys) this.written.set(key, this.#sequence)
  }

  end (s: number, how: 'commit' | 'abort'): void {
    const tx = this.open.get(s)!
    this.open.delete(s)
    if (how === 'abort') return
    this.#commit(tx.locks)
    for (const key of tx.locks) {
      if (!key.startsWith('id:')) continue
      const id = Number(key.slice(3))
      const row = tx.state.get(id)
      if (row === undefined) this.committed.delete(id)
      else this.committed.set(id, row)
    }
  }
}

function change (row: Row | undefined, action: Action): Row | undefined {
  switch (action.do) {
    case 'insert': return row ?? { v: 0, tag: action.tag }
    case 'delete': return undefined
    case 'inc': return row === undefined ? undefined : { ...row, v: row.v + 1 }
    case 'tag': return row === undefined || row.tag === action.tag ? row : { ...row, tag: action.tag }
    default: return row
  }
}

type Lock = { key: string, clash?: (state: State) => boolean }

/** What an action locks, in this order: the document, its key in the index of _id, its keys in the index of tag. */
function locksOf (action: Action, before: Row | undefined, after: Row | undefined): Lock[] {
  const document = { key: `id:${action.id}` }
  const tagOf = (tag: number | undefined): Lock[] => tag === undefined ? [] : [{ key: `tag:${tag}` }]
  const added: Lock = { key: `tag:${after?.tag}`, clash: state => [...state].some(([id, row]) => id !== action.id && row.tag === after?.tag) }
  switch (action.do) {
    case 'insert': return [{ key: `pk:${action.id}`, clash: state => state.has(action.id) }, added, document]
    case 'delete': return [document, { key: `pk:${action.id}` }, ...tagOf(before?.tag)]
    case 'tag': return [document, added, ...tagOf(before?.tag)]
    default: return [document]
  }
}

function commandOf (action: Action): Document {
  const q = { _id: action.id }
  switch (action.do) {
    case 'insert': return { insert: 'c', documents: [{ _id: action.id, v: 0, tag: action.tag }] }
    case 'delete': return { delete: 'c', deletes: [{ q, limit: 1 }] }
    case 'inc': return { update: 'c', updates: [{ q, u: { $inc: { v: 1 } } }] }
    case 'tag': return { update: 'c', updates: [{ q, u: { $set: { tag: action.tag } } }] }
    default: return { find: 'c', filter: q }
  }
}

function outcomeOf (reply: Document): number | 'duplicate' | 'conflict' {
  if (reply['code'] === 112 || reply['code'] === 50) return 'conflict'
  if (reply['writeErrors'] !== undefined) return reply['writeErrors'][0].code === 11000 ? 'duplicate' : -1
  return reply['nModified'] ?? reply['n'] ?? -1
}

t.test('interleaved transactions agree with a model', async t => {
  const client = await setup(t)
  let runs = 0
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async steps => {
    const db = `p${runs++}`
    const on = (command: Document): Document => ({ ...command, $db: db })
    await client.command(on({ createIndexes: 'c', indexes: [{ key: { tag: 1 }, name: 'tag_1', unique: true, sparse: true }] }))
    const model = new Model()
    const sessions = Array.from({ length: 3 }, () => new TestSession(client))
    const check = (got: unknown, want: unknown, what: unknown): void => {
      if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${JSON.stringify(what)}: ${JSON.stringify(got)} instead of ${JSON.stringify(want)}`)
    }
    const rows = (docs: Document[]): unknown => docs.map(({ _id, v, tag }) => [_id, v, tag])
    const expected = (state: State, id?: number): unknown =>
      [...state].filter(([key]) => id === undefined || key === id).sort(([a], [b]) => a - b).map(([key, { v, tag }]) => [key, v, tag])

    for (const action of steps) {
      const plain = action.s === 3
      const tx = plain ? undefined : model.open.get(action.s)
      if (isBracket(action) && action.do === 'begin') {
        if (tx !== undefined) continue
        sessions[action.s]!.start()
        check((await sessions[action.s]!.run(on({ find: 'other' })))['ok'], 1, action)
        model.begin(action.s)
      } else if (isBracket(action)) {
        if (action.do === 'begin') continue
        if (tx === undefined) continue
        check((await sessions[action.s]!.end(`${action.do}Transaction`))['ok'], 1, action)
        model.end(action.s, action.do)
      } else if (plain || tx !== undefined) {
        const reply = await (plain ? client.command({ ...on(commandOf(action)), maxTimeMS: 5 }) : sessions[action.s]!.run(on(commandOf(action))))
        if (action.do === 'read') check(rows(reply['cursor'].firstBatch), expected(tx?.state ?? model.committed, action.id), action)
        else {
          const want = model.write(plain ? undefined : action.s, action)
          check(outcomeOf(reply), want, action)
          if (!plain && typeof want === 'string') model.end(action.s, 'abort')
        }
      }
    }
    for (const s of model.open.keys()) await sessions[s]!.end('abortTransaction')
    const { cursor } = await client.command(on({ find: 'c', sort: { _id: 1 } }))
    check(rows(cursor.firstBatch), expected(model.committed), 'final state')
    const { valid } = await client.command(on({ validate: 'c' }))
    check(valid ?? true, true, 'indexes agree with documents')
    await client.command(on({ dropDatabase: 1 }))
  }), { numRuns: 150 })
  t.pass(`${runs} schedules`)
})
