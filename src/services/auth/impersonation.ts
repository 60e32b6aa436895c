import { Types } from 'mongoose'
import type { Actor } from '../kit.js'
import type { SessionRow } from '../../models/auth.js'
import { AuthError } from './errors.js'
import type { People } from './people.js'
import type { Sessions } from './sessions.js'
import type { AccountRow, AuthContext, Client, UserRow } from './types.js'

const RANK: Record<string, number> = { client: 0, user: 1, admin: 2, owner: 3 }
/** Staff roles that see every account; account managers see their own ones. */
const SEES_ALL = ['platform_admin', 'support']
type Pair = { user: UserRow, account: AccountRow }

export function createImpersonation (context: AuthContext, people: People, sessions: Sessions) {
  const { platform, parts } = context
  const { events, transactions, clock } = platform

  async function pairOf (userId: string): Promise<Pair> {
    const user = await people.byId(userId)
    const account = user === null ? null : await sessions.accountById(user.account_id)
    if (user === null || account === null || user.status === 'deleted') throw AuthError.USER_NOT_FOUND()
    return { user, account }
  }

  const isStaff = (user: UserRow) => (user.dashclicks?.roles.length ?? 0) > 0

  /** modules/auth.md 5.5: who is out of sight is a 404, who is in sight and may not be is a 403. */
  function demandAllowed (actor: Actor, me: UserRow, { user, account }: Pair): void {
    const staff = actor.permissions.has('super_admin') && actor.can('dashclicks.impersonate')
    const seen = staff ? staffSees(me, account) : account._id.toHexString() === actor.accountId || account.parent_account?.toHexString() === actor.accountId
    if (!seen) throw AuthError.USER_NOT_FOUND()
    const own = account._id.toHexString() === actor.accountId
    const lower = RANK[user.role]! < RANK[me.role]!
    if (isStaff(user) || user._id.equals(me._id) || (own && (user.is_owner || !lower))) throw AuthError.IMPERSONATION_FORBIDDEN()
    if (user.status !== 'active') throw AuthError.IMPERSONATION_FORBIDDEN()
  }

  function staffSees (me: UserRow, account: AccountRow): boolean {
    const roles = me.dashclicks?.roles ?? []
    return me.is_owner || roles.some(role => SEES_ALL.includes(role)) || account.manager?.equals(me._id) === true
  }

  /** @throws USER_NOT_FOUND, IMPERSONATION_FORBIDDEN, the account's state */
  async function start (actor: Actor, { user_id: userId, reason }: { user_id: string, reason: string }, client: Client) {
    if (actor.impersonatorId !== undefined) throw AuthError.IMPERSONATION_FORBIDDEN()
    const pair = await pairOf(userId)
    const me = await people.byId(actor.userId)
    if (me === null) throw AuthError.USER_NOT_FOUND()
    demandAllowed(actor, me, pair)
    await sessions.demandUsable(pair.account)
    const origin = await sessions.current(actor)
    return transactions.run(async tx => {
      const answer = await sessions.openSession({ ...pair, via: 'impersonation', kind: 'impersonation', origin, client, requestId: actor.requestId, impersonator: { id: me._id, reason } }, tx)
      const accountId = pair.account._id.toHexString()
      const eventId = await events.emit({
        type: 'auth.impersonation_started', actor: { ...actor, userId, impersonatorId: actor.userId }, accountId, resource: { type: 'user', id: userId }, data: { user_id: userId, impersonator_id: actor.userId, reason }
      }, tx)
      const owner = pair.account.owner?.id
      if (owner !== undefined && owner !== null) {
        await parts.notify?.({ type: 'impersonation_started', account_id: accountId, users: [String(owner)], title: 'Somebody acts for a user of yours', body: `${me.name}: ${reason}`, event_id: eventId }, tx)
      }
      return answer
    })
  }

  /** Ends it and opens the impersonator's own door again. @throws SESSION_EXPIRED when the session that it was started from is over */
  async function end (actor: Actor, client: Client) {
    const row = await sessions.current(actor)
    if (row === null || row.kind !== 'impersonation' || row.impersonator_id === null) throw AuthError.SESSION_NOT_FOUND()
    const origin = row.origin_id === null ? null : await context.sessions.findById(row.origin_id).lean() as SessionRow | null
    await transactions.run(async tx => {
      if (await sessions.endSessions({ session_id: row._id, reason: 'impersonation ended' }, tx) === 0) return
      const ids = { user_id: actor.userId, impersonator_id: row.impersonator_id!.toHexString() }
      await events.emit({ type: 'auth.impersonation_ended', actor: { ...actor, impersonatorId: ids.impersonator_id }, resource: { type: 'user', id: actor.userId }, data: { ...ids, reason: row.reason } }, tx)
    })
    if (origin === null || origin.ended_at !== null || origin.expires_at <= clock.now()) throw AuthError.SESSION_EXPIRED()
    const { user, account } = await sessions.holders(origin)
    return sessions.openSession({ user, account, via: 'impersonation_ended', kind: 'sso', viaAccount: origin.via_account === null ? null : new Types.ObjectId(origin.via_account), origin, client, requestId: actor.requestId, mfa: origin.mfa })
  }

  return { start, end }
}
