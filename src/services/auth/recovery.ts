import type { Actor } from '../kit.js'
import { crossTenant } from '../../models/define.js'
import { AuthError } from './errors.js'
import { baseUrl, mailOf } from './mails.js'
import { checkPassword } from './password-rules.js'
import { emailKey, identifierOf, type Identifier, type People, type Under } from './people.js'
import { actorOf, type Sessions } from './sessions.js'
import type { Throttle } from './throttle.js'
import { hashToken } from './tokens.js'
import type { AccountRow, AuthContext, Session, UserRow } from './types.js'

const RESET_S = 3_600
type Target = { user: UserRow, account: AccountRow, kind: 'reset' | 'invite', hash: string }

const maskEmail = (email: string): string => email.replace(/^(.).*(@.).*(\.[^.]+)$/, '$1…$2…$3')

export function createRecovery (context: AuthContext, people: People, sessions: Sessions, throttle: Throttle) {
  const { platform, users, accounts, passwords, tokens, parts } = context
  const { clock, transactions, events, outbox, invalidation, limiter } = platform
  const mine = (user: UserRow) => ({ account_id: user.account_id, _id: user._id })

  /** A link for setting a password; an older one is dead. `ttl` in seconds, the purpose tells where it came from. */
  async function makeResetToken (user: Pick<UserRow, '_id' | 'account_id'>, ttl: number, tx: Session): Promise<string> {
    const token = tokens.makeToken('password_reset', { userId: user._id.toHexString(), accountId: user.account_id.toHexString() }, ttl)
    await users.updateOne({ account_id: user.account_id, _id: user._id }, { $set: { reset_token_hash: hashToken(token) } }, { session: tx })
    return token
  }

  /** Three mails an hour and address; more are dropped in silence. */
  const mayMail = async (identifier: string): Promise<boolean> => (await limiter.take('auth-mail-identifier', identifier)).allowed

  /** The same answer and time whoever the address belongs to. */
  const requestReset = ({ email, account, host }: { email: string, account?: string, host?: string }, requestId: string) => throttle.floored(async () => {
    const pairs = await people.find({ email }, { host, account_id: account }, 10)
    if (!await mayMail(emailKey(email)) || pairs.length === 0) return
    await transactions.run(async tx => {
      const lines: string[] = []
      for (const { user, account: place } of pairs) {
        const token = await makeResetToken(user, RESET_S, tx)
        if (pairs.length > 1) lines.push(`${place.name}:`)
        lines.push(`${await baseUrl(context, place)}/reset-password?token=${token}`)
        await events.emit({ type: 'auth.password_reset_requested', actor: actorOf(user, place, requestId), resource: { type: 'user', id: user._id.toHexString() }, data: { user_id: user._id.toHexString() } }, tx)
      }
      const [first] = pairs
      await outbox.add([await mailOf(context, 'password_reset', { ...first!, dedupeId: `reset:${requestId}:${platform.ids.token(6)}`, lines }, tx)], tx)
    })
  })

  async function targetOf (token: string): Promise<Target | null> {
    const kind = tokens.readToken<{ userId: string }>('password_reset', token) !== null ? 'reset' as const : tokens.readToken('invite', token) !== null ? 'invite' as const : null
    if (kind === null) return null
    const hash = hashToken(token)
    const claims = tokens.readToken<{ userId: string }>(kind === 'reset' ? 'password_reset' : 'invite', token)!
    const user = kind === 'reset'
      ? await people.byId(claims.userId)
      : await users.findOne({ 'invite.token_hash': hash } as never, null, crossTenant('an invitation names its user')).lean() as UserRow | null
    if (user === null || (kind === 'reset' ? user.reset_token_hash !== hash || user.status !== 'active' : user.status !== 'invited')) return null
    const account = await sessions.accountById(user.account_id)
    return account === null ? null : { user, account, kind, hash }
  }

  async function check (token: string) {
    const target = await targetOf(token)
    if (target === null) return { valid: false, kind: null, email: null, account_name: null }
    return { valid: true, kind: target.kind, email: target.user.email === null ? null : maskEmail(target.user.email), account_name: target.account.name }
  }

  /** @throws LINK_INVALID, PASSWORD_WEAK (the link stays good) */
  async function reset ({ token, password }: { token: string, password: string }, requestId: string): Promise<void> {
    const target = await targetOf(token)
    if (target === null) throw AuthError.LINK_INVALID()
    await checkPassword(password, target.user, { hash: target.user.password_hash, passwords })
    const hash = await passwords.hash(password)
    await transactions.run(tx => setPassword(target, hash, requestId, tx))
  }

  async function setPassword ({ user, account, kind, hash }: Target, passwordHash: string, requestId: string, tx: Session): Promise<void> {
    const now = clock.now()
    const id = user._id.toHexString()
    const { modifiedCount } = await users.updateOne(
      { ...mine(user), ...(kind === 'reset' ? { reset_token_hash: hash } : { 'invite.token_hash': hash, status: 'invited' }) } as never,
      { $set: { password_hash: passwordHash, password_changed_at: now, tokens_valid_from: now, reset_token_hash: null, updated_at: now, ...(kind === 'invite' && { 'invite.token_hash': null, status: 'active' }) } } as never,
      { session: tx })
    if (modifiedCount === 0) throw AuthError.LINK_INVALID()
    await sessions.endSessions({ user_id: user._id, reason: 'password reset' }, tx)
    await invalidation.invalidate('access.users', id, tx)
    await events.emit({ type: 'auth.password_reset', actor: actorOf(user, account, requestId), resource: { type: 'user', id }, data: { user_id: id, via: kind } }, tx)
    if (kind === 'invite') await accepted(user, account, requestId, tx)
    else if (user.email !== null) await outbox.add([await mailOf(context, 'password_changed', { user, account, dedupeId: `password:${id}:${now.getTime()}` }, tx)], tx)
  }

  /** The user is active already; the account becomes so with its owner. */
  async function accepted (user: UserRow, account: AccountRow, requestId: string, tx: Session): Promise<void> {
    if (parts.inviteAccepted !== undefined) return parts.inviteAccepted({ user, account }, tx)
    const actor = actorOf(user, account, requestId)
    await events.emit({ type: 'user.activated', actor, resource: { type: 'user', id: actor.userId }, data: { role: user.role, status: 'active' } }, tx)
    if (!user.is_owner) return
    const { modifiedCount } = await accounts.updateOne({ _id: account._id, status: 'pending' }, { $set: { status: 'active', updated_at: clock.now() } }, { session: tx })
    if (modifiedCount === 0) return
    await invalidation.invalidate('access.accounts', actor.accountId, tx)
    await events.emit({ type: 'account.activated', actor, resource: { type: 'account', id: actor.accountId }, data: { parent_account: actor.parentAccount, name: account.name, status: 'active' } }, tx)
  }

  /** All other sessions end. @throws INVALID_CREDENTIALS, PASSWORD_WEAK, TOO_MANY_ATTEMPTS */
  async function change (actor: Actor, { current_password: current, password }: { current_password: string, password: string },
    ip: string): Promise<{ ended_sessions: number }> {
    const user = await people.byId(actor.userId)
    const account = user === null ? null : await sessions.accountById(user.account_id)
    if (user === null || account === null) throw AuthError.USER_NOT_FOUND()
    await throttle.enter(`password:${actor.userId}`, ip)
    if (!await passwords.verify(user.password_hash, current)) throw AuthError.INVALID_CREDENTIALS()
    await throttle.good(`password:${actor.userId}`, ip)
    await checkPassword(password, user, { hash: user.password_hash, passwords })
    const hash = await passwords.hash(password)
    return transactions.run(async tx => {
      const now = clock.now()
      const { modifiedCount } = await users.updateOne(
        { ...mine(user), password_hash: user.password_hash }, { $set: { password_hash: hash, password_changed_at: now, reset_token_hash: null,
          updated_at: now } }, { session: tx })
      if (modifiedCount === 0) throw AuthError.INVALID_CREDENTIALS()
      const ended = await sessions.endSessions({ user_id: user._id, except: actor.sessionId, reason: 'password changed' }, tx)
      await events.emit({ type: 'auth.password_changed', actor, resource: { type: 'user', id: actor.userId }, data: { user_id: actor.userId } }, tx)
      if (user.email !== null) await outbox.add([await mailOf(context, 'password_changed', { user, account, dedupeId: `password:${actor.userId}:${now.getTime()}` }, tx)], tx)
      return { ended_sessions: ended }
    })
  }

  /** The list of accounts goes to the address, never to the caller. */
  const findAccounts = (who: Identifier & Under, requestId: string) => throttle.floored(async () => {
    const identifier = identifierOf(who)
    const pairs = await people.find(who, who)
    if (!await mayMail(identifier) || pairs.length === 0) return
    const lines = await Promise.all(pairs.map(async ({ account }) => `${account.name}: ${await baseUrl(context, account)}`))
    const dedupeId = `accounts:${requestId}:${platform.ids.token(6)}`
    const { user, account } = pairs[0]!
    await transactions.run(async tx => outbox.add([
      who.email !== undefined
        ? await mailOf(context, 'accounts_found', { user, account, dedupeId, lines }, tx)
        : { topic: 'sms', key: account._id.toHexString(), dedupeId, payload: { account: account._id.toHexString(), to: user.phone!, body: lines.join('\n').slice(0, 1_000) } }
    ], tx))
  })

  return { requestReset, check, reset, change, findAccounts, makeResetToken }
}
