import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { UserRow } from '../../models/users.js'
import * as operations from '../../schemas/users.js'
import { toTeamUser, toUserSession } from '../../schemas/users.js'
import { availabilityState } from '../../services/users/index.js'
import type { UsersOptions } from './index.js'

const UPDATE = { access: 'admin', scopes: ['users.update'] } as const

/** Roles, status, sessions, hand-over and ownership. */
export const rightsRoutes: FastifyPluginAsyncTypebox<UsersOptions> = async (app, { platform, users: { team, handOver } }) => {
  const full = (row: UserRow) => toTeamUser({ ...row, availability_state: availabilityState(row, platform.clock.now()) })

  app.put('/:id/status', { schema: operations.setUserStatus, config: UPDATE }, async req => ({
    data: full(await team.setStatus(req.actor, req.params.id, req.body.status)), message: 'Status set.'
  }))

  app.put('/:id/scopes', { schema: operations.setUserScopes, config: { access: 'admin', scopes: ['users.scopes'] } }, async req => ({
    data: full(await team.setScopes(req.actor, req.params.id, req.body)), message: 'Rights set.'
  }))

  app.get('/:id/workload', { schema: operations.getUserWorkload, config: { access: 'admin', scopes: ['users.read'] } }, async req => {
    await team.get(req.actor, req.params.id)
    const workload = await handOver.workload(req.actor.accountId, req.params.id)
    return { data: { workload, total: handOver.total(workload) } }
  })

  app.post('/:id/reassign', { schema: operations.reassignUser, config: UPDATE }, async (req, reply) => {
    const job = await handOver.start(req.actor, req.params.id, req.body.reassign_to, req.body.kinds)
    reply.code(202).header('location', `/v1/shared/jobs/${job}`)
    return { data: { job_id: job, status: 'pending' as const, status_url: `/v1/shared/jobs/${job}` }, message: 'Hand-over started.' }
  })

  app.post('/transfer-ownership', { schema: operations.transferOwnership, config: { access: 'admin', scopes: ['accounts.ownership'], stepUp: true, notImpersonated: true } }, async req => {
    return { data: full(await team.transfer(req.actor, req.body.user_id)), message: 'The account has a new owner.' }
  })

  app.get('/:id/sessions', { schema: operations.listUserSessions, config: { access: 'admin', scopes: ['users.sessions.read'] } }, async req => ({
    data: (await team.listSessions(req.actor, req.params.id)).map(toUserSession)
  }))

  app.delete('/:id/sessions', { schema: operations.endUserSessions, config: { access: 'admin', scopes: ['users.sessions.delete'] } }, async req => ({
    data: { ended: await team.endSessions(req.actor, req.params.id) }, message: 'Signed out.'
  }))

  app.delete('/:id/sessions/:session_id', { schema: operations.endUserSession, config: { access: 'admin', scopes: ['users.sessions.delete'] } }, async req => ({
    data: { ended: await team.endSession(req.actor, req.params.id, req.params.session_id) }, message: 'Session ended.'
  }))
}
