import type { ClientSession, Types } from 'mongoose'
import type { RefreshTokenModel, SessionModel } from '../../models/auth.js'
import type { Platform } from '../platform.js'

type Which = { _id: Types.ObjectId } | { client_id: string, user_id?: Types.ObjectId, account_id?: Types.ObjectId }
type Deps = { platform: Pick<Platform, 'clock' | 'invalidation'>, sessions: SessionModel, refreshTokens: RefreshTokenModel }

/** Ends sessions with all their tokens; in force everywhere within seconds. @returns how many were alive */
export const createAccessEnd = ({ platform, sessions, refreshTokens }: Deps) => async (which: Which, reason: string, tx: ClientSession): Promise<number> => {
  const { clock, invalidation } = platform
  const rows = await sessions.find({ ...which, ended_at: null }, { _id: 1 }, { session: tx }).lean()
  const ids = rows.map(row => row._id)
  if (ids.length === 0) return 0
  await sessions.updateMany({ _id: { $in: ids } }, { $set: { ended_at: clock.now(), end_reason: reason } }, { session: tx })
  await refreshTokens.updateMany({ session_id: { $in: ids } }, { $set: { state: 'revoked' } }, { session: tx })
  for (const id of ids) await invalidation.invalidate('access.sessions', id.toHexString(), tx)
  return ids.length
}
export type AccessEnd = ReturnType<typeof createAccessEnd>
