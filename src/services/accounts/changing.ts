import type { ClientSession, Types } from 'mongoose'
import type { AccountRow } from '../../models/accounts.js'
import { AuthError } from '../auth/errors.js'
import type { AccountBulk, AccountChange } from '../../schemas/accounts.js'
import { CommonError, type Actor } from '../kit.js'
import { runBulk, type BulkResult } from '../resource/bulk.js'
import type { BusinessData } from './business.js'
import { checkTimeZone, hex, oid, type AccountDeps, type Core } from './core.js'
import { AccountError } from './errors.js'
import { searchKeysOf } from './row.js'

const BUSINESS_FIELDS = ['name', 'email', 'phone', 'address', 'social', 'website', 'image'] as const
type Changed = Record<string, { old: unknown, new: unknown }>

const difference = (before: object, set: object): Changed => Object.fromEntries(Object.entries(set)
  .map(([key, value]) => [key, { old: (before as Record<string, unknown>)[key] ?? null, new: (value as unknown) ?? null }] as const)
  .filter(([, { old, new: next }]) => JSON.stringify(old) !== JSON.stringify(next)))

export function createChanging ({ platform, accounts, users, contacts, work, endSessions }: AccountDeps, core: Core) {
  const { clock, transactions } = platform

  /** Writes fields with their search keys; null when nothing differs. */
  async function write (before: AccountRow, set: Partial<AccountRow>, session: ClientSession): Promise<{ row: AccountRow, changed: Changed } | null> {
    const changed = difference(before, set)
    if (Object.keys(changed).length === 0) return null
    const next = { ...before, ...set }
    const row = await accounts.findOneAndUpdate(
      { _id: before._id }, { $set: { ...set, search_keys: searchKeysOf(next), updated_at: clock.now() } }, { session, returnDocument: 'after' }
    ).lean()
    return { row: row as AccountRow, changed }
  }

  async function checkManager (main: Types.ObjectId, id: string, session: ClientSession): Promise<Types.ObjectId> {
    const user = await users.exists({ account_id: main, _id: oid(id), status: 'active' }).session(session)
    if (user === null) throw CommonError.INVALID_REFERENCE('manager')
    return oid(id)
  }

  /** @throws ACCOUNT_NOT_FOUND, SCOPE_REQUIRED, INVALID_REFERENCE for a manager of another account */
  async function update (actor: Actor, id: string, { manager, ...change }: AccountChange): Promise<AccountRow> {
    checkTimeZone(change.time_zone)
    return transactions.run(async session => {
      const before = await core.reach(actor, id, session)
      const own = id === actor.accountId
      const needed = own ? 'accounts.update' : 'accounts.sub_accounts.update'
      if (!actor.can(needed)) throw AuthError.SCOPE_REQUIRED().with({ data: { required: [needed] } })
      if (manager !== undefined && own) throw CommonError.INVALID_REFERENCE('manager')
      const set: Partial<AccountRow> = {
        ...change as Partial<AccountRow>,
        ...(manager !== undefined && { manager: manager === null ? null : await checkManager(oid(actor.accountId), manager, session) })
      }
      const done = await write(before, set, session)
      if (done === null) return before
      const { row, changed } = done
      const business = Object.fromEntries(BUSINESS_FIELDS.filter(field => field in changed).map(field => [field, row[field]]))
      if (Object.keys(business).length > 0 && row.business !== null) {
        await contacts.update({ account_id: row.parent_account ?? row._id, id: row.business, fields: business as Partial<BusinessData> }, session)
      }
      await core.announce({ type: 'account.updated', actor, row, changed }, session)
      if ('manager' in changed) {
        await core.announce({ type: 'account.manager_changed', actor, row, data: { from: changed.manager!.old, to: changed.manager!.new } }, session)
      }
      return row
    })
  }

  /** The other way round: fields of a business contact come to the account of it, in the transaction of their change. */
  async function syncFromContact ({ contact_id: contactId, changed }: { contact_id: Types.ObjectId, changed: Partial<BusinessData> }, session: ClientSession): Promise<void> {
    const before = await accounts.findOne({ business: contactId }, null, { session }).lean()
    if (before === null) return
    const done = await write(before as AccountRow, changed as Partial<AccountRow>, session)
    if (done !== null) await core.announce({ type: 'account.updated', actor: 'system', row: done.row, changed: done.changed }, session)
  }

  type Move = { to: AccountRow['status'], type: string, set: Partial<AccountRow>, from: readonly AccountRow['status'][] }
  async function move (actor: Actor, before: AccountRow, { to, type, set, from }: Move, session: ClientSession): Promise<AccountRow> {
    const row = await accounts.findOneAndUpdate(
      { _id: before._id, status: { $in: from } }, { $set: { status: to, updated_at: clock.now(), ...set } }, { session, returnDocument: 'after' }
    ).lean() as AccountRow | null
    if (row === null) throw AccountError.ACCOUNT_STATE_INVALID()
    if (to !== 'active') await endSessions({ account_id: hex(row._id), reason: type }, session)
    await core.announce({ type, actor, row, changed: { status: { old: before.status, new: to } } }, session)
    return row
  }

  /** @throws ACCOUNT_NOT_FOUND, ACCOUNT_STATE_INVALID */
  const setStatus = (actor: Actor, id: string, { status, reason }: { status: 'active' | 'suspended', reason: string }): Promise<AccountRow> => transactions.run(async session => {
    const before = await core.child(actor, id, session)
    if (before.status === status) return before
    return move(actor, before, status === 'suspended'
      ? { to: 'suspended', type: 'account.suspended', set: { status_reason: reason }, from: ['active'] }
      : { to: 'active', type: 'account.activated', set: { status_reason: null }, from: ['suspended'] }, session)
  })

  /** @throws ACCOUNT_NOT_FOUND, ACCOUNT_HAS_ACTIVE_SUBSCRIPTIONS with their ids */
  const archive = (actor: Actor, id: string): Promise<AccountRow> => transactions.run(async session => {
    const before = await core.child(actor, id, session)
    if (before.status === 'archived') return before
    const running = await work.runningSubscriptions(before._id)
    if (running.length > 0) throw AccountError.ACCOUNT_HAS_ACTIVE_SUBSCRIPTIONS().with({ info: running.join(', ') })
    return move(actor, before, {
      to: 'archived', type: 'account.archived', from: ['pending', 'active', 'suspended'], set: { archived_at: clock.now(), archived_by: oid(actor.userId), state_before: before.status as 'active' }
    }, session)
  })

  /** @throws ACCOUNT_NOT_FOUND, ACCOUNT_STATE_INVALID for one that is not archived */
  const unarchive = (actor: Actor, id: string): Promise<AccountRow> => transactions.run(async session => {
    const before = await core.child(actor, id, session)
    return move(actor, before, {
      to: before.state_before ?? 'active', type: 'account.unarchived', from: ['archived'], set: { archived_at: null, archived_by: null, state_before: null }
    }, session)
  })

  function bulk (actor: Actor, body: AccountBulk): Promise<BulkResult> {
    const done = (status: 'updated' | 'deleted') => ({ _id }: AccountRow) => ({ status, id: hex(_id) })
    if (body.operation === 'delete') return runBulk(body.items, async ({ id }) => done('deleted')(await archive(actor, id)))
    if (body.operation === 'unarchive') return runBulk(body.items, async ({ id }) => done('updated')(await unarchive(actor, id)))
    const items = body.items as (AccountBulk & { operation: 'update' })['items']
    return runBulk(items, ({ id, manager, status, reason = 'bulk' }) => transactions.run(async () => {
      let row = await core.child(actor, id)
      if (manager !== undefined) row = await update(actor, id, { manager })
      if (status !== undefined) row = await setStatus(actor, id, { status, reason })
      return done('updated')(row)
    }))
  }

  return { update, syncFromContact, setStatus, archive, unarchive, bulk, write }
}
