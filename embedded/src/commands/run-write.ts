import { timeLimit } from '../cursors/interrupt.js'
import { LockWait } from '../sessions/locks.js'
import type { GuardedWriter } from '../sessions/locks.js'
import { RetryAttempt, writeRecord } from '../sessions/retry.js'
import type { SessionRecord } from '../sessions/retry.js'
import type { Session } from '../sessions/sessions.js'
import type { Transaction } from '../sessions/transaction.js'
import type { Writer } from '../storage/index.js'
import { MongoError } from '../values/errors.js'
import type { BsonDate, Timestamp } from '../values/types.js'
import type { ChangeEvent, WriteContext } from '../write/context.js'
import type { Engine } from './engine.js'
import type { Operation } from './operation.js'

type Attempt<T> = (w: WriteContext, retry: RetryAttempt | undefined) => T

/**
 * Runs a write: inside the operation's transaction, else as one storage write whose effect, log and retry record are
 * atomic and on disk when this resolves. Where an open transaction is in the way it undoes, waits and begins anew.
 * @param exclusive namespaces whose definition changes: transactions that use them must end first
 */
export async function runWrite<T> (op: Operation, fn: Attempt<T>, exclusive: readonly string[] = []): Promise<T> {
  if (op.transaction !== undefined) return fn(transactionContext(op, op.transaction), undefined)
  for (;;) {
    if (!inUse(op.engine, exclusive)) {
      try {
        const result = attemptWrite(op.engine, op.now, fn, op, exclusive)
        await op.engine.storage.synced()
        op.engine.changes.notify()
        return result
      } catch (error) {
        if (!(error instanceof LockWait)) throw error
      }
    }
    await waitForTransactions(op)
  }
}

async function waitForTransactions (op: Operation): Promise<void> {
  if (!await op.engine.locks.wait(op.interrupt.remainingMs(), op.client.closed)) throw timeLimit()
  if (op.engine.stopping.aborted) throw new MongoError(11600, 'interrupted at shutdown')
  if (op.client.closed.aborted) throw new MongoError(11601, 'operation was interrupted')
}

function inUse (engine: Engine, namespaces: readonly string[]): boolean {
  if (namespaces.length === 0 || !engine.locks.busy) return false
  for (const { transaction } of engine.sessions.all()) {
    if (transaction?.state === 'open' && namespaces.some(ns => transaction.uses(ns))) return true
  }
  return false
}

function attemptWrite<T> (engine: Engine, now: BsonDate, fn: Attempt<T>, op: Operation | undefined, exclusive: readonly string[]): T {
  const retry = op?.retryNumber === undefined ? undefined : new RetryAttempt(op.retryNumber, knownStatements(op.session!, op.retryNumber))
  let guarded: GuardedWriter | undefined
  let saved: SessionRecord | undefined
  const result = engine.storage.write(raw => {
    guarded = engine.locks.guard(raw)
    const clusterTime = engine.clock.tick()
    const events: ChangeEvent[] = []
    const value = fn(context(engine, guarded ?? raw, now, clusterTime, events, op), retry)
    engine.changes.append(raw, clusterTime, now, events)
    saved = retry?.save(raw, op!.session!.key, now)
    return value
  })
  engine.locks.committed(guarded)
  for (const ns of exclusive) engine.locks.definitionChanged(ns)
  if (saved !== undefined) op!.session!.record = saved
  return result
}

const knownStatements = (session: Session, txnNumber: bigint): SessionRecord['statements'] =>
  session.record?.txnNumber === txnNumber ? session.record.statements : []

const context = (
  engine: Engine, writer: Writer, now: BsonDate, clusterTime: Timestamp, events: ChangeEvent[], op: Operation | undefined
): WriteContext => ({
  writer, catalog: engine.catalog, now, clusterTime, record: event => { events.push(event) }, checkInterrupt: op?.interrupt.check, inTransaction: false
})

const transactionContext = (op: Operation, transaction: Transaction): WriteContext => ({
  writer: transaction.view,
  catalog: op.engine.catalog,
  now: op.now,
  clusterTime: op.engine.clock.last(),
  record: event => { transaction.events.push(event) },
  checkInterrupt: op.interrupt.check,
  inTransaction: true
})

/** A write of the engine itself, such as an expiry; undefined when a transaction is in its way. */
export function runInternal<T> (engine: Engine, fn: (w: WriteContext) => T): T | undefined {
  try {
    const result = attemptWrite(engine, engine.clock.now(), fn, undefined, [])
    engine.changes.notify()
    return result
  } catch (error) {
    if (error instanceof LockWait) return undefined
    throw error
  }
}

/** Makes a transaction's writes durable; its record lets a repeated commit be answered even after a restart. */
export async function commitTransaction (engine: Engine, session: Session, transaction: Transaction): Promise<void> {
  const { view, events } = transaction
  if (view.size > 0) {
    const at = engine.clock.now()
    const record: SessionRecord = { txnNumber: transaction.txnNumber, committed: true, at, statements: [] }
    transaction.stopReading()
    try {
      engine.storage.write(writer => {
        view.applyTo(writer)
        engine.changes.append(writer, engine.clock.tick(), at, events, { lsid: session.lsid, txnNumber: transaction.txnNumber })
        writeRecord(writer, session.key, record)
      })
    } catch (error) {
      transaction.end('aborted')
      throw error
    }
    session.record = record
  }
  transaction.end('committed')
  if (view.size > 0) await engine.storage.synced()
  engine.changes.notify()
}
