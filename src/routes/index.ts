import type { FastifyPluginAsync } from 'fastify'
import type { FastLane } from '../plugins/fast-lane.js'
import type { Services } from '../services/index.js'
import { accounts } from './accounts/index.js'
import { accountInvites } from './accounts/invites.js'
import { accountSettings } from './accounts/settings.js'
import { activities } from './activities/index.js'
import { auth } from './auth/index.js'
import { mobileApp } from './mobile-app/index.js'
import { oauth } from './oauth/index.js'
import { redirects } from './redirects/index.js'
import { features, platformRoutes, rootRoutes } from './root/index.js'
import { shared } from './shared/index.js'
import { url } from './url/index.js'
import { users } from './users/index.js'

type Doors = { services: Services, pages: boolean, lane: FastLane }

/** Under `/`: probes and redirects, which go on in the middle of any overload and carry no headers that only an API needs. */
export const doors: FastifyPluginAsync<Doors> = async (app, { services, pages, lane }) => {
  const { platform, health } = services
  await app.register(rootRoutes, { pages: pages && platform.config.PROCESS_ROLE !== 'worker' })
  await app.register(platformRoutes, { prefix: '/v1', health })
  if (platform.config.PROCESS_ROLE === 'worker') return
  await app.register(redirects, { platform, cache: services.linkCache, clicks: services.clicks, reserved: services.reserved, lane })
}

/** The table of contents: every module of the service, by name. */
export const modules: FastifyPluginAsync<{ services: Services }> = async (app, { services }) => {
  const { platform } = services
  await app.register(features, { prefix: '/v1', flags: services.flags })
  await app.register(accounts, { prefix: '/v1/accounts', platform, accounts: services.accounts })
  await app.register(accountInvites, { prefix: '/v1/accounts', accounts: services.accounts })
  await app.register(accountSettings, { prefix: '/v1/accounts', settings: services.accountSettings })
  await app.register(auth, { prefix: '/v1/auth', auth: services.auth })
  await app.register(mobileApp, { prefix: '/v1/mobile-app', mobile: services.mobile })
  await app.register(oauth, { prefix: '/v1/auth/oauth', platform, oauth: services.oauth })
  await app.register(activities, { prefix: '/v1/activities', platform, activities: services.activities })
  await app.register(shared, { prefix: '/v1/shared', platform, shared: services.shared })
  await app.register(url, { prefix: '/v1/url', platform, links: services.links, linkImport: services.linkImport })
  await app.register(users, { prefix: '/v1/users', platform, users: services.users })
}
