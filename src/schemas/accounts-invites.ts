import { Type, type Static } from '@sinclair/typebox'
import { Account, AccountParams, Email, NewBusiness, Phone } from './accounts.js'
import { SessionAnswer } from './auth.js'
import { DateTime, Entity, Id, ListQuery, Nullable, Ok, Page, READ_FAILS, Strict, StringEnum, WRITE_FAILS, fails, wire } from './kit.js'
import { JobAccepted } from './standard.js'
import { Branding } from './accounts-look.js'
import { Role } from './users.js'
import type { Operation } from './operation.js'

const Name = Type.String({ minLength: 1, maxLength: 80, pattern: '\\S', examples: ['Nora'] })
const Password = Type.String({ minLength: 1, maxLength: 128, examples: ['a harbour full of lights'] })
const Token = Type.String({ minLength: 10, maxLength: 2_000 })
const PUBLIC_READ = [400, 404, 429, 503] as const
const PUBLIC_WRITE = [400, 403, 404, 409, 413, 415, 422, 429, 503] as const

// ---------------------------------------------------------------- sign-up

export const SignupCode = Entity('SignupCode', {
  id: Id('account-signup-codes'),
  tries: Type.Integer(),
  used_at: Nullable(DateTime()),
  expires_at: DateTime(),
  affiliate_code: Nullable(Type.String()),
  host: Nullable(Type.String()),
  created_at: DateTime()
})

export const NewAccount = Strict({
  token: Type.Optional(Token),
  code: Type.Optional(Type.String({ minLength: 10, maxLength: 20 })),
  first_name: Name,
  last_name: Name,
  password: Password,
  phone: Type.Optional(Nullable(Phone)),
  business: NewBusiness,
  subdomain: Type.Optional(Type.String({ minLength: 3, maxLength: 40, examples: ['harbour-lights'] })),
  affiliate_code: Type.Optional(Type.String({ minLength: 1, maxLength: 40 })),
  accept_terms: Type.Boolean({ description: 'Must be true.', examples: [true] }),
  time_zone: Type.Optional(Account.properties.time_zone),
  currency: Type.Optional(Account.properties.currency)
})
export type NewAccount = Static<typeof NewAccount>

export const createAccount = {
  operationId: 'createAccount', tags: ['accounts'], summary: 'Sign up as an agency', body: NewAccount, response: { 201: Ok(SessionAnswer), ...fails(...PUBLIC_WRITE) }
} as const satisfies Operation

export const checkSignupEmail = {
  operationId: 'checkSignupEmail',
  tags: ['accounts'],
  summary: 'Send a sign-up code, or a login link to who is known',
  querystring: Strict({ email: Email, affiliate_code: Type.Optional(Type.String({ minLength: 1, maxLength: 40 })) }),
  response: { 200: Ok(Type.Object({ sent: Type.Boolean(), expires_in: Type.Integer({ description: 'Seconds.' }) })), ...fails(...PUBLIC_READ) }
} as const satisfies Operation

export const verifySignupCode = {
  operationId: 'verifySignupCode',
  tags: ['accounts'],
  summary: 'Turn a code into a sign-up token; the code stays good',
  params: Strict({ code: Type.String({ minLength: 1, maxLength: 40, examples: ['0123456789'] }) }),
  response: { 200: Ok(Type.Object({ valid: Type.Boolean(), email: Type.String(), token: Type.String() })), ...fails(...PUBLIC_READ) }
} as const satisfies Operation

export const verifySignupToken = {
  operationId: 'verifySignupToken',
  tags: ['accounts'],
  summary: 'Is this sign-up or invite token good?',
  querystring: Strict({ token: Token }),
  response: { 200: Ok(Type.Object({ valid: Type.Boolean(), email: Nullable(Type.String()), kind: Nullable(StringEnum(['signup', 'invite', 'public'])) })), ...fails(...PUBLIC_READ) }
} as const satisfies Operation

// ---------------------------------------------------------------- invitations

const Owner = Strict({ first_name: Name, last_name: Name, email: Email, phone: Type.Optional(Nullable(Phone)) })
export type NewOwner = Static<typeof Owner>
const either = { business_id: Type.Optional(Id('crm.contacts')), business: Type.Optional(NewBusiness) }

export const NewProjectAccount = Strict({ ...either, owner: Type.Optional(Owner), send_invite: Type.Optional(Type.Boolean({ description: 'Default false.' })) }, { minProperties: 1 })
export type NewProjectAccount = Static<typeof NewProjectAccount>
const Invited = Type.Object({
  account: Account,
  user: Nullable(Type.Object({ id: Id('_users'), name: Type.String(), email: Nullable(Type.String()), role: Role, status: Type.String() })),
  invite_link: Nullable(Type.String()),
  expires_at: Nullable(DateTime())
}, { title: 'InvitedAccount', component: 'InvitedAccount' })
export const toInvited = wire(Invited)

export const createProjectAccount = {
  operationId: 'createProjectAccount',
  tags: ['accounts'],
  summary: 'Make a sub-account to work for, before its owner is invited',
  body: NewProjectAccount,
  response: { 201: Ok(Invited), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const NewInvite = Strict({
  ...either,
  user: Owner,
  user_only: Type.Optional(Type.Boolean({ description: 'No new account: a person of the existing one.' })),
  account_id: Type.Optional(Id('_accounts')),
  role: Type.Optional(StringEnum(['admin', 'user', 'client'])),
  message: Type.Optional(Type.String({ maxLength: 1_000 })),
  send_email: Type.Optional(Type.Boolean({ description: 'Default true.' }))
})
export type NewInvite = Static<typeof NewInvite>

export const inviteAccount = {
  operationId: 'inviteAccount', tags: ['accounts'], summary: 'Invite a client, or a person into a client', body: NewInvite, response: { 201: Ok(Invited), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

const DryRun = Entity('InviteDryRun', {
  total: Type.Integer(),
  ready: Type.Integer(),
  errors: Type.Array(Type.Object({ row: Type.Integer(), code: Type.String(), message: Type.String() }))
})
export const bulkInviteAccounts = {
  operationId: 'bulkInviteAccounts',
  tags: ['accounts'],
  summary: 'Invite up to 500 clients from a CSV file or rows',
  description: 'Columns: business_name, first_name, last_name, email, phone, website. Multipart with one file, or a JSON body {rows}.',
  consumes: ['multipart/form-data', 'application/json'],
  querystring: Strict({ dry_run: Type.Optional(Type.Boolean()) }),
  response: { 200: Ok(DryRun), 202: Ok(JobAccepted), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const acceptInvite = {
  operationId: 'acceptInvite',
  tags: ['accounts'],
  summary: 'Look at an invite; changes nothing',
  querystring: Strict({ token: Token }),
  response: {
    200: Ok(Type.Object({ valid: Type.Boolean(), email: Type.String(), account_name: Type.String(), branding: Branding })),
    302: Type.Null({ description: 'Browsers: to the page where the password is set.' }),
    ...fails(...PUBLIC_READ)
  }
} as const satisfies Operation

export const resendAccountInvite = {
  operationId: 'resendAccountInvite',
  tags: ['accounts'],
  summary: 'Make a new invite; the link before it dies',
  params: AccountParams,
  body: Strict({ send_email: Type.Optional(Type.Boolean({ description: 'Default true.' })), email: Type.Optional(Email) }),
  response: { 200: Ok(Invited), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const cancelAccountInvite = {
  operationId: 'cancelAccountInvite',
  tags: ['accounts'],
  summary: 'Take an invite back; an untouched account is removed',
  params: AccountParams,
  response: { 200: Ok(Type.Object({ result: StringEnum(['removed', 'kept']) })), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const OwnerChange = Strict({
  first_name: Type.Optional(Name), last_name: Type.Optional(Name), email: Type.Optional(Email), phone: Type.Optional(Nullable(Phone))
}, { minProperties: 1 })
export type OwnerChange = Static<typeof OwnerChange>
export const updateOwnerInfo = {
  operationId: 'updateOwnerInfo',
  tags: ['accounts'],
  summary: 'Name or change the owner of a sub-account',
  params: AccountParams,
  body: OwnerChange,
  response: { 200: Ok(Account), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

// ---------------------------------------------------------------- public sign-up under an agency

export const PublicRequest = Entity('PublicAccountRequest', {
  id: Id('account-public-requests'),
  account_id: Id('_accounts'),
  email: Type.String(),
  status: StringEnum(['unverified', 'pending', 'approved', 'rejected', 'expired'], { title: 'PublicRequestStatus' }),
  profile: Nullable(Type.Object({
    first_name: Type.Optional(Type.String()),
    last_name: Type.Optional(Type.String()),
    phone: Type.Optional(Nullable(Type.String())),
    business: Type.Optional(Type.Object({
      name: Type.String(),
      email: Type.Optional(Nullable(Type.String())),
      phone: Type.Optional(Nullable(Type.String())),
      website: Type.Optional(Nullable(Type.String())),
      address: Type.Optional(Nullable(Type.Record(Type.String(), Nullable(Type.String())))),
      social: Type.Optional(Nullable(Type.Record(Type.String(), Nullable(Type.String()))))
    }))
  })),
  decided_by: Nullable(Id('_users')),
  decided_at: Nullable(DateTime()),
  reason: Nullable(Type.String()),
  created_account: Nullable(Id('_accounts')),
  sent_count: Type.Integer(),
  expires_at: DateTime(),
  created_at: DateTime(),
  updated_at: DateTime()
}, 'Somebody who asked to become a client.')
export type PublicRequest = Static<typeof PublicRequest>
export const toRequest = wire(PublicRequest)

const Sent = Type.Object({ sent: Type.Boolean() })
export const requestPublicAccount = {
  operationId: 'requestPublicAccount',
  tags: ['accounts'],
  summary: 'Ask an agency for an account; the answer never says whether it may be had',
  body: Strict({ email: Email, parent_account: Type.Optional(Id('_accounts')), host: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })) }),
  response: { 200: Ok(Sent), ...fails(...PUBLIC_WRITE) }
} as const satisfies Operation

export const verifyPublicInvite = {
  operationId: 'verifyPublicInvite',
  tags: ['accounts'],
  summary: 'Look at the link of a request; changes nothing',
  querystring: Strict({ token: Token }),
  response: {
    200: Ok(Type.Object({ valid: Type.Boolean(), email: Type.String(), parent: Type.Object({ name: Type.String(), branding: Branding }) })), ...fails(...PUBLIC_READ)
  }
} as const satisfies Operation

export const NewProfile = Strict({ token: Token, first_name: Name, last_name: Name, phone: Type.Optional(Nullable(Phone)), password: Password, business: NewBusiness })
export type NewProfile = Static<typeof NewProfile>
const Asked = Ok(Type.Object({ status: StringEnum(['pending', 'approved']), account_id: Nullable(Id('_accounts')) }))
export const createPublicProfile = {
  operationId: 'createPublicProfile', tags: ['accounts'], summary: 'Complete a request', body: NewProfile, response: { 201: Asked, 202: Asked, ...fails(...PUBLIC_WRITE) }
} as const satisfies Operation

export const resendPublicVerification = {
  operationId: 'resendPublicVerification',
  tags: ['accounts'],
  summary: 'Send the link of a request again',
  params: Strict({ id: Id('account-public-requests') }),
  response: { 200: Ok(Sent), ...fails(...PUBLIC_WRITE) }
} as const satisfies Operation

const RequestQuery = ListQuery({ sort: ['created_at', 'email'], filters: { status: Type.Optional(PublicRequest.properties.status) } })
export type RequestQuery = Static<typeof RequestQuery>
export const listPublicRequests = {
  operationId: 'listPublicRequests',
  tags: ['accounts'],
  summary: 'List requests for an account',
  querystring: RequestQuery,
  response: { 200: Page(PublicRequest), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const getPublicRequest = {
  operationId: 'getPublicRequest',
  tags: ['accounts'],
  summary: 'Where does my request stand?',
  params: Strict({ token: Token }),
  response: { 200: Ok(Type.Object({ status: PublicRequest.properties.status, email: Type.String(), reason: Nullable(Type.String()) })), ...fails(...PUBLIC_READ) }
} as const satisfies Operation

export const decidePublicRequest = {
  operationId: 'decidePublicRequest',
  tags: ['accounts'],
  summary: 'Approve or reject a request',
  params: Strict({ id: Id('account-public-requests') }),
  body: Strict({ status: StringEnum(['approved', 'rejected']), reason: Type.Optional(Type.String({ maxLength: 500 })) }),
  response: { 200: Ok(PublicRequest), ...fails(...WRITE_FAILS) }
} as const satisfies Operation
