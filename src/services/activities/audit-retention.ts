import type { Types } from 'mongoose'
import type { AuditAnchorModel, AuditModel, AuditRow } from '../../models/activities.js'
import { crossTenant } from '../../models/define.js'
import type { Platform } from '../platform.js'
import type { JobRun } from '../runtime/jobs.js'
import type { StorageProvider } from '../storage/index.js'

type Deps = { platform: Platform, audit: AuditModel, anchors: AuditAnchorModel, storage: StorageProvider }
const BATCH = 1_000
const ALL = crossTenant('the sealer and the retention of the audit log serve all accounts')

/** Old rows go to storage in order, then away; the hash of the last one stays, so that the chain still holds. */
export const createAuditRetention = ({ platform: { clock, config, transactions }, audit, anchors, storage }: Deps) => async (run: JobRun): Promise<number> => {
  const before = new Date(clock.now().getTime() - config.AUDIT_RETENTION_DAYS * 86_400_000)

  async function drop (account: Types.ObjectId): Promise<number> {
    const anchor = await anchors.findOne({ account_id: account }).lean()
    if (anchor === null) return 0
    const found = await audit.find({ account_id: account, seq: { $gt: anchor.dropped_to } }).sort({ seq: 1 }).limit(BATCH).lean() as unknown as AuditRow[]
    const end = found.findIndex(row => row.created_at >= before)
    const rows = end === -1 ? found : found.slice(0, end)
    const last = rows.at(-1)
    if (last === undefined) return 0
    const key = `${account.toHexString()}/audit/${String(rows[0]!.seq).padStart(12, '0')}-${String(last.seq).padStart(12, '0')}.ndjson`
    await storage.write(key, Buffer.from(rows.map(row => JSON.stringify(row)).join('\n') + '\n'), { contentType: 'application/x-ndjson' })
    await transactions.run(async session => {
      await audit.deleteMany({ account_id: account, seq: { $gt: anchor.dropped_to, $lte: last.seq! } }, { session })
      await anchors.updateOne({ account_id: account }, { $set: { dropped_to: last.seq!, dropped_hash: last.hash! } }, { session })
    })
    return rows.length
  }

  let total = 0
  const accounts = await audit.distinct('account_id', { sealed: true, created_at: { $lt: before } }).setOptions(ALL)
  for (const account of accounts) {
    for (let dropped = BATCH; dropped === BATCH && await run.stillMine(); total += dropped) dropped = await drop(account as Types.ObjectId)
  }
  return total
}
