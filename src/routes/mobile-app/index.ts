import { createHash } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import * as operations from '../../schemas/mobile-app.js'
import { MobileUpdate, toBootstrap, toMobileUpdate } from '../../schemas/mobile-app.js'
import { pickFields } from '../../services/resource/list.js'
import { MobileError } from '../../services/mobile-app/errors.js'
import type { MobileApp } from '../../services/mobile-app/index.js'

const PUBLIC = { access: 'public', limit: 'public-read' } as const
const USE = { scopes: ['mobile_app.use'] } as const
const STAFF = { access: 'superAdmin', scopes: ['dashclicks.mobile_app'] } as const
const FIELDS = new Set(Object.keys(MobileUpdate.properties))

const deviceOf = (req: FastifyRequest): string | undefined => {
  const header = req.headers['x-device-id']
  return typeof header === 'string' ? header.slice(0, 200) : undefined
}

/** True when the caller has the same already, who then gets 304. */
function unchanged (req: FastifyRequest, reply: FastifyReply, data: unknown): boolean {
  const tag = `"${createHash('sha256').update(JSON.stringify(data)).digest('base64url').slice(0, 22)}"`
  reply.headers({ etag: tag, 'cache-control': 'public, max-age=60', vary: 'X-Device-Id' })
  return (req.headers['if-none-match'] ?? '').split(',').some(one => one.trim().replace(/^W\//, '') === tag)
}

/** 304 has no body: text goes out as it is, past the envelope. */
const notModified = (reply: unknown): never => (reply as FastifyReply).code(304).send('') as never

export const mobileApp: FastifyPluginAsyncTypebox<{ mobile: MobileApp }> = async (app, { mobile }) => {
  const { releases } = mobile
  await app.register(visitor)
  await app.register(member)
  await app.register(staff)

  async function visitor (scope: typeof app) {
    scope.get('/updates/latest', { schema: operations.getLatestUpdate, config: PUBLIC }, async (req, reply) => {
      const row = await releases.latest(req.query, req.query.version_code, deviceOf(req))
      if (row === null) throw MobileError.UPDATE_NOT_FOUND()
      const data = latestOf(row)
      if (unchanged(req, reply, data)) return notModified(reply)
      return { data }
    })

    scope.get('/config', { schema: operations.getMobileConfig, config: PUBLIC }, async (req, reply) => {
      const { update, ...rest } = await mobile.config(req.query, req.query.host, deviceOf(req))
      const data = { ...rest, update: update === null ? null : latestOf(update) }
      if (unchanged(req, reply, data)) return notModified(reply)
      return { data }
    })
  }

  async function member (scope: typeof app) {
    scope.get('/bootstrap', { schema: operations.getMobileBootstrap, config: { access: 'user', ...USE } }, async req => ({
      data: toBootstrap(await mobile.bootstrap(req.actor, req.query, deviceOf(req)))
    }))

    scope.get('/badge', { schema: operations.getMobileBadge, config: { access: 'account', ...USE } }, async req => ({ data: await mobile.badge(req.actor) }))
  }

  async function staff (scope: typeof app) {
    scope.get('/updates', { schema: operations.listUpdates, config: STAFF }, async req => {
      const { rows, pagination } = await releases.list(req.query)
      return { data: pickFields(rows.map(toMobileUpdate), req.query.fields, FIELDS), pagination }
    })

    scope.get('/updates/:id', { schema: operations.getUpdate, config: STAFF }, async req => ({ data: toMobileUpdate(await releases.find(req.params.id)) }))

    scope.post('/updates', { schema: operations.createUpdate, config: STAFF }, async (req, reply) => {
      const row = await releases.create(req.actor, req.body)
      reply.code(201).header('location', `/v1/mobile-app/updates/${row._id.toHexString()}`)
      return { data: toMobileUpdate(row), message: 'Release published.' }
    })

    scope.put('/updates/:id', { schema: operations.updateUpdate, config: STAFF }, async req => ({
      data: toMobileUpdate(await releases.update(req.actor, req.params.id, req.body)), message: 'Release updated.'
    }))

    scope.delete('/updates/:id', { schema: operations.deleteUpdate, config: STAFF }, async req => {
      await releases.remove(req.actor, req.params.id)
      return { data: { id: req.params.id, deleted: true }, message: 'Release removed.' }
    })
  }
}

type Judged = Parameters<typeof toMobileUpdate>[0] & { update_available?: boolean, must_update?: boolean }
const latestOf = (row: Judged): operations.Latest => ({
  ...toMobileUpdate(row), ...(row.update_available !== undefined && { update_available: row.update_available, must_update: row.must_update })
})
