import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { getConfig, listConfigs, resetConfig, updateConfig } from '../../schemas/users-self.js'
import type { UsersOptions } from './index.js'

const CONFIG = { access: 'user', scopes: ['users.config'] } as const
const UPDATE = { access: 'user', scopes: ['users.config.update'] } as const

/** How the interface looks for the caller. */
export const configRoutes: FastifyPluginAsyncTypebox<UsersOptions> = async (app, { users: { configs } }) => {
  app.get('/config', { schema: listConfigs, config: CONFIG }, async req => ({ data: await configs.list(req.actor) }))

  app.get('/config/:type', { schema: getConfig, config: CONFIG }, async req => ({ data: await configs.get(req.actor, req.params.type) }))

  app.patch('/config/:type', { schema: updateConfig, config: UPDATE }, async req => ({
    data: await configs.update(req.actor, req.params.type, req.body), message: 'Configuration updated.'
  }))

  app.delete('/config/:type', { schema: resetConfig, config: UPDATE }, async req => ({
    data: await configs.reset(req.actor, req.params.type), message: 'Back to the defaults.'
  }))
}
