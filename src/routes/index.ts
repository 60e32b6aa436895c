import type { FastifyPluginAsync } from 'fastify'
import type { Services } from '../services/index.js'
import { auth } from './auth/index.js'
import { redirects } from './redirects/index.js'
import { platformRoutes, rootRoutes } from './root/index.js'
import { url } from './url/index.js'

/** The table of contents: every module of the service, by name. */
export const routes: FastifyPluginAsync<{ services: Services, pages: boolean }> = async (app, { services, pages }) => {
  const { platform, health } = services

  await app.register(rootRoutes, { health, pages })
  await app.register(redirects, { platform, cache: services.linkCache, clicks: services.clicks, reserved: services.reserved })

  await app.register(platformRoutes, { prefix: '/v1', health, pages })
  await app.register(auth, { prefix: '/v1/auth', auth: services.auth })
  await app.register(url, { prefix: '/v1/url', platform, links: services.links, linkImport: services.linkImport })
}
