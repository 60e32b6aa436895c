import { createHash } from 'node:crypto'
import { Types } from 'mongoose'
import type { MobileUpdateModel, MobileUpdateRow } from '../../models/mobile-app.js'
import type { MobileUpdate, NewUpdate, UpdateChange, UpdateQuery } from '../../schemas/mobile-app.js'
import { CommonError, type Actor } from '../kit.js'
import type { Platform } from '../platform.js'
import { createLister } from '../resource/list.js'
import { MobileError } from './errors.js'

export type App = Pick<MobileUpdate, 'platform' | 'variant'>
type Deps = { platform: Platform, updates: MobileUpdateModel }

const SCOPE = 'mobile-app.releases'
const MAX_ACTIVE = 200
const keyOf = ({ platform, variant }: App) => `${platform}:${variant}`

/** Does a device belong to the share that gets a release first? Always the same answer for one device and release. */
export function inRollout (row: Pick<MobileUpdateRow, '_id' | 'is_mandatory' | 'rollout_percent'>, device: string | undefined): boolean {
  if (row.is_mandatory || row.rollout_percent >= 100) return true
  if (device === undefined || device === '') return false
  return createHash('sha256').update(`${row._id.toHexString()}:${device}`).digest().readUInt32BE(0) / 2 ** 32 * 100 < row.rollout_percent
}

export function createReleases ({ platform, updates }: Deps) {
  const { clock, ids, transactions, events, invalidation } = platform
  const lister = createLister<MobileUpdateRow>({
    model: updates as never, sortable: { version_code: 'version_code', created_at: 'created_at' }, defaultSort: '-version_code', projection: {}
  })

  /** Active releases of an app, the newest first. */
  const cache = platform.cache<MobileUpdateRow[]>({
    scope: SCOPE,
    max: 16,
    ttl: 60_000,
    load: async key => {
      const [os, variant] = key.split(':') as [App['platform'], App['variant']]
      return await updates.find({ platform: os, variant, active: true }).sort({ version_code: -1 }).limit(MAX_ACTIVE).lean() as MobileUpdateRow[]
    }
  })

  async function find (id: string): Promise<MobileUpdateRow> {
    const row = await updates.findById(id).lean() as MobileUpdateRow | null
    if (row === null) throw MobileError.UPDATE_NOT_FOUND()
    return row
  }

  /** The newest release for this device, and what it means for the installed one; null without any. */
  async function latest (app: App, installed: number | undefined, device: string | undefined) {
    const active = await cache.get(keyOf(app))
    const row = active.find(one => inRollout(one, device))
    if (row === undefined) return null
    if (installed === undefined) return row
    return { ...row, update_available: row.version_code > installed, must_update: active.some(one => one.is_mandatory && one.version_code > installed) }
  }

  const minimum = async (app: App): Promise<number> => (await cache.get(keyOf(app))).find(row => row.is_mandatory)?.version_code ?? 0

  /** @throws DUPLICATE_DOCUMENT */
  async function create (actor: Actor, input: NewUpdate): Promise<MobileUpdateRow> {
    const now = clock.now()
    const row: MobileUpdateRow = {
      _id: ids.objectId(),
      platform: input.platform,
      variant: input.variant,
      version_code: input.version_code,
      version_name: input.version_name ?? null,
      is_mandatory: input.is_mandatory ?? false,
      message: input.message ?? null,
      store_url: input.store_url ?? null,
      active: input.active ?? true,
      rollout_percent: input.rollout_percent ?? 100,
      seq: 0,
      created_by: new Types.ObjectId(actor.userId),
      created_at: now,
      updated_at: now
    }
    try {
      await transactions.run(async session => {
        await updates.create([row] as never, { session })
        await tell(actor, row, 'created', session)
      })
    } catch (error) {
      if ((error as { code?: number }).code === 11000) throw CommonError.DUPLICATE_DOCUMENT().because(error)
      throw error
    }
    return row
  }

  type Session = Parameters<Parameters<typeof transactions.run>[0]>[0]
  async function tell (actor: Actor, row: MobileUpdateRow, what: 'created' | 'updated' | 'deleted', session: Session): Promise<void> {
    await invalidation.invalidate(SCOPE, keyOf(row), session)
    await events.emit({
      type: `mobile_update.${what}`,
      actor,
      resource: { type: 'mobile_update', id: row._id.toHexString() },
      data: { platform: row.platform, variant: row.variant, version_code: row.version_code }
    }, session)
  }

  /** Parallel removals of the last two must not leave none: each touches all active rows of the app, so one of them runs again and sees the other. */
  async function demandAnother (row: MobileUpdateRow, session: Session): Promise<void> {
    const { matchedCount } = await updates.updateMany({ platform: row.platform, variant: row.variant, active: true }, { $inc: { seq: 1 } }, { session })
    if (matchedCount <= 1) throw MobileError.LAST_UPDATE_PROTECTED()
  }

  /** @throws UPDATE_NOT_FOUND, LAST_UPDATE_PROTECTED */
  async function update (actor: Actor, id: string, change: UpdateChange): Promise<MobileUpdateRow> {
    const before = await find(id)
    return transactions.run(async session => {
      if (before.active && change.active === false) await demandAnother(before, session)
      const after = await updates.findOneAndUpdate({ _id: id }, { $set: { ...change, updated_at: clock.now() } }, { session, returnDocument: 'after' }).lean() as MobileUpdateRow | null
      if (after === null) throw MobileError.UPDATE_NOT_FOUND()
      await tell(actor, after, 'updated', session)
      return after
    })
  }

  async function remove (actor: Actor, id: string): Promise<void> {
    await transactions.run(async session => {
      const row = await updates.findById(id, null, { session }).lean() as MobileUpdateRow | null
      if (row === null) throw MobileError.UPDATE_NOT_FOUND()
      if (row.active) await demandAnother(row, session)
      await updates.deleteOne({ _id: id }, { session })
      await tell(actor, row, 'deleted', session)
    })
  }

  const list = ({ page, limit, cursor, sort, fields: _fields, q: _q, ...filters }: UpdateQuery) => lister.list(filters, { page, limit, cursor, sort })

  /** The first start: one release per app, so that the apps work on a laptop. */
  async function seed (): Promise<void> {
    if (await updates.exists({}) !== null) return
    const now = clock.now()
    const apps = (['ios', 'android'] as const).flatMap(os => (['dashclicks', 'whitelabel'] as const).map(variant => ({ platform: os, variant })))
    await updates.bulkWrite(apps.map(app => ({
      updateOne: {
        filter: { ...app, version_code: 1 },
        update: { $setOnInsert: { version_name: '1.0.0', is_mandatory: false, message: null, store_url: null, active: true, rollout_percent: 100, seq: 0, created_by: null, created_at: now, updated_at: now } },
        upsert: true
      }
    })) as never)
  }

  return { latest, minimum, find, create, update, remove, list, seed }
}
export type Releases = ReturnType<typeof createReleases>
