import { Type, type Static } from '@sinclair/typebox'
import { DateTime, Id, Nullable } from '../schemas/kit.js'
import { defineModel } from './define.js'

const Rule = Type.Object({
  accounts: Type.Optional(Type.Array(Id('_accounts'))),
  plans: Type.Optional(Type.Array(Type.String())),
  main: Type.Optional(Type.Boolean()),
  users: Type.Optional(Type.Array(Id('_users'))),
  percentage: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
  value: Type.Unknown()
})

const Flag = Type.Object({
  key: Type.String(), description: Nullable(Type.String()), enabled: Type.Boolean(), default_value: Type.Unknown(), rules: Type.Array(Rule, { maxItems: 20 }),
  kill: Type.Boolean(), version: Type.Integer(), updated_by: Nullable(Id('_users')), updated_at: DateTime()
})
export type FlagRow = Static<typeof Flag>

export const FlagModel = defineModel(Flag, { collection: '_admin.flags', tenant: false, indexes: [[{ key: 1 }, { unique: true }]] })
