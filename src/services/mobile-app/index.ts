import type { AccountModel } from '../../models/accounts.js'
import type { MobileUpdateModel } from '../../models/mobile-app.js'
import type { UserModel } from '../../models/users.js'
import { crossTenant } from '../../models/define.js'
import type { Badge } from '../../schemas/mobile-app.js'
import type { Actor } from '../kit.js'
import type { Notifications } from '../notifications/index.js'
import type { Platform } from '../platform.js'
import type { UsersService } from '../users/index.js'
import { createReleases, type App } from './releases.js'

type Reminder = { id: string, title: string, due_date_time: Date }
/** Parts that other modules give to the start screen; one that is not there yet has nothing to count. */
export type MobileParts = {
  reminders?: { due (who: Who): Promise<Reminder[]>, count (who: Who): Promise<number> }
  conversations?: (who: Who) => Promise<number>
  support?: (who: Who) => Promise<number>
  features?: () => Promise<Record<string, unknown>>
}
type Who = { account_id: string, user_id: string }
type Deps = {
  platform: Platform
  updates: MobileUpdateModel
  users: UsersService
  userRows: UserModel
  accounts: AccountModel
  notifications: Notifications
  parts?: MobileParts
}

const CAP = 999
const MAX_ACCOUNTS = 50
const PART_MS = 2_000

export function createMobileApp ({ platform, updates, users, userRows, accounts, notifications, parts = {} }: Deps) {
  const releases = createReleases({ platform, updates })
  const { log } = platform

  type Look = { name: string, logo: string | null, colors: Record<string, string | null> }
  type Text = string | null
  type Brand = { logo?: Text, colors?: Record<string, Text> | null }
  type AccountLook = { name: string, image?: Text, email?: Text, phone?: Text, website?: Text, branding?: Brand | null }
  const lookOf = ({ name, image, branding }: AccountLook): Look => ({ name, logo: branding?.logo ?? image ?? null, colors: branding?.colors ?? {} })

  const byHost = platform.cache<AccountLook | null>({
    scope: 'mobile-app.hosts',
    max: 1_000,
    ttl: 60_000,
    load: async host => {
      const name = host.toLowerCase()
      return await accounts.findOne({ status: 'active', parent_account: null, $or: [{ 'domain.dashclicks': name.split('.')[0] }, { 'domain.custom': name }] } as never)
        .lean() as unknown as AccountLook | null
    }
  })

  async function config (app: App, host: string | undefined, device: string | undefined) {
    const account = host === undefined ? null : await byHost.get(host)
    return {
      update: await releases.latest(app, undefined, device),
      branding: account === null ? null : lookOf(account),
      support: { email: account?.email ?? null, phone: account?.phone ?? null, url: account?.website ?? null },
      legal: { terms_url: null, privacy_url: null },
      min_version_code: await releases.minimum(app),
      features: await parts.features?.() ?? {}
    }
  }

  // ---------------------------------------------------------------- the signed-in app

  /** Runs a part; one that fails or hangs is null and named, the others still answer. */
  async function part<T> (name: string, degraded: string[], work: () => Promise<T>): Promise<T | null> {
    let timer: NodeJS.Timeout | undefined
    try {
      const late = new Promise<never>((_resolve, reject) => { timer = setTimeout(() => reject(new Error(`${name} took too long`)), PART_MS) })
      return await Promise.race([work(), late])
    } catch (error) {
      log.warn({ err: error, part: name }, 'a part of the start screen is missing')
      degraded.push(name)
      return null
    } finally {
      clearTimeout(timer)
    }
  }

  const capped = (count: number): number => Math.min(CAP, count)
  async function badge (actor: Actor, degraded: string[] = []): Promise<Badge> {
    const who = { account_id: actor.accountId, user_id: actor.userId }
    const [bell, reminders, conversations, support] = await Promise.all([
      part('notifications', degraded, () => notifications.unread(actor.accountId, actor.userId, CAP)),
      part('reminders', degraded, async () => await parts.reminders?.count(who) ?? 0),
      part('conversations', degraded, async () => await parts.conversations?.(who) ?? 0),
      part('support', degraded, async () => await parts.support?.(who) ?? 0)
    ])
    const counts = {
      notifications: capped(bell ?? 0), reminders: capped(reminders ?? 0), conversations: capped(conversations ?? 0), support: capped(support ?? 0)
    }
    return { ...counts, total: capped(Object.values(counts).reduce((sum, count) => sum + count, 0)) }
  }

  /** Accounts in which the same confirmed address is an active person. */
  async function switchable (emailKey: string | null) {
    if (emailKey === null) return []
    const rows = await userRows.find({ email_key: emailKey, status: 'active' }, { account_id: 1, role: 1 }, crossTenant('a person\'s own accounts are found by mail address'))
      .limit(MAX_ACCOUNTS).lean()
    const homes = await accounts.find({ _id: { $in: rows.map(row => row.account_id) }, status: 'active', banned: { $ne: true } }, { name: 1, image: 1, main: 1 }).lean()
    const roles = new Map(rows.map(row => [row.account_id.toHexString(), row.role]))
    return homes.map(({ _id, name, image, main }) => ({ account_id: _id, name, image, main, role: roles.get(_id.toHexString()) ?? 'user' }))
  }

  async function bootstrap (actor: Actor, app: App & { version_code: number }, device: string | undefined) {
    const degraded: string[] = []
    const who = { account_id: actor.accountId, user_id: actor.userId }
    const user = await users.self.me(actor)
    const [account, own, unread, reminders, update] = await Promise.all([
      part('account', degraded, () => actor.accountId === '' ? Promise.resolve(null) : accounts.findById(actor.accountId).lean() as Promise<AccountLook | null>),
      part('accounts', degraded, () => switchable(user.email?.toLowerCase() ?? null)),
      part('unread', degraded, () => badge(actor, degraded)),
      part('reminders', degraded, async () => (await parts.reminders?.due(who) ?? []).slice(0, 10)),
      part('update', degraded, () => releases.latest(app, app.version_code, device))
    ])
    return {
      user,
      account,
      branding: account === null ? null : lookOf(account),
      permissions: [...actor.permissions],
      scopes: user.scopes,
      accounts: own,
      unread,
      reminders,
      update,
      degraded: [...new Set(degraded)]
    }
  }

  return {
    releases, config, badge, bootstrap,
    /** Modules that come later give their parts. */
    provide (more: MobileParts): void { Object.assign(parts, more) }
  }
}
export type MobileApp = ReturnType<typeof createMobileApp>
