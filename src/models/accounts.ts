import type { Types } from 'mongoose'
import { Account } from '../schemas/accounts.js'
import { defineModel, type ModelOf } from './define.js'

type Stored = { banned: boolean, search_keys: string[], business: Types.ObjectId | null }

/** Not a tenant model: an account is the tenant. Every query names `_id` or `parent_account`. */
export const AccountModel = defineModel<typeof Account, Stored>(Account, {
  collection: '_accounts',
  tenant: false,
  stored: { banned: Boolean, search_keys: [String], business: 'ObjectId' } as never,
  indexes: [
    [{ parent_account: 1, status: 1, created_at: -1, _id: -1 }],
    [{ parent_account: 1, search_keys: 1 }],
    [{ business: 1 }, { unique: true, partialFilterExpression: { business: { $type: 'objectId' } } }]
  ]
})
export type AccountModel = ModelOf<typeof AccountModel>
