import { Types } from 'mongoose'
import type { SessionModel } from '../../models/auth.js'
import { AuthError } from '../auth/errors.js'
import type { Clock } from '../kit.js'
import type { Guard } from './guard.js'
import type { Challenge, Login, Proven } from './identity.js'

type Client = { ip: string, userAgent: string | undefined }
type Opened = { session_id: string, session_expires_at: Date, user: { _id: Types.ObjectId }, account: { _id: Types.ObjectId } }
type Step =
  | { step: 'session', answer: Opened }
  | { step: 'mfa', answer: { mfa_token: string } }
  | { step: 'selection', answer: { selection_token: string, accounts: object[] } }

/** What the screens need of the module auth's login. */
export type AuthLogin = {
  login (credentials: { email?: string, phone?: string, password: string }, client: Client, requestId: string): Promise<Step>
  selectAccount (body: { selection_token: string, account_id: string }, client: Client, requestId: string): Promise<Step>
  challenge (body: { mfa_token: string, code?: string, recovery_code?: string }, client: Client, requestId: string): Promise<Step>
}

/** Signing in on the screens is the login of the service: its throttles, its second factor, its session. */
export function bridgeLogin (auth: AuthLogin): Login {
  async function proven (outcome: Step, client: Client, requestId: string): Promise<Proven | Challenge> {
    switch (outcome.step) {
      case 'mfa': return { kind: 'mfa', token: outcome.answer.mfa_token }
      // The screens ask for the account themselves; any of those that the password fits is a proof of the person.
      case 'selection': return proven(await auth.selectAccount({
        selection_token: outcome.answer.selection_token, account_id: String((outcome.answer.accounts[0] as { account_id: unknown }).account_id)
      }, client, requestId), client, requestId)
      case 'session': {
        const { session_id: secret, session_expires_at: expires, user, account } = outcome.answer
        return { kind: 'in', userId: user._id.toHexString(), accountId: account._id.toHexString(), secret, expires }
      }
    }
  }
  return {
    async signIn (identifier, password, { ip, userAgent, requestId }) {
      if (identifier === '' || password === '') throw AuthError.INVALID_CREDENTIALS()
      const who = identifier.includes('@') ? { email: identifier.trim() } : { phone: identifier.trim() }
      return proven(await auth.login({ ...who, password }, { ip, userAgent }, requestId), { ip, userAgent }, requestId)
    },
    async answerMfa (token, code, { ip, userAgent, requestId }) {
      const given = /^\d{6}$/.test(code.trim()) ? { code: code.trim() } : { recovery_code: code.trim() }
      return proven(await auth.challenge({ mfa_token: token, ...given }, { ip, userAgent }, requestId), { ip, userAgent }, requestId)
    }
  }
}

const FRESH_MS = 10 * 60_000
type ReadToken = (typ: 'step_up', token: string) => ({ userId?: unknown } & object) | null

/** A step-up token of the same person, or a session that was opened by password less than 10 minutes ago. */
export function createGuard ({ sessions, clock, readToken }: { sessions: SessionModel, clock: Clock, readToken: ReadToken }): Guard {
  return {
    async stepUp (actor, header) {
      if (header !== undefined && readToken('step_up', header)?.userId === actor.userId) return
      const session = actor.sessionId === undefined || actor.type === 'app'
        ? null
        : await sessions.findOne({ _id: new Types.ObjectId(actor.sessionId) }, { password_at: 1 }).lean()
      if (session?.password_at == null || clock.now().getTime() - session.password_at.getTime() > FRESH_MS) throw AuthError.STEP_UP_REQUIRED()
    }
  }
}
