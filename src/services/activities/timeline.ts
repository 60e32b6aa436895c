import { Types, type ClientSession } from 'mongoose'
import type { ActivityModel, ActivityRow } from '../../models/activities.js'
import type { Activity, ActivityChange, ActivityQuery, NewActivity } from '../../schemas/activities.js'
import { compileQ, searchTerms } from '../filters/terms.js'
import { CommonError, type Actor } from '../kit.js'
import type { Platform } from '../platform.js'
import { createLister } from '../resource/list.js'
import type { FileRefs } from '../shared/index.js'
import { demandTransaction } from '../transactions.js'
import type { Audit } from './audit.js'
import { checkDetails } from './details.js'
import { ActivityError } from './errors.js'
import type { CrmRecords } from './records.js'

export type Mirror = {
  account_id: string, contact?: string | null, deal?: string | null, activity_type: Activity['activity_type'], activity_ref: { collection: string, id: string }, source_key: string,
  created_by?: string | null, actor_kind?: Activity['actor_kind'], impersonator_id?: string | null, title?: string | null, body?: string | null, details?: unknown, occurred_at?: Date
}
export type Filters = Omit<Partial<ActivityQuery>, 'page' | 'limit' | 'cursor' | 'sort' | 'fields' | 'expand'>
type Deps = { platform: Platform, activities: ActivityModel, records: CrmRecords, files: FileRefs, audit: Pick<Audit, 'write'> }

const HIDDEN = { related: 0, source_key: 0, search_terms: 0, deleted_at: 0 } as const
const MAX_PINS = 10
const EARLIEST = Date.parse('2000-01-01T00:00:00Z')
const AHEAD_MS = 300_000
const oid = (id: string | null | undefined) => id === null || id === undefined ? null : new Types.ObjectId(id)

export function createTimeline ({ platform, activities, records, files, audit }: Deps) {
  const { clock, ids, transactions, events, outbox } = platform
  const lister = createLister<ActivityRow>({ model: activities as never, sortable: { occurred_at: 'occurred_at' }, defaultSort: '-occurred_at', projection: HIDDEN })
  const isAdmin = (actor: Actor) => actor.permissions.has('admin')

  /** @throws CONTACT_NOT_FOUND, DEAL_NOT_FOUND for records out of the caller's sight */
  async function toFilter (actor: Actor, query: Filters): Promise<Record<string, unknown>> {
    const { contact_id: contact, deal_id: deal, include_related: related, activity_type: types, logs_type: logs, created_by: creator, from, to, q, pinned } = query
    if (contact !== undefined && !await records.sees(actor, 'contact', contact)) throw ActivityError.CONTACT_NOT_FOUND()
    if (deal !== undefined && !await records.sees(actor, 'deal', deal)) throw ActivityError.DEAL_NOT_FOUND()
    const sight = await records.sight(actor)
    const of = (field: 'contact' | 'deal', id: string) => related === true ? { $or: [{ [field]: oid(id) }, { related: oid(id) }] } : { [field]: oid(id) }
    const clauses = [...(sight === null ? [] : [sight]), ...(contact === undefined ? [] : [of('contact', contact)]), ...(deal === undefined ? [] : [of('deal', deal)]), ...(q === undefined ? [] : compileQ(q))]
    return {
      account_id: new Types.ObjectId(actor.accountId),
      deleted_at: null,
      ...(types !== undefined && { activity_type: { $in: types.split(',') } }),
      ...(logs !== undefined && { logs_type: { $in: logs.split(',') } }),
      ...(creator !== undefined && { created_by: oid(creator) }),
      ...(pinned !== undefined && { pinned }),
      ...((from !== undefined || to !== undefined) && { occurred_at: { ...(from !== undefined && { $gte: new Date(from) }), ...(to !== undefined && { $lt: new Date(to) }) } }),
      ...(clauses.length > 0 && { $and: clauses })
    }
  }

  async function list (actor: Actor, { page, limit, cursor, sort, fields: _fields, expand: _expand, ...filters }: ActivityQuery) {
    return lister.list(await toFilter(actor, filters), {
      ...(page !== undefined && { page }), ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }), ...(sort !== undefined && { sort })
    })
  }

  /** @throws ACTIVITY_NOT_FOUND, also for a row of a record that the caller does not see */
  async function get (actor: Actor, id: string, session?: ClientSession): Promise<ActivityRow> {
    const sight = await records.sight(actor)
    const row = await activities.findOne({ account_id: new Types.ObjectId(actor.accountId), _id: new Types.ObjectId(id), deleted_at: null, ...(sight !== null && { $and: [sight] }) } as never, null, { session }).lean()
    if (row === null) throw ActivityError.ACTIVITY_NOT_FOUND()
    return row as unknown as ActivityRow
  }

  async function announce (type: string, actor: Actor | 'system', row: ActivityRow, session: ClientSession, data: object = {}): Promise<void> {
    const account = row.account_id.toHexString()
    const about = { contact_id: row.contact?.toHexString() ?? null, deal_id: row.deal?.toHexString() ?? null, activity_type: row.activity_type, ...data }
    const eventId = await events.emit({ type: `activity.${type}`, actor, accountId: account, resource: { type: 'activity', id: row._id.toHexString() }, data: about }, session)
    if (!['created', 'updated', 'deleted'].includes(type)) return
    await outbox.add([{
      topic: 'socket', key: account, accountId: account, dedupeId: `activity:${eventId}`, eventId, expiresAt: new Date(clock.now().getTime() + 3_600_000),
      payload: { event: `activity_${type}`, accountId: account, data: { id: row._id.toHexString(), ...about } }
    }], session)
  }

  function checkTime (text: string | undefined): Date {
    const now = clock.now()
    const at = text === undefined ? now : new Date(text)
    if (at.getTime() >= EARLIEST && at.getTime() <= now.getTime() + AHEAD_MS) return at
    throw CommonError.VALIDATION_FAILED().with({ errors: [{ path: 'body.occurred_at', message: 'must lie between 2000 and now', code: 'range' }] })
  }

  function draft (fields: Pick<ActivityRow, 'account_id' | 'activity_type'> & Partial<ActivityRow>): ActivityRow {
    const now = clock.now()
    return {
      _id: ids.objectId(), created_by: null, actor_kind: 'user', impersonator_id: null, contact: null, deal: null, logs_type: null, activity_ref: null, title: null, body: null, details: {},
      occurred_at: now, pinned: false, comment_count: 0, edited_at: null, created_at: now, related: [], source_key: null, deleted_at: null,
      search_terms: searchTerms({ title: fields.title, body: fields.body }), ...fields
    } as unknown as ActivityRow
  }

  const titleOf = (type: string, details: Record<string, unknown>) => ({
    title: (details.subject ?? details.title ?? (type === 'call' ? 'Call' : null)) as string | null, body: ((details.body ?? details.note ?? null) as string | null)?.slice(0, 2_000) ?? null
  })

  /** @throws REFERENCE_REQUIRED, INVALID_REFERENCE, DETAILS_INVALID */
  async function create (actor: Actor, { contact_id: contactId, deal_id: dealId, logs_type: type, details, occurred_at: at }: NewActivity): Promise<ActivityRow> {
    const contact: string | null = contactId ?? null
    const deal: string | null = dealId ?? null
    if (contact === null && deal === null) throw ActivityError.REFERENCE_REQUIRED()
    checkDetails(type, details)
    if (contact !== null && !await records.sees(actor, 'contact', contact)) throw CommonError.INVALID_REFERENCE('contact_id')
    if (deal !== null && !await records.sees(actor, 'deal', deal)) throw CommonError.INVALID_REFERENCE('deal_id')
    const row = draft({
      account_id: new Types.ObjectId(actor.accountId), created_by: new Types.ObjectId(actor.userId), actor_kind: actor.type === 'key' ? 'key' : 'user', impersonator_id: actor.impersonatorId ?? null,
      contact: oid(contact) as never, deal: oid(deal) as never, activity_type: 'log', logs_type: type, details, occurred_at: checkTime(at), related: await records.related(actor.accountId, contact, deal), ...titleOf(type, details)
    })
    row.search_terms = searchTerms({ title: row.title, body: row.body })
    return transactions.run(async session => {
      await activities.create([row], { session })
      await useRecording(actor, row, null, details, session)
      await records.touch(actor.accountId, contact, deal, row.occurred_at, session)
      await announce('created', actor, row, session)
      return row
    })
  }

  async function useRecording (actor: Actor, row: ActivityRow, before: unknown, after: unknown, session: ClientSession): Promise<void> {
    const idOf = (details: unknown) => (details as { recording_file_id?: string } | null)?.recording_file_id
    const [old, next] = [idOf(before), idOf(after)]
    const place = { accountId: actor.accountId, resource: 'activity', id: row._id.toHexString() }
    if (old === next) return
    if (old !== undefined) await files.unlink(old, place, session)
    if (next !== undefined) await files.link(next, { ...place, purposes: ['attachment', 'message_media'], field: 'details.recording_file_id' }, session)
  }

  function checkEditable (actor: Actor, row: ActivityRow): void {
    if (row.activity_type !== 'log' || row.activity_ref !== null) throw ActivityError.ACTIVITY_NOT_EDITABLE()
    if (row.created_by?.toHexString() !== actor.userId && !isAdmin(actor)) throw ActivityError.NOT_AUTHOR()
  }

  /** @throws ACTIVITY_NOT_FOUND, ACTIVITY_NOT_EDITABLE, NOT_AUTHOR, DETAILS_INVALID */
  const update = (actor: Actor, id: string, { details, occurred_at: at }: ActivityChange): Promise<ActivityRow> => transactions.run(async session => {
    const before = await get(actor, id, session)
    checkEditable(actor, before)
    const text = details === undefined ? null : titleOf(before.logs_type!, checkDetails(before.logs_type!, details))
    const set = {
      ...(text !== null && { details, ...text, search_terms: searchTerms(text) }),
      ...(at !== undefined && { occurred_at: checkTime(at) }),
      edited_at: clock.now()
    }
    if (details !== undefined) await useRecording(actor, before, before.details, details, session)
    const row = await activities.findOneAndUpdate({ account_id: before.account_id, _id: before._id }, { $set: set }, { session, returnDocument: 'after' }).lean() as unknown as ActivityRow
    await announce('updated', actor, row, session)
    return row
  })

  /** Leaves a row in the audit log. @throws ACTIVITY_NOT_FOUND, ACTIVITY_NOT_EDITABLE, NOT_AUTHOR */
  const remove = (actor: Actor, id: string, caller: { ip: string, userAgent?: string }): Promise<ActivityRow> => transactions.run(async session => {
    const row = await get(actor, id, session)
    checkEditable(actor, row)
    await activities.updateOne({ account_id: row.account_id, _id: row._id }, { $set: { deleted_at: clock.now() } }, { session })
    await useRecording(actor, row, row.details, null, session)
    await audit.write({
      accountId: actor.accountId, action: 'activity.delete', resource: { type: 'activity', id, label: row.title }, actor: { kind: actor.type, id: actor.userId }, impersonatorId: actor.impersonatorId ?? null,
      ip: caller.ip, userAgent: caller.userAgent ?? null, requestId: actor.requestId, before: { logs_type: row.logs_type, details: row.details }
    }, session)
    await announce('deleted', actor, row, session)
    return row
  })

  /** @throws ACTIVITY_NOT_FOUND, PIN_LIMIT_REACHED */
  const pin = (actor: Actor, id: string, pinned: boolean): Promise<ActivityRow> => transactions.run(async session => {
    const row = await get(actor, id, session)
    if (row.pinned === pinned) return row
    for (const field of ['contact', 'deal'] as const) {
      if (!pinned || row[field] === null) continue
      const count = await activities.countDocuments({ account_id: row.account_id, [field]: row[field], pinned: true, deleted_at: null } as never).session(session)
      if (count >= MAX_PINS) throw ActivityError.PIN_LIMIT_REACHED()
    }
    await activities.updateOne({ account_id: row.account_id, _id: row._id }, { $set: { pinned } }, { session })
    await announce('pinned', actor, row, session)
    return { ...row, pinned }
  })

  /** The row of a source's event in the timeline; the same source and key again add nothing. */
  async function record (mirror: Mirror, session: ClientSession): Promise<void> {
    demandTransaction(session, 'an activity')
    const { account_id: account, contact = null, deal = null, source_key: key, activity_ref: ref } = mirror
    const row = draft({
      account_id: new Types.ObjectId(account), contact: oid(contact) as never, deal: oid(deal) as never, activity_type: mirror.activity_type, activity_ref: ref, source_key: key,
      created_by: oid(mirror.created_by) as never, actor_kind: mirror.actor_kind ?? (mirror.created_by ? 'user' : 'system'), impersonator_id: mirror.impersonator_id ?? null, title: mirror.title ?? null,
      body: mirror.body?.slice(0, 2_000) ?? null, details: mirror.details ?? {}, occurred_at: mirror.occurred_at ?? clock.now(), related: await records.related(account, contact, deal)
    })
    const { upsertedCount } = await activities.updateOne(
      { account_id: row.account_id, 'activity_ref.collection': ref.collection, 'activity_ref.id': ref.id, source_key: key }, { $setOnInsert: omitPaths(row) } as never, { session, upsert: true }
    )
    if (upsertedCount === 0) return
    await records.touch(account, contact, deal, row.occurred_at, session)
    await announce('created', 'system', row, session)
  }

  /** The source is gone: so are its rows, but for the history of changes. */
  async function removeMirror ({ account_id: account, activity_ref: ref }: Pick<Mirror, 'account_id' | 'activity_ref'>, session: ClientSession): Promise<void> {
    demandTransaction(session, 'an activity')
    await activities.deleteMany({ account_id: new Types.ObjectId(account), 'activity_ref.collection': ref.collection, 'activity_ref.id': ref.id, activity_type: { $ne: 'change' } }, { session })
  }

  return { list, get, create, update, remove, pin, record, removeMirror, toFilter, announce, stream: async (actor: Actor, filters: Filters) => lister.stream(await toFilter(actor, filters)) }
}
export type Timeline = ReturnType<typeof createTimeline>

/** What the filter of an upsert sets already must not stand in its update too. */
function omitPaths ({ account_id: _account, activity_ref: _ref, source_key: _key, ...rest }: ActivityRow): object { return rest }
