import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import * as operations from '../../schemas/oauth-keys.js'
import { toApiKey, toNewApiKey } from '../../schemas/oauth-keys.js'
import type { KeyRow } from '../../models/oauth.js'
import type { Clock } from '../../services/kit.js'
import { MOUNT, type OauthService } from '../../services/oauth/index.js'
import { shownKey } from '../../services/oauth/key-state.js'
import { pickFields } from '../../services/resource/list.js'
import { stepUpOf } from './apps.js'

type Options = { oauth: OauthService, clock: Clock }
const verb = (name: string) => ({ access: 'admin', scopes: [`oauth.keys.${name}`], disableLog: true }) as const
const FIELDS = new Set(Object.keys(operations.ApiKey.properties))
const DEFAULT_OVERLAP = 24

export const keyRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { oauth: { keys }, clock }) => {
  const wire = (row: KeyRow) => toApiKey(shownKey(row, clock.now()))
  const wireNew = ({ row, key }: { row: KeyRow, key: string }) => toNewApiKey({ ...shownKey(row, clock.now()), key })
  await app.register(administrators)

  async function administrators (scope: typeof app) {
    scope.get('/keys', { schema: operations.listApiKeys, config: verb('read') }, async req => {
      const { rows, pagination } = await keys.list(req.actor, req.query)
      return { data: pickFields(rows.map(wire), req.query.fields, FIELDS), pagination }
    })
    scope.get('/keys/:id', { schema: operations.getApiKey, config: verb('read') }, async req => ({ data: wire(await keys.get(req.actor, req.params.id)) }))
    scope.get('/keys/:id/usage', { schema: operations.getApiKeyUsage, config: verb('read') }, async req => ({ data: await keys.usageOf(req.actor, req.params.id) }))
    scope.post('/keys', { schema: operations.createApiKey, config: verb('create') }, async (req, reply) => {
      const made = await keys.create(req.actor, req.body, stepUpOf(req.headers))
      reply.code(201).header('location', `${MOUNT}/keys/${made.row._id.toHexString()}`)
      return { data: wireNew(made), message: 'Key made. It is shown this once.' }
    })
    scope.put('/keys/:id', { schema: operations.updateApiKey, config: verb('update') }, async req => ({
      data: wire(await keys.update(req.actor, req.params.id, req.body)), message: 'Key updated.'
    }))
    scope.delete('/keys/:id', { schema: operations.deleteApiKey, config: verb('delete') }, async req => ({
      data: wire(await keys.revoke(req.actor, req.params.id)), message: 'Key revoked.'
    }))
    scope.post('/keys/:id/reroll', { schema: operations.rerollApiKey, config: verb('update') }, async req => ({
      data: wireNew(await keys.reroll(req.actor, req.params.id, req.body.overlap_hours ?? DEFAULT_OVERLAP, stepUpOf(req.headers))), message: 'New key made. It is shown this once.'
    }))
    scope.put('/keys/:id/status', { schema: operations.setApiKeyStatus, config: verb('update') }, async req => ({
      data: wire(await keys.setEnabled(req.actor, req.params.id, req.body.enabled)), message: req.body.enabled ? 'Key turned on.' : 'Key turned off.'
    }))
  }
}
