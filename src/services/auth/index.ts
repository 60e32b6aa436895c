import { Types } from 'mongoose'
import type { AccountModel } from '../../models/accounts.js'
import type { SessionModel } from '../../models/auth.js'
import type { UserModel } from '../../models/users.js'
import { crossTenant } from '../../models/define.js'
import type { Actor } from '../kit.js'
import type { Platform } from '../platform.js'
import { AuthError } from './errors.js'
import { createPasswords } from './passwords.js'
import { hashToken } from './tokens.js'
import { createAccess } from './access.js'
import { createAccessCaches } from './caches.js'

type Deps = {
  platform: Platform
  users: UserModel
  accounts: AccountModel
  sessions: SessionModel
  sign (claims: object, expiresIn: number): string
}
type Credentials = { email: string, password: string, account_id?: string, remember?: boolean }
type Client = { ip: string, userAgent: string | undefined }

const HOUR = 3_600_000
const DAY = 24 * HOUR
const LIFE = { plain: { idle: DAY, absolute: 7 * DAY }, remembered: { idle: 30 * DAY, absolute: 90 * DAY } }
/** One mail address may be a user of several accounts; more candidates than this are not tried. */
const MAX_CANDIDATES = 5

export const emailKey = (email: string): string => email.trim().toLowerCase()

/** Rights that a session of this role opens doors with (modules/_scopes.md 2). */
export const permissionsOf = (role: string, staff: boolean): string[] => [
  'read', 'write', ...(role === 'owner' || role === 'admin' ? ['admin'] : []), ...(staff ? ['super_admin'] : [])
]

export function createAuthService ({ platform, users, accounts, sessions, sign }: Deps) {
  const { clock, ids, transactions, events, invalidation, config } = platform
  const passwords = createPasswords()
  const caches = createAccessCaches(platform, { users, accounts, sessions })

  /** @throws INVALID_CREDENTIALS with the same text and cost for an unknown address and a wrong password */
  async function login ({ email, password, account_id: accountId, remember = false }: Credentials, client: Client, requestId: string) {
    const candidates = await users.find(
      { email_key: emailKey(email), status: 'active', ...(accountId !== undefined && { account_id: new Types.ObjectId(accountId) }) }, null, crossTenant('login finds a person by mail address')
    ).limit(MAX_CANDIDATES).lean()
    const user = await firstThatFits(candidates, password)
    if (user === null) throw AuthError.INVALID_CREDENTIALS()
    const account = await accounts.findById(user.account_id).lean()
    if (account === null || account.banned) throw AuthError.UNAUTHORIZED_ACCOUNT()
    if (account.status === 'archived') throw AuthError.ACCOUNT_ARCHIVED()
    if (account.status === 'suspended') throw AuthError.ACCOUNT_SUSPENDED()
    return open(user, account, remember, client, requestId)
  }

  async function firstThatFits<U extends { password_hash: string | null }> (candidates: U[], password: string): Promise<U | null> {
    if (candidates.length === 0) await passwords.verify(null, password)
    for (const candidate of candidates) if (await passwords.verify(candidate.password_hash, password)) return candidate
    return null
  }

  type UserRow = NonNullable<Awaited<ReturnType<typeof oneUser>>>
  type AccountRow = NonNullable<Awaited<ReturnType<typeof oneAccount>>>
  const oneUser = () => users.findOne({}).lean()
  const oneAccount = () => accounts.findOne({}).lean()

  async function open (user: UserRow, account: AccountRow, remember: boolean, client: Client, requestId: string) {
    const now = clock.now()
    const life = remember ? LIFE.remembered : LIFE.plain
    const secret = `dcs_${ids.token(32)}`
    const permissions = permissionsOf(user.role, (user.dashclicks?.roles.length ?? 0) > 0)
    const scope = user.scopes?.join(' ') ?? ''
    const session = {
      _id: ids.objectId(), secret_hash: hashToken(secret), user_id: user._id, account_id: account._id, via_account: null, kind: 'login' as const, impersonator_id: null,
      permissions, scope, remember, device: { name: null, platform: null, user_agent: client.userAgent?.slice(0, 300) ?? null }, ip: client.ip,
      last_seen_at: now, idle_expires_at: new Date(now.getTime() + life.idle), expires_at: new Date(now.getTime() + life.absolute), ended_at: null, end_reason: null, created_at: now
    }
    await transactions.run(async tx => {
      await sessions.create([session], { session: tx })
      await users.updateOne({ account_id: user.account_id, _id: user._id }, { $set: { last_login_at: now } }, { session: tx })
      await events.emit({
        type: 'auth.login', actor: { type: 'user', userId: user._id.toHexString(), accountId: account._id.toHexString(), parentAccount: account.parent_account?.toHexString() ?? null, requestId },
        resource: { type: 'session', id: session._id.toHexString() }, data: { user_id: user._id.toHexString(), session_id: session._id.toHexString(), via: 'password' }
      }, tx)
    })
    const claims = {
      userId: user._id.toHexString(), accountId: account._id.toHexString(), permissions, ...(scope !== '' && { scope }), sid: session._id.toHexString(), typ: 'access'
    }
    return {
      session_id: secret, session_expires_at: session.expires_at, access_token: sign(claims, config.JWT_EXPIRES_IN), token_type: 'Bearer' as const,
      expires_in: config.JWT_EXPIRES_IN, user, account, permissions, scope
    }
  }

  /** Ends the caller's session; the bearer is refused everywhere within seconds. True when it was alive. */
  async function logout (actor: Actor): Promise<boolean> {
    if (actor.sessionId === undefined) return false
    return transactions.run(async tx => {
      const { modifiedCount } = await sessions.updateOne({ _id: actor.sessionId, ended_at: null }, { $set: { ended_at: clock.now(), end_reason: 'logout' } }, { session: tx })
      await invalidation.invalidate('access.sessions', actor.sessionId!, tx)
      if (modifiedCount === 1) {
        await events.emit({ type: 'auth.logout', actor, resource: { type: 'session', id: actor.sessionId! }, data: { user_id: actor.userId, session_id: actor.sessionId } }, tx)
      }
      return modifiedCount === 1
    })
  }

  return { login, logout, access: createAccess(caches), hashPassword: passwords.hash }
}
export type AuthService = ReturnType<typeof createAuthService>
