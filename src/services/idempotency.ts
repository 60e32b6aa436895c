import { createHash } from 'node:crypto'
import type { IdempotencyModel } from '../models/platform.js'
import type { ModelOf } from '../models/define.js'
import { CommonError, type Clock, type Ids } from './kit.js'
import type { Transactions } from './transactions.js'

export type Stored = { status: number, body: string, location: string | null }
export type Outcome = Stored & { replayed: boolean }

const TTL_MS = 24 * 3_600_000
const LEASE_MS = 60_000

type Deps = { records: ModelOf<typeof IdempotencyModel>, transactions: Transactions, clock: Clock, ids: Ids }
type Request = { key: string, accountId: string, principal: string, method: string, route: string, body: unknown, url: string }

class TakenOver extends Error {}

/** Canonical text of a JSON value: the same for equal values whatever the order of their keys. */
const canonical = (value: unknown): string => JSON.stringify(value, (_, part: unknown) =>
  part !== null && typeof part === 'object' && !Array.isArray(part)
    ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1))
    : part) ?? ''

const sha = (text: string) => createHash('sha256').update(text).digest('base64url')

/**
 * One key, one effect (architecture.md 3): the handler runs inside a transaction that also writes its answer, so that neither exists without
 * the other. A first request that lost its lease cannot commit once another has taken the key over.
 */
export function createIdempotency ({ records, transactions, clock, ids }: Deps) {
  /**
   * @param work the whole handler; refusals that it throws are turned into an answer by `refusal` (null: nothing is stored)
   * @throws IDEMPOTENCY_KEY_REUSED for another request under the key, IDEMPOTENCY_IN_PROGRESS while the first one runs
   */
  async function run (request: Request, work: () => Promise<Stored>, refusal: (error: unknown) => Stored | null): Promise<Outcome> {
    const id = sha([request.accountId, request.principal, request.method, request.route, request.key].join('\n'))
    const claim = ids.uuid()
    const done = await take(id, sha(request.url + '\n' + canonical(request.body)), claim)
    if (done !== null) return { ...done, replayed: true }
    try {
      return { ...await effect(id, claim, work), replayed: false }
    } catch (error) {
      if (error instanceof TakenOver) throw CommonError.IDEMPOTENCY_IN_PROGRESS().with({ headers: { 'retry-after': '1' } })
      const answer = refusal(error)
      if (answer !== null) await records.updateOne({ _id: id, claim, state: 'running' }, { $set: { ...answer, state: 'done' } })
      else await records.deleteOne({ _id: id, claim, state: 'running' })
      throw error
    }
  }

  const effect = (id: string, claim: string, work: () => Promise<Stored>): Promise<Stored> => transactions.run(async session => {
    const answer = await work()
    const { matchedCount } = await records.updateOne({ _id: id, claim, state: 'running' }, { $set: { ...answer, state: 'done' } }, { session })
    if (matchedCount === 0) throw new TakenOver()
    return answer
  })

  /** Null when the key is ours now; otherwise the answer that it already has. */
  async function take (id: string, hash: string, claim: string): Promise<Stored | null> {
    const now = clock.now()
    const lease = { state: 'running' as const, claim, request_hash: hash, lease_until: new Date(now.getTime() + LEASE_MS), status: null, body: null, location: null, expires_at: new Date(now.getTime() + TTL_MS) }
    try {
      await records.collection.insertOne({ _id: id as never, ...lease })
      return null
    } catch (error) {
      if ((error as { code?: number }).code !== 11000) throw error
    }
    const known = await records.findById(id).lean()
    if (known === null || known.expires_at <= now) return takeOver(id, lease, { expires_at: { $lte: now } })
    if (known.request_hash !== hash) throw CommonError.IDEMPOTENCY_KEY_REUSED()
    if (known.state === 'done') return { status: known.status!, body: known.body!, location: known.location }
    if (known.lease_until > now) throw CommonError.IDEMPOTENCY_IN_PROGRESS().with({ headers: { 'retry-after': '1' } })
    return takeOver(id, lease, { state: 'running', claim: known.claim })
  }

  async function takeOver (id: string, lease: object, was: object): Promise<null> {
    const { matchedCount, upsertedCount } = await records.updateOne({ _id: id, ...was }, { $set: lease }, { upsert: false })
    if (matchedCount + upsertedCount === 0) throw CommonError.IDEMPOTENCY_IN_PROGRESS().with({ headers: { 'retry-after': '1' } })
    return null
  }

  return { run }
}
export type Idempotency = ReturnType<typeof createIdempotency>
