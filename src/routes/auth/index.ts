import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from '@sinclair/typebox'
import { wire } from '../../schemas/kit.js'
import * as operations from '../../schemas/auth.js'
import type { AuthService, Client, LoginOutcome } from '../../services/auth/index.js'
import { clearSessionCookie, sessionIdOf, setSessionCookie } from './cookie.js'

const toAnswer = wire(operations.SessionAnswer)
const toSelection = wire(operations.SelectionAnswer)
const toStatus = wire(operations.Status)
const toSession = wire(operations.SessionRow)
const toMyAccount = wire(operations.MyAccount)
const toLink = wire(Type.Object({ url: Type.String(), expires_at: operations.SessionAnswer.properties.session_expires_at }))

const clientOf = (req: FastifyRequest): Client => ({ ip: req.ip, userAgent: req.headers['user-agent'] })

function outcome (reply: FastifyReply, result: LoginOutcome) {
  if (result.step === 'mfa') return { data: result.answer, message: 'Enter the code.' }
  if (result.step === 'selection') return { data: toSelection(result.answer), message: 'Choose an account.' }
  if (result.cookie) setSessionCookie(reply, result.answer.session_id, result.remember)
  return { data: toAnswer(result.answer), message: 'Logged in.' }
}

const OPEN = { access: 'public', disableLog: true } as const
const SELF = { access: 'user', scopes: ['auth.self'], disableLog: true } as const
/** Identity is never changed while acting as somebody else, and its secrets are shown once. */
const OWN = { ...SELF, notImpersonated: true, secretAnswer: true } as const
const PROVED = { ...OWN, stepUp: true } as const

export const auth: FastifyPluginAsyncTypebox<{ auth: AuthService }> = async (app, { auth }) => {
  const { sessions, recovery, sso, impersonation, mfa, status } = auth
  await app.register(visitor)
  await app.register(member)
  await app.register(person)

  async function visitor (scope: typeof app) {
    scope.post('/login', { schema: operations.login, config: { ...OPEN, limit: 'auth-login' } }, async (req, reply) => outcome(reply, await auth.login(req.body, clientOf(req), req.id)))
    scope.post('/login/select', { schema: operations.selectLoginAccount, config: { ...OPEN, limit: 'auth-code' } }, async (req, reply) =>
      outcome(reply, await auth.select(req.body, clientOf(req), req.id)))
    scope.post('/mfa/challenge', { schema: operations.answerMfaChallenge, config: { ...OPEN, limit: 'auth-code' } }, async (req, reply) =>
      outcome(reply, await auth.challenge(req.body, clientOf(req), req.id)))
    scope.post('/refresh', { schema: operations.refreshTokens, config: OPEN }, async req => ({ data: await auth.refresh(req.body) }))
    scope.post('/session/token', { schema: operations.exchangeSession, config: OPEN }, async req => ({ data: await sessions.exchange(sessionIdOf(req)) }))
    scope.post('/password', { schema: operations.resetPassword, config: { ...OPEN, limit: 'auth-mail' } }, async req => {
      if (req.body.type === 'reset') {
        await recovery.reset(req.body, req.id)
        return { data: { changed: true }, message: 'Password set.' }
      }
      await recovery.requestReset(req.body, req.id)
      return { data: { sent: true }, message: 'If the address is known, a link is on its way.' }
    })
    scope.get('/password/check', { schema: operations.checkResetToken, config: { ...OPEN, limit: 'auth-code' } }, async req => ({ data: await recovery.check(req.query.token) }))
    scope.post('/accounts/find', { schema: operations.findAccounts, config: { ...OPEN, limit: 'auth-mail' } }, async req => {
      await recovery.findAccounts(req.body, req.id)
      return { data: { sent: true }, message: 'If the address is known, the list is on its way.' }
    })
    scope.post('/sso/redeem', { schema: operations.redeemSsoLink, config: { ...OPEN, limit: 'auth-code' } }, async req => ({
      data: toAnswer(await sso.redeem(req.body.code, req.headers.origin, clientOf(req), req.id))
    }))
  }

  async function member (scope: typeof app) {
    const leave = async (req: FastifyRequest, reply: FastifyReply) => {
      clearSessionCookie(reply)
      return { data: { ended: await sessions.logout(req.actor) }, message: 'Logged out.' }
    }
    scope.get('/session', { schema: operations.getSession, config: SELF }, async req => ({ data: toStatus(await status.get(req.actor, app.dashboardVersion.current)) }))
    scope.delete('/session', { schema: operations.endSession, config: SELF }, leave)
    scope.post('/logout', { schema: operations.logout, config: SELF }, leave)
    scope.get('/sessions', { schema: operations.listSessions, config: SELF }, async req => ({ data: (await sessions.list(req.actor)).map(toSession) }))
    scope.delete('/sessions', { schema: operations.endOtherSessions, config: SELF }, async req => ({ data: { ended: await sessions.endOthers(req.actor) } }))
    scope.delete('/sessions/:id', { schema: operations.endSessionById, config: SELF }, async req => {
      await sessions.endOne(req.actor, req.params.id)
      return { data: { ended: true } }
    })
    scope.get('/accounts', { schema: operations.listMyAccounts, config: SELF }, async req => {
      const { rows, pagination } = await sso.list(req.actor, req.query)
      return { data: rows.map(toMyAccount), pagination }
    })
    scope.post('/sso', { schema: operations.enterAccount, config: { ...SELF, secretAnswer: true } }, async req => ({ data: toAnswer(await sso.enter(req.actor, req.body.account_id, clientOf(req))) }))
    scope.post('/sso/link', { schema: operations.createSsoLink, config: { ...SELF, secretAnswer: true } }, async req => ({ data: toLink(await sso.link(req.actor, req.body)) }))
    scope.delete('/impersonate', { schema: operations.endImpersonation, config: { ...SELF, secretAnswer: true } }, async req => ({ data: toAnswer(await impersonation.end(req.actor, clientOf(req))) }))
  }

  async function person (scope: typeof app) {
    scope.put('/password', { schema: operations.changePassword, config: OWN }, async req => ({ data: await recovery.change(req.actor, req.body, req.ip), message: 'Password changed.' }))
    scope.post('/step-up', { schema: operations.stepUp, config: OWN }, async req => ({ data: await mfa.stepUp(req.actor, req.body, req.ip) }))
    scope.get('/mfa', { schema: operations.getMfa, config: SELF }, async req => ({ data: await mfa.get(req.actor) }))
    scope.post('/mfa/totp', { schema: operations.beginTotp, config: PROVED }, async req => ({ data: await mfa.begin(req.actor) }))
    scope.post('/mfa/totp/verify', { schema: operations.enableTotp, config: PROVED }, async req => ({ data: { recovery_codes: await mfa.enable(req.actor, req.body.code) } }))
    scope.delete('/mfa/totp', { schema: operations.disableTotp, config: PROVED }, async req => {
      await mfa.disable(req.actor)
      return { data: { enabled: false } }
    })
    scope.post('/mfa/recovery-codes', { schema: operations.renewRecoveryCodes, config: PROVED }, async req => ({ data: { recovery_codes: await mfa.renewCodes(req.actor) } }))
    scope.post('/impersonate', { schema: operations.startImpersonation, config: { ...PROVED, scopes: ['auth.impersonate', 'dashclicks.impersonate'] } }, async req => ({
      data: toAnswer(await impersonation.start(req.actor, req.body, clientOf(req)))
    }))
  }
}
