import type { FastifyPluginAsync } from 'fastify'
import type { Platform } from '../../services/platform.js'
import type { OauthService } from '../../services/oauth/index.js'
import { appRoutes } from './apps.js'
import { keyRoutes } from './keys.js'
import { protocol } from './protocol.js'
import { screens } from './screens.js'

/** The authorization server for other people's apps, and API keys for programs. */
export const oauth: FastifyPluginAsync<{ oauth: OauthService, platform: Platform }> = async (app, { oauth, platform }) => {
  app.acceptKeys(oauth.keyDoor.resolve, oauth.keyDoor.answered)
  app.addHook('preClose', oauth.keyDoor.flush)
  await app.register(screens, { authorize: oauth.authorize })
  await app.register(protocol, { tokens: oauth.tokens, metadata: oauth.metadata })
  await app.register(appRoutes, { oauth, clock: platform.clock })
  await app.register(keyRoutes, { oauth, clock: platform.clock })
}
