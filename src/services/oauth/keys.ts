import { createHash } from 'node:crypto'
import { Types, type ClientSession } from 'mongoose'
import type { ApiKeyModel, KeyRow, KeyUsageModel } from '../../models/oauth.js'
import { MAX_KEYS, type KeyChange, type KeyInput, type KeyQuery } from '../../schemas/oauth-keys.js'
import { compileState } from './key-state.js'
import type { Actor } from '../kit.js'
import type { Platform } from '../platform.js'
import { createLister } from '../resource/list.js'
import type { AccessEnd } from './access-end.js'
import { checkRanges, rangesWithin } from './addresses.js'
import { OauthError } from './errors.js'
import { checkScopes } from './scopes.js'
import { guardAct, type Guard } from './guard.js'
import { noticeExpiring } from './expiry.js'

export type Notice = (accountId: Types.ObjectId, mail: { subject: string, text: string, ref: string }, session: ClientSession) => Promise<void>
type Deps = { platform: Platform, keys: ApiKeyModel, usage: KeyUsageModel, guard: Guard, notice: Notice, endAccess: AccessEnd }

const HIDDEN = { key_hash: 0, may_write: 0, expiry_noticed_for: 0, 'previous.key_hash': 0 } as const
const SORTABLE = { created_at: 'created_at', last_used_at: 'last_used_at', name: 'name' }
const HOUR = 3_600_000
const DAY = 24 * HOUR
const DEFAULT_RATE = 300
const USAGE_DAYS = 90

export const hashKey = (key: string): string => createHash('sha256').update(key).digest('base64url')

export function createKeysService ({ platform, keys, usage, guard, notice, endAccess }: Deps) {
  const { clock, ids, transactions, events, invalidation } = platform
  const lister = createLister<KeyRow>({ model: keys as never, sortable: SORTABLE, defaultSort: '-created_at', projection: HIDDEN })
  const account = (actor: Actor) => new Types.ObjectId(actor.accountId)
  /** Short enough to be read out, and free of the separator. */
  const newKeyId = () => ids.token(18).replace(/[-_]/g, '').padEnd(12, '0').slice(0, 12)

  const list = (actor: Actor, { page, limit, cursor, sort, state, q }: KeyQuery) =>
    lister.list({ account_id: account(actor), ...compileState(state, clock.now()), ...(q !== undefined && { name: q }) }, { page, limit, cursor, sort })

  /** @throws KEY_NOT_FOUND, also for another account's key */
  async function get (actor: Actor, id: string): Promise<KeyRow> {
    const row = await keys.findOne({ account_id: account(actor), _id: new Types.ObjectId(id) }).lean()
    if (row === null) throw OauthError.KEY_NOT_FOUND()
    return row as KeyRow
  }

  /** @returns the row and the key, which is stored only as a hash. @throws what checkScopes throws, KEY_LIMIT_REACHED, STEP_UP_REQUIRED */
  async function create (actor: Actor, input: KeyInput, stepUp: string | undefined): Promise<{ row: KeyRow, key: string }> {
    guardAct(actor)
    if (actor.type !== 'key') await guard.stepUp(actor, stepUp)
    const now = clock.now()
    const settings = checkSettings({
      admin: input.admin ?? false,
      expires_at: input.expires_at ?? null,
      ip_allow: input.ip_allow ?? [],
      rate_per_minute: input.rate_per_minute ?? DEFAULT_RATE,
      sub_accounts: input.sub_accounts ?? 'none'
    })
    const scopes = checkScopes(input.scopes, actor.can)
    await checkNarrower(actor, settings)
    const keyId = newKeyId()
    const key = `dck_${keyId}_${ids.token(32)}`
    const row = {
      _id: ids.objectId(),
      account_id: account(actor),
      key_id: keyId,
      key_hash: hashKey(key),
      previous: null,
      name: input.name,
      scopes,
      created_by: new Types.ObjectId(actor.userId),
      enabled: true,
      ...settings,
      last_used_at: null,
      last_used_ip: null,
      revoked_at: null,
      revoked_reason: null,
      may_write: actor.permissions.has('write'),
      expiry_noticed_for: null,
      created_at: now,
      updated_at: now
    }
    await transactions.run(async session => {
      if (await keys.countDocuments({ account_id: row.account_id, revoked_at: null }).session(session) >= MAX_KEYS) throw OauthError.KEY_LIMIT_REACHED(MAX_KEYS)
      await keys.create([row], { session })
      await invalidation.invalidate('access.keys', keyId, session)
      await emit('api_key.created', actor, row as KeyRow, session)
      await notice(row.account_id, {
        subject: `A new API key: ${row.name}`,
        ref: `api_key:${keyId}`,
        text: `The API key "${row.name}" (${keyId}) was made. It may: ${scopes.join(', ')}. If nobody of your team made it, revoke it.`
      }, session)
    })
    return { row: row as KeyRow, key }
  }

  type Settings = Pick<KeyRow, 'admin' | 'ip_allow' | 'rate_per_minute' | 'sub_accounts'> & { expires_at: Date | null }
  type Asked = Omit<Settings, 'expires_at'> & { expires_at: string | Date | null }
  function checkSettings ({ expires_at: until, ip_allow: ranges, ...rest }: Asked): Settings {
    const expires = until === null ? null : new Date(until)
    if (expires !== null && expires.getTime() <= clock.now().getTime()) throw OauthError.EXPIRY_INVALID()
    return { ...rest, expires_at: expires, ip_allow: checkRanges(ranges) }
  }

  /** A key makes only keys that are no wider than itself. */
  async function checkNarrower (actor: Actor, made: Settings): Promise<void> {
    if (made.admin && !actor.permissions.has('admin')) throw OauthError.SCOPE_ESCALATION()
    if (actor.key === undefined) return
    const own = await get(actor, actor.key.id)
    const fits = (own.expires_at === null || (made.expires_at !== null && made.expires_at <= own.expires_at)) && (own.admin || !made.admin) &&
      rangesWithin(made.ip_allow, own.ip_allow) && made.rate_per_minute <= own.rate_per_minute && subAccountsWithin(made.sub_accounts, own.sub_accounts)
    if (!fits) throw OauthError.SCOPE_ESCALATION()
  }

  /** @throws KEY_NOT_FOUND, KEY_STATE_INVALID for a revoked one, what create throws */
  async function update (actor: Actor, id: string, change: KeyChange): Promise<KeyRow> {
    guardAct(actor)
    const before = live(await get(actor, id))
    const { name, scopes, ...rest } = change
    const settings = checkSettings({
      admin: before.admin,
      ip_allow: before.ip_allow,
      rate_per_minute: before.rate_per_minute,
      sub_accounts: before.sub_accounts,
      ...rest,
      // A key that has run out may be renamed.
      expires_at: rest.expires_at ?? null
    })
    await checkNarrower(actor, settings)
    const set = {
      ...settings,
      ...(rest.expires_at === undefined && { expires_at: before.expires_at }),
      ...(name !== undefined && { name }),
      ...(scopes !== undefined && { scopes: checkScopes(scopes, actor.can) })
    }
    return save(actor, before, set, 'api_key.updated')
  }

  const setEnabled = async (actor: Actor, id: string, enabled: boolean): Promise<KeyRow> => save(actor, live(await get(actor, id)), { enabled }, 'api_key.updated')

  /** The same settings under a new secret; the old one works until the overlap ends. */
  async function reroll (actor: Actor, id: string, hours: number, stepUp: string | undefined): Promise<{ row: KeyRow, key: string }> {
    guardAct(actor)
    await guard.stepUp(actor, stepUp)
    const before = live(await get(actor, id))
    const key = `dck_${before.key_id}_${ids.token(32)}`
    const previous = hours === 0 ? null : { key_hash: before.key_hash, expires_at: new Date(clock.now().getTime() + hours * HOUR) }
    return { row: await save(actor, before, { key_hash: hashKey(key), previous }, 'api_key.rerolled'), key }
  }

  /** For good; a second call changes nothing. */
  async function revoke (actor: Actor, id: string): Promise<KeyRow> {
    const before = await get(actor, id)
    if (before.revoked_at !== null) return before
    return save(actor, before, { revoked_at: clock.now(), revoked_reason: 'deleted', enabled: false, previous: null }, 'api_key.revoked')
  }

  const live = (row: KeyRow): KeyRow => {
    if (row.revoked_at !== null) throw OauthError.KEY_STATE_INVALID()
    return row
  }

  const save = (actor: Actor, before: KeyRow, set: Partial<KeyRow>, type: string): Promise<KeyRow> => transactions.run(async session => {
    const after = await keys.findOneAndUpdate(
      { account_id: before.account_id, _id: before._id }, { $set: { ...set, updated_at: clock.now() } }, { session, returnDocument: 'after' }
    ).lean()
    if (after === null) throw OauthError.KEY_NOT_FOUND()
    await invalidation.invalidate('access.keys', before.key_id, session)
    // What it was exchanged for carries the old settings, and dies with the key.
    await endAccess({ client_id: `key:${before.key_id}` }, 'key_changed', session)
    await emit(type, actor, after as KeyRow, session)
    return after as KeyRow
  })

  const emit = (type: string, actor: Actor | 'system', row: KeyRow, session: ClientSession) => events.emit({
    type,
    actor,
    accountId: row.account_id.toHexString(),
    resource: { type: 'api_key', id: row._id.toHexString() },
    data: { key_id: row.key_id, name: row.name, scopes: row.scopes, expires_at: row.expires_at?.toISOString() ?? null }
  }, session)

  /** Calls by day, the newest first. */
  async function usageOf (actor: Actor, id: string) {
    const { key_id: keyId, account_id: accountId } = await get(actor, id)
    const since = new Date(clock.now().getTime() - USAGE_DAYS * DAY).toISOString().slice(0, 10)
    const rows = await usage.find({ account_id: accountId, key_id: keyId, day: { $gte: since } }).sort({ day: -1 }).limit(USAGE_DAYS + 1).lean()
    return rows.map(({ day, counts }) => {
      const { requests = 0, refused = 0, ...classes } = counts
      return { day, requests, refused, by_status: classes }
    })
  }

  /** Keys of a person that leaves pass to another, whose rights bound them from then on; without one they are revoked. */
  async function reassign (work: { account_id: string, from: string, to: string | null, limit: number }) {
    const filter = { account_id: new Types.ObjectId(work.account_id), created_by: new Types.ObjectId(work.from), revoked_at: null }
    const rows = await keys.find(filter).limit(work.limit).lean()
    if (rows.length > 0) {
      await transactions.run(async session => {
        const set = work.to === null ? { revoked_at: clock.now(), revoked_reason: 'person_left', enabled: false } : { created_by: new Types.ObjectId(work.to) }
        await keys.updateMany({ account_id: filter.account_id, _id: { $in: rows.map(row => row._id) } }, { $set: set }, { session })
        for (const row of rows) {
          await invalidation.invalidate('access.keys', row.key_id, session)
          await emit(work.to === null ? 'api_key.revoked' : 'api_key.updated', 'system', row as KeyRow, session)
        }
      })
    }
    return { moved: rows.length, left: await keys.countDocuments(filter) }
  }

  /** Tells owners of keys that end within 7 days, once for each expiry */
  const noticeExpiry = () => noticeExpiring({ platform, keys, emit, notice })

  const workload = (accountId: string, userId: string) =>
    keys.countDocuments({ account_id: new Types.ObjectId(accountId), created_by: new Types.ObjectId(userId), revoked_at: null })

  return { list, get, create, update, setEnabled, reroll, revoke, usageOf, reassign, noticeExpiry, workload }
}
export type KeysService = ReturnType<typeof createKeysService>

export function subAccountsWithin (inner: KeyRow['sub_accounts'], outer: KeyRow['sub_accounts']): boolean {
  if (outer === 'all' || inner === 'none') return true
  return outer !== 'none' && inner !== 'all' && inner.every(id => outer.includes(id))
}
