import { Type } from '@sinclair/typebox'
import type { Types } from 'mongoose'
import { Activity, ActivityComment, AuditEntry } from '../schemas/activities.js'
import { DateTime, Id } from '../schemas/kit.js'
import { defineModel, type ModelOf, type RowOf } from './define.js'

const { comments: _derived, ...fields } = Activity.properties
const StoredActivity = Type.Object(fields)
type Stored = { related: Types.ObjectId[], source_key: string | null, search_terms: string[], deleted_at: Date | null }

export const ActivityModel = defineModel<typeof StoredActivity, Stored>(StoredActivity, {
  collection: '_activity',
  tenant: true,
  stored: { related: ['ObjectId'], source_key: String, search_terms: [String], deleted_at: Date } as never,
  indexes: [
    [{ account_id: 1, contact: 1, occurred_at: -1, _id: -1 }],
    [{ account_id: 1, deal: 1, occurred_at: -1, _id: -1 }],
    [{ account_id: 1, occurred_at: -1, _id: -1 }],
    [{ account_id: 1, created_by: 1, occurred_at: -1 }],
    [{ account_id: 1, related: 1, occurred_at: -1 }],
    [{ account_id: 1, search_terms: 1 }],
    [{ account_id: 1, 'activity_ref.collection': 1, 'activity_ref.id': 1, source_key: 1 }, { unique: true, partialFilterExpression: { source_key: { $type: 'string' } } }]
  ]
})
export type ActivityModel = ModelOf<typeof ActivityModel>
export type ActivityRow = RowOf<typeof StoredActivity, Stored>

export const CommentModel = defineModel<typeof ActivityComment, { deleted_at: Date | null }>(ActivityComment, {
  collection: '_activity.comments', tenant: true, stored: { deleted_at: Date } as never, indexes: [[{ account_id: 1, activity_id: 1, created_at: 1 }]]
})
export type CommentModel = ModelOf<typeof CommentModel>
export type CommentRow = RowOf<typeof ActivityComment, { deleted_at: Date | null }>

/** Append-only: nothing but the sealer and the retention writes to a row that is there. */
export const AuditModel = defineModel<typeof AuditEntry, { sealed: boolean, source_key: string | null }>(AuditEntry, {
  collection: '_audit',
  tenant: true,
  stored: { sealed: Boolean, source_key: String } as never,
  indexes: [
    [{ account_id: 1, seq: 1 }, { unique: true, partialFilterExpression: { seq: { $type: 'number' } } }],
    [{ account_id: 1, created_at: -1, _id: -1 }],
    [{ account_id: 1, 'actor.id': 1, created_at: -1 }],
    [{ account_id: 1, resource: 1, resource_id: 1, created_at: -1 }],
    [{ account_id: 1, action: 1, created_at: -1 }],
    [{ account_id: 1, source_key: 1 }, { unique: true, partialFilterExpression: { source_key: { $type: 'string' } } }],
    [{ sealed: 1, created_at: 1 }]
  ]
})
export type AuditModel = ModelOf<typeof AuditModel>
export type AuditRow = RowOf<typeof AuditEntry, { sealed: boolean, source_key: string | null }>

/** The head of each account's chain, and where it begins since the rows before went to storage. */
const Anchor = Type.Object({ account_id: Id('_accounts'), seq: Type.Integer(), hash: Type.String(), dropped_to: Type.Integer(), dropped_hash: Type.String(), created_at: DateTime() })
export const AuditAnchorModel = defineModel(Anchor, { collection: '_audit.anchors', tenant: true, indexes: [[{ account_id: 1 }, { unique: true }]] })
export type AuditAnchorModel = ModelOf<typeof AuditAnchorModel>
