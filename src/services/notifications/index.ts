import { Types, type ClientSession } from 'mongoose'
import type { NotificationModel } from '../../models/notifications.js'
import type { Platform } from '../platform.js'
import { demandTransaction } from '../transactions.js'

export type Notice = {
  /** what it tells of; the same event, type and account never make two */
  event_id: string
  /** `<module>.<what>` or a name of its own */
  type: string
  module?: string
  account_id: string
  users: readonly string[]
  title: string
  body: string
  data?: Record<string, unknown>
  click_action?: string
  metadata?: Record<string, string>
  sent_by?: string
}
export type Notify = (notice: Notice, session: ClientSession) => Promise<string | null>

const DAY = 86_400_000
const KEPT = 180 * DAY
const MAX_USERS = 500
const id = (text: string) => new Types.ObjectId(text)

/** The bell: a row per notice, written in the transaction of its cause, and a live signal to the people that it is for. */
export function createNotifications ({ platform, notifications }: { platform: Platform, notifications: NotificationModel }) {
  const { clock, ids, outbox, events } = platform

  /** @returns the notification's id, null when the event was told already or nobody is to hear of it */
  const notify: Notify = async (notice, session) => {
    demandTransaction(session, 'a notification')
    const people = [...new Set(notice.users)].slice(0, MAX_USERS)
    if (people.length === 0) return null
    const accountId = id(notice.account_id)
    const known = await notifications.exists({ account_id: accountId, event_id: notice.event_id, type: notice.type }).session(session)
    if (known !== null) return null
    const now = clock.now()
    const _id = ids.objectId()
    await notifications.create([{
      _id,
      account_id: accountId,
      users: people.map(id),
      type: notice.type,
      module: notice.module ?? notice.type.split('.')[0]!,
      event_id: notice.event_id,
      message: { title: notice.title, body: notice.body, click_action: notice.click_action ?? null, data: notice.data ?? {} },
      metadata: notice.metadata ?? {},
      sent_by: notice.sent_by === undefined ? null : id(notice.sent_by),
      read_by: [],
      removed_by: [],
      expires_at: new Date(now.getTime() + KEPT),
      created_at: now,
      updated_at: now
    }] as never, { session })
    const text = _id.toHexString()
    await events.emit({ type: 'notification.created', actor: 'system', accountId: notice.account_id, resource: { type: 'notification', id: text }, data: { user_ids: people, type: notice.type } }, session)
    await outbox.add([{
      topic: 'socket',
      key: notice.account_id,
      dedupeId: `notification:${text}`,
      accountId: notice.account_id,
      expiresAt: new Date(now.getTime() + 3_600_000),
      payload: { event: 'notification', accountId: notice.account_id, userIds: people, data: { id: text, type: notice.type, title: notice.title, body: notice.body } }
    }], session)
    return text
  }

  /** Unread notices of a person, counted to `max` at most. */
  const unread = (accountId: string, userId: string, max = 999): Promise<number> => notifications.countDocuments({
    account_id: id(accountId), users: id(userId), read_by: { $ne: id(userId) }, removed_by: { $ne: id(userId) }
  }).limit(max).exec()

  return { notify, unread }
}
export type Notifications = ReturnType<typeof createNotifications>
