import { Type, type Static } from '@sinclair/typebox'
import { Currency, DateTime, Entity, Id, Nullable, StringEnum } from './kit.js'

export const AccountStatus = StringEnum(['pending', 'active', 'suspended', 'archived'], { title: 'AccountStatus' })
export const Plan = StringEnum(['free', 'pro', 'plus', 'platinum'], { title: 'Plan' })

export const Address = Type.Object({
  street: Type.Optional(Nullable(Type.String({ maxLength: 200 }))),
  unit: Type.Optional(Nullable(Type.String({ maxLength: 50 }))),
  city: Type.Optional(Nullable(Type.String({ maxLength: 100 }))),
  state_province: Type.Optional(Nullable(Type.String({ maxLength: 100 }))),
  postal_code: Type.Optional(Nullable(Type.String({ maxLength: 20 }))),
  country: Type.Optional(Nullable(Type.String({ minLength: 2, maxLength: 2 })))
}, { title: 'Address', component: 'Address' })

const Person = Type.Object({
  id: Nullable(Id('_users')), name: Nullable(Type.String()), email: Nullable(Type.String()), phone: Nullable(Type.String()), avatar: Nullable(Type.String())
})

/** An agency (main account) or one of its clients (sub-account); its id is the account_id of every module. */
export const Account = Entity('Account', {
  id: Id('_accounts'),
  parent_account: Nullable(Id('_accounts')),
  main: Type.Boolean(),
  status: AccountStatus,
  status_reason: Nullable(Type.String()),
  archived_at: Nullable(DateTime()),
  name: Type.String({ minLength: 1, maxLength: 150, examples: ['Harbour Lights Marketing'] }),
  email: Nullable(Type.String({ maxLength: 254 })),
  phone: Nullable(Type.String({ maxLength: 20 })),
  address: Nullable(Address),
  website: Nullable(Type.String({ maxLength: 500 })),
  image: Nullable(Type.String({ maxLength: 2_048 })),
  owner: Nullable(Person),
  manager: Nullable(Id('_users')),
  plan: Plan,
  plan_trial_ends_at: Nullable(DateTime()),
  currency: Currency(),
  time_zone: Type.String({ examples: ['Europe/Rome'] }),
  locale: Type.String({ examples: ['en-US'] }),
  created_at: DateTime(),
  updated_at: DateTime()
})
export type Account = Static<typeof Account>
