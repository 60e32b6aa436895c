import { Types, type ClientSession } from 'mongoose'
import type { AccountModel } from '../../models/accounts.js'
import type { GrantModel, GrantRow, RefreshTokenModel, RefreshTokenRow, SessionModel } from '../../models/auth.js'
import type { AppRow } from '../../models/oauth.js'
import type { TokenBody } from '../../schemas/oauth-protocol.js'
import { isMainOnly } from '../../schemas/scopes.js'
import type { Access } from '../auth/access.js'
import { hashToken, type AccessClaims } from '../auth/tokens.js'
import type { Actor } from '../kit.js'
import type { Platform } from '../platform.js'
import type { AccessEnd } from './access-end.js'
import type { Clients, Credentials } from './clients.js'
import type { ConnectionsService } from './connections.js'
import { OauthError } from './errors.js'
import type { KeyDoor } from './key-door.js'
import { subAccountsWithin, type Notice } from './keys.js'
import { verifierFits } from './pkce.js'
import { holds, keyScopesOf, mayHold, parseScope, reduce, within, writes } from './scopes.js'

export type TokenAnswer = { access_token: string, token_type: 'Bearer', expires_in: number, refresh_token?: string, scope: string, issued_token_type?: string }
export type Caller = { ip: string, userAgent: string | undefined, requestId: string }
/** What the code of an authorization carries. */
export type CodeData = { client_id: string, redirect_uri: string, code_challenge: string, scope: string[], via_account: string | null, session_id?: string }

type Deps = {
  platform: Platform,
  accounts: AccountModel,
  sessions: SessionModel,
  refreshTokens: RefreshTokenModel,
  grants: GrantModel,
  access: Access,
  clients: Clients
  connections: ConnectionsService,
  keyDoor: KeyDoor,
  endAccess: AccessEnd,
  notice: Notice
  sign (claims: object, expiresIn: number): string
  verify (token: string): AccessClaims
  /** rotates a browser session's own token for the gateway, a first-party client */
  refreshSession (token: string, caller: Caller): Promise<TokenAnswer>
}

const SECOND = 1_000
const DAY = 86_400 * SECOND
const IDLE = 60 * DAY
const ABSOLUTE = 365 * DAY
/** Two tabs, or an answer that got lost: within it a used token gives a further one. */
const LEEWAY = 30 * SECOND
const EXCHANGED = 3_600 * SECOND
const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token'
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

type Holder = { userId: Types.ObjectId, accountId: Types.ObjectId, sessionId: Types.ObjectId, clientId: string | null }

export function createTokensService (deps: Deps) {
  const { platform, accounts, sessions, refreshTokens, grants, access, clients, connections, keyDoor, endAccess, notice } = deps
  const { clock, ids, config, transactions, events } = platform

  async function token (body: TokenBody, credentials: Credentials, caller: Caller): Promise<TokenAnswer> {
    switch (body.grant_type) {
      case undefined: case '': throw OauthError.INVALID_REQUEST('grant_type is missing')
      case 'authorization_code': return exchangeCode(await clients.authenticate(credentials), body, caller)
      case 'refresh_token': return refresh(await clients.authenticate(credentials), body, caller)
      case TOKEN_EXCHANGE: {
        if (credentials.client_id !== undefined) await clients.authenticate(credentials)
        return exchangeToken(body, caller)
      }
      default: throw OauthError.UNSUPPORTED_GRANT_TYPE()
    }
  }

  // ---------------------------------------------------------------- authorization code

  async function exchangeCode (app: AppRow, { code, redirect_uri: redirectUri, code_verifier: verifier }: TokenBody, caller: Caller): Promise<TokenAnswer> {
    if (code === undefined || redirectUri === undefined || verifier === undefined) throw OauthError.INVALID_REQUEST('code, redirect_uri and code_verifier are needed')
    const grant = await grants.findOne({ hash: hashToken(code), kind: 'authorization_code' }).lean() as GrantRow | null
    if (grant === null) throw OauthError.INVALID_GRANT()
    const data = grant.data as CodeData
    if (grant.used_at !== null) await endReused(grant, caller)
    if (grant.used_at !== null || grant.expires_at <= clock.now() || data.client_id !== app._id || data.redirect_uri !== redirectUri || !verifierFits(verifier, data.code_challenge)) {
      throw OauthError.INVALID_GRANT()
    }
    const holder = { userId: grant.user_id!, accountId: grant.account_id!, sessionId: ids.objectId(), clientId: app._id }
    const refreshToken = await transactions.run(async tx => {
      const { modifiedCount } = await grants.updateOne({ _id: grant._id, used_at: null }, { $set: { used_at: clock.now(), 'data.session_id': holder.sessionId.toHexString() } }, { session: tx })
      if (modifiedCount !== 1) throw OauthError.INVALID_GRANT()
      await openSession(holder, data, app.name, caller, tx)
      await connections.give({ ...holder, app, scopes: data.scope }, caller.requestId, tx)
      return addRefresh(holder, data.scope, ids.uuid(), 0, new Date(clock.now().getTime() + ABSOLUTE), tx)
    })
    return { ...await answer(holder, data.scope, caller.requestId), refresh_token: refreshToken }
  }

  /** Somebody else has the code too: whoever came first loses what was issued for it. */
  async function endReused (grant: GrantRow, { requestId }: Caller): Promise<void> {
    const { session_id: sessionId, client_id: clientId, scope } = grant.data as CodeData
    if (sessionId === undefined) return
    const [userId, accountId] = [grant.user_id!.toHexString(), grant.account_id!.toHexString()]
    await transactions.run(async tx => {
      await endAccess({ _id: new Types.ObjectId(sessionId) }, 'code_reused', tx)
      await events.emit({
        type: 'oauth.code_reused',
        actor: { type: 'app', userId, accountId, parentAccount: null, requestId },
        resource: { type: 'oauth_app', id: clientId },
        data: { client_id: clientId, user_id: userId, scopes: scope }
      }, tx)
    })
  }

  type Carried = Pick<CodeData, 'scope' | 'via_account'>
  async function openSession (
    { userId, accountId, sessionId, clientId }: Holder, { scope, via_account: via }: Carried, name: string, caller: Caller, tx: ClientSession,
    life = { idle: IDLE, absolute: ABSOLUTE }
  ): Promise<void> {
    const now = clock.now()
    await sessions.create([{
      _id: sessionId,
      secret_hash: hashToken(ids.token(32)),
      user_id: userId,
      account_id: accountId,
      via_account: via === null ? null : new Types.ObjectId(via),
      kind: 'oauth' as const,
      client_id: clientId,
      impersonator_id: null,
      reason: null,
      permissions: permissionsOf(scope),
      scope: scope.join(' '),
      remember: false,
      device: { name: name.slice(0, 100), platform: null, user_agent: caller.userAgent?.slice(0, 300) ?? null },
      ip: caller.ip,
      mfa: false,
      password_at: null,
      origin_id: null,
      last_seen_at: now,
      idle_expires_at: new Date(now.getTime() + life.idle),
      expires_at: new Date(now.getTime() + life.absolute),
      ended_at: null,
      end_reason: null,
      created_at: now
    }], { session: tx })
  }

  async function addRefresh (holder: Holder, scope: string[], family: string, generation: number, expires: Date, tx: ClientSession): Promise<string> {
    const secret = `dcr_${ids.token(32)}`
    const now = clock.now()
    await refreshTokens.create([{
      _id: ids.objectId(),
      token_hash: hashToken(secret),
      family_id: family,
      session_id: holder.sessionId,
      client_id: holder.clientId!,
      user_id: holder.userId,
      account_id: holder.accountId,
      scope: scope.join(' '),
      generation,
      state: 'active' as const,
      used_at: null,
      idle_expires_at: new Date(Math.min(now.getTime() + IDLE, expires.getTime())),
      expires_at: expires,
      created_at: now
    }], { session: tx })
    return secret
  }

  const permissionsOf = (scope: string[]): string[] => ['read', ...(writes(scope) ? ['write'] : [])]

  /** Present rights of the person behind, as an app may use them. @throws INVALID_GRANT when the person or account may not come in at all */
  async function person (userId: string, accountId: string, requestId: string): Promise<Actor> {
    try {
      return await access.resolve({ userId, accountId, permissions: ['read', 'write'], exp: 0 }, requestId, clock.now().getTime())
    } catch (error) {
      throw OauthError.INVALID_GRANT().because(error)
    }
  }

  async function answer ({ userId, accountId, sessionId, clientId }: Holder, granted: string[], requestId: string, maxMs = Infinity): Promise<TokenAnswer> {
    const { can } = await person(userId.toHexString(), accountId.toHexString(), requestId)
    const scope = reduce(granted.filter(name => holds(can, name)))
    const life = Math.min(config.JWT_EXPIRES_IN, Math.floor(maxMs / SECOND))
    const claims = {
      userId: userId.toHexString(),
      accountId: accountId.toHexString(),
      permissions: permissionsOf(scope),
      scope: scope.join(' '),
      sid: sessionId.toHexString(),
      typ: 'access',
      jti: ids.uuid(),
      ...(clientId !== null && { client_id: clientId }),
      ...(config.JWT_ISSUER !== undefined && { iss: config.JWT_ISSUER }),
      ...(config.JWT_AUDIENCE !== undefined && { aud: config.JWT_AUDIENCE })
    }
    return { access_token: deps.sign(claims, life), token_type: 'Bearer', expires_in: life, scope: scope.join(' ') }
  }

  // ---------------------------------------------------------------- refresh

  async function refresh (app: AppRow, { refresh_token: secret, scope: asked }: TokenBody, caller: Caller): Promise<TokenAnswer> {
    if (secret === undefined) throw OauthError.INVALID_REQUEST('refresh_token is missing')
    const row = await refreshTokens.findOne({ token_hash: hashToken(secret) }).lean() as RefreshTokenRow | null
    if (row === null) throw OauthError.INVALID_GRANT()
    if (row.client_id !== app._id) {
      if (app.first_party && row.client_id === 'first_party') return deps.refreshSession(secret, caller)
      throw OauthError.INVALID_GRANT()
    }
    const granted = (row.scope ?? '').split(' ').filter(name => name !== '')
    const wanted = asked === undefined || asked === '' ? granted : parseScope(asked)
    if (wanted === null || !within(wanted, granted)) throw OauthError.INVALID_SCOPE()
    const holder = { userId: row.user_id, accountId: row.account_id, sessionId: row.session_id, clientId: app._id }
    const next = await rotate(row, holder, granted)
    if (next === null) {
      await endFamily(row, caller)
      throw OauthError.INVALID_GRANT()
    }
    return { ...await answer(holder, wanted, caller.requestId), refresh_token: next }
  }

  /** Null when the token was used long ago: somebody else has it too. @throws INVALID_GRANT for an ended one */
  const rotate = (row: RefreshTokenRow, holder: Holder, scope: string[]): Promise<string | null> => transactions.run(async tx => {
    const now = clock.now()
    const session = await sessions.findOne({ _id: row.session_id, ended_at: null }, { _id: 1 }, { session: tx }).lean()
    if (row.state === 'revoked' || session === null || row.idle_expires_at <= now || row.expires_at <= now) throw OauthError.INVALID_GRANT()
    const { modifiedCount } = await refreshTokens.updateOne({ _id: row._id, state: 'active' }, { $set: { state: 'used', used_at: now } }, { session: tx })
    if (modifiedCount === 0) {
      const present = await refreshTokens.findOne({ _id: row._id }, { state: 1, used_at: 1 }, { session: tx }).lean()
      if (present === null || present.state !== 'used' || present.used_at === null || now.getTime() - present.used_at.getTime() >= LEEWAY) return null
    }
    await sessions.updateOne({ _id: row.session_id }, { $set: { last_seen_at: now, idle_expires_at: new Date(Math.min(now.getTime() + IDLE, row.expires_at.getTime())) } }, { session: tx })
    await connections.touch(row.account_id, row.user_id, row.client_id!, tx)
    return addRefresh(holder, scope, row.family_id, row.generation + 1, row.expires_at, tx)
  })

  async function endFamily (row: RefreshTokenRow, { requestId }: Caller): Promise<void> {
    const [userId, accountId] = [row.user_id.toHexString(), row.account_id.toHexString()]
    await transactions.run(async tx => {
      await refreshTokens.updateMany({ family_id: row.family_id }, { $set: { state: 'revoked' } }, { session: tx })
      if (await endAccess({ _id: row.session_id }, 'refresh_reused', tx) === 0) return
      await events.emit({
        type: 'auth.refresh_reused',
        actor: { type: 'app', userId, accountId, parentAccount: null, requestId },
        resource: { type: 'session', id: row.session_id.toHexString() },
        data: { user_id: userId, session_id: row.session_id.toHexString(), via: 'oauth' }
      }, tx)
      await notice(row.account_id, {
        subject: 'An app was signed out',
        ref: `refresh_reused:${row.family_id}`,
        text: 'A token of a connected app was used a second time, so its access was ended. Connect the app again if you trust it.'
      }, tx)
    })
  }

  // ---------------------------------------------------------------- into a sub-account

  async function exchangeToken ({ subject_token: subject, account_id: accountId, scope: asked }: TokenBody, caller: Caller): Promise<TokenAnswer> {
    if (subject === undefined || accountId === undefined || !/^[0-9a-f]{24}$/.test(accountId)) throw OauthError.INVALID_REQUEST('subject_token and account_id are needed')
    const { actor, held } = await subjectOf(subject, accountId, caller)
    const child = await accounts.findOne({ _id: accountId, parent_account: new Types.ObjectId(actor.accountId) } as never, { _id: 1 }).lean()
    if (child === null) throw OauthError.ACCESS_DENIED()
    const wanted = asked === undefined || asked === '' ? held : parseScope(asked)
    if (wanted === null || !within(wanted, held)) throw OauthError.INVALID_SCOPE()
    const scope = wanted.filter(name => !isMainOnly(name) && mayHold(name))
    const clientId = actor.key === undefined ? `user:${actor.userId}` : keyClient(actor.key.keyId)
    const holder = { userId: new Types.ObjectId(actor.userId), accountId: child._id, sessionId: ids.objectId(), clientId }
    await transactions.run(tx => openSession(holder, { scope, via_account: actor.accountId }, 'Token exchange', caller, tx, { idle: EXCHANGED, absolute: EXCHANGED }))
    return { ...await answer(holder, scope, caller.requestId, EXCHANGED), issued_token_type: ACCESS_TOKEN_TYPE }
  }

  /** @throws ACCESS_DENIED, alike for a foreign account and a child that the key does not name */
  async function subjectOf (subject: string, accountId: string, caller: Caller): Promise<{ actor: Actor, held: string[] }> {
    const now = clock.now().getTime()
    if (subject.startsWith('dck_')) {
      const actor = await keyDoor.resolve(subject, caller.requestId, now, caller.ip)
      const row = await keyDoor.find(subject)
      if (actor.parentAccount !== null || !subAccountsWithin([accountId], row.sub_accounts)) throw OauthError.ACCESS_DENIED()
      return { actor, held: row.scopes }
    }
    const claims = deps.verify(subject)
    const actor = await access.resolve(claims, caller.requestId, now)
    if (actor.parentAccount !== null || actor.impersonatorId !== undefined || !actor.can('accounts.sso')) throw OauthError.ACCESS_DENIED()
    return { actor, held: claims.scope === undefined || claims.scope === '' ? keyScopesOf(actor.can) : reduce(claims.scope.split(' ')) }
  }

  // ---------------------------------------------------------------- end and look

  /** RFC 7009: what is unknown is as good as revoked. */
  async function revoke (secret: string | undefined, credentials: Credentials): Promise<void> {
    const app = await clients.authenticate(credentials)
    if (secret === undefined) throw OauthError.INVALID_REQUEST('token is missing')
    const sessionId = await sessionOf(secret, app)
    if (sessionId !== null) await transactions.run(tx => endAccess({ _id: sessionId }, 'revoked_by_app', tx))
  }

  async function sessionOf (secret: string, app: AppRow): Promise<Types.ObjectId | null> {
    if (secret.startsWith('dcr_')) {
      const row = await refreshTokens.findOne({ token_hash: hashToken(secret), client_id: app._id }, { session_id: 1 }).lean()
      return row?.session_id ?? null
    }
    const claims = readable(secret)
    return claims?.client_id === app._id && claims.sid !== undefined ? new Types.ObjectId(claims.sid) : null
  }

  function readable (secret: string): AccessClaims | null {
    try {
      return deps.verify(secret)
    } catch {
      return null
    }
  }

  /** RFC 7662, for the app that owns the token; to all others it is not active. */
  async function introspect (secret: string | undefined, credentials: Credentials, requestId: string) {
    const app = await clients.authenticate(credentials)
    if (app.type === 'public') throw OauthError.INVALID_CLIENT().with({ headers: { 'www-authenticate': 'Basic realm="oauth"' } })
    if (secret === undefined) throw OauthError.INVALID_REQUEST('token is missing')
    return await (secret.startsWith('dcr_') ? introspectRefresh(secret, app) : introspectAccess(secret, app, requestId)) ?? { active: false }
  }

  async function introspectAccess (secret: string, app: AppRow, requestId: string) {
    const claims = readable(secret)
    if (claims === null || claims.client_id !== app._id) return null
    try {
      await access.resolve(claims, requestId, clock.now().getTime())
    } catch {
      return null
    }
    return { active: true, scope: claims.scope ?? '', client_id: app._id, token_type: 'Bearer', exp: claims.exp, iat: claims.iat, sub: claims.userId, account_id: claims.accountId }
  }

  async function introspectRefresh (secret: string, app: AppRow) {
    const row = await refreshTokens.findOne({ token_hash: hashToken(secret), client_id: app._id, state: 'active' }).lean()
    if (row === null || row.idle_expires_at <= clock.now()) return null
    return {
      active: true,
      scope: row.scope ?? '',
      client_id: app._id,
      token_type: 'refresh_token',
      exp: Math.floor(row.idle_expires_at.getTime() / SECOND),
      sub: row.user_id.toHexString(),
      account_id: row.account_id.toHexString()
    }
  }

  return { token, revoke, introspect, person }
}
export type TokensService = ReturnType<typeof createTokensService>

/** Under this client stand the tokens that a key was exchanged for. */
export const keyClient = (keyId: string): string => `key:${keyId}`
