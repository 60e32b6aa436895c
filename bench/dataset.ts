import { createHmac } from 'node:crypto'
import mongoose from 'mongoose'

const { ObjectId } = mongoose.Types
type ObjectId = mongoose.Types.ObjectId

/** Everything here is computed from a shape and an index, so that no process has to be told what another one made. */
export interface Shape {
  /** user, redirect and link number i belong to account i modulo this */
  accounts: number
  users: number
  links: number
}

/** links that are only redirected to: their counters move, so nobody reads them */
export const REDIRECTS = 1_000
export const PAGE = 20

const BORN = Date.UTC(2026, 0, 1)

const KIND = { account: 1, user: 2, redirect: 3, link: 4 } as const

/** kind in the third byte, index in the last four: ascending within a kind */
const idOf = (kind: number, index: number) => new ObjectId(`65${'00'}${hex(kind, 2)}${'0'.repeat(10)}${hex(index, 8)}`)
const hex = (value: number, width: number) => value.toString(16).padStart(width, '0')

export const accountId = (index: number) => idOf(KIND.account, index)
const userId = (index: number) => idOf(KIND.user, index)
export const linkId = (index: number) => idOf(KIND.link, index)
export const redirectId = (index: number) => idOf(KIND.redirect, index)
export const redirectCode = (index: number) => `go${hex(index, 6)}`
export const linkCode = (index: number) => `ln${hex(index, 6)}`
export const targetOf = (code: string) => `https://shop.example.com/spring/${code}?utm_source=mail&utm_campaign=spring`

/** Newest first, the links of an account; the order of W4. */
export function newestLinks (account: number, { accounts, links }: Shape, count = PAGE): number[] {
  const newest = atMost(links - 1, account, accounts)
  return Array.from({ length: count }, (_, step) => newest - step * accounts).filter(index => index >= 0)
}

/** The largest number up to `limit` that leaves `rest` when divided by `by`. */
export const atMost = (limit: number, rest: number, by: number) => limit - (((limit - rest) % by) + by) % by

function row (id: ObjectId, index: number, code: string, created: Date, { accounts, users }: Shape) {
  return {
    _id: id,
    account_id: accountId(index % accounts),
    created_by: userId(index % users),
    domain_id: null,
    code,
    code_keys: [code],
    search_terms: [code, 'spring', 'offer', String(index)],
    url: targetOf(code),
    custom: false,
    active: true,
    archived_at: null,
    visits: 0,
    unique_visits: 0,
    bot_visits: 0,
    last_visit_at: null,
    title: `Spring offer ${index}`,
    description: null,
    comments: null,
    tags: ['spring', `list-${index % 10}`],
    folder: null,
    external_id: null,
    origin: 'user',
    redirect_type: 302,
    forward_query: true,
    crawlable: false,
    valid_since: null,
    valid_until: null,
    expired_url: null,
    utm: null,
    blocked_at: null,
    block_reason: null,
    version: 1,
    created_at: created,
    updated_at: created
  }
}

export type LinkRow = ReturnType<typeof row>

export const linkRow = (index: number, shape: Shape): LinkRow =>
  row(linkId(index), index, linkCode(index), new Date(BORN + index * 1_000), shape)
/** Older than every link, so that no page of W4 shows one. */
export const redirectRow = (index: number, shape: Shape): LinkRow =>
  row(redirectId(index), index, redirectCode(index), new Date(BORN - (REDIRECTS - index) * 1_000), shape)

export const accountRow = (index: number) => ({
  _id: accountId(index),
  parent_account: null,
  main: true,
  status: 'active',
  status_reason: null,
  archived_at: null,
  banned: false,
  name: `Agency ${index}`,
  email: null,
  phone: null,
  address: null,
  website: null,
  image: null,
  owner: null,
  manager: null,
  plan: 'pro',
  plan_trial_ends_at: null,
  currency: 'USD',
  time_zone: 'UTC',
  locale: 'en-US',
  search_keys: [],
  business: null,
  created_at: new Date(BORN),
  updated_at: new Date(BORN)
})

export const userRow = (index: number, { accounts }: Shape) => ({
  _id: userId(index),
  account_id: accountId(index % accounts),
  first_name: 'User',
  last_name: String(index),
  name: `User ${index}`,
  image: null,
  job_title: null,
  email: `user${index}@agency.example.com`,
  email_key: `user${index}@agency.example.com`,
  phone: null,
  role: 'admin',
  is_owner: false,
  scopes: null,
  status: 'active',
  time_zone: null,
  locale: null,
  last_login_at: null,
  created_at: new Date(BORN),
  updated_at: new Date(BORN)
})

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const HEADER = base64url({ alg: 'HS256', typ: 'JWT' })
const LIFE_S = 86_400

/** The token that the platform's router signs: four claims and nothing else. */
export function tokenOf (user: number, { accounts }: Shape, secret: string, now = Date.now()): string {
  const claims = base64url({
    userId: userId(user).toHexString(),
    accountId: accountId(user % accounts).toHexString(),
    permissions: ['read', 'write'],
    exp: Math.floor(now / 1_000) + LIFE_S
  })
  return `${HEADER}.${claims}.${createHmac('sha256', secret).update(`${HEADER}.${claims}`).digest('base64url')}`
}
