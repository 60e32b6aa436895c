import { randomInt, timingSafeEqual } from 'node:crypto'
import type { ClientSession } from 'mongoose'
import type { GrantRow } from '../../models/auth.js'
import type { UserRow } from '../../models/users.js'
import { hashToken } from '../auth/tokens.js'
import { UserError } from './errors.js'
import type { Deps } from './types.js'

const TTL = 10 * 60_000
export const sixDigits = (): string => String(randomInt(1_000_000)).padStart(6, '0')
export const sameHash = (a: string, b: string): boolean => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))

/** Codes of six digits for an address: ten minutes, five tries, the newest of a person counts. */
export function createCodes ({ auth, platform }: Pick<Deps, 'auth' | 'platform'>) {
  return {
    TTL,
    async make (kind: 'email_change' | 'phone_change', row: UserRow, data: Record<string, unknown>, session: ClientSession): Promise<{ code: string, id: string }> {
      const code = sixDigits()
      const id = platform.ids.token(16)
      await auth.grants.make({ kind, userId: row._id, accountId: row.account_id, data: { ...data, salt: id, code: hashToken(id + code) }, ttl: TTL, secret: `${kind}:${id}` }, session)
      return { code, id }
    },
    /** Counts the try before it compares. @throws CODE_INVALID */
    async check (kind: 'email_change' | 'phone_change', row: UserRow, code: string): Promise<GrantRow> {
      const grant = await auth.grants.latest(kind, row._id)
      if (grant === null || typeof grant.data.code !== 'string' || !await auth.grants.attempt(grant._id)) throw UserError.CODE_INVALID()
      if (!sameHash(grant.data.code, hashToken(String(grant.data.salt) + code))) throw UserError.CODE_INVALID()
      return grant
    }
  }
}
