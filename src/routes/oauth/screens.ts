import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import * as operations from '../../schemas/oauth-protocol.js'
import { CommonError, ServiceError } from '../../services/kit.js'
import type { AuthorizeService, Outcome } from '../../services/oauth/authorize.js'
import { MOUNT } from '../../services/oauth/index.js'
import { renderScreen, screenHeaders } from '../../services/oauth/screens/index.js'
import { acceptForms, cookie } from './form.js'

const SCREEN = { access: 'public', limit: 'page', disableLog: true } as const
const SIGNIN = { access: 'public', limit: 'auth-login', disableLog: true } as const
const TRANSACTION = 'dc_oauth'
const SESSION = 'sid_dc_sw'

const browserOf = (req: FastifyRequest) => ({ transaction: cookie(req.headers.cookie, TRANSACTION), session: cookie(req.headers.cookie, SESSION) })
export const callerOf = (req: FastifyRequest) => ({ ip: req.ip, userAgent: req.headers['user-agent'], requestId: req.id })
const wantsJson = (req: FastifyRequest): boolean => /application\/(problem\+)?json/.test(req.headers.accept ?? '')

function setCookies (reply: FastifyReply, { cookie: secret, signedIn }: Outcome): void {
  if (secret !== undefined) reply.header('set-cookie', `${TRANSACTION}=${secret}; Path=${MOUNT}; Max-Age=600; HttpOnly; Secure; SameSite=Lax`)
  if (signedIn !== undefined) reply.header('set-cookie', `${SESSION}=${signedIn.secret}; Path=/; Expires=${signedIn.expires.toUTCString()}; HttpOnly; Secure; SameSite=Lax`)
}

/** HTML for people, the same state as envelope for who asks for JSON. */
function answer (req: FastifyRequest, reply: FastifyReply, outcome: Outcome) {
  setCookies(reply, outcome)
  if (outcome.kind === 'screen') {
    const { form_target: target, ...state } = outcome.state
    reply.headers(screenHeaders(target))
    return wantsJson(req) ? { data: state } : html(reply, 200, renderScreen(state.screen, state, MOUNT))
  }
  const to = outcome.done ? outcome.to : `${MOUNT}/${outcome.to}`
  if (outcome.done) reply.header('set-cookie', `${TRANSACTION}=; Path=${MOUNT}; Max-Age=0; HttpOnly; Secure; SameSite=Lax`)
  return html(reply.headers(screenHeaders()).header('location', to), 303, renderScreen('loading', {}, MOUNT))
}

const html = (reply: FastifyReply, status: number, page: string): FastifyReply => reply.code(status).type('text/html; charset=utf-8').serializer(String).send(page)

export const screens: FastifyPluginAsyncTypebox<{ authorize: AuthorizeService }> = async (app, { authorize }) => {
  acceptForms(app)
  app.setErrorHandler((error, req, reply) => {
    if (wantsJson(req)) throw error
    const known = error instanceof ServiceError
      ? error
      : Array.isArray((error as { validation?: unknown }).validation) ? CommonError.VALIDATION_FAILED() : null
    if (known === null) throw error
    return html(reply.headers({ ...known.headers, ...screenHeaders() }), known.status, renderScreen('error', { message: known.message }, MOUNT))
  })

  app.get('/authorize', { schema: operations.authorize, config: SCREEN }, async (req, reply) =>
    answer(req, reply, await authorize.begin(req.query, browserOf(req), callerOf(req))))

  app.post('/signin', { schema: operations.authorizeSignin, config: SIGNIN }, async (req, reply) =>
    answer(req, reply, await authorize.signin(req.body, browserOf(req), callerOf(req))))

  app.get('/accounts', { schema: operations.authorizeAccounts, config: SCREEN }, async (req, reply) =>
    answer(req, reply, await authorize.accounts(browserOf(req), callerOf(req))))

  app.post('/accounts', { schema: operations.authorizeSelectAccount, config: SCREEN }, async (req, reply) =>
    answer(req, reply, await authorize.selectAccount(req.body, browserOf(req), callerOf(req))))

  app.post('/consent', { schema: operations.authorizeConsent, config: SCREEN }, async (req, reply) =>
    answer(req, reply, await authorize.consent(req.body, browserOf(req), callerOf(req))))

  app.get('/loading', { schema: operations.authorizeLoading, config: SCREEN }, async (req, reply) =>
    answer(req, reply, await authorize.loading(browserOf(req), callerOf(req))))
}
