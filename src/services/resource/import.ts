import { Types } from 'mongoose'
import { WorkInputModel } from '../../models/platform.js'
import type { Jobs } from '../runtime/jobs.js'
import type { RowFailure, Work } from '../runtime/queues.js'
import { CommonError, ServiceError, type Actor } from '../kit.js'
import type { Platform } from '../platform.js'

export type ImportRow = { row: number, values: Record<string, unknown> }
export type ImportInput = AsyncIterable<ImportRow>

type Options<T> = {
  /** source of the work rows, also the job's name */
  source: string
  family: Parameters<Jobs['register']>[0]['family']
  label: string
  maxRows: number
  /** reads one row; throws a ServiceError that becomes the row's error */
  read (values: Record<string, unknown>): T
  /** writes it; runs inside the batch's transaction */
  write (actor: Actor, item: T): Promise<'added' | 'updated' | 'skipped'>
}

const CHUNK = 200
/** Rows per transaction: progress and data move together, and a crash repeats at most this many, which then roll back as one. */
const BATCH = 100

/** Imports of one resource: takes the rows in, then writes them in the background; resumes after a crash without a lost or doubled row. */
export function createImporter<T> (platform: Platform, { source, family, label, maxRows, read, write }: Options<T>) {
  const { transactions, queues, ids, clock } = platform
  const inputs = WorkInputModel.on(platform.mongo)

  async function store (accountId: Types.ObjectId, inputId: string, input: ImportInput): Promise<number> {
    let chunk: ImportRow[] = []
    let chunks = 0
    let total = 0
    const flush = async () => {
      await inputs.create([{ account_id: accountId, input_id: inputId, chunk: chunks++, rows: chunk, created_at: clock.now() }])
      chunk = []
    }
    for await (const row of input) {
      if (++total > maxRows) throw CommonError.PAYLOAD_TOO_LARGE().with({ info: `An import holds ${maxRows} rows.` })
      chunk.push(row)
      if (chunk.length === CHUNK) await flush()
    }
    if (chunk.length > 0) await flush()
    return total
  }

  /** @returns the job's id @throws PAYLOAD_TOO_LARGE over the row limit, VALIDATION_FAILED for a file without rows */
  async function start (actor: Actor, input: ImportInput): Promise<string> {
    const inputId = ids.uuid()
    const accountId = new Types.ObjectId(actor.accountId)
    const total = await store(accountId, inputId, input)
    if (total === 0) throw CommonError.VALIDATION_FAILED().with({ errors: [{ path: 'body', message: 'has no rows', code: 'empty' }] })
    return transactions.run(session => queues.add({
      source, accountId: actor.accountId, parentAccount: actor.parentAccount, userId: actor.userId, referenceId: inputId, total, payload: { next: 0 }
    }, session))
  }

  async function run (work: Work): Promise<void> {
    const { row } = work
    const actor = actorOf(work)
    let next = Number((row.payload as { next?: number }).next ?? 0)
    for (;;) {
      const chunk = await inputs.findOne({ account_id: row.account_id, input_id: row.reference_id!, chunk: Math.floor(next / CHUNK) }).lean()
      if (chunk === null) return
      const rows = (chunk.rows as ImportRow[]).slice(next % CHUNK, next % CHUNK + BATCH)
      if (rows.length === 0) return
      const after = next + rows.length
      if (!await work.batch(async () => ({ ...await writeRows(actor, rows), payload: { next: after } }))) return
      next = after
    }
  }

  async function writeRows (actor: Actor, rows: ImportRow[]) {
    const progress = { done: rows.length, added: 0, updated: 0, skipped: 0, errors: 0 }
    const failures: RowFailure[] = []
    for (const { row, values } of rows) {
      try {
        progress[await write(actor, read(values))]++
      } catch (error) {
        if (!(error instanceof ServiceError) || error.status >= 500) throw error
        progress.errors++
        failures.push({ row, code: error.code, message: error.errors?.map(({ path, message }) => `${path}: ${message}`).join('; ') ?? error.message, values })
      }
    }
    return { progress, failures }
  }

  platform.source(source, { run, label, cancellable: true, retryable: true }, family)
  return { start }
}

/** The person who started the work; what he may do was checked when he did. */
const actorOf = ({ row }: Work): Actor => ({
  type: 'user', userId: row.user_id?.toHexString() ?? '', accountId: row.account_id.toHexString(), parentAccount: row.parent_account?.toHexString() ?? null,
  role: 'user', isOwner: false, permissions: new Set(['read', 'write']), can: () => true, requestId: `job-${String(row._id)}`
})
