import { User } from '../schemas/users.js'
import { defineModel, type ModelOf } from './define.js'

type Stored = {
  email_key: string | null
  password_hash: string | null
  password_changed_at: Date | null
  tokens_valid_from: Date | null
  dashclicks: { general: boolean, roles: string[] } | null
}

export const UserModel = defineModel<typeof User, Stored>(User, {
  collection: '_users',
  tenant: true,
  stored: { email_key: String, password_hash: String, password_changed_at: Date, tokens_valid_from: Date, dashclicks: {} } as never,
  indexes: [
    [{ account_id: 1, email_key: 1 }, { unique: true, partialFilterExpression: { email_key: { $type: 'string' } } }],
    [{ account_id: 1 }, { unique: true, partialFilterExpression: { is_owner: true } }],
    [{ email_key: 1 }],
    [{ account_id: 1, status: 1, name: 1 }]
  ]
})
export type UserModel = ModelOf<typeof UserModel>
