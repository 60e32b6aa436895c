import { Type, type Static } from '@sinclair/typebox'
import { DateTime, Entity, Id, Nullable } from './kit.js'

/** A notice of the bell. */
export const Notification = Entity('Notification', {
  id: Id('fcm.notifications'),
  account_id: Id('_accounts'),
  type: Type.String(),
  module: Type.String(),
  message: Type.Object({ title: Type.String(), body: Type.String(), click_action: Nullable(Type.String()), data: Type.Unknown() }),
  metadata: Nullable(Type.Unknown()),
  sent_by: Nullable(Id('_users')),
  created_at: DateTime(),
  updated_at: DateTime()
})
export type Notification = Static<typeof Notification>
