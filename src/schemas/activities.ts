import { Type, type Static } from '@sinclair/typebox'
import { Change, DateTime, Entity, Id, ListQuery, Nullable, Ok, Page, READ_FAILS, Strict, StringEnum, WRITE_FAILS, fails, wire } from './kit.js'
import { ExportFile } from './standard.js'
import type { Operation } from './operation.js'

export const ACTIVITY_TYPES = ['note', 'email', 'sms', 'reminder', 'instasite', 'instareport', 'form', 'review', 'payment', 'change', 'log'] as const
export const LOG_TYPES = ['call', 'email', 'meeting'] as const
const ActivityType = StringEnum(ACTIVITY_TYPES, { title: 'ActivityType' })
const LogType = StringEnum(LOG_TYPES, { title: 'ActivityLogType' })
const anyOf = (values: readonly string[]) => Type.String({ maxLength: 300, pattern: `^(${values.join('|')})(,(${values.join('|')}))*$`, description: `Comma-separated: ${values.join(', ')}.` })

export const ActivityComment = Entity('ActivityComment', {
  id: Id('_activity.comments'),
  account_id: Id('_accounts'),
  activity_id: Id('_activity'),
  parent_id: Nullable(Id('_activity.comments')),
  content: Type.String({ minLength: 1, maxLength: 5_000, examples: ['Called again, she decides on Friday.'] }),
  mentions: Type.Array(Id('_users'), { maxItems: 20 }),
  created_by: Id('_users'),
  edited_at: Nullable(DateTime()),
  created_at: DateTime()
}, 'A remark about an activity.')
export type ActivityComment = Static<typeof ActivityComment>
export const toComment = wire(ActivityComment)

const Details = Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true, maxProperties: 20, description: 'By logs_type: call, email or meeting.' })
export const Activity = Entity('Activity', {
  id: Id('_activity'),
  account_id: Id('_accounts'),
  created_by: Nullable(Id('_users')),
  actor_kind: StringEnum(['user', 'contact', 'automation', 'key', 'system']),
  impersonator_id: Nullable(Type.String()),
  contact: Nullable(Id('crm.contacts')),
  deal: Nullable(Id('crm.deals')),
  activity_type: ActivityType,
  logs_type: Nullable(LogType),
  activity_ref: Nullable(Type.Object({ collection: Type.String(), id: Type.String() }, { description: 'The record that this row mirrors.' })),
  title: Nullable(Type.String()),
  body: Nullable(Type.String()),
  details: Type.Unsafe<unknown>({ description: 'By type.' }),
  occurred_at: DateTime(),
  pinned: Type.Boolean(),
  comment_count: Type.Integer(),
  edited_at: Nullable(DateTime()),
  comments: Type.Optional(Type.Array(ActivityComment, { description: 'With expand=comments the last three; all of a single activity.' })),
  created_at: DateTime()
}, 'One row of the timeline.')
export type Activity = Static<typeof Activity>
export const toActivity = wire(Activity)

const Params = Strict({ id: Id('_activity') })
const CommentParams = Strict({ id: Id('_activity'), comment_id: Id('_activity.comments') })
const from = Type.Optional(Type.String({ format: 'date-time' }))
const filters = {
  contact_id: Type.Optional(Id('crm.contacts')),
  deal_id: Type.Optional(Id('crm.deals')),
  include_related: Type.Optional(Type.Boolean()),
  activity_type: Type.Optional(anyOf(ACTIVITY_TYPES)),
  logs_type: Type.Optional(anyOf(LOG_TYPES)),
  created_by: Type.Optional(Id('_users')),
  from,
  to: from,
  pinned: Type.Optional(Type.Boolean())
}
const Query = ListQuery({ sort: ['occurred_at'], filters: { ...filters, expand: Type.Optional(StringEnum(['comments'])) } })
export type ActivityQuery = Static<typeof Query>
const NewActivity = Strict({
  contact_id: Type.Optional(Id('contacts')),
  deal_id: Type.Optional(Id('deals')),
  logs_type: LogType,
  details: Details,
  occurred_at: Type.Optional(DateTime())
})
export type NewActivity = Static<typeof NewActivity>
const ActivityChange = Strict({ details: Type.Optional(Details), occurred_at: Type.Optional(DateTime()) }, { minProperties: 1 })
export type ActivityChange = Static<typeof ActivityChange>
const NewComment = Strict({
  content: ActivityComment.properties.content, parent_id: Type.Optional(Nullable(Id('comments'))), mentions: Type.Optional(ActivityComment.properties.mentions)
})
export type NewComment = Static<typeof NewComment>

export const listActivities = { operationId: 'listActivities', tags: ['activities'], summary: 'The timeline of a contact or deal, or the feed', querystring: Query, response: { 200: Page(Activity), ...fails(...READ_FAILS) } } as const satisfies Operation
export const searchActivities = { operationId: 'searchActivities', tags: ['activities'], summary: 'Search the timeline', querystring: Query, response: { 200: Page(Activity), ...fails(...READ_FAILS) } } as const satisfies Operation
export const getActivity = { operationId: 'getActivity', tags: ['activities'], summary: 'Read an activity with its comments', params: Params, response: { 200: Ok(Activity), ...fails(...READ_FAILS) } } as const satisfies Operation
export const createActivity = { operationId: 'createActivity', tags: ['activities'], summary: 'Log a call, mail or meeting', body: NewActivity, response: { 201: Ok(Activity), ...fails(...WRITE_FAILS) } } as const satisfies Operation
export const updateActivity = { operationId: 'updateActivity', tags: ['activities'], summary: 'Change a logged activity', params: Params, body: ActivityChange, response: { 200: Ok(Activity), ...fails(...WRITE_FAILS) } } as const satisfies Operation
export const deleteActivity = { operationId: 'deleteActivity', tags: ['activities'], summary: 'Delete a logged activity', params: Params, response: { 200: Ok(Activity), ...fails(...WRITE_FAILS) } } as const satisfies Operation
export const pinActivity = { operationId: 'pinActivity', tags: ['activities'], summary: 'Pin an activity, or let it go', params: Params, body: Strict({ pinned: Type.Boolean() }), response: { 200: Ok(Activity), ...fails(...WRITE_FAILS) } } as const satisfies Operation
export const listComments = { operationId: 'listComments', tags: ['activities'], summary: 'Comments of an activity', params: Params, querystring: ListQuery({ sort: ['created_at'] }), response: { 200: Page(ActivityComment), ...fails(...READ_FAILS) } } as const satisfies Operation
export const addComment = { operationId: 'addComment', tags: ['activities'], summary: 'Comment on an activity', params: Params, body: NewComment, response: { 201: Ok(ActivityComment), ...fails(...WRITE_FAILS) } } as const satisfies Operation
export const editComment = { operationId: 'editComment', tags: ['activities'], summary: 'Change one\'s own comment within 24 hours', params: CommentParams, body: Change(ActivityComment, 'content'), response: { 200: Ok(ActivityComment), ...fails(...WRITE_FAILS) } } as const satisfies Operation
export const deleteComment = { operationId: 'deleteComment', tags: ['activities'], summary: 'Delete a comment', params: CommentParams, response: { 200: Ok(ActivityComment), ...fails(...WRITE_FAILS) } } as const satisfies Operation
export const exportActivities = {
  operationId: 'exportActivities', tags: ['activities'], summary: 'Export the timeline as CSV or JSON',
  querystring: Strict({ ...filters, q: Query.properties.q, format: Type.Optional(StringEnum(['csv', 'json'])) }), response: { 200: ExportFile, ...fails(...READ_FAILS) }
} as const satisfies Operation

// ---------------------------------------------------------------- audit

export const AuditEntry = Entity('AuditEntry', {
  id: Id('_audit'),
  account_id: Id('_accounts'),
  action: Type.String({ examples: ['user.updated'] }),
  resource: Type.String(),
  resource_id: Nullable(Type.String()),
  label: Nullable(Type.String()),
  actor: Type.Object({ kind: Type.String(), id: Nullable(Type.String()), name: Nullable(Type.String()), key_id: Nullable(Type.String()), client_id: Nullable(Type.String()) }),
  impersonator_id: Nullable(Type.String()),
  ip: Nullable(Type.String()),
  user_agent: Nullable(Type.String()),
  request_id: Nullable(Type.String()),
  outcome: StringEnum(['ok', 'refused']),
  before: Type.Unsafe<unknown>({ description: 'Changed fields before.' }),
  after: Type.Unsafe<unknown>({ description: 'Changed fields after.' }),
  reason: Nullable(Type.String()),
  seq: Nullable(Type.Integer({ description: 'Place in the chain; null for the few seconds until it is sealed.' })),
  prev_hash: Nullable(Type.String()),
  hash: Nullable(Type.String()),
  created_at: DateTime()
}, 'One row of the audit log.')
export type AuditEntry = Static<typeof AuditEntry>
export const toAuditEntry = wire(AuditEntry)

const auditFilters = {
  actor_id: Type.Optional(Type.String({ maxLength: 100 })),
  action: Type.Optional(Type.String({ maxLength: 100, description: 'With a dot at its end: all that begin with it.' })),
  resource: Type.Optional(Type.String({ maxLength: 100 })),
  resource_id: Type.Optional(Type.String({ maxLength: 100 })),
  via: Type.Optional(StringEnum(['user', 'key', 'app', 'impersonation', 'system'])),
  ip: Type.Optional(Type.String({ maxLength: 45 })),
  from,
  to: from,
  outcome: Type.Optional(StringEnum(['ok', 'refused']))
}
const AuditQuery = ListQuery({ sort: ['created_at'], filters: auditFilters })
export type AuditQuery = Static<typeof AuditQuery>
export const listAudit = { operationId: 'listAudit', tags: ['activities'], summary: 'The audit log, newest first', querystring: AuditQuery, response: { 200: Page(AuditEntry), ...fails(...READ_FAILS) } } as const satisfies Operation
export const getAudit = { operationId: 'getAudit', tags: ['activities'], summary: 'Read a row of the audit log', params: Strict({ id: Id('_audit') }), response: { 200: Ok(AuditEntry), ...fails(...READ_FAILS) } } as const satisfies Operation
export const exportAudit = {
  operationId: 'exportAudit', tags: ['activities'], summary: 'Export the audit log; the export is itself in the log',
  querystring: Strict({ ...auditFilters, format: Type.Optional(StringEnum(['csv', 'json'])) }), response: { 200: ExportFile, ...fails(...READ_FAILS) }
} as const satisfies Operation
export const verifyAudit = {
  operationId: 'verifyAudit', tags: ['activities'], summary: 'Check that no row of the audit log was changed or removed', querystring: Strict({ from, to: from }),
  response: {
    200: Ok(Type.Object({
      ok: Type.Boolean(), checked: Type.Integer(), sealed_to: Type.Integer(),
      first_bad: Type.Optional(Type.Object({ seq: Type.Integer(), id: Nullable(Type.String()), problem: StringEnum(['changed', 'missing']) }))
    })),
    ...fails(...READ_FAILS)
  }
} as const satisfies Operation

// ---------------------------------------------------------------- figures

const range = { from, to: from }
const Counts = Type.Record(Type.String(), Type.Integer())
const Figures = Type.Object({ counts: Counts, total: Type.Integer(), contacts_touched: Type.Integer(), deals_touched: Type.Integer(), active_users: Type.Integer() })
export const activitySummary = {
  operationId: 'activitySummary', tags: ['activities'], summary: 'What the team did in a time',
  querystring: Strict({ ...range, user_id: Type.Optional(Id('_users')), compare: Type.Optional(StringEnum(['previous'])) }),
  response: { 200: Ok(Type.Object({ ...Figures.properties, from: DateTime(), to: DateTime(), previous: Type.Optional(Figures), change_percent: Type.Optional(Nullable(Type.Number())) })), ...fails(...READ_FAILS, 422) }
} as const satisfies Operation
export const activityByUser = {
  operationId: 'activityByUser', tags: ['activities'], summary: 'What each user did',
  querystring: Strict({ ...range, sort: Type.Optional(Type.String({ pattern: `^-?(total|${ACTIVITY_TYPES.join('|')})$` })) }),
  response: {
    200: Ok(Type.Array(Type.Object({ user_id: Id('_users'), counts: Counts, total: Type.Integer(), contacts_touched: Type.Integer(), active_days: Type.Integer(), last_active: DateTime() }))),
    ...fails(...READ_FAILS, 422)
  }
} as const satisfies Operation
export const activityTimeline = {
  operationId: 'activityTimeline', tags: ['activities'], summary: 'Activities by day, week or month in the account\'s zone',
  querystring: Strict({ ...range, interval: Type.Optional(StringEnum(['day', 'week', 'month'])), group_by: Type.Optional(StringEnum(['type', 'user'])) }),
  response: { 200: Ok(Type.Array(Type.Object({ at: Type.String({ examples: ['2026-01-31'] }), total: Type.Integer(), counts: Counts }))), ...fails(...READ_FAILS, 422) }
} as const satisfies Operation
