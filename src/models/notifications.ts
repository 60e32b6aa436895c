import type { Types } from 'mongoose'
import { Notification } from '../schemas/notifications.js'
import { defineModel, type ModelOf } from './define.js'

type Stored = { users: Types.ObjectId[], read_by: Types.ObjectId[], removed_by: Types.ObjectId[], event_id: string | null, transaction_id: string | null, expires_at: Date }
const people = ['ObjectId']

export const NotificationModel = defineModel<typeof Notification, Stored>(Notification, {
  collection: 'fcm.notifications',
  tenant: true,
  stored: { users: people, read_by: people, removed_by: people, event_id: String, transaction_id: String, expires_at: Date } as never,
  indexes: [
    [{ account_id: 1, event_id: 1, type: 1 }, { unique: true, partialFilterExpression: { event_id: { $type: 'string' } } }],
    [{ account_id: 1, transaction_id: 1 }, { unique: true, partialFilterExpression: { transaction_id: { $type: 'string' } } }],
    [{ account_id: 1, users: 1, created_at: -1 }],
    [{ account_id: 1, users: 1, module: 1, type: 1, created_at: -1 }],
    [{ expires_at: 1 }, { expireAfterSeconds: 0 }]
  ]
})
export type NotificationModel = ModelOf<typeof NotificationModel>
