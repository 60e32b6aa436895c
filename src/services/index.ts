import type { FastifyInstance } from 'fastify'
import { AccountModel, PublicRequestModel, SignupCodeModel } from '../models/accounts.js'
import { GrantModel, LoginFailureModel, RefreshTokenModel, SessionModel } from '../models/auth.js'
import { ApiKeyModel, ConnectionModel, KeyUsageModel, OauthAppModel } from '../models/oauth.js'
import { ClickBatchModel, ClickModel, ClickStatModel, LinkModel, VisitorModel, VisitorSaltModel } from '../models/url.js'
import { MobileUpdateModel } from '../models/mobile-app.js'
import { NotificationModel } from '../models/notifications.js'
import { PushTokenModel, UserConfigModel, UserCounterModel, UserModel } from '../models/users.js'
import { businessOnAccount, createAccountsService, createPlans, workOnAccount } from './accounts/index.js'
import { createAccountSettings } from './accounts-settings/index.js'
import { createActivities } from './activities/index.js'
import { createAuthService } from './auth/index.js'
import { createClickCounter } from './clicks/counter.js'
import { createClicks } from './clicks/index.js'
import { createFlags } from './flags.js'
import { createHealth } from './health.js'
import { reservedCodes } from './links/codes.js'
import { createLinkImport } from './links/import.js'
import { createLinksService } from './links/index.js'
import { linkCache } from './links/resolver.js'
import { createMobileApp } from './mobile-app/index.js'
import { createNotifications } from './notifications/index.js'
import { bridgeLogin, createGuard } from './oauth/bridge.js'
import { createOauthService } from './oauth/index.js'
import { createOutside } from './outside.js'
import type { Platform } from './platform.js'
import { createRetention } from './retention.js'
import { createShared } from './shared/index.js'
import { createUsersService, linksWork } from './users/index.js'

type Deps = { app: FastifyInstance, platform: Platform, secret: string, draining: () => boolean }

/** Every module's service, made once and handed to its routes. */
export function createServices ({ app, platform, secret, draining }: Deps) {
  const { mongo, config, log, ids } = platform
  const outside = createOutside(platform, secret)
  const links = LinkModel.on(mongo)
  const retention = createRetention(platform)
  const shared = createShared({ platform, outside, retention })
  const activities = createActivities({ platform, storage: outside.storage, files: shared.files, retention })

  const auth = createAuthService({
    platform, secret, users: UserModel.on(mongo), accounts: AccountModel.on(mongo), sessions: SessionModel.on(mongo), refreshTokens: RefreshTokenModel.on(mongo),
    grants: GrantModel.on(mongo), failures: LoginFailureModel.on(mongo),
    sign: (claims, expiresIn) => app.jwt.sign(claims, { expiresIn })
  })
  const sessions = SessionModel.on(mongo)
  const oauth = createOauthService({
    platform, users: UserModel.on(mongo), accounts: AccountModel.on(mongo), sessions, refreshTokens: RefreshTokenModel.on(mongo), grants: GrantModel.on(mongo),
    apps: OauthAppModel.on(mongo), connections: ConnectionModel.on(mongo), keys: ApiKeyModel.on(mongo), usage: KeyUsageModel.on(mongo), access: auth.access,
    guard: createGuard({ sessions, clock: platform.clock, readToken: auth.readToken }), login: bridgeLogin({ login: auth.login, selectAccount: auth.select, challenge: auth.challenge }),
    refreshSession: async token => ({ ...await auth.refresh({ refresh_token: token }), token_type: 'Bearer' }),
    sign: (claims, expiresIn) => app.jwt.sign(claims, { expiresIn }), verify: token => app.verifyAccessToken(token)
  })
  const accountRows = AccountModel.on(mongo)
  const accounts = createAccountsService({
    platform, accounts: accountRows, users: UserModel.on(mongo), codes: SignupCodeModel.on(mongo), requests: PublicRequestModel.on(mongo),
    plans: createPlans({ platform, accounts: accountRows }), contacts: businessOnAccount(accountRows), work: workOnAccount(accountRows),
    tokens: { makeToken: auth.makeToken, readToken: auth.readToken }, reserved: reservedCodes(config.RESERVED_CODES),
    hashPassword: auth.hashPassword, openSession: auth.openSession, endSessions: auth.endSessions
  })
  const accountSettings = createAccountSettings({ platform, accounts: accountRows, users: UserModel.on(mongo), core: accounts.core })
  auth.provide({ inviteAccepted: ({ user, account }, tx) => accounts.inviteAccepted({ account_id: account._id, user_id: user._id }, tx) })
  const notifications = createNotifications({ platform, notifications: NotificationModel.on(mongo) })
  const users = createUsersService({
    platform, users: UserModel.on(mongo), accounts: accountRows, sessions, configs: UserConfigModel.on(mongo), tokens: PushTokenModel.on(mongo),
    counters: UserCounterModel.on(mongo), notify: notifications.notify,
    auth: { makeToken: auth.makeToken, grants: auth.grants, endSessions: (who, reason, tx) => auth.endSessions({ ...who, reason }, tx) }
  })
  users.registry.join(linksWork(links))
  const mobile = createMobileApp({
    platform, updates: MobileUpdateModel.on(mongo), users, userRows: UserModel.on(mongo), accounts: accountRows, notifications
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
    platform, outside, flags: createFlags(platform, AccountModel.on(mongo)), accounts, accountSettings, auth, oauth, health, clicks, shared, activities, notifications, users, mobile,
    links: linksService,
    linkImport: createLinkImport(platform, linksService),
    linkCache: linkCache(platform, links),
    reserved: reservedCodes(config.RESERVED_CODES)
  }
}
export type Services = ReturnType<typeof createServices>
