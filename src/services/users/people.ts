import { Types, type ClientSession } from 'mongoose'
import type { UserRow } from '../../models/users.js'
import type { Actor } from '../kit.js'
import { UserError } from './errors.js'
import { emailKeyOf, fullName, termsOf } from './row.js'
import type { Changed, Deps } from './types.js'

export const oid = (id: string) => new Types.ObjectId(id)
export const isDuplicate = (error: unknown): boolean => (error as { code?: number }).code === 11000
/** Secrets never leave the database with what is shown. */
export const HIDDEN = { password_hash: 0, reset_token_hash: 0, email_key: 0, search_terms: 0, 'invite.token_hash': 0, 'mfa.totp_secret': 0, 'mfa.last_step': 0, 'mfa.recovery_hashes': 0 } as const
const SHOWN = ['first_name', 'last_name', 'name', 'email', 'phone', 'image'] as const

export function difference (before: object, set: object): Changed {
  const plain = (value: unknown) => JSON.stringify(value) ?? 'null'
  return Object.fromEntries(Object.entries(set)
    .map(([key, value]) => [key, { old: (before as Record<string, unknown>)[key] ?? null, new: value ?? null }] as const)
    .filter(([, change]) => plain(change.old) !== plain(change.new)))
}

/** Finding people and writing a change of one with all that follows it in the same transaction. */
export function createPeople ({ platform, users, accounts, auth }: Pick<Deps, 'platform' | 'users' | 'accounts' | 'auth'>) {
  const { clock, events, outbox, invalidation, ids } = platform

  /** @throws USER_NOT_FOUND, also for a person of another account */
  async function find (accountId: string, id: string, session?: ClientSession): Promise<UserRow> {
    const row = await users.findOne({ account_id: oid(accountId), _id: oid(id), status: { $ne: 'deleted' } }, HIDDEN, { session }).lean()
    if (row === null) throw UserError.USER_NOT_FOUND()
    return row as unknown as UserRow
  }

  /** The caller's own row; inside a client's account he is a person of the agency above. */
  async function self (actor: Actor, session?: ClientSession): Promise<UserRow> {
    const homes = [actor.accountId, actor.parentAccount].filter(id => id !== null && id !== '').map(id => oid(id!))
    const row = await users.findOne({ account_id: { $in: homes }, _id: oid(actor.userId) }, HIDDEN, { session }).lean()
    if (row === null) throw UserError.USER_NOT_FOUND()
    return row as unknown as UserRow
  }

  /** What follows from the fields: the full name, what `q` finds, the key that is unique. */
  function derived (before: UserRow, set: Partial<UserRow>): Partial<UserRow> {
    if (set.first_name === undefined && set.last_name === undefined && set.email === undefined) return set
    const next = { ...before, ...set }
    const name = fullName(next)
    const key = set.email !== undefined && { email_key: emailKeyOf(set.email) }
    return { ...set, name, search_terms: termsOf({ name, email: next.email }), ...key }
  }

  type Act = { type: string, data?: Record<string, unknown>, when?: Record<string, unknown>, unset?: readonly string[], lost?: () => Error }

  /** One change, written under `when`: the row, the account's copy of its owner, the event, the caches and the dashboards. */
  async function write (actor: Actor, before: UserRow, set: Partial<UserRow>, act: Act, session: ClientSession): Promise<UserRow> {
    const { type, data, when, unset = [], lost } = act
    const full = derived(before, set)
    const { search_terms: _terms, email_key: _key, tokens_valid_from: _since, reset_token_hash: _hash, ...seen } = full
    const changed = difference(before, seen)
    const now = clock.now()
    const after = await users.findOneAndUpdate(
      { account_id: before.account_id, _id: before._id, ...when } as never,
      { $set: { ...full, updated_at: now }, ...(unset.length > 0 && { $unset: Object.fromEntries(unset.map(key => [key, 1])) }) } as never,
      { session, returnDocument: 'after', projection: HIDDEN }
    ).lean() as unknown as UserRow | null
    if (after === null) throw lost?.() ?? UserError.USER_NOT_FOUND()
    const id = after._id.toHexString()
    if (after.is_owner && SHOWN.some(key => key in changed)) await copyOwner(after, session)
    await invalidation.invalidate('access.users', id, session)
    await events.emit({
      type, actor, accountId: after.account_id.toHexString(), resource: { type: 'user', id }, data: { role: after.role, status: after.status, ...data }, changed
    }, session)
    await socket(after, 'user_updated', { id, name: after.name, image: after.image, status: after.status, role: after.role }, undefined, session)
    return after
  }

  async function copyOwner (owner: UserRow, session: ClientSession): Promise<void> {
    await accounts.updateOne({ _id: owner.account_id }, {
      $set: { owner: { id: owner._id, name: owner.name, email: owner.email, phone: owner.phone, avatar: owner.image }, updated_at: clock.now() }
    } as never, { session })
    await invalidation.invalidate('access.accounts', owner.account_id.toHexString(), session)
  }

  async function socket (row: UserRow, event: string, data: unknown, userIds: string[] | undefined, session: ClientSession): Promise<void> {
    const accountId = row.account_id.toHexString()
    await outbox.add([{
      topic: 'socket',
      key: accountId,
      dedupeId: `${event}:${ids.uuid()}`,
      accountId,
      payload: { event, data, accountId, ...(userIds !== undefined && { userIds }) },
      expiresAt: new Date(clock.now().getTime() + 3_600_000)
    }], session)
  }

  /** Ends all access of a person in the transaction of the cause: sessions, refresh tokens, and tokens made before now. */
  async function signOut (row: UserRow, reason: string, session: ClientSession): Promise<number> {
    const id = row._id.toHexString()
    await users.updateOne({ account_id: row.account_id, _id: row._id }, { $set: { tokens_valid_from: clock.now() } }, { session })
    const ended = await auth.endSessions({ user_id: id }, reason, session)
    await invalidation.invalidate('access.users', id, session)
    await socket(row, 'session_revoked', { user_id: id, reason }, [id], session)
    return ended
  }

  return { find, self, write, copyOwner, signOut }
}
export type People = ReturnType<typeof createPeople>
