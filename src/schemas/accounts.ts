import { Type, type Static } from '@sinclair/typebox'
import {
  CommaList, Currency, DateTime, Entity, Id, ListQuery, Nullable, Ok, Page, READ_FAILS, Strict, StringEnum, WRITE_FAILS, fails, wire
} from './kit.js'
import { BulkResult, ExportFile } from './standard.js'
import { Branding, AccountSettings } from './accounts-look.js'
import type { Operation } from './operation.js'

export const AccountStatus = StringEnum(['pending', 'active', 'suspended', 'archived'], { title: 'AccountStatus' })
export const Plan = StringEnum(['free', 'pro', 'plus', 'platinum'], { title: 'Plan' })
export type Plan = Static<typeof Plan>

const addressParts = {
  street: Type.Optional(Nullable(Type.String({ maxLength: 200 }))),
  unit: Type.Optional(Nullable(Type.String({ maxLength: 50 }))),
  city: Type.Optional(Nullable(Type.String({ maxLength: 100 }))),
  state_province: Type.Optional(Nullable(Type.String({ maxLength: 100 }))),
  postal_code: Type.Optional(Nullable(Type.String({ maxLength: 20 }))),
  country: Type.Optional(Nullable(Type.String({ minLength: 2, maxLength: 2 })))
}
export const Address = Type.Object(addressParts, { title: 'Address', component: 'Address' })

const Handle = Type.Optional(Nullable(Type.String({ maxLength: 500 })))
const socialParts = { facebook: Handle, instagram: Handle, linkedin: Handle, x: Handle, youtube: Handle, tiktok: Handle, pinterest: Handle, yelp: Handle, google: Handle }
const Social = Type.Object(socialParts, { title: 'Social', component: 'Social' })

const Person = Type.Object({
  id: Nullable(Id('_users')), name: Nullable(Type.String()), email: Nullable(Type.String()), phone: Nullable(Type.String()), avatar: Nullable(Type.String())
})
const Invite = Type.Object({
  state: StringEnum(['sent', 'opened', 'accepted', 'cancelled']), email: Type.String(), sent_at: DateTime(), expires_at: DateTime(), sent_count: Type.Integer(), by: Nullable(Id('_users'))
})
const Domain = Type.Object({
  dashclicks: Nullable(Type.String({ description: 'Label below the platform\'s host.', examples: ['harbour-lights'] })),
  custom: Nullable(Type.String({ examples: ['app.harbour.test'] })),
  hostname_id: Nullable(Id('custom_hostnames'))
})

/** An agency (main account) or one of its clients (sub-account); its id is the account_id of every module. */
export const Account = Entity('Account', {
  id: Id('_accounts'),
  parent_account: Nullable(Id('_accounts')),
  main: Type.Boolean(),
  status: AccountStatus,
  status_reason: Nullable(Type.String()),
  archived_at: Nullable(DateTime()),
  archived_by: Nullable(Id('_users')),
  name: Type.String({ minLength: 1, maxLength: 150, pattern: '\\S', examples: ['Harbour Lights Marketing'] }),
  email: Nullable(Type.String({ maxLength: 254 })),
  phone: Nullable(Type.String({ maxLength: 20 })),
  address: Nullable(Address),
  social: Nullable(Social),
  website: Nullable(Type.String({ maxLength: 500 })),
  image: Nullable(Type.String({ maxLength: 2_048 })),
  business: Nullable(Id('crm.contacts')),
  owner: Nullable(Person),
  manager: Nullable(Id('_users')),
  domain: Nullable(Domain),
  branding: Nullable(Branding),
  settings: Nullable(AccountSettings),
  plan: Plan,
  plan_trial_ends_at: Nullable(DateTime()),
  account_pricing_type: Nullable(StringEnum(['pro', 'plus', 'platinum'])),
  stripe_customer: Nullable(Type.String()),
  stripe_connected_account: Nullable(Type.String()),
  payments_enabled: Nullable(Type.Boolean()),
  affiliate: Nullable(Type.Object({ code: Nullable(Type.String()), clicks: Type.Integer(), enabled: Type.Boolean() })),
  referred_by: Nullable(Id('_accounts')),
  has_orders: Nullable(Type.Boolean()),
  became_customer_on: Nullable(DateTime()),
  currency: Currency(),
  time_zone: Type.String({ maxLength: 64, examples: ['Europe/Rome'] }),
  locale: Type.String({ maxLength: 35, pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$', examples: ['en-US'] }),
  invite: Nullable(Invite),
  created_at: DateTime(),
  updated_at: DateTime()
}, 'An agency (main account) or one of its clients (sub-account).')
export type Account = Static<typeof Account>
export const toAccount = wire(Account)

const ExpandedUser = Type.Object({ id: Id('_users'), name: Type.String(), email: Nullable(Type.String()), phone: Nullable(Type.String()), image: Nullable(Type.String()) })
export const toExpandedUser = wire(ExpandedUser)
const Business = Type.Object({
  id: Nullable(Id('crm.contacts')),
  name: Type.String(),
  email: Nullable(Type.String()),
  phone: Nullable(Type.String()),
  website: Nullable(Type.String()),
  address: Nullable(Address),
  social: Nullable(Social),
  image: Nullable(Type.String())
})
export const toBusiness = wire(Business)
const AccountRead = Type.Object({
  ...Account.properties,
  expanded: Type.Optional(Type.Object({ business: Type.Optional(Business), owner: Type.Optional(Nullable(ExpandedUser)), manager: Type.Optional(Nullable(ExpandedUser)) }))
}, { title: 'AccountRead', component: 'AccountRead' })

// ---------------------------------------------------------------- bodies

export const Email = Type.String({ format: 'email', maxLength: 254, examples: ['nora@harbour.test'] })
export const Phone = Type.String({ pattern: '^\\+[1-9][0-9]{6,14}$', examples: ['+14155550100'], description: 'E.164.' })
const Website = Type.String({ minLength: 1, maxLength: 500, examples: ['https://harbour.test'] })
const businessParts = {
  phone: Type.Optional(Nullable(Phone)),
  website: Type.Optional(Nullable(Website)),
  address: Type.Optional(Nullable(Strict(addressParts))),
  social: Type.Optional(Nullable(Strict(socialParts)))
}
/** What a client or an agency is, before it has an account. */
export const NewBusiness = Strict({ name: Account.properties.name, email: Type.Optional(Nullable(Email)), ...businessParts })
export type NewBusiness = Static<typeof NewBusiness>

export const AccountChange = Strict({
  name: Type.Optional(Account.properties.name),
  email: Type.Optional(Nullable(Email)),
  ...businessParts,
  image: Type.Optional(Account.properties.image),
  manager: Type.Optional(Nullable(Id('_users'))),
  time_zone: Type.Optional(Account.properties.time_zone),
  currency: Type.Optional(Account.properties.currency),
  locale: Type.Optional(Account.properties.locale)
}, { minProperties: 1 })
export type AccountChange = Static<typeof AccountChange>

export const AccountParams = Strict({ id: Id('_accounts') })
const filters = {
  status: Type.Optional(CommaList('Statuses, comma-separated; default active.', { pattern: '^(active|pending|suspended|archived)(,(active|pending|suspended|archived))*$' })),
  include_pending: Type.Optional(Type.Boolean({ description: 'Pending ones besides the asked statuses.' })),
  manager: Type.Optional(Id('_users')),
  plan: Type.Optional(Plan),
  has_orders: Type.Optional(Type.Boolean()),
  created_from: Type.Optional(Type.String({ format: 'date-time' })),
  created_to: Type.Optional(Type.String({ format: 'date-time' }))
}
const Query = ListQuery({ sort: ['created_at', 'updated_at', 'name', 'owner.name'], filters })
export type AccountQuery = Static<typeof Query>

// ---------------------------------------------------------------- operations

export const listAccounts = {
  operationId: 'listAccounts', tags: ['accounts'], summary: 'List sub-accounts', querystring: Query, response: { 200: Page(Account), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const searchAccounts = {
  operationId: 'searchAccounts',
  tags: ['accounts'],
  summary: 'Search sub-accounts by the beginnings of words',
  querystring: Strict({ ...Query.properties, q: Type.String({ minLength: 2, maxLength: 100, examples: ['harbour'] }) }),
  response: { 200: Page(Account), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const countAccounts = {
  operationId: 'countAccounts',
  tags: ['accounts'],
  summary: 'Count sub-accounts per status',
  response: { 200: Ok(Type.Object({ active: Type.Integer(), pending: Type.Integer(), suspended: Type.Integer(), archived: Type.Integer() })), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const exportAccounts = {
  operationId: 'exportAccounts',
  tags: ['accounts'],
  summary: 'Export sub-accounts as CSV or JSON',
  querystring: Strict({ ...filters, q: Query.properties.q, sort: Query.properties.sort, format: Type.Optional(StringEnum(['csv', 'json'])) }),
  response: { 200: ExportFile, ...fails(...READ_FAILS) }
} as const satisfies Operation

export const getAccount = {
  operationId: 'getAccount',
  tags: ['accounts'],
  summary: 'Read the own account or a sub-account',
  params: AccountParams,
  querystring: Strict({ expand: Type.Optional(CommaList('business, owner, manager', { pattern: '^(business|owner|manager)(,(business|owner|manager))*$' })) }),
  response: { 200: Ok(AccountRead), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const updateAccount = {
  operationId: 'updateAccount',
  tags: ['accounts'],
  summary: 'Change the own account or a sub-account',
  params: AccountParams,
  body: AccountChange,
  response: { 200: Ok(Account), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const setAccountStatus = {
  operationId: 'setAccountStatus',
  tags: ['accounts'],
  summary: 'Suspend a sub-account, or end the suspension',
  params: AccountParams,
  body: Strict({ status: StringEnum(['active', 'suspended']), reason: Type.String({ minLength: 1, maxLength: 500 }) }),
  response: { 200: Ok(Account), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const archiveAccount = {
  operationId: 'archiveAccount',
  tags: ['accounts'],
  summary: 'Archive a sub-account; nothing is deleted',
  params: AccountParams,
  response: { 200: Ok(Account), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const unarchiveAccount = {
  operationId: 'unarchiveAccount',
  tags: ['accounts'],
  summary: 'Bring an archived sub-account back in the state before',
  params: AccountParams,
  response: { 200: Ok(Account), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

const bulkRows = <T extends Parameters<typeof Type.Array>[0]> (operation: string, item: T) =>
  Strict({ operation: Type.Unsafe<string>({ type: 'string', const: operation }), items: Type.Array(item, { minItems: 1, maxItems: 500 }) })
const BulkChange = Strict({
  id: Id('_accounts'),
  manager: Type.Optional(Nullable(Id('_users'))),
  status: Type.Optional(StringEnum(['active', 'suspended'])),
  reason: Type.Optional(Type.String({ minLength: 1, maxLength: 500 }))
}, { minProperties: 2 })
const OneId = Strict({ id: Id('_accounts') })
export type AccountBulk =
  | { operation: 'update', items: Static<typeof BulkChange>[] } | { operation: 'delete' | 'unarchive', items: { id: string }[] }

export const bulkAccounts = {
  operationId: 'bulkAccounts',
  tags: ['accounts'],
  summary: 'Change, archive or bring back up to 500 sub-accounts',
  body: Type.Unsafe<AccountBulk>({
    type: 'object',
    required: ['operation', 'items'],
    discriminator: { propertyName: 'operation' },
    oneOf: [bulkRows('update', BulkChange), bulkRows('delete', OneId), bulkRows('unarchive', OneId)]
  }),
  response: { 200: Ok(BulkResult), 207: Ok(BulkResult), ...fails(...WRITE_FAILS) }
} as const satisfies Operation
