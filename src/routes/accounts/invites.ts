import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { wire } from '../../schemas/kit.js'
import { toAccount } from '../../schemas/accounts.js'
import * as operations from '../../schemas/accounts-invites.js'
import { toInvited, toRequest } from '../../schemas/accounts-invites.js'
import { SessionAnswer } from '../../schemas/auth.js'
import type { AccountsService } from '../../services/accounts/index.js'
import { CommonError } from '../../services/kit.js'
import { importInput } from '../import-input.js'

const toAnswer = wire(SessionAnswer)
const INVITE = { access: 'account', scopes: ['accounts.invites.create'] } as const
const MAIN_INVITE = { ...INVITE, mainOnly: true } as const
const VISITOR = { access: 'public', limit: 'auth-mail', disableLog: true } as const
const LOOK = { access: 'public', limit: 'public-read', disableLog: true } as const

/** Invitations, and what people do who have no account yet. */
export const accountInvites: FastifyPluginAsyncTypebox<{ accounts: AccountsService }> = async (app, { accounts: { signup, invites, requests, bulkInvite } }) => {
  await app.register(visitor)
  await app.register(member)
  await app.register(administrator)

  async function visitor (scope: typeof app) {
    scope.get('/email-check', { schema: operations.checkSignupEmail, config: VISITOR }, async req => ({
      data: await signup.check(req.query.email, req.query.affiliate_code, req.headers.host)
    }))

    scope.get('/verify/:code', { schema: operations.verifySignupCode, config: { ...VISITOR, limit: 'auth-code' } }, async req => ({ data: await signup.verifyCode(req.params.code) }))

    scope.get('/verify', { schema: operations.verifySignupToken, config: LOOK }, async req => ({ data: await signup.verifyToken(req.query.token) }))

    scope.post('/', { schema: operations.createAccount, config: VISITOR }, async (req, reply) => {
      const answer = toAnswer(await signup.create(req.body, { ip: req.ip, userAgent: req.headers['user-agent'] }, req.id))
      reply.code(201).header('location', `/v1/accounts/${answer.account.id}`)
      return { data: answer, message: 'Welcome.' }
    })

    scope.get('/accept-invite', { schema: operations.acceptInvite, config: LOOK }, async (req, reply) => {
      const { data, page } = await invites.look(req.query.token)
      if (/text\/html/.test(req.headers.accept ?? '')) return reply.redirect(page, 302) as never
      return { data }
    })

    scope.post('/email', { schema: operations.requestPublicAccount, config: VISITOR }, async req => ({ data: await requests.ask(req.body) }))

    scope.get('/verify-public-invite', { schema: operations.verifyPublicInvite, config: LOOK }, async req => ({ data: await requests.look(req.query.token) }))

    scope.post('/public-profile', { schema: operations.createPublicProfile, config: VISITOR }, async (req, reply) => {
      const { status, account_id: id } = await requests.complete(req.body)
      reply.code(status === 'approved' ? 201 : 202)
      return { data: { status, account_id: id === null ? null : id.toHexString() } }
    })

    scope.post('/resend-public-verification-email/:id', { schema: operations.resendPublicVerification, config: VISITOR }, async req => ({ data: await requests.again(req.params.id) }))

    scope.get('/public-account-requests/:token', { schema: operations.getPublicRequest, config: LOOK }, async req => ({ data: await requests.state(req.params.token) }))
  }

  async function member (scope: typeof app) {
    scope.post('/project', { schema: operations.createProjectAccount, config: { access: 'account', scopes: ['accounts.sub_accounts.create'], mainOnly: true } }, async (req, reply) => {
      const made = await invites.project(req.actor, req.body)
      reply.code(201).header('location', `/v1/accounts/${made.account._id.toHexString()}`)
      return { data: toInvited({ ...made, account: toAccount(made.account) }), message: 'Account created.' }
    })

    scope.post('/invite', { schema: operations.inviteAccount, config: MAIN_INVITE }, async (req, reply) => {
      const made = await invites.invite(req.actor, req.body)
      reply.code(201).header('location', `/v1/accounts/${made.account._id.toHexString()}`)
      return { data: toInvited(made), message: 'Invited.' }
    })

    scope.post('/invite/bulk', { schema: operations.bulkInviteAccounts, config: { ...MAIN_INVITE, limit: 'heavy' } }, async (req, reply) => {
      const input = await importInput(req)
      if (input === null) throw CommonError.UNSUPPORTED_MEDIA_TYPE()
      if (req.query.dry_run === true) return { data: await bulkInvite.check(req.actor, input) } as never
      const jobId = await bulkInvite.start(req.actor, input)
      reply.code(202).header('location', `/v1/shared/jobs/${jobId}`)
      return { data: { job_id: jobId, status: 'pending' as const, status_url: `/v1/shared/jobs/${jobId}` }, message: 'Inviting.' }
    })

    scope.post('/:id/invite', { schema: operations.resendAccountInvite, config: INVITE }, async req => ({
      data: toInvited(await invites.resend(req.actor, req.params.id, req.body)),
      message: 'Invited again.'
    }))

    scope.delete('/:id/cancel-invite', { schema: operations.cancelAccountInvite, config: { access: 'account', scopes: ['accounts.invites.delete'] } }, async req => ({
      data: { result: await invites.cancel(req.actor, req.params.id) }
    }))

    scope.put('/:id/updateownerinfo', { schema: operations.updateOwnerInfo, config: INVITE }, async req => ({
      data: toAccount(await invites.updateOwner(req.actor, req.params.id, req.body)),
      message: 'Owner updated.'
    }))
  }

  async function administrator (scope: typeof app) {
    scope.get('/public-account-requests', { schema: operations.listPublicRequests, config: { access: 'admin', scopes: ['accounts.public_requests.read'], mainOnly: true } }, async req => {
      const { rows, pagination } = await requests.list(req.actor, req.query)
      return { data: rows.map(toRequest), pagination }
    })

    scope.put('/public-account-requests/:id/status', {
      schema: operations.decidePublicRequest, config: { access: 'admin', scopes: ['accounts.public_requests.update'], mainOnly: true }
    }, async req => ({ data: toRequest(await requests.decide(req.actor, req.params.id, req.body)), message: 'Decided.' }))
  }
}
