import type { ClientSession, Types } from 'mongoose'
import type { AccountModel } from '../../models/accounts.js'
import type { SessionModel } from '../../models/auth.js'
import type { PushTokenModel, UserConfigModel, UserCounterModel, UserModel } from '../../models/users.js'
import type { Actor } from '../kit.js'
import type { Grants } from '../auth/grants.js'
import type { Platform } from '../platform.js'
import type { Notify } from '../notifications/index.js'

/** What the people of an account need of the login. */
export type AuthPort = {
  /** Ends sessions with their refresh tokens in the transaction of the cause. */
  endSessions (who: { account_id?: string, user_id?: string, session_id?: string, except?: string }, reason: string, session: ClientSession): Promise<number>
  makeToken (typ: 'invite' | 'password_reset', claims: Record<string, unknown>, seconds: number): string
  grants: Grants
}

type AuditEntry = { actor: Actor, action: string, resource: { type: string, id: string }, before?: unknown, after?: unknown }

/** Modules that come later; each default does nothing that would claim to be more. */
export type Ports = {
  /** conversation-v2 */
  members: { ensureMember (who: Who, session: ClientSession): Promise<void>, removeMember (who: Who, session: ClientSession): Promise<void> }
  /** activities */
  audit (entry: AuditEntry, session: ClientSession): Promise<void>
  /** onebalance; the platform pays when it cannot */
  charge (charge: { account_id: string, service: 'sms', units: number, reference: string }, session?: ClientSession): Promise<void>
  /** crm: which custom fields there are */
  customFields (accountId: string): Promise<ReadonlySet<string>>
  /** admin: is this an announcement that the account sees */
  announcement (id: string, accountId: string): Promise<boolean>
}
export type Who = { account_id: string, user_id: string }

export const noPorts: Ports = {
  members: { async ensureMember () {}, async removeMember () {} },
  async audit () {},
  async charge () {},
  async customFields () { return new Set() },
  async announcement () { return true }
}

export type Deps = {
  platform: Platform
  users: UserModel
  accounts: AccountModel
  sessions: SessionModel
  configs: UserConfigModel
  tokens: PushTokenModel
  counters: UserCounterModel
  auth: AuthPort
  notify: Notify
  ports: Ports
}
export type Changed = Record<string, { old: unknown, new: unknown }>
export type ObjectId = Types.ObjectId
