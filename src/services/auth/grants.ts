import type { ClientSession, Types } from 'mongoose'
import type { GrantModel, GrantRow } from '../../models/auth.js'
import type { GrantKind } from '../../schemas/auth.js'
import type { Platform } from '../platform.js'
import { hashToken } from './tokens.js'

type Id = Types.ObjectId | string | null
type NewGrant = {
  kind: GrantKind
  userId?: Id
  accountId?: Id
  data?: Record<string, unknown>
  /** milliseconds */
  ttl: number
  /** the secret when it is not a random one, such as a code of six digits bound to its owner; it must be unique */
  secret?: string
}
export const MAX_TRIES = 5

/** One-time things: kept by the hash of their secret, used once whatever runs in parallel, dead after five wrong tries. */
export function createGrants ({ clock, ids }: Pick<Platform, 'clock' | 'ids'>, grants: GrantModel) {
  const open = (row: GrantRow | null): GrantRow | null =>
    row === null || row.used_at !== null || row.tries >= MAX_TRIES || row.expires_at <= clock.now() ? null : row

  return {
    /** @returns the secret; only its hash is kept */
    async make ({ kind, userId = null, accountId = null, data = {}, ttl, secret = ids.token(32) }: NewGrant, session?: ClientSession): Promise<string> {
      const now = clock.now()
      await grants.create([{
        _id: ids.objectId(),
        kind,
        hash: hashToken(secret),
        user_id: userId,
        account_id: accountId,
        data,
        tries: 0,
        used_at: null,
        expires_at: new Date(now.getTime() + ttl),
        created_at: now
      }] as never, { session })
      return secret
    },
    /** The grant while it may still be used. */
    async find (kind: GrantKind, secret: string, session?: ClientSession): Promise<GrantRow | null> {
      return open(await grants.findOne({ hash: hashToken(secret), kind }, null, { session }).lean() as GrantRow | null)
    },
    /** The newest open grant of a user, for codes that are entered beside something else. */
    async latest (kind: GrantKind, userId: Id, session?: ClientSession): Promise<GrantRow | null> {
      return open(await grants.findOne({ user_id: userId, kind } as never, null, { session }).sort({ created_at: -1, _id: -1 }).lean() as GrantRow | null)
    },
    /** Takes it: of parallel calls one gets true. */
    async use (id: Types.ObjectId, session?: ClientSession): Promise<boolean> {
      const { modifiedCount } = await grants.updateOne({ _id: id, used_at: null }, { $set: { used_at: clock.now() } }, { session })
      return modifiedCount === 1
    },
    /** Counts a try before the code is compared, so that parallel guesses count too; false when none is left. */
    async attempt (id: Types.ObjectId): Promise<boolean> {
      const { modifiedCount } = await grants.updateOne({ _id: id, used_at: null, tries: { $lt: MAX_TRIES } }, { $inc: { tries: 1 } })
      return modifiedCount === 1
    },
    /** Ends every open grant of a kind of this user. */
    async drop (kind: GrantKind, userId: Id, session?: ClientSession): Promise<void> {
      await grants.updateMany({ user_id: userId, kind, used_at: null } as never, { $set: { used_at: clock.now() } }, { session })
    }
  }
}
export type Grants = ReturnType<typeof createGrants>
