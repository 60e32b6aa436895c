import { AsyncLocalStorage } from 'node:async_hooks'
import type { ClientSession, Connection } from 'mongoose'

export type Transactions = {
  /**
   * Runs `work` in one MongoDB transaction; it may run again after a write conflict, so it has no side effect outside the database.
   * Inside a running transaction (a request with an Idempotency-Key opens one around its handler) it joins that one.
   */
  run<T> (work: (session: ClientSession) => Promise<T>): Promise<T>
  /** The same for work that calls no other service: nothing can join it, and requests beside it run faster. */
  runAlone<T> (work: (session: ClientSession) => Promise<T>): Promise<T>
}

const ambient = new AsyncLocalStorage<ClientSession>()
/** transactions that are running and can be joined */
let joinable = 0
const committed = new WeakMap<ClientSession, (() => void)[]>()

/** Calls `act` once the session's transaction has committed, never when it rolled back. For waking workers and dropping caches. */
export function afterCommit (session: ClientSession, act: () => void): void {
  const acts = committed.get(session)
  if (acts === undefined) throw new Error('afterCommit needs a session of Transactions.run')
  acts.push(act)
}

/** @throws when the session has no open transaction: what must be atomic with its cause refuses to run alone */
export function demandTransaction (session: ClientSession | undefined, what: string): asserts session is ClientSession {
  if (session === undefined || !session.inTransaction()) throw new Error(`${what} belongs into the transaction of its cause`)
}

export function createTransactions (connection: Connection): Transactions {
  async function runAlone<T> (work: (session: ClientSession) => Promise<T>): Promise<T> {
    const session = await connection.startSession()
    try {
      const result = await session.withTransaction(async () => {
        committed.set(session, [])
        return work(session)
      })
      for (const act of committed.get(session) ?? []) act()
      return result
    } finally {
      committed.delete(session)
      await session.endSession()
    }
  }

  return {
    runAlone,
    async run (work) {
      const outer = ambient.getStore()
      if (outer !== undefined) return work(outer)
      joinable++
      try {
        return await runAlone(session => ambient.run(session, () => work(session)))
      } finally {
        // As long as the storage is enabled Node follows every promise of the process, which costs reads a multiple of their time.
        if (--joinable === 0) ambient.disable()
      }
    }
  }
}
