import { Types } from 'mongoose'
import type { SessionRow } from '../../models/auth.js'
import { crossTenant } from '../../models/define.js'
import { CommonError, type Actor } from '../kit.js'
import { AuthError } from './errors.js'
import { heldNames, impersonated, permissionsOf, reduceScope } from './scope.js'
import { mailOf } from './mails.js'
import { hashToken } from './tokens.js'
import type { AccountRow, AuthContext, Client, Session, UserRow } from './types.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
export const LIFE = { plain: { idle: DAY, absolute: 7 * DAY }, remembered: { idle: 30 * DAY, absolute: 90 * DAY }, impersonation: { idle: HOUR,
  absolute: HOUR }, oauth: { idle: 60 * DAY, absolute: 365 * DAY } }
export const FIRST_PARTY = 'first_party'
/** Past this many a whole scope is forgotten at once instead of key by key. */
const MANY = 200

export type OpenSession = {
  user: UserRow
  account: AccountRow
  /** how the person proved it: password, sso, invite, signup, impersonation, … */
  via: string
  remember?: boolean
  client: Client
  requestId: string
  kind?: SessionRow['kind']
  clientId?: string
  /** narrows what the person holds, for apps */
  scope?: string
  mfa?: boolean
  /** a session that this one grew from: it ends no later */
  origin?: Pick<SessionRow, '_id' | 'expires_at' | 'remember' | 'password_at'> | null
  viaAccount?: Types.ObjectId | null
  impersonator?: { id: Types.ObjectId, reason: string }
  /** was the password proved just now? default: kind login */
  proved?: boolean
}
export type EndSessions = { account_id?: Types.ObjectId | string, user_id?: Types.ObjectId | string, session_id?: Types.ObjectId | string,
  except?: Types.ObjectId | string | undefined, reason?: string }

const oid = (id: Types.ObjectId | string) => new Types.ObjectId(id)

export function createSessions (context: AuthContext) {
  const { platform, users, accounts, sessions, refreshTokens, parts, sign } = context
  const { clock, ids, transactions, events, outbox, invalidation, config } = platform

  /** What a session of this person in this account carries, computed anew at every issue. */
  async function rights (user: UserRow, account: AccountRow, session: Pick<SessionRow, 'impersonator_id' | 'kind'>) {
    const home = account._id.equals(user.account_id)
    const staffRoles = home && session.impersonator_id === null && session.kind !== 'oauth' ? user.dashclicks?.roles ?? [] : []
    const isChild = account.parent_account !== null
    const held = heldNames({ role: user.role, scopes: user.scopes, staffRoles }, { isChild, clientDashboard: isChild && await dashboardOn(account._id) })
    return { permissions: permissionsOf(user.role, staffRoles.length > 0), scope: reduceScope(session.impersonator_id === null ? held : impersonated(held)) }
  }
  const dashboardOn = async (accountId: Types.ObjectId) => await parts.clientDashboard?.(accountId.toHexString()) ?? false

  function accessToken (session: SessionRow, extra: { permissions: string[], scope: string }) {
    const now = clock.now().getTime()
    const expiresIn = Math.max(1, Math.min(config.JWT_EXPIRES_IN, Math.floor((session.expires_at.getTime() - now) / 1_000)))
    const token = sign({
      userId: session.user_id.toHexString(),
      accountId: session.account_id.toHexString(),
      permissions: extra.permissions,
      scope: extra.scope,
      sid: session._id.toHexString(),
      typ: 'access',
      ...(config.JWT_ISSUER !== undefined && { iss: config.JWT_ISSUER }),
      ...(config.JWT_AUDIENCE !== undefined && { aud: config.JWT_AUDIENCE }),
      ...(session.client_id !== null && session.client_id !== FIRST_PARTY && { client_id: session.client_id }),
      ...(session.impersonator_id !== null && { act: { sub: session.impersonator_id.toHexString() } }),
      iat: Math.floor(now / 1_000),
      jti: ids.token(12)
    }, expiresIn)
    return { access_token: token, token_type: 'Bearer' as const, expires_in: expiresIn }
  }

  async function insertRefresh (session: SessionRow, { family, generation, scope = null }: { family: string, generation: number,
    scope?: string | null }, tx: Session): Promise<string> {
    const token = `dcr_${ids.token(32)}`
    await refreshTokens.create([{
      _id: ids.objectId(),
      token_hash: hashToken(token),
      family_id: family,
      session_id: session._id,
      client_id: session.client_id ?? FIRST_PARTY,
      user_id: session.user_id,
      account_id: session.account_id,
      scope,
      generation,
      state: 'active',
      used_at: null,
      idle_expires_at: session.idle_expires_at,
      expires_at: session.expires_at,
      created_at: clock.now()
    }], { session: tx })
    return token
  }

  const lifeOf = ({ kind, remember }: Pick<OpenSession, 'kind' | 'remember'>) =>
    kind === 'impersonation' ? LIFE.impersonation : kind === 'oauth' ? LIFE.oauth : remember === true ? LIFE.remembered : LIFE.plain

  async function newRow (open: OpenSession, secret: string): Promise<SessionRow> {
    const { user, account, kind = 'login', client, origin = null, impersonator } = open
    const now = clock.now()
    const remember = origin?.remember ?? open.remember ?? false
    const life = lifeOf({ kind, remember })
    const limit = origin === null ? Infinity : origin.expires_at.getTime()
    const marks = { kind, impersonator_id: impersonator?.id ?? null }
    const { permissions, scope } = await rights(user, account, marks)
    return {
      _id: ids.objectId(),
      secret_hash: hashToken(secret),
      user_id: user._id,
      account_id: account._id,
      via_account: open.viaAccount ?? null,
      ...marks,
      client_id: open.clientId ?? FIRST_PARTY,
      reason: impersonator?.reason ?? null,
      permissions,
      scope: open.scope ?? scope,
      remember,
      device: { name: client.device?.name ?? null, platform: client.device?.platform ?? null, user_agent: client.userAgent?.slice(0, 300) ?? null },
      ip: client.ip,
      mfa: open.mfa ?? false,
      password_at: (open.proved ?? kind === 'login') ? now : null,
      origin_id: impersonator === undefined ? null : origin?._id ?? null,
      last_seen_at: now,
      idle_expires_at: new Date(Math.min(limit, now.getTime() + life.idle)),
      expires_at: new Date(Math.min(limit, now.getTime() + life.absolute)),
      ended_at: null,
      end_reason: null,
      created_at: now
    }
  }

  /** A sign-in from a device and an address that this person never used, when there were others before. */
  async function isUnusual (row: SessionRow, tx: Session): Promise<boolean> {
    const before = await sessions.find({ user_id: row.user_id, _id: { $ne: row._id } }, { ip: 1, device: 1 },
      { session: tx }).sort({ _id: -1 }).limit(50).lean()
    return before.length > 0 && !before.some(({ ip, device }) => ip === row.ip || device.user_agent === row.device.user_agent)
  }

  async function write (row: SessionRow, { user, account, via, requestId }: OpenSession, tx: Session): Promise<void> {
    await sessions.create([row], { session: tx })
    const actor = actorOf(user, account, requestId, row)
    if (row.kind === 'impersonation') return
    await users.updateOne({ account_id: user.account_id, _id: user._id }, { $set: { last_login_at: row.created_at } }, { session: tx })
    if (row.kind === 'login') {
      await events.emit({ type: 'auth.login', actor, resource: { type: 'session', id: row._id.toHexString() }, data: { user_id: actor.userId, session_id: row._id.toHexString(), via } }, tx)
      if (await isUnusual(row, tx)) await outbox.add([await mailOf(context, 'new_sign_in', { user, account, dedupeId: `sign-in:${row._id.toHexString()}`, address: row.ip ?? '' }, tx)], tx)
    }
  }

  /**
   * Opens a session and answers what its holder needs. Inside a transaction of the caller the session commits with it.
   * Impersonations get no refresh token.
   */
  async function openSession (open: OpenSession, tx?: Session) {
    const secret = `dcs_${ids.token(32)}`
    const row = await newRow(open, secret)
    const work = async (session: Session) => {
      await write(row, open, session)
      return row.kind === 'impersonation' ? undefined : insertRefresh(row, { family: row._id.toHexString(), generation: 0, scope: open.scope ?? null }, session)
    }
    const refresh = tx === undefined ? await transactions.run(work) : await work(tx)
    return answer(row, open, secret, refresh)
  }

  const answer = (row: SessionRow, { user, account }: Pick<OpenSession, 'user' | 'account'>, secret: string, refresh: string | undefined) => ({
    session_id: secret,
    session_expires_at: row.expires_at,
    ...accessToken(row, row),
    ...(refresh !== undefined && { refresh_token: refresh }),
    user,
    account,
    permissions: row.permissions,
    scope: row.scope,
    ...(row.impersonator_id !== null && { impersonation: { by: row.impersonator_id, reason: row.reason ?? '', expires_at: row.expires_at } })
  })

  /** Ends live sessions with their refresh tokens, everywhere within seconds. @returns how many */
  async function endSessions ({ account_id: accountId, user_id: userId, session_id: sessionId, except, reason = 'revoked' }: EndSessions, tx: Session): Promise<number> {
    if (accountId === undefined && userId === undefined && sessionId === undefined) throw new Error('endSessions needs an account, a user or a session')
    const live = await sessions.find({
      ended_at: null,
      ...(userId !== undefined && { user_id: oid(userId) }),
      ...(accountId !== undefined && { $or: [{ account_id: oid(accountId) }, { via_account: oid(accountId) }] }),
      ...(sessionId !== undefined ? { _id: oid(sessionId) } : except !== undefined && { _id: { $ne: oid(except) } })
    } as never, { user_id: 1, account_id: 1 }, { session: tx }).lean()
    if (live.length === 0) return 0
    const which = { $in: live.map(row => row._id) }
    await sessions.updateMany({ _id: which, ended_at: null }, { $set: { ended_at: clock.now(), end_reason: reason } }, { session: tx })
    await refreshTokens.updateMany({ session_id: which, state: { $ne: 'revoked' } } as never, { $set: { state: 'revoked' } }, { session: tx })
    const keys = live.length > MANY ? ['*'] : live.map(row => row._id.toHexString())
    for (const key of keys) await invalidation.invalidate('access.sessions', key, tx)
    await events.emitMany(live.map(row => ({
      type: 'session.revoked',
      actor: 'system' as const,
      accountId: row.account_id.toHexString(),
      resource: { type: 'session', id: row._id.toHexString() },
      data: { user_id: row.user_id.toHexString(), reason }
    })), tx)
    await outbox.add(live.map(row => ({
      topic: 'socket',
      key: row.account_id.toHexString(),
      dedupeId: `session_revoked:${row._id.toHexString()}`,
      expiresAt: new Date(clock.now().getTime() + HOUR),
      payload: { event: 'session_revoked', data: { session_id: row._id.toHexString(), reason }, accountId: row.account_id.toHexString(), userIds: [row.user_id.toHexString()] }
    })), tx)
    return live.length
  }

  /** @throws what the door would answer: the person or the place is not usable any more */
  async function holders (row: Pick<SessionRow, 'user_id' | 'account_id' | 'via_account'>, tx?: Session): Promise<{ user: UserRow, account: AccountRow }> {
    const user = await users.findOne({ _id: row.user_id }, null, { ...crossTenant('a session names its user'), session: tx }).lean() as UserRow | null
    const account = await accountById(row.account_id, tx)
    if (user === null || account === null) throw AuthError.INVALID_SESSION()
    if (user.status !== 'active') throw AuthError.USER_INACTIVE()
    await demandUsable(account, row.via_account !== null)
    return { user, account }
  }

  const accountById = async (id: Types.ObjectId | string, tx?: Session) => await accounts.findById(id, null,
    { session: tx }).lean() as unknown as AccountRow | null

  /** @throws UNAUTHORIZED_ACCOUNT, ACCOUNT_ARCHIVED, ACCOUNT_SUSPENDED, ACCOUNT_PENDING, ACCOUNT_ORPHANED */
  async function demandUsable (account: AccountRow, pendingToo = false): Promise<void> {
    if (account.banned) throw AuthError.UNAUTHORIZED_ACCOUNT()
    if (account.status === 'archived') throw AuthError.ACCOUNT_ARCHIVED()
    if (account.status === 'suspended') throw AuthError.ACCOUNT_SUSPENDED()
    if (account.status === 'pending' && !pendingToo) throw AuthError.ACCOUNT_PENDING()
    if (account.parent_account === null) return
    const parent = await accountById(account.parent_account)
    if (parent === null || parent.banned || parent.status !== 'active') throw AuthError.ACCOUNT_ORPHANED()
  }

  const extended = (row: SessionRow, now: Date) => new Date(Math.min(row.expires_at.getTime(), now.getTime() + lifeOf(row).idle))

  /** A browser's session id for a bearer. @throws INVALID_SESSION, SESSION_EXPIRED */
  async function exchange (secret: string | undefined) {
    const row = secret === undefined ? null : await sessions.findOne({ secret_hash: hashToken(secret) }).lean() as SessionRow | null
    if (row === null || row.ended_at !== null) throw AuthError.INVALID_SESSION()
    const now = clock.now()
    if (row.expires_at <= now || row.idle_expires_at <= now) throw AuthError.SESSION_EXPIRED()
    await take('auth-refresh', row._id.toHexString())
    const { user, account } = await holders(row)
    const fresh = await rights(user, account, row)
    if (now.getTime() - row.last_seen_at.getTime() >= MINUTE && row.kind !== 'impersonation') {
      await sessions.updateOne({ _id: row._id, ended_at: null }, { $set: { last_seen_at: now, idle_expires_at: extended(row, now),
        permissions: fresh.permissions, scope: fresh.scope } })
    }
    const { access_token: token, expires_in: expiresIn } = accessToken(row, fresh)
    return { access_token: token, expires_in: expiresIn }
  }

  async function take (name: 'auth-refresh' | 'auth-login-hour', key: string): Promise<void> {
    const verdict = await platform.limiter.take(name, key)
    if (!verdict.allowed) throw CommonError.RATE_LIMITED().with({ headers: { 'retry-after': String(verdict.reset) } })
  }

  async function list (actor: Actor) {
    const now = clock.now()
    const rows = await sessions.find({ user_id: oid(actor.userId), ended_at: null, expires_at: { $gt: now },
      idle_expires_at: { $gt: now } }).sort({ _id: -1 }).limit(200).lean() as SessionRow[]
    return rows.map(row => ({
      id: row._id, kind: row.kind, device: row.device, address: maskAddress(row.ip), created_at: row.created_at, last_seen_at: row.last_seen_at,
        current: row._id.toHexString() === actor.sessionId
    }))
  }

  /** @throws SESSION_NOT_FOUND for another person's and for one that is gone */
  async function endOne (actor: Actor, id: string): Promise<void> {
    await transactions.run(async tx => {
      if (await endSessions({ user_id: actor.userId, session_id: id, reason: 'ended by the user' }, tx) === 0) throw AuthError.SESSION_NOT_FOUND()
    })
  }

  const endOthers = (actor: Actor) => transactions.run(tx => endSessions({ user_id: actor.userId, except: actor.sessionId, reason: 'ended by the user' }, tx))

  /** Ends the caller's session; the bearer is refused everywhere within seconds. True when it was alive. */
  async function logout (actor: Actor): Promise<boolean> {
    const { sessionId } = actor
    if (sessionId === undefined) return false
    return transactions.run(async tx => {
      if (await endSessions({ session_id: sessionId, reason: 'logout' }, tx) === 0) return false
      await events.emit({ type: 'auth.logout', actor, resource: { type: 'session', id: sessionId }, data: { user_id: actor.userId, session_id: sessionId } }, tx)
      return true
    })
  }

  const current = async (actor: Actor) => actor.sessionId === undefined ? null : await sessions.findById(actor.sessionId).lean() as SessionRow | null

  return { openSession, endSessions, exchange, list, endOne, endOthers, logout, holders, accountById, demandUsable, rights, accessToken,
    insertRefresh, extended, dashboardOn, current, take }
}
export type Sessions = ReturnType<typeof createSessions>
export type SessionAnswerRow = Awaited<ReturnType<Sessions['openSession']>>

export const actorOf = (user: Pick<UserRow, '_id'>, account: Pick<AccountRow, '_id' | 'parent_account'>, requestId: string, row?: Pick<SessionRow, 'impersonator_id'>) => ({
  type: 'user' as const,
  userId: user._id.toHexString(),
  accountId: account._id.toHexString(),
  parentAccount: account.parent_account?.toHexString() ?? null,
  requestId,
  impersonatorId: row?.impersonator_id?.toHexString()
})

/** Enough to recognise a place, not enough to find it. */
export const maskAddress = (ip: string | null): string | null =>
  ip === null ? null : ip.includes(':') ? `${ip.split(':').slice(0, 2).join(':')}:…` : ip.replace(/\.\d+\.\d+$/, '.…')
