import { Types } from 'mongoose'
import type { WorkRowErrorModel, WorkRowModel } from '../../models/platform.js'
import type { ModelOf } from '../../models/define.js'
import { Job, type JobQuery } from '../../schemas/shared.js'
import { wire } from '../../schemas/kit.js'
import type { Actor } from '../kit.js'
import type { Platform } from '../platform.js'
import { createLister, type ListRequest } from '../resource/list.js'
import type { WorkRecord } from '../runtime/queues.js'
import { SharedError } from './errors.js'

type Deps = { platform: Platform, rows: ModelOf<typeof WorkRowModel>, errors: ModelOf<typeof WorkRowErrorModel> }
type RowError = { _id: Types.ObjectId, row: number, code: string, message: string, values: unknown }

const HIDDEN = { payload: 0, lease_until: 0, worker: 0, lease_no: 0 } as const
const UNFINISHED = ['pending', 'processing'] as const
const ENDED_EARLY = ['failed', 'partial', 'cancelled'] as const
/** Columns of the error in the CSV of failed rows; imports pass over them. */
export const ERROR_COLUMNS = ['error_row', 'error_code', 'error_message'] as const
const toWire = wire(Job)

/** Background work as those who started it see it. */
export function createJobsView ({ platform, rows, errors }: Deps) {
  const { queues, jobs, clock, transactions, events } = platform
  const lister = createLister<WorkRecord>({ model: rows as never, sortable: { created_at: 'created_at' }, defaultSort: '-created_at', projection: HIDDEN })
  const errorLister = createLister<RowError>({ model: errors as never, sortable: { row: 'row' }, defaultSort: 'row', projection: { row: 1, code: 1, message: 1, values: 1 } })

  /** A user sees his own, an admin the account's. */
  const sight = (actor: Actor) => ({
    account_id: new Types.ObjectId(actor.accountId), ...(!actor.permissions.has('admin') && { user_id: new Types.ObjectId(actor.userId) })
  })

  function toJob (row: WorkRecord): Job {
    const handler = queues.handlers.get(row.source)
    const { total, done } = row.progress
    const ended = row.status === 'completed' || row.status === 'partial'
    const percent = ended ? 100 : total === null ? null : total === 0 ? 100 : Math.min(100, Math.floor(done / total * 100))
    const result = row.result as { file_id?: string, ids?: string[] } | null
    return toWire({
      ...row,
      label: handler?.label ?? row.source,
      progress: { ...row.progress, percent },
      result: result === null ? null : { ...(result.file_id !== undefined && { file_id: String(result.file_id) }), ...(result.ids !== undefined && { ids: result.ids.map(String) }) },
      error: row.status === 'failed' ? 'The work could not be done.' : null,
      cancellable: handler?.cancellable === true && UNFINISHED.includes(row.status as 'pending'),
      retryable: handler?.retryable === true && ENDED_EARLY.includes(row.status as 'failed'),
      started_by: row.user_id
    })
  }

  async function list (actor: Actor, { source, status, from, to, q: _q, fields: _fields, ...page }: JobQuery) {
    const { rows: found, pagination } = await lister.list({
      ...sight(actor),
      ...(source !== undefined && { source }),
      ...(status !== undefined && { status }),
      ...((from !== undefined || to !== undefined) && { created_at: { ...(from !== undefined && { $gte: new Date(from) }), ...(to !== undefined && { $lt: new Date(to) }) } })
    }, page)
    return { rows: found.map(toJob), pagination }
  }

  /** @throws JOB_NOT_FOUND, also for what the caller may not see */
  async function read (actor: Actor, id: string): Promise<WorkRecord> {
    const row = await rows.findOne({ ...sight(actor), _id: new Types.ObjectId(id) }, HIDDEN).lean()
    if (row === null) throw SharedError.JOB_NOT_FOUND()
    return row as unknown as WorkRecord
  }

  /** The runner sees it before its next batch. @throws JOB_NOT_FOUND, JOB_NOT_CANCELLABLE */
  async function cancel (actor: Actor, id: string): Promise<Job> {
    const row = await read(actor, id)
    if (queues.handlers.get(row.source)?.cancellable !== true) throw SharedError.JOB_NOT_CANCELLABLE()
    const now = clock.now()
    return change(actor, row, UNFINISHED, { status: 'cancelled', in_progress: false, lease_until: null, finished_at: now, updated_at: now }, SharedError.JOB_NOT_CANCELLABLE, true)
  }

  /** @throws JOB_NOT_FOUND, JOB_NOT_RETRYABLE */
  async function retry (actor: Actor, id: string): Promise<Job> {
    const row = await read(actor, id)
    if (queues.handlers.get(row.source)?.retryable !== true) throw SharedError.JOB_NOT_RETRYABLE()
    const now = clock.now()
    const set = { status: 'pending', in_progress: false, tries: 0, error: null, next_attempt_at: now, finished_at: null, lease_until: null, updated_at: now }
    const job = await change(actor, row, ENDED_EARLY, set, SharedError.JOB_NOT_RETRYABLE, false)
    jobs.wake(`queue:${row.source}`)
    return job
  }

  const change = (actor: Actor, row: WorkRecord, from: readonly string[], set: object, refuse: () => Error, cancelled: boolean): Promise<Job> => transactions.run(async session => {
    const after = await rows.findOneAndUpdate(
      { account_id: row.account_id, _id: row._id as Types.ObjectId, status: { $in: from as never } }, { $set: set }, { session, returnDocument: 'after', projection: HIDDEN }
    ).lean() as unknown as WorkRecord | null
    if (after === null) throw refuse()
    await events.emit({
      type: cancelled ? 'background_job.cancelled' : 'background_job.started',
      actor,
      resource: { type: 'background_job', id: String(row._id) },
      data: { source: row.source, progress: after.progress }
    }, session)
    return toJob(after)
  })

  async function failures (actor: Actor, id: string, page: ListRequest) {
    const { _id, account_id: account } = await read(actor, id)
    return errorLister.list({ account_id: account, queue_id: _id }, page)
  }

  /** Rows of the CSV and its columns: those of the rows as they came, after those of the error. */
  async function failureTable (actor: Actor, id: string): Promise<{ columns: string[], rows: AsyncIterable<object> }> {
    const { _id, account_id: account } = await read(actor, id)
    const filter = { account_id: account, queue_id: _id }
    const columns = new Set<string>()
    for await (const { values } of errorLister.stream(filter)) for (const key of Object.keys(asObject(values))) columns.add(key)
    async function * table () {
      for await (const { row, code, message, values } of errorLister.stream(filter)) yield { error_row: row, error_code: code, error_message: message, ...asObject(values) }
    }
    return { columns: [...ERROR_COLUMNS, ...columns], rows: table() }
  }

  return { list, get: async (actor: Actor, id: string) => toJob(await read(actor, id)), cancel, retry, failures, failureTable }
}
export type JobsView = ReturnType<typeof createJobsView>

const asObject = (value: unknown): Record<string, unknown> => value !== null && typeof value === 'object' ? value as Record<string, unknown> : {}
