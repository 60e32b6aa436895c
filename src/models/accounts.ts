import type { Types } from 'mongoose'
import { Account } from '../schemas/accounts.js'
import { PublicRequest, SignupCode } from '../schemas/accounts-invites.js'
import { defineModel, type ModelOf, type RowOf } from './define.js'

export type AccountInvite = {
  state: 'sent' | 'opened' | 'accepted' | 'cancelled', email: string, token_hash: string | null, sent_at: Date, expires_at: Date, sent_count: number, by: Types.ObjectId | null
}
export type OldLabel = { label: string, until: Date }
type Stored = {
  banned: boolean
  search_keys: string[]
  invite: AccountInvite | null
  /** labels that still lead here */
  old_labels: OldLabel[]
  /** what the plan stands on; absent: the plan is as it is stored */
  plan_source: 'override' | 'subscription' | 'trial' | 'none' | 'parent' | null
  state_before: 'pending' | 'active' | 'suspended' | null
}

/** Not a tenant model: an account is the tenant. Every query names `_id` or `parent_account`. */
export const AccountModel = defineModel<typeof Account, Stored>(Account, {
  collection: '_accounts',
  tenant: false,
  stored: {
    banned: Boolean, search_keys: [String], invite: {}, branding: {}, settings: {}, old_labels: [{ _id: false, label: String, until: Date }], plan_source: String, state_before: String
  } as never,
  indexes: [
    [{ _id: 1, parent_account: 1 }],
    [{ parent_account: 1, status: 1, created_at: -1, _id: -1 }],
    [{ parent_account: 1, search_keys: 1 }],
    [{ parent_account: 1, manager: 1 }],
    [{ 'domain.dashclicks': 1 }, { unique: true, partialFilterExpression: { 'domain.dashclicks': { $type: 'string' } } }],
    [{ 'old_labels.label': 1 }],
    [{ 'affiliate.code': 1 }, { unique: true, partialFilterExpression: { 'affiliate.code': { $type: 'string' } } }],
    [{ 'invite.token_hash': 1 }, { unique: true, partialFilterExpression: { 'invite.token_hash': { $type: 'string' } } }],
    [{ plan_source: 1, plan_trial_ends_at: 1 }],
    [{ business: 1 }, { unique: true, partialFilterExpression: { business: { $type: 'objectId' } } }]
  ]
})
export type AccountModel = ModelOf<typeof AccountModel>
export type AccountRow = RowOf<typeof Account, Stored>

type CodeStored = { email_key: string, email: string, code_hash: string }
export const SignupCodeModel = defineModel<typeof SignupCode, CodeStored>(SignupCode, {
  collection: 'account-signup-codes',
  tenant: false,
  stored: { email_key: String, email: String, code_hash: String } as never,
  indexes: [[{ code_hash: 1 }, { unique: true }], [{ email_key: 1, expires_at: 1 }], [{ expires_at: 1 }, { expireAfterSeconds: 86_400 }]]
})
export type SignupCodeModel = ModelOf<typeof SignupCodeModel>

type RequestStored = { email_key: string, token_hash: string, password_hash: string | null, open: boolean, sent_at: Date, day_sent: number, profile: PublicRequest['profile'] }
export const PublicRequestModel = defineModel<typeof PublicRequest, RequestStored>(PublicRequest, {
  collection: 'account-public-requests',
  tenant: true,
  stored: { email_key: String, token_hash: String, password_hash: String, open: Boolean, sent_at: Date, day_sent: Number, profile: {} } as never,
  indexes: [
    [{ token_hash: 1 }, { unique: true }],
    [{ account_id: 1, email_key: 1 }, { unique: true, partialFilterExpression: { open: true } }],
    [{ account_id: 1, status: 1, created_at: -1, _id: -1 }],
    [{ account_id: 1, created_at: -1, _id: -1 }],
    [{ account_id: 1, email: 1, _id: 1 }]
  ]
})
export type PublicRequestModel = ModelOf<typeof PublicRequestModel>
export type PublicRequestRow = RowOf<typeof PublicRequest, RequestStored>
