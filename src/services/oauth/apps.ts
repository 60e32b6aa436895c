import { Types, type ClientSession } from 'mongoose'
import { crossTenant } from '../../models/define.js'
import type { AppRow, AppSecret, ConnectionModel, OauthAppModel } from '../../models/oauth.js'
import { MAX_APPS, type AppChange, type AppInput, type AppQuery } from '../../schemas/oauth.js'
import { hashToken } from '../auth/tokens.js'
import { CommonError, type Actor } from '../kit.js'
import type { Platform } from '../platform.js'
import { createLister } from '../resource/list.js'
import type { AccessEnd } from './access-end.js'
import { OauthError } from './errors.js'
import { guardAct, type Guard } from './guard.js'
import { checkRedirects } from './redirects.js'
import { checkScopes } from './scopes.js'

type Deps = { platform: Platform, apps: OauthAppModel, connections: ConnectionModel, guard: Guard, endAccess: AccessEnd }

const HIDDEN = { 'client_secret.hash': 0, name_key: 0 } as const
const SORTABLE = { created_at: 'created_at', name: 'name' }
const HOUR = 3_600_000
const nameKey = (name: string): string => name.normalize('NFKC').trim().toLowerCase()

export function createAppsService ({ platform, apps, connections, guard, endAccess }: Deps) {
  const { clock, ids, transactions, events } = platform
  const lister = createLister<AppRow>({ model: apps as never, sortable: SORTABLE, defaultSort: '-created_at', projection: HIDDEN })
  const account = (actor: Actor) => new Types.ObjectId(actor.accountId)

  const list = (actor: Actor, { page, limit, cursor, sort, q }: AppQuery) =>
    lister.list({ account_id: account(actor), deleted_at: null, ...(q !== undefined && { name_key: nameKey(q) }) }, { page, limit, cursor, sort })

  /** @throws APP_NOT_FOUND, also for another account's app */
  async function get (actor: Actor, id: string): Promise<AppRow> {
    const row = await apps.findOne({ account_id: account(actor), _id: id, deleted_at: null }).lean()
    if (row === null) throw OauthError.APP_NOT_FOUND()
    return row as AppRow
  }

  function newSecret (): { shown: string, stored: AppSecret } {
    const shown = `dcx_${ids.token(32)}`
    return { shown, stored: { id: ids.token(9), hash: hashToken(shown), hint: shown.slice(-4), expires_at: null } }
  }

  /** @returns the row and its secret (null for public apps). @throws REDIRECT_URI_INVALID, what checkScopes throws, APP_LIMIT_REACHED */
  async function create (actor: Actor, input: AppInput): Promise<{ row: AppRow, secret: string | null }> {
    guardAct(actor)
    const now = clock.now()
    const secret = input.type === 'confidential' ? newSecret() : null
    const row = {
      _id: ids.objectId().toHexString(),
      account_id: account(actor),
      name: input.name,
      name_key: nameKey(input.name),
      type: input.type,
      redirect_uris: checkRedirects(input.redirect_uris, input.type),
      scopes: checkScopes(input.scopes, actor.can),
      active: false,
      first_party: false,
      logo: input.logo ?? null,
      description: input.description ?? null,
      webhook_url: input.webhook_url ?? null,
      client_secret: secret === null ? [] : [secret.stored],
      created_by: new Types.ObjectId(actor.userId),
      deleted_at: null,
      created_at: now,
      updated_at: now
    }
    await transactions.run(async session => {
      if (await apps.countDocuments({ account_id: row.account_id, deleted_at: null }).session(session) >= MAX_APPS) throw OauthError.APP_LIMIT_REACHED(MAX_APPS)
      await refuseTaken(row.account_id, row.name_key, session)
      await apps.create([row], { session })
      await emit('oauth.app_created', actor, row as AppRow, session)
    })
    return { row: row as AppRow, secret: secret?.shown ?? null }
  }

  /** A duplicate key would end a transaction that is already open. */
  async function refuseTaken (accountId: Types.ObjectId, key: string, session: ClientSession, but?: string): Promise<void> {
    const taken = await apps.findOne({ account_id: accountId, name_key: key }, { _id: 1 }, { session }).lean()
    if (taken !== null && taken._id !== but) throw CommonError.DUPLICATE_DOCUMENT()
  }

  async function update (actor: Actor, id: string, change: AppChange): Promise<AppRow> {
    guardAct(actor)
    const before = await get(actor, id)
    const set: Partial<AppRow> = {
      ...change,
      ...(change.name !== undefined && { name_key: nameKey(change.name) }),
      ...(change.redirect_uris !== undefined && { redirect_uris: checkRedirects(change.redirect_uris, before.type) }),
      ...(change.scopes !== undefined && { scopes: checkScopes(change.scopes, actor.can) })
    }
    return transactions.run(async session => {
      if (set.name_key !== undefined) await refuseTaken(before.account_id, set.name_key, session, id)
      return save(actor, before, set, 'oauth.app_updated', session)
    })
  }

  async function save (actor: Actor, before: AppRow, set: Partial<AppRow>, type: string, session: ClientSession): Promise<AppRow> {
    const after = await apps.findOneAndUpdate(
      { account_id: before.account_id, _id: before._id, deleted_at: null }, { $set: { ...set, updated_at: clock.now() } }, { session, returnDocument: 'after' }
    ).lean()
    if (after === null) throw OauthError.APP_NOT_FOUND()
    await emit(type, actor, after as AppRow, session)
    return after as AppRow
  }

  /** Ends the access that anybody gave to it, in every account. */
  async function remove (actor: Actor, id: string): Promise<AppRow> {
    guardAct(actor)
    const before = await get(actor, id)
    return transactions.run(async session => {
      const now = clock.now()
      const after = await save(actor, before, { deleted_at: now, active: false, name_key: `${before.name_key}#${id}`, client_secret: [] }, 'oauth.app_deleted', session)
      await connections.updateMany(
        { client_id: id, revoked_at: null }, { $set: { revoked_at: now, revoked_by: new Types.ObjectId(actor.userId) } },
        { session, ...crossTenant('all connections of an app end with it') }
      )
      await endAccess({ client_id: id }, 'app_deleted', session)
      return after
    })
  }

  /** A new secret; the others work until the overlap ends, at most two are alive. @throws STEP_UP_REQUIRED, APP_HAS_NO_SECRET */
  async function rotate (actor: Actor, id: string, hours: number, stepUp: string | undefined): Promise<{ row: AppRow, secret: string }> {
    guardAct(actor)
    const before = await get(actor, id)
    await guard.stepUp(actor, stepUp)
    if (before.type === 'public') throw OauthError.APP_HAS_NO_SECRET()
    const now = clock.now()
    const until = new Date(now.getTime() + hours * HOUR)
    const alive = before.client_secret.filter(({ expires_at: end }) => end === null || end > now).slice(-1)
    const kept = hours === 0 ? [] : alive.map(one => ({ ...one, expires_at: one.expires_at === null || one.expires_at > until ? until : one.expires_at }))
    const made = newSecret()
    const row = await transactions.run(session => save(actor, before, { client_secret: [...kept, made.stored] }, 'oauth.secret_rotated', session))
    return { row, secret: made.shown }
  }

  /** @throws SECRET_NOT_FOUND, STEP_UP_REQUIRED */
  async function endSecret (actor: Actor, id: string, secretId: string, stepUp: string | undefined): Promise<AppRow> {
    guardAct(actor)
    const before = await get(actor, id)
    await guard.stepUp(actor, stepUp)
    const rest = before.client_secret.filter(one => one.id !== secretId)
    if (rest.length === before.client_secret.length) throw OauthError.SECRET_NOT_FOUND()
    return transactions.run(session => save(actor, before, { client_secret: rest }, 'oauth.secret_rotated', session))
  }

  /** Staff let an app out of development, or put it back: then outsiders' access ends. */
  async function setActive (actor: Actor, id: string, active: boolean): Promise<AppRow> {
    const before = await apps.findOne({ _id: id, deleted_at: null }, null, crossTenant('staff approve the apps of all accounts')).lean()
    if (before === null) throw OauthError.APP_NOT_FOUND()
    return transactions.run(session => save(actor, before as AppRow, { active }, 'oauth.app_updated', session))
  }

  const emit = (type: string, actor: Actor, row: AppRow, session: ClientSession) => events.emit({
    type, actor, accountId: row.account_id.toHexString(), resource: { type: 'oauth_app', id: row._id }, data: { client_id: row._id, user_id: actor.userId, scopes: row.scopes }
  }, session)

  return { list, get, create, update, remove, rotate, endSecret, setActive }
}
export type AppsService = ReturnType<typeof createAppsService>

/** A row with what the API derives from it. */
export const shownApp = (row: AppRow, now: Date) => ({
  ...row,
  secrets: (row.client_secret ?? []).filter(({ expires_at: end }) => end === null || end > now)
    .map(({ id, hint, expires_at: end }) => ({ id, hint, expires_at: end ?? null }))
})
