import type { RefreshTokenRow, SessionRow } from '../../models/auth.js'
import { crossTenant } from '../../models/define.js'
import { AuthError } from './errors.js'
import { mailOf } from './mails.js'
import { FIRST_PARTY, actorOf, type Sessions } from './sessions.js'
import { hashToken } from './tokens.js'
import type { AuthContext, Session, UserRow } from './types.js'

/** Two tabs, or an answer that was lost: the token before may be shown again this long. */
const LEEWAY_MS = 30_000
type Request = { refresh_token: string, client_id?: string }
type Verdict = { reused: true } | { reused: false, session: SessionRow, token: string }

export function createRefresh (context: AuthContext, sessions: Sessions) {
  const { platform, refreshTokens } = context
  const { clock, transactions, events, outbox } = platform

  /**
   * Rotates. @throws REFRESH_INVALID, REFRESH_REUSED: then the whole family and its session have ended
   */
  async function refresh ({ refresh_token: token, client_id: clientId = FIRST_PARTY }: Request) {
    const hash = hashToken(token)
    const first = await refreshTokens.findOne({ token_hash: hash, client_id: clientId }, { session_id: 1 }).lean()
    if (first === null) throw AuthError.REFRESH_INVALID()
    await sessions.take('auth-refresh', first.session_id.toHexString())
    const verdict = await transactions.run(tx => rotate(hash, tx))
    if (verdict.reused) throw AuthError.REFRESH_REUSED()
    const { user, account } = await sessions.holders(verdict.session)
    const fresh = await sessions.rights(user, account, verdict.session)
    return { ...sessions.accessToken(verdict.session, fresh), refresh_token: verdict.token, scope: fresh.scope, permissions: fresh.permissions }
  }

  async function rotate (hash: string, tx: Session): Promise<Verdict> {
    const now = clock.now()
    const row = await refreshTokens.findOne({ token_hash: hash }, null, { session: tx }).lean() as RefreshTokenRow | null
    const session = row === null ? null : await context.sessions.findById(row.session_id, null, { session: tx }).lean() as SessionRow | null
    if (row === null || session === null) throw AuthError.REFRESH_INVALID()
    if (row.state === 'revoked' || (row.state === 'used' && row.used_at!.getTime() + LEEWAY_MS <= now.getTime())) {
      await endFamily(session, tx)
      return { reused: true }
    }
    if (session.ended_at !== null || session.expires_at <= now || session.idle_expires_at <= now || row.expires_at <= now) throw AuthError.REFRESH_INVALID()
    await sessions.holders(session, tx)
    if (row.state === 'active') await refreshTokens.updateOne({ _id: row._id, state: 'active' }, { $set: { state: 'used', used_at: now } }, { session: tx })
    const extended = { ...session, idle_expires_at: sessions.extended(session, now) }
    await context.sessions.updateOne({ _id: session._id }, { $set: { idle_expires_at: extended.idle_expires_at, last_seen_at: now } }, { session: tx })
    const next = await sessions.insertRefresh(extended, { family: row.family_id, generation: row.generation + 1, scope: row.scope }, tx)
    return { reused: false, session: extended, token: next }
  }

  /** Somebody has a copy: nobody goes on with it. Said once, when the session was still alive. */
  async function endFamily (session: SessionRow, tx: Session): Promise<void> {
    if (await sessions.endSessions({ session_id: session._id, reason: 'refresh token reused' }, tx) === 0) return
    const user = await context.users.findOne({ _id: session.user_id }, null, { ...crossTenant('a session names its user'), session: tx }).lean() as UserRow | null
    const account = await sessions.accountById(session.account_id, tx)
    if (user === null || account === null) return
    const id = session._id.toHexString()
    await events.emit({ type: 'auth.refresh_reused', actor: actorOf(user, account, '', session), resource: { type: 'session', id }, data: { user_id: user._id.toHexString(), session_id: id } }, tx)
    if (user.email !== null) await outbox.add([await mailOf(context, 'refresh_reused', { user, account, dedupeId: `reused:${id}` }, tx)], tx)
  }

  return { refresh }
}
