import type { AccountModel } from '../../models/accounts.js'
import type { SessionModel } from '../../models/auth.js'
import { crossTenant } from '../../models/define.js'
import type { UserModel } from '../../models/users.js'
import type { Platform } from '../platform.js'
import { settingsOf, type AccountRow } from './types.js'
import type { AccessCaches, AccountState, SessionState, UserState } from './access.js'

/** Access caches live 3 s at most, so that a lost invalidation cannot break the promise that a revocation bites within 5 s. */
const TTL_MS = 3_000
const OBJECT_ID = /^[0-9a-f]{24}$/

type Models = { users: UserModel, accounts: AccountModel, sessions: SessionModel, clientDashboard (accountId: string): Promise<boolean> }

export function createAccessCaches (platform: Platform, { users, accounts, sessions, clientDashboard }: Models): AccessCaches {
  return {
    users: platform.cache<UserState | null>({
      scope: 'access.users',
      max: 50_000,
      ttl: TTL_MS,
      async load (id) {
        if (!OBJECT_ID.test(id)) return null
        const row = await users.findOne(
          { _id: id }, { account_id: 1, role: 1, is_owner: 1, status: 1, scopes: 1, dashclicks: 1, tokens_valid_from: 1, 'mfa.totp_enabled': 1 }, crossTenant('the door looks a token\'s user up')
        ).lean()
        return row === null
          ? null
          : {
              id,
              accountId: row.account_id.toHexString(),
              role: row.role,
              isOwner: row.is_owner,
              status: row.status,
              scopes: row.scopes,
              staffRoles: row.dashclicks?.roles ?? [],
              tokensValidFrom: row.tokens_valid_from?.getTime() ?? 0,
              totp: (row as { mfa?: { totp_enabled?: boolean } | null }).mfa?.totp_enabled === true
            }
      }
    }),
    accounts: platform.cache<AccountState | null>({
      scope: 'access.accounts',
      max: 50_000,
      ttl: TTL_MS,
      async load (id) {
        if (!OBJECT_ID.test(id)) return null
        const row = await accounts.findById(id, { parent_account: 1, status: 1, banned: 1, 'settings.security': 1 }).lean()
        const parent = row?.parent_account?.toHexString() ?? null
        return row === null
          ? null
          : {
              id,
              parent,
              status: row.status,
              banned: row.banned,
              clientDashboard: parent !== null && await clientDashboard(id),
              requireMfa: settingsOf(row as unknown as AccountRow).security?.require_mfa ?? null
            }
      }
    }),
    sessions: platform.cache<SessionState | null>({
      scope: 'access.sessions',
      max: 50_000,
      ttl: TTL_MS,
      async load (id) {
        if (!OBJECT_ID.test(id)) return null
        const row = await sessions.findById(id, { ended_at: 1, idle_expires_at: 1, expires_at: 1, via_account: 1, impersonator_id: 1, password_at: 1 }).lean()
        return row === null
          ? null
          : {
              endedAt: row.ended_at?.getTime() ?? null,
              idleExpiresAt: row.idle_expires_at.getTime(),
              expiresAt: row.expires_at.getTime(),
              viaAccount: row.via_account?.toHexString() ?? null,
              impersonatorId: row.impersonator_id?.toHexString() ?? null,
              provedAt: row.password_at?.getTime() ?? null
            }
      }
    })
  }
}
