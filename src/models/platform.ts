import * as platform from '../schemas/platform.js'
import { defineModel } from './define.js'

const DAY = 86_400

/** Claim fields of every row that workers take with a lease; they never leave the service. */
type Claim = { lease_until: Date | null, worker: string | null, lease_no: number }
const claim = { lease_until: Date, worker: String, lease_no: Number }

export const CacheInvalidationModel = defineModel(platform.CacheInvalidation, {
  collection: '_cache-invalidations', tenant: false, indexes: [[{ at: 1 }, { expireAfterSeconds: 3_600 }]]
})

export const EventModel = defineModel<typeof platform.DomainEvent, Claim & { _id: string, state: 'new' | 'fanned' }>(platform.DomainEvent, {
  collection: '_events', tenant: false, stored: { ...claim, _id: String, state: String } as never,
  indexes: [
    [{ state: 1, _id: 1 }],
    [{ account_id: 1, type: 1, _id: 1 }],
    [{ created_at: 1 }, { expireAfterSeconds: 30 * DAY }]
  ]
})

export const OutboxModel = defineModel<typeof platform.OutboxRow, Claim>(platform.OutboxRow, {
  collection: '_outbox', tenant: false, stored: claim as never,
  indexes: [
    [{ topic: 1, state: 1, next_attempt_at: 1 }],
    [{ topic: 1, key: 1, _id: 1 }],
    [{ topic: 1, dedupe_id: 1 }, { unique: true }],
    [{ done_at: 1 }, { expireAfterSeconds: 7 * DAY }]
  ]
})

export const JobModel = defineModel<typeof platform.JobState, Claim & { _id: string }>(platform.JobState, {
  collection: '_jobs', tenant: false, stored: { ...claim, _id: String } as never
})

export const JobRunModel = defineModel(platform.JobRun, {
  collection: '_job-runs', tenant: false,
  indexes: [[{ job: 1, slot: 1 }, { unique: true }], [{ started_at: 1 }, { expireAfterSeconds: 90 * DAY }]]
})

/** Shared by all accounts' workers, so every read of it outside them names the account itself. */
export const WorkRowModel = defineModel<typeof platform.WorkRow, Claim>(platform.WorkRow, {
  collection: 'queues', tenant: true, stored: claim as never,
  indexes: [
    [{ source: 1, status: 1, next_attempt_at: 1, account_id: 1 }],
    [{ account_id: 1, created_at: -1, _id: -1 }],
    [{ source: 1, dedupe_key: 1 }, {
      unique: true, partialFilterExpression: { dedupe_key: { $type: 'string' }, status: { $in: ['pending', 'processing'] } }
    }],
    [{ finished_at: 1 }, { expireAfterSeconds: 90 * DAY }]
  ]
})

export const WorkRowErrorModel = defineModel(platform.WorkRowError, {
  collection: 'queue-row-errors', tenant: true,
  indexes: [[{ queue_id: 1, row: 1 }, { unique: true }], [{ created_at: 1 }, { expireAfterSeconds: 90 * DAY }]]
})

export const CopyModel = defineModel<typeof platform.Copy, { _id: string }>(platform.Copy, {
  collection: '_copies', tenant: false, stored: { _id: String } as never, indexes: [[{ seen_at: 1 }, { expireAfterSeconds: 60 }]]
})

export const ConfigModel = defineModel(platform.PlatformConfig, {
  collection: 'configs', tenant: false, indexes: [[{ type: 1, key: 1, version: 1 }, { unique: true }]]
})

export const DashboardMetaModel = defineModel(platform.DashboardMeta, {
  collection: 'dashboard-meta', tenant: false, indexes: [[{ type: 1 }, { unique: true }]]
})

export const IdempotencyModel = defineModel<typeof platform.IdempotencyRecord, { _id: string }>(platform.IdempotencyRecord, {
  collection: '_idempotency', tenant: false, stored: { _id: String } as never, indexes: [[{ expires_at: 1 }, { expireAfterSeconds: 0 }]]
})

export const WorkInputModel = defineModel(platform.WorkInput, {
  collection: 'queue-inputs', tenant: true,
  indexes: [[{ account_id: 1, input_id: 1, chunk: 1 }, { unique: true }], [{ created_at: 1 }, { expireAfterSeconds: 30 * DAY }]]
})
