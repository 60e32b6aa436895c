import type { Cache } from '../cache.js'
import { AuthError } from './errors.js'
import type { AccessClaims, KindTokens } from './tokens.js'
import type { Actor } from '../kit.js'
import { CLIENT_DASHBOARD, ROLE_SCOPES, foldScope, heldOpens, isMainOnly, staffScopes } from '../../schemas/scopes.js'

/** What the door must know of a user, an account and a session; read once and kept for seconds (3 s at most). */
export type UserState = {
  id: string,
  accountId: string,
  role: keyof typeof ROLE_SCOPES,
  isOwner: boolean,
  status: string,
  scopes: string[] | null,
  staffRoles: string[],
  tokensValidFrom: number,
  totp: boolean
}
export type AccountState = { id: string, parent: string | null, status: string, banned: boolean, clientDashboard: boolean, requireMfa: boolean | null }
export type SessionState = { endedAt: number | null, idleExpiresAt: number, expiresAt: number, viaAccount: string | null,
  impersonatorId: string | null, provedAt: number | null }

export type AccessCaches = { users: Cache<UserState | null>, accounts: Cache<AccountState | null>, sessions: Cache<SessionState | null> }

type Known = { user: UserState, account: AccountState | null, parent: AccountState | null, session: SessionState | null }
const isPromise = <T>(value: T | Promise<T>): value is Promise<T> => value instanceof Promise

/**
 * Judges a verified token against the present state of user, account and session (modules/auth.md 5.1).
 * Answers at once when all is in memory, which is the usual case; otherwise a promise.
 */
export function createAccess ({ users, accounts, sessions }: AccessCaches, tokens: Pick<KindTokens, 'readToken'>) {
  function resolve (claims: AccessClaims, requestId: string, now: number): Actor | Promise<Actor> {
    const user = users.get(claims.userId)
    const account = claims.accountId === undefined ? null : accounts.get(claims.accountId)
    const session = claims.sid === undefined ? null : sessions.get(claims.sid)
    if (isPromise(user) || isPromise(account) || isPromise(session)) return slow(claims, requestId, now)
    const parent = account === null || account.parent === null ? null : accounts.get(account.parent)
    if (isPromise(parent)) return slow(claims, requestId, now)
    return judge(claims, { user: known(user), account, parent, session }, requestId, now)
  }

  async function slow (claims: AccessClaims, requestId: string, now: number): Promise<Actor> {
    const [user, account, session] = await Promise.all([
      users.get(claims.userId),
      claims.accountId === undefined ? null : accounts.get(claims.accountId),
      claims.sid === undefined ? null : sessions.get(claims.sid)
    ])
    const parent = account === null || account.parent === null ? null : await accounts.get(account.parent)
    return judge(claims, { user: known(user), account, parent, session }, requestId, now)
  }

  /** @throws IMPERSONATION_FORBIDDEN, STEP_UP_REQUIRED: the password was neither proved in the last ten minutes nor by the X-Step-Up token */
  function demandStepUp (actor: Actor, token: string | string[] | undefined, now: number): void {
    if (actor.impersonatorId !== undefined) throw AuthError.IMPERSONATION_FORBIDDEN()
    if (actor.key !== undefined || (actor.provedAt !== undefined && actor.provedAt + STEP_UP_MS > now)) return
    if (typeof token !== 'string' || tokens.readToken('step_up', token)?.userId !== actor.userId) throw AuthError.STEP_UP_REQUIRED()
  }

  return { resolve, demandStepUp }
}
const STEP_UP_MS = 600_000
export type Access = ReturnType<typeof createAccess>

function known (user: UserState | null): UserState {
  if (user === null) throw AuthError.TOKEN_INVALID().because('unknown user')
  return user
}

function judge (claims: AccessClaims, state: Known, requestId: string, now: number): Actor {
  const { user, account, session } = state
  judgeSession(claims, session, user, now)
  if (user.status !== 'active') throw AuthError.USER_INACTIVE()
  if (claims.accountId !== undefined) judgeAccount(state)
  const effective = effectiveScopes(claims, user, account)
  const permissions = new Set(claims.permissions)
  return {
    type: claims.act !== undefined || user.staffRoles.length === 0 || !permissions.has('super_admin') ? 'user' : 'staff',
    userId: user.id,
    accountId: claims.accountId ?? '',
    parentAccount: account?.parent ?? null,
    role: user.role,
    isOwner: user.isOwner,
    permissions,
    can: effective,
    sessionId: claims.sid,
    impersonatorId: claims.act?.sub ?? session?.impersonatorId ?? undefined,
    provedAt: session?.provedAt ?? undefined,
    mfaMissing: !user.totp && (account?.requireMfa ?? state.parent?.requireMfa) === true,
    requestId
  }
}

function judgeSession (claims: AccessClaims, session: SessionState | null, user: UserState, now: number): void {
  if (claims.sid !== undefined) {
    if (session === null || session.endedAt !== null) throw AuthError.SESSION_REVOKED()
    if (session.expiresAt <= now || session.idleExpiresAt <= now) throw AuthError.SESSION_EXPIRED()
  }
  if (claims.iat !== undefined && claims.iat * 1_000 < user.tokensValidFrom - 999) throw AuthError.SESSION_REVOKED()
}

function judgeAccount ({ user, account, parent, session }: Known): void {
  if (account === null) throw AuthError.TOKEN_INVALID().because('unknown account')
  const belongs = user.accountId === account.id || (account.parent !== null && user.accountId === account.parent)
  if (!belongs) throw AuthError.TOKEN_INVALID().because('user neither of the account nor of its parent')
  if (account.banned) throw AuthError.UNAUTHORIZED_ACCOUNT()
  if (account.status === 'archived') throw AuthError.ACCOUNT_ARCHIVED()
  if (account.status === 'suspended') throw AuthError.ACCOUNT_SUSPENDED()
  if (account.status === 'pending' && (session === null || session.viaAccount === null)) throw AuthError.ACCOUNT_PENDING()
  if (account.parent !== null && (parent === null || parent.banned || parent.status !== 'active')) throw AuthError.ACCOUNT_ORPHANED()
}

/** effective = claim ∩ person ∩ account ceiling (modules/_scopes.md 2); a token that says `admin` without a session counts as an admin's. */
function effectiveScopes (claims: AccessClaims, user: UserState, account: AccountState | null): Actor['can'] {
  const claim = claims.scope === undefined ? null : new Set(claims.scope.split(' ').filter(name => name !== '').map(foldScope))
  const role = claims.sid === undefined && user.role === 'user' && claims.permissions.includes('admin') ? 'admin' : user.role
  const person = personScopes(user, role)
  const staff = claims.permissions.includes('super_admin') ? staffScopes(user.staffRoles) : null
  const isChild = account !== null && account.parent !== null
  return (needed, method) => {
    if (claim !== null && !heldOpens(claim, needed, method)) return false
    if (staff !== null && heldOpens(staff, needed, method)) return true
    if (isChild && isMainOnly(needed)) return false
    if (DASHBOARD.has(needed)) {
      if (isChild) return account.clientDashboard
      if (needed === 'projects.client') return false
    }
    return heldOpens(person, needed, method)
  }
}

const DASHBOARD: ReadonlySet<string> = new Set(CLIENT_DASHBOARD)

function personScopes (user: UserState, role: keyof typeof ROLE_SCOPES): ReadonlySet<string> {
  if (user.scopes === null) return ROLE_SCOPES[role]
  const own = new Set(user.scopes.map(foldScope))
  if (role !== 'client') return own
  return new Set([...ROLE_SCOPES.client].filter(name => heldOpens(own, name)))
}
