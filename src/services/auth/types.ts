import type { Account } from '../../schemas/accounts.js'
import type { RowOf } from '../../models/define.js'
import type { AccountModel } from '../../models/accounts.js'
import type { GrantModel, LoginFailureModel, RefreshTokenModel, SessionModel } from '../../models/auth.js'
import type { UserModel, UserRow } from '../../models/users.js'
import type { ClientSession, Types } from 'mongoose'
import type { Platform } from '../platform.js'
import type { AccessCaches } from './access.js'
import type { Grants } from './grants.js'
import type { Passwords } from './passwords.js'
import type { Parts } from './parts.js'
import type { KindTokens } from './tokens.js'

export type { UserRow } from '../../models/users.js'
/** What is read of an account here. */
export type AccountRow = Pick<RowOf<typeof Account>, '_id' | 'name' | 'image' | 'main' | 'parent_account' | 'status' | 'plan' | 'plan_trial_ends_at'> & {
  banned: boolean
  domain?: { dashclicks?: string | null, custom?: string | null } | null
  branding?: unknown
  settings?: unknown
  business?: Types.ObjectId | null
  manager?: Types.ObjectId | null
  owner?: { id?: unknown } | null
  stripe_customer?: string | null
  stripe_connected_account?: string | null
  payments_enabled?: boolean
}
export const settingsOf = (account: AccountRow) => (account.settings ?? {}) as { sso?: { parent_access?: boolean }, security?: { require_mfa?: boolean } }

export type Device = { name?: string | null, platform?: string | null }
/** Who is at the other end of the wire. */
export type Client = { ip: string, userAgent: string | undefined, device?: Device }
export type Session = ClientSession

/** What the parts of this module share. */
export type AuthContext = {
  platform: Platform
  users: UserModel
  accounts: AccountModel
  sessions: SessionModel
  refreshTokens: RefreshTokenModel
  grantRows: GrantModel
  failures: LoginFailureModel
  caches: AccessCaches
  passwords: Passwords
  tokens: KindTokens
  grants: Grants
  parts: Parts
  /** encrypts what must be readable again, such as TOTP secrets */
  seal (text: string): string
  unseal (text: string): string
  sign (claims: object, expiresIn: number): string
}

/** The fields of a user that this module reads. */
export type Person = Pick<UserRow, '_id' | 'account_id' | 'role' | 'scopes' | 'dashclicks'>
