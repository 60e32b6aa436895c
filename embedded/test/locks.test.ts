import t from 'tap'
import { LockTable, LockWait } from '../src/sessions/locks.js'
import type { LockOwner } from '../src/sessions/locks.js'
import type { Writer } from '../src/storage/index.js'
import { MongoError } from '../src/values/errors.js'

const key = (text: string): Buffer => Buffer.from(`\x03${text}`)
const never = new AbortController().signal

/** Takes writes and keeps nothing. */
const sink = { put () {}, delete () {}, claim () {}, add () {}, get: () => undefined, range: () => [].values(), totals: () => [0, 0] } as unknown as Writer

function begin (locks: LockTable): LockOwner {
  const owner = { seenSequence: locks.sequence }
  locks.open(owner)
  return owner
}

const codeOf = (fn: () => void): number | undefined => {
  try {
    fn()
  } catch (error) {
    return error instanceof MongoError ? error.code : -1
  }
  return undefined
}

t.test('the first writer wins', async t => {
  const locks = new LockTable()
  const a = begin(locks)
  const b = begin(locks)
  locks.lock(a, key('x'))
  locks.lock(a, key('x'))
  t.equal(codeOf(() => locks.lock(b, key('x'))), 112)
  t.equal(codeOf(() => locks.lock(b, key('y'))), undefined)
  locks.release(a, true)
  t.equal(codeOf(() => locks.lock(b, key('x'))), 112, 'committed after the snapshot of b')
  const c = begin(locks)
  t.equal(codeOf(() => locks.lock(c, key('x'))), undefined, 'committed before the snapshot of c')
})

t.test('an aborted writer leaves no trace', async t => {
  const locks = new LockTable()
  const a = begin(locks)
  const b = begin(locks)
  locks.lock(a, key('x'))
  locks.release(a, false)
  t.equal(codeOf(() => locks.lock(b, key('x'))), undefined)
})

t.test('a plain write waits for locks and is seen by snapshots before it', async t => {
  const locks = new LockTable()
  t.equal(locks.guard(sink), undefined, 'no transaction, no guard')
  const a = begin(locks)
  locks.lock(a, key('x'))
  t.ok((() => { try { locks.guard(sink)!.put(key('x'), key('')) } catch (error) { return error } })() instanceof LockWait)

  const guarded = locks.guard(sink)!
  guarded.put(key('y'), key(''))
  locks.committed(guarded)
  t.equal(codeOf(() => locks.lock(a, key('y'))), 112)
})

t.test('waiting ends with the transaction, the time or the client', async t => {
  const locks = new LockTable()
  const a = begin(locks)
  const waiting = locks.wait(undefined, never)
  locks.release(a, true)
  t.equal(await waiting, true)
  t.equal(await locks.wait(5, never), false)
  const gone = new AbortController()
  const left = locks.wait(undefined, gone.signal)
  gone.abort()
  t.equal(await left, true)
})

t.test('index flags are never locked', async t => {
  const locks = new LockTable()
  const a = begin(locks)
  const b = begin(locks)
  locks.lock(a, Buffer.from([0x05, 1]))
  t.equal(codeOf(() => locks.lock(b, Buffer.from([0x05, 1]))), undefined)
})
