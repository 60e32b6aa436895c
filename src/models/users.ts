import type { Types } from 'mongoose'
import { PushToken, UserConfig, UserCounter } from '../schemas/users-self.js'
import { User } from '../schemas/users.js'
import { defineModel, type ModelOf, type RowOf } from './define.js'

type Invite = { token_hash: string | null, sent_at: Date, expires_at: Date, sent_count: number, by: Types.ObjectId | null }
type Mfa = { totp_enabled: boolean, totp_secret: string | null, last_step: number | null, recovery_hashes: string[], enabled_at: Date | null }

type Stored = {
  email_key: string | null
  password_hash: string | null
  reset_token_hash: string | null
  tokens_valid_from: Date | null
  dashclicks: { general: boolean, roles: string[], projects?: unknown, acm?: unknown } | null
  invite: Invite | null
  mfa: Mfa | null
  search_terms: string[]
}

export const UserModel = defineModel<typeof User, Stored>(User, {
  collection: '_users',
  tenant: true,
  stored: {
    email_key: String, password_hash: String, reset_token_hash: String, tokens_valid_from: Date, dashclicks: {}, invite: {}, mfa: {}, search_terms: [String]
  } as never,
  indexes: [
    [{ account_id: 1, email_key: 1 }, { unique: true, partialFilterExpression: { email_key: { $type: 'string' } } }],
    [{ account_id: 1, phone: 1 }, { unique: true, partialFilterExpression: { phone_verified_at: { $type: 'date' } } }],
    [{ account_id: 1 }, { unique: true, partialFilterExpression: { is_owner: true } }],
    [{ email_key: 1 }],
    [{ phone: 1 }],
    [{ account_id: 1, status: 1, name: 1 }],
    [{ account_id: 1, name: 1, _id: 1 }],
    [{ account_id: 1, role: 1 }],
    [{ account_id: 1, search_terms: 1 }],
    [{ 'invite.token_hash': 1 }, { unique: true, partialFilterExpression: { 'invite.token_hash': { $type: 'string' } } }]
  ]
})
export type UserModel = ModelOf<typeof UserModel>
export type UserRow = RowOf<typeof User, Stored>

type ConfigStored = { data: unknown }
export const UserConfigModel = defineModel<typeof UserConfig, ConfigStored>(UserConfig, {
  collection: 'user_configs', tenant: true, stored: { data: {} } as never, indexes: [[{ account_id: 1, user_id: 1, type: 1 }, { unique: true }]]
})
export type UserConfigModel = ModelOf<typeof UserConfigModel>

export const PushTokenModel = defineModel<typeof PushToken, { token: string }>(PushToken, {
  collection: 'expo_push_tokens',
  tenant: true,
  stored: { token: String } as never,
  indexes: [[{ token: 1 }, { unique: true }], [{ account_id: 1, user_id: 1, last_seen_at: 1 }]]
})
export type PushTokenModel = ModelOf<typeof PushTokenModel>

/** A row that every creation in an account writes, so that of parallel ones each sees those before it. */
export const UserCounterModel = defineModel(UserCounter, { collection: 'user_counters', tenant: true, indexes: [[{ account_id: 1 }, { unique: true }]] })
export type UserCounterModel = ModelOf<typeof UserCounterModel>
