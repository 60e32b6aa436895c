import { createHash } from 'node:crypto'
import { Types, type ClientSession } from 'mongoose'
import type { SharedTagModel, SharedTagRow } from '../../models/shared.js'
import type { NewTag, SharedTag, TagBulk, TagChange, TagQuery } from '../../schemas/shared-tags.js'
import { fold } from '../filters/terms.js'
import { CommonError, type Actor } from '../kit.js'
import type { Platform } from '../platform.js'
import { runBulk, type BulkResult } from '../resource/bulk.js'
import { createLister } from '../resource/list.js'
import { SharedError } from './errors.js'

type Kind = SharedTag['kind']
/** Records that carry tags of a kind: asked when tags are merged, deleted or counted. */
export type TagCarrier = {
  /** every record that carries one of `from` carries `into` instead, once; null: it carries none of them */
  retag (accountId: Types.ObjectId, from: readonly Types.ObjectId[], into: Types.ObjectId | null, session: ClientSession): Promise<void>
  count (accountId: Types.ObjectId, tag: Types.ObjectId, session?: ClientSession): Promise<number>
}

export const PALETTE = ['#2f80ed', '#27ae60', '#eb5757', '#f2994a', '#9b51e0', '#219653', '#56ccf2', '#bb6bd9', '#f2c94c', '#4f4f4f'] as const
/** The colour of a tag that names none: the same for the same name. */
export const colorOf = (nameKey: string): string => PALETTE[createHash('sha256').update(nameKey).digest()[0]! % PALETTE.length]!

const PER_KIND = 200
const HIDDEN = { name_key: 0 } as const

export function createSharedTags ({ platform, tags }: { platform: Platform, tags: SharedTagModel }) {
  const { clock, ids, transactions, events } = platform
  const carriers = new Map<Kind, TagCarrier>()
  const lister = createLister<SharedTagRow>({ model: tags as never, sortable: { name: 'name', created_at: 'created_at' }, defaultSort: 'name', projection: HIDDEN })
  const account = (actor: Actor) => new Types.ObjectId(actor.accountId)

  async function list (actor: Actor, { kind, q, expand, fields: _fields, ...page }: TagQuery) {
    const found = await lister.list({ account_id: account(actor), kind, ...(q !== undefined && { name_key: { $gte: fold(q), $lt: `${fold(q)}\uffff` } }) }, page)
    const carrier = carriers.get(kind)
    if (expand !== 'usage' || carrier === undefined) return found
    return { ...found, rows: await Promise.all(found.rows.map(async row => ({ ...row, usage_count: await carrier.count(row.account_id, row._id) }))) }
  }

  /** @throws TAG_NOT_FOUND */
  async function get (actor: Actor, id: string, session?: ClientSession): Promise<SharedTagRow> {
    const row = await tags.findOne({ account_id: account(actor), _id: new Types.ObjectId(id) }, HIDDEN, { session }).lean()
    if (row === null) throw SharedError.TAG_NOT_FOUND()
    return row as unknown as SharedTagRow
  }

  const event = (type: string, actor: Actor, row: Pick<SharedTagRow, '_id' | 'kind' | 'name'>, session: ClientSession, data: object = {}) => events.emit({
    type, actor, resource: { type: 'shared_tag', id: row._id.toHexString() }, data: { kind: row.kind, name: row.name, ...data }
  }, session)

  /** @throws TAG_LIMIT_REACHED, a duplicate for a name that is there in any case */
  const create = (actor: Actor, { kind, name, color }: NewTag): Promise<SharedTagRow> => transactions.run(async session => {
    if (await tags.countDocuments({ account_id: account(actor), kind }).session(session) >= PER_KIND) throw SharedError.TAG_LIMIT_REACHED(PER_KIND)
    const now = clock.now()
    const key = fold(name)
    if (key === '') throw CommonError.VALIDATION_FAILED().with({ errors: [{ path: 'body.name', message: 'is empty', code: 'minLength' }] })
    const row = {
      _id: ids.objectId(),
      account_id: account(actor),
      kind,
      name: name.trim(),
      name_key: key,
      color: color ?? colorOf(key),
      usage_count: 0,
      created_by: new Types.ObjectId(actor.userId),
      created_at: now,
      updated_at: now
    }
    await tags.create([row], { session })
    await event('shared_tag.created', actor, row as unknown as SharedTagRow, session)
    return row as unknown as SharedTagRow
  })

  /** @throws TAG_NOT_FOUND */
  const update = (actor: Actor, id: string, { name, color }: TagChange): Promise<SharedTagRow> => transactions.run(async session => {
    const after = await tags.findOneAndUpdate(
      { account_id: account(actor), _id: new Types.ObjectId(id) },
      { $set: { ...(name !== undefined && { name: name.trim(), name_key: fold(name) }), ...(color !== undefined && { color }), updated_at: clock.now() } },
      { session, returnDocument: 'after', projection: HIDDEN }
    ).lean() as unknown as SharedTagRow | null
    if (after === null) throw SharedError.TAG_NOT_FOUND()
    await event('shared_tag.updated', actor, after, session)
    return after
  })

  /** @throws TAG_NOT_FOUND */
  const remove = (actor: Actor, id: string): Promise<SharedTagRow> => transactions.run(async session => {
    const row = await get(actor, id, session)
    await carriers.get(row.kind)?.retag(row.account_id, [row._id], null, session)
    await tags.deleteOne({ account_id: row.account_id, _id: row._id }, { session })
    await event('shared_tag.deleted', actor, row, session)
    return row
  })

  /** @throws INVALID_REFERENCE for a tag that is not there or of another kind */
  const merge = (actor: Actor, { kind, into, from }: { kind: Kind, into: string, from: string[] }): Promise<SharedTagRow> => transactions.run(async session => {
    const others = [...new Set(from)].filter(id => id !== into)
    const [target, ...sources] = await known(actor, kind, [into, ...others], session)
    const carrier = carriers.get(kind)
    await carrier?.retag(account(actor), sources, target!, session)
    await tags.deleteMany({ account_id: account(actor), _id: { $in: sources } }, { session })
    const count = await carrier?.count(account(actor), target!, session)
    if (count !== undefined) await tags.updateOne({ account_id: account(actor), _id: target! }, { $set: { usage_count: count, updated_at: clock.now() } }, { session })
    const row = await get(actor, into, session)
    await event('shared_tag.merged', actor, row, session, { into, from: others })
    return row
  })

  /** The ids of tags of a kind, in order, each once. @throws INVALID_REFERENCE */
  async function known (actor: Actor, kind: Kind, wanted: readonly string[], session?: ClientSession): Promise<Types.ObjectId[]> {
    const each = [...new Set(wanted)].map(id => new Types.ObjectId(id))
    const found = await tags.countDocuments({ account_id: account(actor), kind, _id: { $in: each } }).session(session ?? null)
    if (found !== each.length) throw CommonError.INVALID_REFERENCE('tags')
    return each
  }

  /** Counts a record's change of tags. */
  async function count (accountId: Types.ObjectId, before: readonly Types.ObjectId[], after: readonly Types.ObjectId[], session: ClientSession): Promise<void> {
    const without = (some: readonly Types.ObjectId[], others: readonly Types.ObjectId[]) => some.filter(id => !others.some(other => other.equals(id)))
    await tags.updateMany({ account_id: accountId, _id: { $in: without(after, before) } }, { $inc: { usage_count: 1 } }, { session })
    await tags.updateMany({ account_id: accountId, _id: { $in: without(before, after) } }, { $inc: { usage_count: -1 } }, { session })
  }

  const bulk = (actor: Actor, body: TagBulk): Promise<BulkResult> => {
    const hex = ({ _id }: SharedTagRow) => _id.toHexString()
    switch (body.operation) {
      case 'create': return runBulk(body.items, async item => ({ status: 'created', id: hex(await once(() => create(actor, item))) }))
      case 'update': return runBulk(body.items, async ({ id, ...change }) => ({ status: 'updated', id: hex(await once(() => update(actor, id, change))) }))
      case 'delete': return runBulk(body.items, async ({ id }) => ({ status: 'deleted', id: hex(await remove(actor, id)) }))
    }
  }

  return {
    list,
    get,
    create,
    update,
    remove,
    merge,
    known,
    count,
    bulk,
    /** Modules whose records carry tags of a kind say how these are changed. */
    carry (kind: Kind, carrier: TagCarrier): void { carriers.set(kind, carrier) }
  }
}
export type SharedTagsService = ReturnType<typeof createSharedTags>

/** A duplicate as the row's error. */
async function once<T> (work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if ((error as { code?: number }).code === 11000) throw CommonError.DUPLICATE_DOCUMENT()
    throw error
  }
}
