import { setTimeout as wait } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { Actor } from '../kit.js'
import { AuthError } from './errors.js'
import { baseUrl, brandOf } from './mails.js'
import type { Mfa } from './mfa.js'
import type { People } from './people.js'
import type { Sessions } from './sessions.js'
import type { AccountRow, AuthContext } from './types.js'

const BUDGET_MS = 800
const KEPT_MS = 60_000
type Look = { logo?: string | null, favicon?: string | null, colors?: Record<string, string | null> | null }

/** What a dashboard needs at its start; a part whose source is down or not there is null and named in `degraded`. */
export function createStatus (context: AuthContext, people: People, sessions: Sessions, mfa: Mfa) {
  const { parts, platform } = context
  const kept = new LRUCache<string, object>({ max: 5_000, ttl: KEPT_MS })

  async function part<T> (degraded: string[], name: string, load: (() => Promise<T>) | undefined): Promise<T | null> {
    const late = new AbortController()
    try {
      if (load === undefined) throw new Error('nobody provides it')
      return await Promise.race([load(), wait(BUDGET_MS, null, { signal: late.signal, ref: false }).then(() => { throw new Error('too slow') })])
    } catch (error) {
      degraded.push(name)
      platform.log.debug({ err: error, part: name }, 'a part of the status answer is missing')
      return null
    } finally {
      late.abort()
    }
  }

  /** Answers of outside systems are kept for a minute. */
  const remote = <T extends object> (name: string, id: string, load: ((id: string) => Promise<T>) | undefined) => load && (async () => {
    const known = kept.get(`${name}:${id}`)
    if (known !== undefined) return known as T
    const value = await load(id)
    kept.set(`${name}:${id}`, value)
    return value
  })

  function plan (account: AccountRow) {
    const trial = account.plan_trial_ends_at
    return { tier: account.plan, status: trial !== null && trial > platform.clock.now() ? 'trialing' : 'active', trial_ends_at: trial, renews_at: null, past_due: false }
  }

  async function get (actor: Actor, version: string) {
    const user = await people.byId(actor.userId)
    const account = await sessions.accountById(actor.accountId === '' ? user!.account_id : actor.accountId)
    if (user === null || account === null) throw AuthError.USER_NOT_FOUND()
    const id = account._id.toHexString()
    const parent = account.parent_account === null ? null : await sessions.accountById(account.parent_account)
    const session = await sessions.current(actor)
    const rights = await sessions.rights(user, account, session ?? { impersonator_id: null, kind: 'login' })
    const degraded: string[] = []
    const brand = await brandOf(context, account)
    const look = { ...brand.branding as Look | undefined, ...account.branding as Look | undefined }
    const [planPart, loyalty, stripe, twilio, announcements, low, second] = await Promise.all([
      part(degraded, 'plan', async () => parts.plan?.(account) ?? plan(account)),
      part(degraded, 'loyalty_tier', parts.loyaltyTier && (() => parts.loyaltyTier!(id))),
      part(degraded, 'stripe', remote('stripe', id, parts.stripe) ?? (async () => ({
        customer: account.stripe_customer ?? null, connected: typeof account.stripe_connected_account === 'string', payments_enabled: account.payments_enabled ?? false
      }))),
      part(degraded, 'twilio', remote('twilio', id, parts.twilio)),
      part(degraded, 'announcements', parts.announcements && (() => parts.announcements!(user))),
      part(degraded, 'low_balance', parts.lowBalance && (() => parts.lowBalance!(id))),
      mfa.get(actor)
    ])
    return {
      user,
      account,
      parent_account: parent,
      branding: { name: brand.name, logo: look.logo ?? null, favicon: look.favicon ?? null, colors: look.colors ?? null,
        domain: await baseUrl(context, account) },
      permissions: rights.permissions.filter(name => actor.permissions.has(name)),
      scope: rights.scope,
      role: user.role,
      is_owner: user.is_owner,
      kind: session?.kind ?? 'token',
      impersonation: session?.impersonator_id == null ? null : { by: session.impersonator_id, reason: session.reason ?? '', expires_at: session.expires_at },
      mfa: { enabled: second.enabled, required: second.required },
      plan: planPart,
      loyalty_tier: loyalty,
      stripe,
      twilio,
      announcements,
      low_balance: low,
      client_dashboard: account.parent_account !== null && await sessions.dashboardOn(account._id),
      dashboard_version: version,
      degraded: degraded.sort()
    }
  }

  return { get }
}
