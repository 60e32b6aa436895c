import { Types, type ClientSession } from 'mongoose'
import type { StorageUsageModel } from '../../models/shared.js'
import { SharedError } from './errors.js'

const GB = 1_073_741_824
/** Plans will name their own. */
export const DEFAULT_QUOTA = 10 * GB

export type QuotaOf = (accountId: string) => number | Promise<number>

/** Bytes that an account has reserved, counted by one conditional update: never more than the quota, whoever asks at once. */
export function createStorageUsage (usage: StorageUsageModel, quotaOf: QuotaOf) {
  const known = new Set<string>()

  /** The row exists before the transaction, for a duplicate key inside would end it. */
  async function ensure (accountId: string): Promise<void> {
    if (known.has(accountId)) return
    const account = new Types.ObjectId(accountId)
    try {
      await usage.updateOne({ account_id: account }, { $setOnInsert: { bytes: 0, files: 0 } }, { upsert: true })
    } catch (error) {
      if ((error as { code?: number }).code !== 11000) throw error
    }
    if (known.size > 100_000) known.clear()
    known.add(accountId)
  }

  async function read (accountId: string): Promise<{ bytes: number, files: number, quota: number }> {
    const row = await usage.findOne({ account_id: new Types.ObjectId(accountId) }).lean()
    return { bytes: row?.bytes ?? 0, files: row?.files ?? 0, quota: await quotaOf(accountId) }
  }

  const exceeded = async (accountId: string) => {
    const { bytes, quota } = await read(accountId)
    return SharedError.STORAGE_QUOTA_EXCEEDED().with({ data: { limit: quota, used: bytes } })
  }

  return {
    ensure,
    read,
    /** @throws STORAGE_QUOTA_EXCEEDED when it surely does not fit; the reservation decides */
    async check (accountId: string, bytes: number): Promise<void> {
      const now = await read(accountId)
      if (now.bytes + bytes > now.quota) throw await exceeded(accountId)
    },
    /** @throws STORAGE_QUOTA_EXCEEDED */
    async reserve (accountId: string, bytes: number, session: ClientSession): Promise<void> {
      const quota = await quotaOf(accountId)
      const { matchedCount } = await usage.updateOne(
        { account_id: new Types.ObjectId(accountId), bytes: { $lte: quota - bytes } }, { $inc: { bytes, files: 1 } }, { session }
      )
      if (matchedCount === 0) throw await exceeded(accountId)
    },
    async giveBack (accountId: Types.ObjectId, bytes: number, session: ClientSession): Promise<void> {
      await usage.updateOne({ account_id: accountId }, { $inc: { bytes: -bytes, files: -1 } }, { session })
    }
  }
}
export type StorageUsage = ReturnType<typeof createStorageUsage>
