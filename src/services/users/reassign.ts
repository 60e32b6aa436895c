import type { ClientSession } from 'mongoose'
import type { UserRow } from '../../models/users.js'
import { CommonError, type Actor } from '../kit.js'
import type { Work } from '../runtime/queues.js'
import { UserError } from './errors.js'
import { oid, type People } from './people.js'
import type { Deps } from './types.js'

export type HandOverBatch = { account_id: string, from: string, to: string, limit: number, kinds?: readonly string[] }

/** How a module hands a person's work over; the batch commits in the transaction that it is given. */
export type WorkOwner = {
  module: string
  kinds: readonly string[]
  workload (who: { account_id: string, user_id: string }): Promise<Record<string, number>>
  reassignUser (act: HandOverBatch, session: ClientSession): Promise<{ moved: number, left: number }>
}

/** Modules join with the work that people hold in them. */
export function createWorkRegistry () {
  const owners: WorkOwner[] = []
  return {
    join (owner: WorkOwner): void {
      if (owners.some(({ module }) => module === owner.module)) throw new Error(`${owner.module} hands work over twice`)
      owners.push(owner)
    },
    owners: owners as readonly WorkOwner[]
  }
}
export type WorkRegistry = ReturnType<typeof createWorkRegistry>

const BATCH = 500
type Payload = { from: string, to: string | null, kinds: string[] | null, remove: boolean }

export function createHandOver ({ platform, users, ports }: Pick<Deps, 'platform' | 'users' | 'ports'>, people: People, registry: WorkRegistry) {
  const { transactions, queues, clock } = platform

  async function workload (accountId: string, userId: string): Promise<Record<string, number>> {
    const parts = await Promise.all(registry.owners.map(owner => owner.workload({ account_id: accountId, user_id: userId })))
    return Object.fromEntries(parts.flatMap(Object.entries).filter(([, count]) => Number(count) > 0)) as Record<string, number>
  }
  const total = (counts: Record<string, number>) => Object.values(counts).reduce((sum, count) => sum + count, 0)

  /** @throws INVALID_REFERENCE for somebody of another account, REASSIGN_TARGET_INVALID for one who cannot take work */
  async function checkTarget (accountId: string, from: string, to: string): Promise<void> {
    const row = await users.findOne({ account_id: oid(accountId), _id: oid(to) }, { status: 1 }).lean()
    if (row === null || row.status === 'deleted') throw CommonError.INVALID_REFERENCE('reassign_to')
    if (row.status !== 'active' || from === to) throw UserError.REASSIGN_TARGET_INVALID()
  }

  const enqueue = (actor: Actor, accountId: string, { from, to, kinds, remove }: Payload, count: number, session: ClientSession) => queues.add({
    source: 'user-reassign',
    accountId,
    parentAccount: actor.parentAccount,
    userId: actor.userId,
    referenceId: from,
    total: count,
    payload: { from, to, kinds, remove },
    dedupeKey: `user-reassign:${from}`
  }, session)

  /** @returns the job's id */
  async function start (actor: Actor, id: string, to: string, kinds: string[] | undefined): Promise<string> {
    await people.find(actor.accountId, id)
    await checkTarget(actor.accountId, id, to)
    const unknown = kinds?.find(kind => !registry.owners.some(owner => owner.kinds.includes(kind)))
    if (unknown !== undefined) throw CommonError.VALIDATION_FAILED().with({ errors: [{ path: 'body.kinds', message: `${unknown} is not a kind of work`, code: 'enum' }] })
    const counts = await workload(actor.accountId, id)
    try {
      return await transactions.run(session => enqueue(actor, actor.accountId, { from: id, to, kinds: kinds ?? null, remove: false }, total(counts), session))
    } catch (error) {
      if ((error as { code?: number }).code === 11000) throw UserError.USER_STATE_INVALID()
      throw error
    }
  }

  /** Takes a person out of the account. @throws OWNER_PROTECTED, SELF_CHANGE_FORBIDDEN, REASSIGN_REQUIRED with the counts */
  async function remove (actor: Actor, id: string, to: string | undefined): Promise<{ id: string, status: UserRow['status'], job_id: string | null }> {
    const before = await people.find(actor.accountId, id)
    if (before.is_owner) throw UserError.OWNER_PROTECTED()
    if (id === actor.userId) throw UserError.SELF_CHANGE_FORBIDDEN()
    if (before.status === 'deleting') throw UserError.USER_STATE_INVALID()
    if (to !== undefined) await checkTarget(actor.accountId, id, to)
    const counts = await workload(actor.accountId, id)
    if (total(counts) === 0) {
      await transactions.run(session => finish(actor, before, session))
      return { id, status: 'deleted', job_id: null }
    }
    if (to === undefined) throw UserError.REASSIGN_REQUIRED().with({ data: { workload: counts } })
    const job = await transactions.run(async session => {
      await people.write(actor, before, { status: 'deleting' }, { type: 'user.updated', when: { is_owner: false, status: { $nin: ['deleting', 'deleted'] } }, lost: UserError.USER_STATE_INVALID }, session)
      await people.signOut(before, 'deleted', session)
      return enqueue(actor, actor.accountId, { from: id, to, kinds: null, remove: true }, total(counts), session)
    })
    return { id, status: 'deleting', job_id: job }
  }

  /** Name and image stay for history; all by which a person is reached or proves himself goes. */
  async function finish (actor: Actor, before: UserRow, session: ClientSession): Promise<void> {
    await people.signOut(before, 'deleted', session)
    const id = before._id.toHexString()
    const { search_terms: _terms, ...gone } = {
      status: 'deleted' as const,
      deleted_at: clock.now(),
      email: null,
      email_key: null,
      phone: null,
      phone_verified_at: null,
      password_hash: null,
      reset_token_hash: null,
      invite: null,
      mfa: null,
      scopes: null,
      search_terms: []
    }
    await people.write(actor, before, { status: gone.status, deleted_at: gone.deleted_at }, { type: 'user.deleted', when: { is_owner: false }, lost: UserError.OWNER_PROTECTED }, session)
    await users.updateOne({ account_id: before.account_id, _id: before._id }, { $set: { ...gone, search_terms: [] } } as never, { session })
    await ports.members.removeMember({ account_id: before.account_id.toHexString(), user_id: id }, session)
    await ports.audit({ actor, action: 'user.deleted', resource: { type: 'user', id } }, session)
  }

  async function run (work: Work): Promise<{ result: unknown } | undefined> {
    const { from, to, kinds, remove: removing } = work.row.payload as Payload
    const accountId = work.row.account_id.toHexString()
    const moved: Record<string, number> = {}
    for (const owner of to === null ? [] : registry.owners) {
      if (kinds !== null && !owner.kinds.some(kind => kinds.includes(kind))) continue
      for (let left = 1; left > 0;) {
        const going = await work.batch(async session => {
          const batch = await owner.reassignUser({ account_id: accountId, from, to: to!, limit: BATCH, ...(kinds !== null && { kinds }) }, session)
          left = batch.left
          moved[owner.module] = (moved[owner.module] ?? 0) + batch.moved
          return { progress: { done: batch.moved, updated: batch.moved } }
        })
        if (!going) return undefined
      }
    }
    await work.batch(async session => {
      await conclude(workActor(work), accountId, { from, to, kinds, remove: removing }, session)
      return { progress: {} }
    })
    return { result: { moved } }
  }

  async function conclude (actor: Actor, accountId: string, { from, to, remove: removing }: Payload, session: ClientSession): Promise<void> {
    await platform.events.emit({ type: 'user.reassigned', actor, accountId, resource: { type: 'user', id: from }, data: { from, to } }, session)
    if (!removing) return
    const row = await users.findOne({ account_id: oid(accountId), _id: oid(from), status: 'deleting' }, null, { session }).lean()
    if (row !== null) await finish(actor, row as unknown as UserRow, session)
  }

  platform.source('user-reassign', { run: async work => await run(work), label: 'Hand-over of a person\'s work', cancellable: false, retryable: true }, 'QM_ACCOUNTS')

  return { workload, start, remove, finish, checkTarget, total, enqueue }
}
export type HandOver = ReturnType<typeof createHandOver>

const workActor = ({ row }: Work): Actor => ({
  type: 'system',
  userId: row.user_id?.toHexString() ?? '',
  accountId: row.account_id.toHexString(),
  parentAccount: row.parent_account?.toHexString() ?? null,
  role: 'admin',
  isOwner: false,
  permissions: new Set(['read', 'write', 'admin']),
  can: () => true,
  requestId: `job-${String(row._id)}`
})
