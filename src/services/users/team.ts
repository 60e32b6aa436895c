import type { ClientSession } from 'mongoose'
import type { UserRow } from '../../models/users.js'
import type { NewUser, ScopesChange, UserChange, UserQuery } from '../../schemas/users.js'
import { hashToken } from '../auth/tokens.js'
import { beginsWith, compileQ } from '../filters/terms.js'
import { CommonError, type Actor } from '../kit.js'
import { createLister } from '../resource/list.js'
import { availabilityState } from './availability.js'
import { UserError } from './errors.js'
import type { Post } from './mails.js'
import { HIDDEN, isDuplicate, oid, type People } from './people.js'
import { checkRole, checkScopes } from './rights.js'
import { newUserRow } from './row.js'
import type { Deps } from './types.js'

const DAY = 86_400_000
const INVITE = { seconds: 7 * 86_400, gap: 60_000, perDay: 5 }
const MAX_TEAM = 10_000
/** Users per plan; the platform's `plan-limits` override them. */
const PLAN_USERS: Readonly<Record<string, number>> = { free: 3 }
const SORTABLE = { name: 'name', created_at: 'created_at', last_seen_at: 'last_seen_at', role: 'role' }
type Filters = Omit<UserQuery, 'page' | 'limit' | 'cursor' | 'sort' | 'fields'>

export function createTeam (deps: Deps, people: People, post: Post) {
  const { platform, users, accounts, sessions, counters, auth, ports } = deps
  const { clock, ids, transactions, config, events } = platform
  const lister = createLister<UserRow>({ model: users as never, sortable: SORTABLE, defaultSort: 'name', projection: HIDDEN })

  // ---------------------------------------------------------------- reading

  /** The own account, or for a main account one of its clients. @throws INVALID_REFERENCE */
  async function accountOf (actor: Actor, asked: string | undefined): Promise<string> {
    if (asked === undefined || asked === actor.accountId) return actor.accountId
    const child = await accounts.findOne({ _id: oid(asked), parent_account: oid(actor.accountId) }, { _id: 1 }).lean()
    if (child === null) throw CommonError.INVALID_REFERENCE('account_id')
    return asked
  }

  async function toFilter (actor: Actor, { account_id: asked, q, available, status, ...same }: Filters): Promise<Record<string, unknown>> {
    const accountId = oid(await accountOf(actor, asked))
    return {
      account_id: accountId,
      ...same,
      status: status ?? { $ne: 'deleted' },
      ...(q !== undefined && wordsFilter(q, actor.permissions.has('admin'))),
      ...(available !== undefined && { _id: { [available ? '$in' : '$nin']: await availableNow(accountId) } })
    }
  }

  const wordsFilter = (q: string, phones: boolean): Record<string, unknown> => {
    const digits = q.replace(/[^0-9]/g, '')
    if (!phones || digits.length < 3 || !/^[0-9+() -]+$/.test(q)) return { $and: compileQ(q) }
    const from = `+${digits}`
    return { $or: [{ $and: compileQ(q) }, { phone: { $gte: from, $lt: `${from}\uffff` } }, beginsWith(digits)] }
  }

  async function availableNow (accountId: ReturnType<typeof oid>) {
    const rows = await users.find({ account_id: accountId, status: 'active' }, { status: 1, availability: 1, time_zone: 1 }).limit(MAX_TEAM).lean()
    return rows.filter(row => availabilityState(row as unknown as UserRow, clock.now()) === 'available').map(({ _id }) => _id)
  }

  const list = async (actor: Actor, { page, limit, cursor, sort, fields: _fields, ...filters }: UserQuery) =>
    lister.list(await toFilter(actor, filters), { page, limit, cursor, sort })
  const stream = async (actor: Actor, { sort, ...filters }: Filters & { sort?: string }) => lister.stream(await toFilter(actor, filters), sort)
  const get = async (actor: Actor, id: string, asked?: string): Promise<UserRow> => people.find(await accountOf(actor, asked), id)

  // ---------------------------------------------------------------- inviting

  function makeInvite (accountId: string, userId: string, by: string, count: number) {
    const token = auth.makeToken('invite', { userId, accountId }, INVITE.seconds)
    const now = clock.now()
    return {
      token,
      link: `${config.publicUrl}/invite?token=${token}`,
      invite: { token_hash: hashToken(token), sent_at: now, expires_at: new Date(now.getTime() + INVITE.seconds * 1_000), sent_count: count, by: oid(by) }
    }
  }

  const inviteLetter = (row: UserRow, link: string, hash: string, requestId: string, session: ClientSession) => row.email === null
    ? Promise.resolve()
    : post.letter({
      to: row.email,
      accountId: row.account_id.toHexString(),
      subject: 'You are invited',
      dedupeId: `invite:${hash}`,
      requestId,
      lines: [`Hello ${row.first_name},`, '', 'you are invited to the team. Set your password here, within seven days:', link]
    }, session)

  /** Parallel creations of one account wait for each other here: each writes the same row. @throws PLAN_LIMIT_REACHED */
  async function takePlace (accountId: string, session: ClientSession): Promise<void> {
    const id = oid(accountId)
    await counters.updateOne({ account_id: id }, { $inc: { seq: 1 } }, { session })
    const account = await accounts.findById(id, { plan: 1 }, { session }).lean()
    const limit = PLAN_USERS[account?.plan ?? 'free'] ?? MAX_TEAM
    const used = await users.countDocuments({ account_id: id, status: { $in: ['invited', 'active', 'inactive'] } }).session(session)
    if (used >= limit) throw UserError.PLAN_LIMIT_REACHED(limit).with({ data: { limit, used } })
  }

  /** The counter is made outside the transaction: two first creations must not break each other. */
  async function prepareCounter (accountId: string): Promise<void> {
    await counters.updateOne({ account_id: oid(accountId) }, { $setOnInsert: { seq: 0 } }, { upsert: true })
      .catch(error => { if (!isDuplicate(error)) throw error })
  }

  /** @throws USER_EXISTS, PLAN_LIMIT_REACHED, SCOPE_ESCALATION, UNKNOWN_SCOPE */
  async function create (actor: Actor, input: NewUser): Promise<{ row: UserRow, link: string | null }> {
    const { crm_visibility: visibility, send_invite: send = true, role = 'user', scopes, ...fields } = input
    checkRole(actor, role)
    const held = scopes === undefined || scopes === null ? null : checkScopes(actor, scopes)
    const _id = ids.objectId()
    const { link, invite } = makeInvite(actor.accountId, _id.toHexString(), actor.userId, 1)
    const row = newUserRow({
      ...fields,
      _id,
      account_id: oid(actor.accountId),
      role,
      scopes: held,
      status: 'invited',
      created_at: clock.now(),
      created_by: oid(actor.userId),
      invite,
      preferences: { ...NO_PREFERENCES, crm_visibility: visibility ?? null }
    })
    await prepareCounter(actor.accountId)
    try {
      await transactions.run(async session => {
        await takePlace(actor.accountId, session)
        await users.create([row] as never, { session })
        await ports.members.ensureMember({ account_id: actor.accountId, user_id: _id.toHexString() }, session)
        await ports.audit({ actor, action: 'user.created', resource: { type: 'user', id: _id.toHexString() }, after: { role, email: row.email } }, session)
        await events.emit({ type: 'user.created', actor, resource: { type: 'user', id: _id.toHexString() }, data: { role, status: 'invited' } }, session)
        await events.emit({ type: 'user.invited', actor, resource: { type: 'user', id: _id.toHexString() }, data: { role, status: 'invited' } }, session)
        if (send) await inviteLetter(row, link, invite.token_hash, actor.requestId, session)
      })
    } catch (error) {
      if (isDuplicate(error)) throw UserError.USER_EXISTS().because(error)
      throw error
    }
    return { row, link }
  }

  /** A new link; the one before is dead. @throws NOT_INVITED, TOO_MANY_ATTEMPTS */
  async function resend (actor: Actor, id: string, send: boolean): Promise<{ row: UserRow, link: string }> {
    const before = await people.find(actor.accountId, id)
    if (before.status !== 'invited') throw UserError.NOT_INVITED()
    const now = clock.now().getTime()
    const last = before.invite
    const wait = last === null ? 0 : last.sent_at.getTime() + INVITE.gap - now
    if (wait > 0) throw tooSoon(wait)
    const count = last !== null && now - last.sent_at.getTime() < DAY ? last.sent_count + 1 : 1
    if (count > INVITE.perDay) throw tooSoon(DAY)
    const { link, invite } = makeInvite(actor.accountId, id, actor.userId, count)
    const row = await transactions.run(async session => {
      const after = await people.write(actor, before, { invite }, {
        type: 'user.invited', when: { status: 'invited', 'invite.sent_at': last?.sent_at ?? null }, lost: UserError.NOT_INVITED
      }, session)
      if (send) await inviteLetter(after, link, invite.token_hash, actor.requestId, session)
      return after
    })
    return { row, link }
  }

  // ---------------------------------------------------------------- changing

  /** @throws USER_EXISTS, NOT_INVITED for the mail of somebody who has signed in, OWNER_PROTECTED */
  async function update (actor: Actor, id: string, { preferences, ...change }: UserChange): Promise<UserRow> {
    const before = await people.find(actor.accountId, id)
    if (before.is_owner && id !== actor.userId) throw UserError.OWNER_PROTECTED()
    if (before.status === 'deleting') throw UserError.USER_STATE_INVALID()
    if (change.email !== undefined && change.email !== before.email && before.status !== 'invited') throw UserError.NOT_INVITED()
    const set: Partial<UserRow> = {
      ...change as Partial<UserRow>,
      ...(change.phone !== undefined && change.phone !== before.phone && { phone_verified_at: null }),
      ...(preferences !== undefined && { preferences: { ...NO_PREFERENCES, ...before.preferences, crm_visibility: preferences.crm_visibility } })
    }
    try {
      return await transactions.run(session => people.write(actor, before, set, { type: 'user.updated' }, session))
    } catch (error) {
      if (isDuplicate(error)) throw UserError.USER_EXISTS().because(error)
      throw error
    }
  }

  async function other (actor: Actor, id: string): Promise<UserRow> {
    const before = await people.find(actor.accountId, id)
    if (id === actor.userId) throw UserError.SELF_CHANGE_FORBIDDEN()
    if (before.is_owner) throw UserError.OWNER_PROTECTED()
    return before
  }

  /** In force at every door within seconds: sessions and refresh tokens end with the change. */
  async function setScopes (actor: Actor, id: string, { role, scopes }: ScopesChange): Promise<UserRow> {
    const before = await other(actor, id)
    if (role !== undefined) checkRole(actor, role)
    checkRole(actor, before.role)
    const held = scopes === undefined || scopes === null ? scopes : checkScopes(actor, scopes)
    const set: Partial<UserRow> = { ...(role !== undefined && { role }), ...(held !== undefined && { scopes: held }) }
    const type = role !== undefined && role !== before.role ? 'user.role_changed' : 'user.scopes_changed'
    return transactions.run(async session => {
      const after = await people.write(actor, before, set, {
        type,
        data: { from: { role: before.role, scopes: before.scopes }, to: { role: after_(set, before).role, scopes: after_(set, before).scopes } },
        when: { is_owner: false },
        lost: UserError.OWNER_PROTECTED
      }, session)
      await people.signOut(before, 'rights_changed', session)
      if (after.role === 'client') await ports.members.removeMember({ account_id: actor.accountId, user_id: id }, session)
      await ports.audit({ actor, action: type, resource: { type: 'user', id }, before: { role: before.role, scopes: before.scopes }, after: { role: after.role, scopes: after.scopes } }, session)
      return after
    })
  }

  async function setStatus (actor: Actor, id: string, status: 'active' | 'inactive'): Promise<UserRow> {
    const before = await other(actor, id)
    checkRole(actor, before.role)
    if (before.status === status) return before
    if (before.status !== 'active' && before.status !== 'inactive') throw UserError.USER_STATE_INVALID()
    return transactions.run(async session => {
      const after = await people.write(actor, before, { status, deactivated_at: status === 'inactive' ? clock.now() : null }, {
        type: status === 'active' ? 'user.activated' : 'user.deactivated', when: { status: before.status, is_owner: false }, lost: UserError.USER_STATE_INVALID
      }, session)
      if (status === 'inactive') await people.signOut(before, 'deactivated', session)
      const who = { account_id: actor.accountId, user_id: id }
      await (status === 'inactive' ? ports.members.removeMember(who, session) : ports.members.ensureMember(who, session))
      await ports.audit({ actor, action: `user.${status}`, resource: { type: 'user', id }, before: { status: before.status }, after: { status } }, session)
      return after
    })
  }

  /** One owner before, one after, whatever runs in parallel; both sign in again. @throws INVALID_REFERENCE, USER_STATE_INVALID */
  async function transfer (actor: Actor, id: string): Promise<UserRow> {
    const target = await users.findOne({ account_id: oid(actor.accountId), _id: oid(id), status: { $ne: 'deleted' } }, HIDDEN).lean() as unknown as UserRow | null
    if (target === null) throw CommonError.INVALID_REFERENCE('user_id')
    if (id === actor.userId) throw UserError.SELF_CHANGE_FORBIDDEN()
    if (target.status !== 'active') throw UserError.USER_STATE_INVALID()
    const owner = await people.self(actor)
    return transactions.run(async session => {
      await people.write(actor, owner, { role: 'admin', is_owner: false }, { type: 'user.role_changed', data: { from: 'owner', to: 'admin' }, when: { is_owner: true }, lost: UserError.OWNER_PROTECTED }, session)
      const after = await people.write(actor, target, { role: 'owner', is_owner: true, scopes: null }, {
        type: 'user.role_changed', data: { from: target.role, to: 'owner' }, when: { status: 'active' }, lost: UserError.USER_STATE_INVALID
      }, session)
      await people.copyOwner(after, session)
      await events.emit({ type: 'account.ownership_transferred', actor, resource: { type: 'account', id: actor.accountId }, data: { from: actor.userId, to: id } }, session)
      await ports.audit({ actor, action: 'account.ownership_transferred', resource: { type: 'account', id: actor.accountId }, before: { owner: actor.userId }, after: { owner: id } }, session)
      for (const person of [owner, after]) {
        await people.signOut(person, 'ownership_transferred', session)
        if (person.email === null) continue
        await post.letter({
          to: person.email,
          accountId: actor.accountId,
          subject: 'The account has a new owner',
          dedupeId: `ownership:${actor.requestId}:${person._id.toHexString()}`,
          requestId: actor.requestId,
          lines: [`${after.name} is the owner now, in the place of ${owner.name}.`, 'Please sign in again.']
        }, session)
      }
      return after
    })
  }

  // ---------------------------------------------------------------- sessions of others

  const live = (id: string) => ({ user_id: oid(id), ended_at: null, expires_at: { $gt: clock.now() } })
  async function listSessions (actor: Actor, id: string) {
    await people.find(actor.accountId, id)
    return sessions.find(live(id), { secret_hash: 0, ip: 0 }).sort({ created_at: -1 }).limit(100).lean()
  }

  async function endSessions (actor: Actor, id: string): Promise<number> {
    const row = await people.find(actor.accountId, id)
    if (row.is_owner && id !== actor.userId) throw UserError.OWNER_PROTECTED()
    return transactions.run(session => people.signOut(row, 'ended_by_admin', session))
  }

  /** @throws SESSION_NOT_FOUND */
  async function endSession (actor: Actor, id: string, sessionId: string): Promise<number> {
    const row = await people.find(actor.accountId, id)
    if (row.is_owner && id !== actor.userId) throw UserError.OWNER_PROTECTED()
    if (await sessions.exists({ ...live(id), _id: oid(sessionId) }) === null) throw UserError.SESSION_NOT_FOUND()
    return transactions.run(session => auth.endSessions({ user_id: id, session_id: sessionId }, 'ended_by_admin', session))
  }

  return { list, stream, get, create, resend, update, setScopes, setStatus, transfer, listSessions, endSessions, endSession, accountOf }
}
export type Team = ReturnType<typeof createTeam>

export const NO_PREFERENCES = {
  crm_visibility: null, theme: null, start_page: null, signature: null, date_format: null, number_format: null, default_views: null
}
const after_ = (set: Partial<UserRow>, before: UserRow) => ({ ...before, ...set })
const tooSoon = (ms: number) => UserError.TOO_MANY_ATTEMPTS().with({ headers: { 'retry-after': String(Math.ceil(ms / 1_000)) } })
