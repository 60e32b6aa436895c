import type { FastifyInstance } from 'fastify'
import { AccountModel } from '../models/accounts.js'
import { SessionModel } from '../models/auth.js'
import { ClickBatchModel, ClickModel, ClickStatModel, LinkModel, VisitorModel, VisitorSaltModel } from '../models/url.js'
import { UserModel } from '../models/users.js'
import { createAuthService } from './auth/index.js'
import { createClickCounter } from './clicks/counter.js'
import { createClicks } from './clicks/index.js'
import { createHealth } from './health.js'
import { reservedCodes } from './links/codes.js'
import { createLinkImport } from './links/import.js'
import { createLinksService } from './links/index.js'
import { linkCache } from './links/resolver.js'
import { createOutside } from './outside.js'
import type { Platform } from './platform.js'

type Deps = { app: FastifyInstance, platform: Platform, secret: string, draining: () => boolean }

/** Every module's service, made once and handed to its routes. */
export function createServices ({ app, platform, secret, draining }: Deps) {
  const { mongo, config, log, ids } = platform
  const outside = createOutside(platform, secret)
  const links = LinkModel.on(mongo)

  const auth = createAuthService({
    platform, users: UserModel.on(mongo), accounts: AccountModel.on(mongo), sessions: SessionModel.on(mongo),
    sign: (claims, expiresIn) => app.jwt.sign(claims, { expiresIn })
  })
  const counter = createClickCounter(platform, {
    links, clicks: ClickModel.on(mongo), stats: ClickStatModel.on(mongo), visitors: VisitorModel.on(mongo), salts: VisitorSaltModel.on(mongo), batches: ClickBatchModel.on(mongo)
  })
  const clicks = createClicks({ dir: config.clickJournalDir, instance: `${process.pid}-${ids.token(6)}`, maxBytes: config.CLICK_JOURNAL_MAX, counter, log })
  const linksService = createLinksService({ platform, links })
  const health = createHealth({
    config, mongo, redis: platform.redis, outbox: platform.outbox, jobs: platform.jobs, siblings: outside.siblings, draining,
    clicks: () => { const { status, pending } = clicks.figures(); return { status, pending } }
  })

  return {
    platform, outside, auth, health, clicks,
    links: linksService,
    linkImport: createLinkImport(platform, linksService),
    linkCache: linkCache(platform, links),
    reserved: reservedCodes(config.RESERVED_CODES)
  }
}
export type Services = ReturnType<typeof createServices>
