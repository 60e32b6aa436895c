import { Type, type Static } from '@sinclair/typebox'
import { DateTime, Entity, Id, Nullable, StringEnum } from './kit.js'

/** Platform-owned collections (not tenant models): modules/_platform.md 3. */

export const CacheInvalidation = Entity('CacheInvalidation', {
  id: Id('_cache-invalidations'), scope: Type.String(), key: Type.String(), at: DateTime()
})

export const DomainEvent = Entity('DomainEvent', {
  id: Type.String({ examples: ['evt_01J9ZD3V6M8Q4R2T5W7Y9B1C3E'] }),
  type: Type.String({ examples: ['link.created'] }),
  account_id: Nullable(Id('_accounts')),
  parent_account: Nullable(Id('_accounts')),
  actor: Type.Object({
    type: StringEnum(['user', 'key', 'app', 'visitor', 'staff', 'system']), id: Nullable(Type.String()), impersonator_id: Nullable(Type.String())
  }),
  resource: Type.Object({ type: Type.String(), id: Type.String() }),
  data: Type.Unknown(),
  changed: Nullable(Type.Unknown()),
  request_id: Nullable(Type.String()),
  created_at: DateTime()
})
export type DomainEvent = Static<typeof DomainEvent>

const Failure = Type.Object({ code: Type.String(), status: Nullable(Type.Integer()), message: Type.String() })

export const OutboxRow = Entity('OutboxRow', {
  id: Id('_outbox'),
  topic: Type.String(),
  key: Type.String({ description: 'Rows of one key are delivered in order.' }),
  account_id: Nullable(Id('_accounts')),
  dedupe_id: Type.String(),
  payload: Type.Unknown(),
  request_id: Nullable(Type.String()),
  event_id: Nullable(Type.String()),
  state: StringEnum(['ready', 'leased', 'done', 'dead', 'expired', 'skipped']),
  tries: Type.Integer(),
  next_attempt_at: DateTime(),
  last_error: Nullable(Failure),
  expires_at: Nullable(DateTime()),
  done_at: Nullable(DateTime()),
  created_at: DateTime()
})
export type OutboxRow = Static<typeof OutboxRow>

export const JobState = Entity('JobState', {
  id: Type.String(),
  kind: StringEnum(['tick', 'cron', 'sweep']),
  paused: Nullable(Type.Object({ by: Type.String(), reason: Type.String(), at: DateTime() })),
  last: Nullable(Type.Object({
    slot: Nullable(Type.String()), started_at: DateTime(), finished_at: Nullable(DateTime()),
    status: StringEnum(['running', 'done', 'failed']), error: Nullable(Type.String()), counts: Type.Unknown()
  })),
  last_success_at: Nullable(DateTime()),
  cursor: Nullable(Type.Unknown())
})

export const JobRun = Entity('JobRun', {
  id: Id('_job-runs'), job: Type.String(), slot: Type.String(), worker: Type.String(),
  state: StringEnum(['running', 'done', 'failed', 'skipped']), counts: Type.Unknown(), error: Nullable(Type.String()),
  started_at: DateTime(), finished_at: Nullable(DateTime())
})

export const WorkRow = Entity('WorkRow', {
  id: Id('queues'),
  account_id: Id('_accounts'),
  parent_account: Nullable(Id('_accounts')),
  user_id: Nullable(Id('_users')),
  source: Type.String(),
  reference_id: Nullable(Type.String()),
  status: StringEnum(['pending', 'processing', 'completed', 'partial', 'failed', 'cancelled']),
  in_progress: Type.Boolean(),
  payload: Type.Unknown(),
  file_key: Nullable(Type.String()),
  progress: Type.Object({
    total: Nullable(Type.Integer()), done: Type.Integer(), added: Type.Integer(), updated: Type.Integer(), skipped: Type.Integer(), errors: Type.Integer()
  }),
  result: Nullable(Type.Unknown()),
  tries: Type.Integer(),
  max_tries: Type.Integer(),
  next_attempt_at: DateTime(),
  dedupe_key: Nullable(Type.String()),
  error: Nullable(Type.String()),
  started_at: Nullable(DateTime()),
  finished_at: Nullable(DateTime()),
  created_at: DateTime(),
  updated_at: DateTime()
})
export type WorkRow = Static<typeof WorkRow>

export const WorkRowError = Entity('WorkRowError', {
  id: Id('queue-row-errors'), queue_id: Id('queues'), account_id: Id('_accounts'), row: Type.Integer(), code: Type.String(), message: Type.String(),
  values: Type.Unknown(), created_at: DateTime()
})

export const Copy = Entity('Copy', {
  id: Type.String(), role: Type.String(), version: Type.String(), figures: Type.Unknown(), seen_at: DateTime()
})

export const PlatformConfig = Entity('PlatformConfig', {
  id: Id('configs'), type: Type.String(), key: Type.String(), version: Type.Integer(), data: Type.Unknown(), updated_by: Nullable(Id('_users')), updated_at: DateTime()
})

export const DashboardMeta = Entity('DashboardMeta', { id: Id('dashboard-meta'), type: Type.String(), value: Type.Unknown() })

export const IdempotencyRecord = Entity('IdempotencyRecord', {
  id: Type.String(), request_hash: Type.String(), state: StringEnum(['running', 'done']), claim: Type.String(), lease_until: DateTime(),
  status: Nullable(Type.Integer()), body: Nullable(Type.String()), location: Nullable(Type.String()), expires_at: DateTime()
})

/** Rows of an import between its upload and its work, a few hundred in one document. */
export const WorkInput = Entity('WorkInput', {
  id: Id('queue-inputs'), account_id: Id('_accounts'), input_id: Type.String(), chunk: Type.Integer(), rows: Type.Array(Type.Unknown()), created_at: DateTime()
})
