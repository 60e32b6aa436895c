import { timingSafeEqual } from 'node:crypto'
import { Types } from 'mongoose'
import { crossTenant } from '../../models/define.js'
import type { ApiKeyModel, KeyRow, KeyUsageModel } from '../../models/oauth.js'
import type { Access } from '../auth/access.js'
import { AuthError } from '../auth/errors.js'
import type { Actor } from '../kit.js'
import type { Platform } from '../platform.js'
import { allowsAddress } from './addresses.js'
import { OauthError } from './errors.js'
import { stateOf } from './key-state.js'
import { hashKey } from './keys.js'
import { cutToKeys, writes } from './scopes.js'

type Deps = { platform: Platform, keys: ApiKeyModel, usage: KeyUsageModel, access: Access }

/** Access caches live 3 s at most, so that a lost invalidation cannot keep a revoked key alive for 5 s. */
const TTL_MS = 3_000
const FLUSH_MS = 10_000
const FORM = /^dck_([A-Za-z0-9]{12})_[A-Za-z0-9_-]{43}$/
/** Compared with when there is no such key, so that the answer takes as long. */
const NOBODY = hashKey('nobody')

const equal = (a: string, b: string): boolean => timingSafeEqual(Buffer.from(a), Buffer.from(b))
type Tally = { accountId: Types.ObjectId, counts: Record<string, number>, lastAt: Date, ip: string }

/** Who holds a key, and how often it was used. */
export function createKeyDoor ({ platform, keys, usage, access }: Deps) {
  const { clock, log } = platform
  const cache = platform.cache<KeyRow | null>({
    scope: 'access.keys',
    max: 20_000,
    ttl: TTL_MS,
    load: async keyId => await keys.findOne({ key_id: keyId }, null, crossTenant('the door looks a key up by its id')).lean() as KeyRow | null
  })

  /** @throws TOKEN_INVALID: one answer for unknown, revoked, expired, switched off and a person behind it who is not active */
  async function find (token: string): Promise<KeyRow> {
    const [, keyId] = FORM.exec(token) ?? []
    if (keyId === undefined) throw AuthError.TOKEN_INVALID()
    const row = await cache.get(keyId)
    const hash = hashKey(token)
    const now = clock.now()
    const current = equal(hash, row?.key_hash ?? NOBODY)
    const previous = equal(hash, row?.previous?.key_hash ?? NOBODY) && row!.previous!.expires_at > now
    if (row === null || !(current || previous) || stateOf(row, now) !== 'active') throw AuthError.TOKEN_INVALID()
    return row
  }

  /** @throws TOKEN_INVALID, KEY_ADDRESS_FORBIDDEN, refusals of the account */
  async function resolve (token: string, requestId: string, now: number, ip: string): Promise<Actor> {
    const row = await find(token)
    if (!allowsAddress(row.ip_allow, ip)) throw OauthError.KEY_ADDRESS_FORBIDDEN()
    return actorOf(row, requestId, now)
  }

  async function actorOf (row: KeyRow, requestId: string, now: number): Promise<Actor> {
    const claims = { userId: row.created_by.toHexString(), accountId: row.account_id.toHexString(), permissions: ['read', 'write'], scope: row.scopes.join(' '), exp: 0 }
    const person = await Promise.resolve(access.resolve(claims, requestId, now)).catch(error => {
      if ((error as { code?: string }).code === 'USER_INACTIVE') throw AuthError.TOKEN_INVALID()
      throw error
    })
    const permissions = new Set(['read'])
    if (row.may_write && writes(row.scopes)) permissions.add('write')
    if (row.admin && (person.role === 'owner' || person.role === 'admin')) permissions.add('admin')
    return { ...person, type: 'key', permissions, can: cutToKeys(person.can), key: { id: row._id.toHexString(), keyId: row.key_id, ratePerMinute: row.rate_per_minute } }
  }

  // ---------------------------------------------------------------- use

  const tallies = new Map<string, Tally>()
  let timer: NodeJS.Timeout | undefined

  /** Counts one answered call; written in batches of 10 s. */
  function answered (actor: Actor, status: number, ip: string): void {
    if (actor.key === undefined) return
    const now = clock.now()
    const slot = `${actor.key.keyId} ${now.toISOString().slice(0, 10)}`
    const tally: Tally = tallies.get(slot) ?? { accountId: new Types.ObjectId(actor.accountId), counts: {}, lastAt: now, ip }
    const add = (name: string) => { tally.counts[name] = (tally.counts[name] ?? 0) + 1 }
    add('requests')
    add(`${Math.floor(status / 100)}xx`)
    if (status === 401 || status === 403 || status === 429) add('refused')
    tally.lastAt = now
    tally.ip = ip
    tallies.set(slot, tally)
    timer ??= setTimeout(flush, FLUSH_MS).unref()
  }

  async function flush (): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const batch = [...tallies]
    tallies.clear()
    for (const [slot, { accountId, counts, lastAt, ip }] of batch) {
      const [keyId, day] = slot.split(' ') as [string, string]
      try {
        const $inc = Object.fromEntries(Object.entries(counts).map(([name, n]) => [`counts.${name}`, n]))
        await usage.updateOne({ account_id: accountId, key_id: keyId, day }, { $inc, $set: { at: lastAt } }, { upsert: true })
        await keys.updateOne({ account_id: accountId, key_id: keyId }, { $set: { last_used_at: lastAt, last_used_ip: ip } })
      } catch (error) {
        log.warn({ err: error, key_id: keyId }, 'the use of a key could not be written')
      }
    }
  }

  return { resolve, find, actorOf, answered, flush }
}
export type KeyDoor = ReturnType<typeof createKeyDoor>
