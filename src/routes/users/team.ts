import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { UserRow } from '../../models/users.js'
import * as operations from '../../schemas/users.js'
import { TeamMember, toAvailability, toShort, toTeamUser } from '../../schemas/users.js'
import { AuthError } from '../../services/auth/errors.js'
import type { Actor } from '../../services/kit.js'
import { bulkStatus } from '../../services/resource/bulk.js'
import { exportHeaders, exportStream } from '../../services/resource/export.js'
import { pickFields } from '../../services/resource/list.js'
import { availabilityState } from '../../services/users/index.js'
import type { UsersOptions } from './index.js'

const READ = { access: 'account', scopes: ['users.read'] } as const
const FIELDS = new Set(Object.keys(TeamMember.properties))
const COLUMNS = Object.keys(TeamMember.properties)
const SHORT_COLUMNS = ['id', 'name', 'email', 'image', 'role', 'job_title', 'status', 'availability_state']

/** Reading the team, inviting, changing and removing people. */
export const teamRoutes: FastifyPluginAsyncTypebox<UsersOptions> = async (app, { platform, users: { team, handOver, bulk, self } }) => {
  const withState = (row: UserRow) => ({ ...row, availability_state: availabilityState(row, platform.clock.now()) })
  /** Callers who are not administrators get the short view. */
  const viewOf = (actor: Actor) => (row: UserRow) => (actor.permissions.has('admin') ? toTeamUser : toShort)(withState(row))
  const full = (row: UserRow) => toTeamUser(withState(row))

  for (const [path, schema] of [['/', operations.listUsers], ['/search', operations.searchUsers]] as const) {
    app.get(path, { schema, config: READ }, async req => {
      const { rows, pagination } = await team.list(req.actor, req.query)
      return { data: pickFields(rows.map(viewOf(req.actor)), req.query.fields, FIELDS), pagination }
    })
  }

  app.get('/export', { schema: operations.exportUsers, config: { ...READ, limit: 'heavy', raw: true } }, async (req, reply) => {
    const { format = 'csv', ...filters } = req.query
    const rows = await team.stream(req.actor, filters)
    const columns = req.actor.permissions.has('admin') ? COLUMNS : SHORT_COLUMNS
    return reply.headers(exportHeaders('users', format, platform.clock.now())).send(exportStream(mapAsync(rows, viewOf(req.actor)), format, columns))
  })

  app.get('/:id', { schema: operations.getUser, config: READ }, async req => ({ data: viewOf(req.actor)(await team.get(req.actor, req.params.id, req.query.account_id)) }))

  app.get('/:id/availability', { schema: operations.getAvailability, config: READ }, async req => ({ data: toAvailability(await self.availability(req.actor, req.params.id)) }))

  app.put('/:id/availability', { schema: operations.setAvailability, config: { access: 'account', scopes: ['users.me', 'users.update'] } }, async req => ({
    data: toAvailability(await self.setAvailability(req.actor, req.params.id, req.body)), message: 'Availability updated.'
  }))

  app.post('/', { schema: operations.createUser, config: { access: 'admin', scopes: ['users.create'] } }, async (req, reply) => {
    if ((req.body.role !== undefined && req.body.role !== 'user') || (req.body.scopes ?? null) !== null) demand(req.actor, 'users.scopes')
    const { row, link } = await team.create(req.actor, req.body)
    reply.code(201).header('location', `/v1/users/${row._id.toHexString()}`)
    return { data: { ...full(row), invite_link: link }, message: 'Invited.' }
  })

  app.put('/:id', { schema: operations.updateUser, config: { access: 'admin', scopes: ['users.update'] } }, async req => ({
    data: full(await team.update(req.actor, req.params.id, req.body)), message: 'User updated.'
  }))

  app.delete('/:id', { schema: operations.deleteUser, config: { access: 'admin', scopes: ['users.delete'] } }, async (req, reply) => {
    const { job_id: job, ...gone } = await handOver.remove(req.actor, req.params.id, req.query.reassign_to)
    reply.code(job === null ? 200 : 202)
    return { data: { ...gone, job_id: job, status_url: job === null ? null : `/v1/shared/jobs/${job}` }, message: job === null ? 'User deleted.' : 'Access has ended; the work is being handed over.' }
  })

  app.post('/bulk', { schema: operations.bulkUsers, config: { access: 'admin', scopes: ['users.create', 'users.update', 'users.delete'], limit: 'heavy' } }, async (req, reply) => {
    const result = await bulk(req.actor, req.body)
    reply.code(bulkStatus(result))
    return { data: result, message: `${result.counts.succeeded} of ${result.counts.total} rows done.` }
  })

  app.post('/:id/invite', { schema: operations.resendUserInvite, config: { access: 'admin', scopes: ['users.create'] } }, async req => {
    const { row, link } = await team.resend(req.actor, req.params.id, req.body.send_email ?? true)
    return { data: { ...full(row), invite_link: link }, message: 'Invited again.' }
  })
}

function demand (actor: Actor, scope: string): void {
  if (!actor.can(scope)) throw AuthError.SCOPE_REQUIRED().with({ data: { required: [scope] } })
}

async function * mapAsync<T, U> (items: AsyncIterable<T>, map: (item: T) => U): AsyncGenerator<U> {
  for await (const item of items) yield map(item)
}
