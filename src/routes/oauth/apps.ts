import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import * as operations from '../../schemas/oauth.js'
import { toApp, toConnection, toNewApp } from '../../schemas/oauth.js'
import type { AppRow } from '../../models/oauth.js'
import { shownApp } from '../../services/oauth/apps.js'
import { MOUNT, type OauthService } from '../../services/oauth/index.js'
import { catalogueFor } from '../../services/oauth/scopes.js'
import type { Clock } from '../../services/kit.js'
import { pickFields } from '../../services/resource/list.js'

type Options = { oauth: OauthService, clock: Clock }
const APPS = { access: 'admin', scopes: ['oauth.apps'], disableLog: true, mainOnly: true } as const
const verb = (name: string) => ({ ...APPS, scopes: [`oauth.apps.${name}`] })
const FIELDS = new Set(Object.keys(operations.OauthApp.properties))
const CONNECTION_FIELDS = new Set(Object.keys(operations.Connection.properties))
const DEFAULT_OVERLAP = 24

export const appRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { oauth: { apps, connections }, clock }) => {
  const wire = (row: AppRow) => toApp(shownApp(row, clock.now()))
  const wireNew = (row: AppRow, secret: string | null) => toNewApp({ ...shownApp(row, clock.now()), client_secret: secret })
  await app.register(administrators)
  await app.register(members)
  await app.register(staff)

  async function administrators (scope: typeof app) {
    scope.get('/apps', { schema: operations.listOauthApps, config: verb('read') }, async req => {
      const { rows, pagination } = await apps.list(req.actor, req.query)
      return { data: pickFields(rows.map(wire), req.query.fields, FIELDS), pagination }
    })
    scope.get('/apps/:id', { schema: operations.getOauthApp, config: verb('read') }, async req => ({ data: wire(await apps.get(req.actor, req.params.id)) }))
    scope.post('/apps', { schema: operations.createOauthApp, config: verb('create') }, async (req, reply) => {
      const { row, secret } = await apps.create(req.actor, req.body)
      reply.code(201).header('location', `${MOUNT}/apps/${row._id}`)
      return { data: wireNew(row, secret), message: 'App registered. The secret is shown this once.' }
    })
    scope.put('/apps/:id', { schema: operations.updateOauthApp, config: verb('update') }, async req => ({
      data: wire(await apps.update(req.actor, req.params.id, req.body)), message: 'App updated.'
    }))
    scope.delete('/apps/:id', { schema: operations.deleteOauthApp, config: verb('delete') }, async req => ({
      data: wire(await apps.remove(req.actor, req.params.id)), message: 'App deleted.'
    }))
    scope.post('/apps/:id/secret', { schema: operations.rotateAppSecret, config: verb('update') }, async req => {
      const { row, secret } = await apps.rotate(req.actor, req.params.id, req.body.overlap_hours ?? DEFAULT_OVERLAP, stepUpOf(req.headers))
      return { data: wireNew(row, secret), message: 'New secret made. It is shown this once.' }
    })
    scope.delete('/apps/:id/secret/:secret_id', { schema: operations.endAppSecret, config: verb('update') }, async req => ({
      data: wire(await apps.endSecret(req.actor, req.params.id, req.params.secret_id, stepUpOf(req.headers))), message: 'Secret ended.'
    }))
    scope.get('/connections', { schema: operations.listConnections, config: { access: 'admin', scopes: ['oauth.connections.read'], disableLog: true } }, async req => {
      const { rows, pagination } = await connections.list(req.actor, req.query)
      return { data: pickFields(rows.map(row => toConnection(row)), req.query.fields, CONNECTION_FIELDS), pagination }
    })
  }

  async function members (scope: typeof app) {
    scope.get('/scopes', { schema: operations.listScopes, config: { access: 'user', scopes: ['oauth.scopes.read'], disableLog: true } }, async req => ({ data: catalogueFor(req.actor.can) }))
    scope.delete('/connections/:id', { schema: operations.revokeConnection, config: { access: 'account', scopes: ['oauth.connections.delete', 'auth.self'], disableLog: true } }, async req => ({
      data: toConnection(await connections.revoke(req.actor, req.params.id)), message: 'Access ended.'
    }))
  }

  async function staff (scope: typeof app) {
    scope.put('/apps/:id/status', { schema: operations.setAppStatus, config: { access: 'superAdmin', scopes: ['dashclicks.oauth'], disableLog: true } }, async req => ({
      data: wire(await apps.setActive(req.actor, req.params.id, req.body.active)), message: req.body.active ? 'App approved.' : 'App is in development.'
    }))
  }
}

export const stepUpOf = (headers: Record<string, string | string[] | undefined>): string | undefined => {
  const value = headers['x-step-up']
  return typeof value === 'string' ? value : undefined
}
