import { setTimeout as wait } from 'node:timers/promises'
import type { Model } from 'mongoose'

/**
 * Taking rows with a lease (modules/_platform.md 4.4): one conditional update on the database's clock marks a row as ours and raises
 * `lease_no`; every later write names that number, so a worker that slept past its lease changes nothing.
 */
export type Claimable = { _id: unknown, lease_until: Date | null, worker: string | null, lease_no: number }

export type Lease<T> = {
  row: T
  /** Filter of a write that counts only while the lease is ours. */
  mine: { _id: unknown, worker: string, lease_no: number }
  /** Aborted when the lease was lost. */
  signal: AbortSignal
  release (): void
}

type Claim<T> = {
  model: Model<T>
  /** which rows are due, besides being free */
  filter: Record<string, unknown>
  sort: Record<string, 1 | -1>
  /** fields that mark the row as taken */
  set: Record<string, unknown>
  worker: string
  leaseMs: number
  now: Date
  crossTenant: string
}

export async function claimOne<T extends Claimable> ({ model, filter, sort, set, worker, leaseMs, now, crossTenant }: Claim<T>): Promise<Lease<T> | null> {
  // MongoDB's own clock would need a pipeline update for each claim; copies of this service agree on time to well within a lease.
  const row = await model.findOneAndUpdate(
    filter as never,
    { $set: { ...set, worker, lease_until: new Date(now.getTime() + leaseMs) }, $inc: { lease_no: 1 } } as never,
    { returnDocument: 'after', sort, crossTenant } as never
  ).lean() as T | null
  return row === null ? null : hold(model, row, worker, leaseMs, crossTenant)
}

/** Renews the lease every third of its time until it is released. */
function hold<T extends Claimable> (model: Model<T>, row: T, worker: string, leaseMs: number, crossTenant: string): Lease<T> {
  const mine = { _id: row._id, worker, lease_no: row.lease_no }
  const lost = new AbortController()
  const done = new AbortController()
  const renew = async () => {
    while (!done.signal.aborted) {
      await wait(leaseMs / 3, undefined, { signal: done.signal, ref: false })
      const { matchedCount } = await model.updateOne(mine as never, { $set: { lease_until: new Date(Date.now() + leaseMs) } } as never, { crossTenant } as never)
      if (matchedCount === 0) return lost.abort()
    }
  }
  renew().catch(error => { if (!done.signal.aborted) lost.abort(error) })
  return { row, mine, signal: lost.signal, release: () => done.abort() }
}
