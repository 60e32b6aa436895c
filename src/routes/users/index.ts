import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Platform } from '../../services/platform.js'
import type { UsersService } from '../../services/users/index.js'
import { configRoutes } from './configs.js'
import { meRoutes } from './me.js'
import { recoveryRoutes } from './recovery.js'
import { rightsRoutes } from './rights.js'
import { teamRoutes } from './team.js'

export type UsersOptions = { platform: Platform, users: UsersService }

export const users: FastifyPluginAsyncTypebox<UsersOptions> = async (app, { platform, users }) => {
  const options = { platform, users }
  await app.register(recoveryRoutes, options)
  await app.register(meRoutes, options)
  await app.register(configRoutes, options)
  await app.register(teamRoutes, options)
  await app.register(rightsRoutes, options)
}
