import type { ClientSession } from 'mongoose'
import { crossTenant } from '../../models/define.js'
import type { ApiKeyModel, KeyRow } from '../../models/oauth.js'
import type { Platform } from '../platform.js'
import type { Notice } from './keys.js'

const NOTICE_MS = 7 * 86_400_000
const BATCH = 200

type Deps = { platform: Platform, keys: ApiKeyModel, notice: Notice, emit (type: string, actor: 'system', row: KeyRow, session: ClientSession): Promise<string> }

/** Tells owners of keys that end within 7 days, once for each expiry. @returns how many */
export async function noticeExpiring ({ platform, keys, notice, emit }: Deps): Promise<number> {
  const { clock, transactions } = platform
  const now = clock.now()
  const due = await keys.find(
    { expires_at: { $gt: now, $lte: new Date(now.getTime() + NOTICE_MS) }, revoked_at: null, $expr: { $ne: ['$expiry_noticed_for', '$expires_at'] } }, null,
    crossTenant('the notice of expiring keys serves all accounts')
  ).limit(BATCH).lean()
  for (const row of due as KeyRow[]) {
    const until = row.expires_at!
    await transactions.run(async session => {
      const { modifiedCount } = await keys.updateOne(
        { account_id: row.account_id, _id: row._id, expires_at: until, expiry_noticed_for: row.expiry_noticed_for },
        { $set: { expiry_noticed_for: until } },
        { session }
      )
      if (modifiedCount === 0) return
      await emit('api_key.expiring', 'system', row, session)
      await notice(row.account_id, {
        subject: `API key ${row.name} expires soon`,
        ref: `api_key_expiring:${row.key_id}:${until.toISOString()}`,
        text: `The API key "${row.name}" (${row.key_id}) stops working on ${until.toISOString()}. Change its expiry or replace it before then.`
      }, session)
    })
  }
  return due.length
}
