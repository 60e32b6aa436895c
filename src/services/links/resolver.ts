import type { LinkModel } from '../../models/url.js'
import { crossTenant } from '../../models/define.js'
import type { Cache } from '../cache.js'
import type { Platform } from '../platform.js'
import { codeKey } from './codes.js'
import { withQuery, withUtm } from './targets.js'

/** A link as the redirect needs it: what can be worked out once is worked out when it is loaded. */
export type LiveLink = {
  id: string
  accountId: string
  target: string
  status: 301 | 302 | 307 | 308
  forwardQuery: boolean
  crawlable: boolean
  active: boolean
  archived: boolean
  blocked: boolean
  validSince: number
  validUntil: number
  expiredUrl: string | null
}

export type Decision =
  | { kind: 'redirect', link: LiveLink, location: string }
  | { kind: 'fallback', location: string }
  | { kind: 'missing' }
  | { kind: 'expired' }
  | { kind: 'blocked' }

const LINK_TTL_MS = 60_000
const MISS_TTL_MS = 2_000
const MAX_CACHED = 100_000

/** The code is the key of the cache and of the index alike. */
export const linkCache = (platform: Platform, links: LinkModel): Cache<LiveLink | null> => platform.cache<LiveLink | null>({
  scope: 'links',
  max: MAX_CACHED,
  ttl: LINK_TTL_MS,
  ttlOf: link => link === null ? MISS_TTL_MS : LINK_TTL_MS,
  async load (key) {
    const row = await links.findOne({ domain_id: null, code_keys: key }, PROJECTION, crossTenant('a redirect knows only the code')).lean()
    if (row === null) return null
    return {
      id: row._id.toHexString(),
      accountId: row.account_id.toHexString(),
      target: withUtm(row.url, row.utm),
      status: row.redirect_type,
      forwardQuery: row.forward_query,
      crawlable: row.crawlable,
      active: row.active,
      archived: row.archived_at !== null,
      blocked: row.blocked_at !== null,
      validSince: row.valid_since?.getTime() ?? -Infinity,
      validUntil: row.valid_until?.getTime() ?? Infinity,
      expiredUrl: row.expired_url
    }
  }
})

const PROJECTION = {
  account_id: 1, url: 1, utm: 1, redirect_type: 1, forward_query: 1, crawlable: 1, active: 1, archived_at: 1, blocked_at: 1, valid_since: 1, valid_until: 1, expired_url: 1
} as const

/** What a link does now; its state always wins over where it would lead (modules/url-shortener.md 4.1). */
export function decide (link: LiveLink | null, query: string, now: number): Decision {
  if (link === null || link.archived || !link.active || link.validSince > now) return { kind: 'missing' }
  if (link.blocked) return { kind: 'blocked' }
  if (link.validUntil <= now) return link.expiredUrl === null ? { kind: 'expired' } : { kind: 'fallback', location: link.expiredUrl }
  return { kind: 'redirect', link, location: query !== '' && link.forwardQuery ? withQuery(link.target, query) : link.target }
}

export { codeKey }
