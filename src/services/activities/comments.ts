import { Types } from 'mongoose'
import type { ActivityModel, ActivityRow, CommentModel, CommentRow } from '../../models/activities.js'
import type { UserModel } from '../../models/users.js'
import type { NewComment } from '../../schemas/activities.js'
import { CommonError, type Actor } from '../kit.js'
import type { Platform } from '../platform.js'
import { createLister, type ListRequest } from '../resource/list.js'
import { ActivityError } from './errors.js'
import type { Timeline } from './timeline.js'

type Deps = { platform: Platform, comments: CommentModel, activities: ActivityModel, users: Pick<UserModel, 'countDocuments'>, timeline: Pick<Timeline, 'get' | 'announce'> }
const DAY = 86_400_000
const HIDDEN = { deleted_at: 0 } as const

export function createComments ({ platform, comments, activities, users, timeline }: Deps) {
  const { clock, ids, transactions } = platform
  const lister = createLister<CommentRow>({ model: comments as never, sortable: { created_at: 'created_at' }, defaultSort: 'created_at', projection: HIDDEN })
  const own = (row: ActivityRow) => ({ account_id: row.account_id, activity_id: row._id, deleted_at: null })

  async function list (actor: Actor, activityId: string, page: ListRequest) {
    const { fields: _fields, q: _q, ...rest } = page
    return lister.list(own(await timeline.get(actor, activityId)), rest)
  }

  /** The last comments of each row of a page, by the row's id; one read for all of them. */
  async function last (actor: Actor, rows: readonly ActivityRow[], each: number): Promise<Map<string, CommentRow[]>> {
    const found = new Map<string, CommentRow[]>()
    const talked = rows.filter(row => row.comment_count > 0).map(row => row._id)
    if (talked.length === 0) return found
    const all = await comments.find({ account_id: new Types.ObjectId(actor.accountId), activity_id: { $in: talked }, deleted_at: null } as never, HIDDEN).sort({ created_at: -1, _id: -1 }).limit(2_000).lean() as unknown as CommentRow[]
    for (const comment of all) {
      const key = comment.activity_id.toHexString()
      const known = found.get(key) ?? []
      if (known.length < each) found.set(key, [comment, ...known])
    }
    return found
  }

  /** @throws ACTIVITY_NOT_FOUND, INVALID_REFERENCE for an answer to an answer, or a user who is not of the account */
  const add = (actor: Actor, activityId: string, { content, parent_id: parent = null, mentions = [] }: NewComment): Promise<CommentRow> => transactions.run(async session => {
    const activity = await timeline.get(actor, activityId, session)
    const people = [...new Set(mentions)].map(id => new Types.ObjectId(id))
    if (people.length > 0 && await users.countDocuments({ account_id: activity.account_id, _id: { $in: people } } as never).session(session) !== people.length) throw CommonError.INVALID_REFERENCE('mentions')
    if (parent !== null) {
      const above = await comments.findOne({ ...own(activity), _id: new Types.ObjectId(parent), parent_id: null } as never, { _id: 1 }, { session }).lean()
      if (above === null) throw CommonError.INVALID_REFERENCE('parent_id')
    }
    const row = {
      _id: ids.objectId(), account_id: activity.account_id, activity_id: activity._id, parent_id: parent === null ? null : new Types.ObjectId(parent), content, mentions: people,
      created_by: new Types.ObjectId(actor.userId), edited_at: null, created_at: clock.now(), deleted_at: null
    } as unknown as CommentRow
    await comments.create([row] as never, { session })
    await activities.updateOne({ account_id: activity.account_id, _id: activity._id }, { $inc: { comment_count: 1 } }, { session })
    await timeline.announce('comment_created', actor, activity, session, { comment_id: row._id.toHexString() })
    return row
  })

  async function find (activity: ActivityRow, id: string): Promise<CommentRow> {
    const row = await comments.findOne({ ...own(activity), _id: new Types.ObjectId(id) } as never).lean()
    if (row === null) throw ActivityError.COMMENT_NOT_FOUND()
    return row as unknown as CommentRow
  }

  /** @throws ACTIVITY_NOT_FOUND, COMMENT_NOT_FOUND, NOT_AUTHOR, COMMENT_LOCKED after 24 hours */
  const edit = (actor: Actor, activityId: string, id: string, content: string): Promise<CommentRow> => transactions.run(async session => {
    const activity = await timeline.get(actor, activityId, session)
    const row = await find(activity, id)
    if (row.created_by.toHexString() !== actor.userId) throw ActivityError.NOT_AUTHOR()
    if (clock.now().getTime() - row.created_at.getTime() > DAY) throw ActivityError.COMMENT_LOCKED()
    const set = { content, edited_at: clock.now() }
    await comments.updateOne({ ...own(activity), _id: row._id } as never, { $set: set }, { session })
    await timeline.announce('comment_updated', actor, activity, session, { comment_id: id })
    return { ...row, ...set }
  })

  /** @throws ACTIVITY_NOT_FOUND, COMMENT_NOT_FOUND, NOT_AUTHOR unless an admin */
  const remove = (actor: Actor, activityId: string, id: string): Promise<CommentRow> => transactions.run(async session => {
    const activity = await timeline.get(actor, activityId, session)
    const row = await find(activity, id)
    if (row.created_by.toHexString() !== actor.userId && !actor.permissions.has('admin')) throw ActivityError.NOT_AUTHOR()
    const { modifiedCount } = await comments.updateOne({ ...own(activity), _id: row._id } as never, { $set: { deleted_at: clock.now() } }, { session })
    if (modifiedCount === 0) throw ActivityError.COMMENT_NOT_FOUND()
    await activities.updateOne({ account_id: activity.account_id, _id: activity._id }, { $inc: { comment_count: -1 } }, { session })
    await timeline.announce('comment_deleted', actor, activity, session, { comment_id: id })
    return row
  })

  return { list, last, add, edit, remove }
}
