import { Type, type Static } from '@sinclair/typebox'
import { Account } from './accounts.js'
import { User } from './users.js'
import { DateTime, Entity, Id, Nullable, Ok, Page, Part, READ_FAILS, Strict, StringEnum, WRITE_FAILS, fails } from './kit.js'
import type { Operation } from './operation.js'

/** A login, kept under the hash of its secret. */
export const Session = Entity('Session', {
  id: Id('_api.sessions'),
  user_id: Id('_users'),
  account_id: Id('_accounts'),
  via_account: Nullable(Id('_accounts')),
  kind: StringEnum(['login', 'sso', 'impersonation', 'oauth']),
  client_id: Nullable(Type.String()),
  impersonator_id: Nullable(Id('_users')),
  reason: Nullable(Type.String()),
  permissions: Type.Array(Type.String()),
  scope: Type.String(),
  remember: Type.Boolean(),
  device: Type.Object({ name: Nullable(Type.String()), platform: Nullable(Type.String()), user_agent: Nullable(Type.String()) }),
  mfa: Type.Boolean(),
  last_seen_at: DateTime(),
  idle_expires_at: DateTime(),
  expires_at: DateTime(),
  ended_at: Nullable(DateTime()),
  end_reason: Nullable(Type.String()),
  created_at: DateTime()
})
export type Session = Static<typeof Session>

export const RefreshToken = Entity('RefreshToken', {
  id: Id('_api.refresh.tokens'),
  family_id: Type.String(),
  session_id: Id('_api.sessions'),
  client_id: Type.String(),
  user_id: Id('_users'),
  account_id: Id('_accounts'),
  scope: Nullable(Type.String()),
  generation: Type.Integer(),
  state: StringEnum(['active', 'used', 'revoked']),
  used_at: Nullable(DateTime()),
  idle_expires_at: DateTime(),
  expires_at: DateTime(),
  created_at: DateTime()
})

export const GrantKind = StringEnum(['authorization_code', 'authorize', 'sso', 'mfa', 'selection', 'sms_recovery', 'email_change', 'phone_change'])
export type GrantKind = Static<typeof GrantKind>
export const Grant = Entity('Grant', {
  id: Id('_api.grants'),
  kind: GrantKind,
  user_id: Nullable(Id('_users')),
  account_id: Nullable(Id('_accounts')),
  tries: Type.Integer(),
  used_at: Nullable(DateTime()),
  expires_at: DateTime(),
  created_at: DateTime()
})

export const LoginFailure = Entity('LoginFailure', {
  id: Id('_api.login-failures'),
  tries: Type.Integer(),
  blocked: Type.Boolean(),
  wait_until: Nullable(DateTime()),
  expires_at: DateTime()
})

export const SessionAnswer = Entity('SessionAnswer', {
  session_id: Type.String({ description: 'What browsers keep: header X-Session-Id, or the cookie sid_dc_sw.' }),
  session_expires_at: DateTime(),
  access_token: Type.String({ description: 'Bearer token of every protected route.' }),
  token_type: StringEnum(['Bearer']),
  expires_in: Type.Integer({ description: 'Seconds.' }),
  refresh_token: Type.Optional(Type.String({ description: 'Not given while impersonating.' })),
  user: Part(User, 'id', 'name', 'email', 'image', 'role', 'is_owner'),
  account: Part(Account, 'id', 'name', 'main', 'parent_account', 'status'),
  permissions: Type.Array(Type.String()),
  scope: Type.String(),
  impersonation: Type.Optional(Type.Object({ by: Id('_users'), reason: Type.String(), expires_at: DateTime() }))
})

const Phone = Type.String({ minLength: 5, maxLength: 30, examples: ['+39 055 123456'] })
const Email = Type.String({ format: 'email', maxLength: 254 })
const Host = Type.String({ minLength: 1, maxLength: 253, examples: ['app.harbour-lights.test'] })
const Secret = Type.String({ minLength: 1, maxLength: 128 })
const Token = Type.String({ minLength: 10, maxLength: 4_096 })
const Code = Type.String({ pattern: '^[0-9]{6}$', examples: ['123456'] })
const RecoveryCode = Type.String({ minLength: 10, maxLength: 20 })
const PUBLIC = [400, 403, 413, 415, 429, 503] as const
const op = <const O extends Operation>(operation: O): O => operation

const MfaAnswer = Type.Object({
  mfa_required: Type.Boolean({ const: true }), mfa_token: Type.String(), methods: Type.Array(StringEnum(['totp', 'recovery_code']))
}, { title: 'MfaChallenge', component: 'MfaChallenge' })
const SelectionAnswer = Type.Object({
  account_selection: Type.Boolean({ const: true }),
  selection_token: Type.String(),
  accounts: Type.Array(Type.Object({ account_id: Id('_accounts'), name: Type.String(), image: Nullable(Type.String()), main: Type.Boolean(), role: Type.String() }))
}, { title: 'AccountSelection', component: 'AccountSelection' })
const LoginAnswer = Type.Union([SessionAnswer, MfaAnswer, SelectionAnswer])
export { MfaAnswer, SelectionAnswer }

export const login = op({
  operationId: 'login',
  tags: ['auth'],
  summary: 'Log in with e-mail or phone and password',
  body: Strict({
    email: Type.Optional(Email),
    phone: Type.Optional(Phone),
    password: Secret,
    account_id: Type.Optional(Id('_accounts')),
    parent_account: Type.Optional(Id('_accounts')),
    host: Type.Optional(Host),
    remember: Type.Optional(Type.Boolean()),
    cookie: Type.Optional(Type.Boolean({ description: 'Also set the cookie sid_dc_sw.' })),
    device: Type.Optional(Strict({ name: Type.Optional(Type.String({ maxLength: 100 })), platform: Type.Optional(Type.String({ maxLength: 50 })) }))
  }),
  response: { 200: Ok(LoginAnswer), ...fails(...PUBLIC) }
})
export const selectLoginAccount = op({
  operationId: 'selectLoginAccount',
  tags: ['auth'],
  summary: 'Choose one of the accounts that the password fits',
  body: Strict({ selection_token: Token, account_id: Id('_accounts') }),
  response: { 200: Ok(LoginAnswer), ...fails(...PUBLIC) }
})
export const answerMfaChallenge = op({
  operationId: 'answerMfaChallenge',
  tags: ['auth'],
  summary: 'Answer the second-factor challenge',
  body: Strict({ mfa_token: Token, code: Type.Optional(Code), recovery_code: Type.Optional(RecoveryCode) }),
  response: { 200: Ok(LoginAnswer), ...fails(...PUBLIC) }
})
export const refreshTokens = op({
  operationId: 'refreshTokens',
  tags: ['auth'],
  summary: 'Exchange a refresh token for new tokens',
  body: Strict({ refresh_token: Token }),
  response: {
    200: Ok(Type.Object({
      access_token: Type.String(), token_type: StringEnum(['Bearer']), expires_in: Type.Integer(), refresh_token: Type.String(), scope: Type.String(), permissions: Type.Array(Type.String())
    })),
    ...fails(400, 401, 403, 413, 415, 429, 503)
  }
})
export const exchangeSession = op({
  operationId: 'exchangeSession',
  tags: ['auth'],
  summary: 'A bearer for the session of X-Session-Id or the cookie sid_dc_sw',
  response: { 200: Ok(Type.Object({ access_token: Type.String(), expires_in: Type.Integer() })), ...fails(400, 401, 403, 413, 415, 429, 503) }
})

const Announcement = Type.Object({ id: Type.String(), title: Type.String(), body: Nullable(Type.String()), published_at: Type.String() })
export const Status = Entity('SessionStatus', {
  user: Part(User, 'id', 'name', 'email', 'image', 'role', 'is_owner'),
  account: Part(Account, 'id', 'name', 'main', 'parent_account', 'status'),
  parent_account: Nullable(Part(Account, 'id', 'name', 'main', 'parent_account', 'status')),
  branding: Type.Object({
    name: Type.String(), logo: Nullable(Type.String()), favicon: Nullable(Type.String()), colors: Nullable(Type.Record(Type.String(),
      Nullable(Type.String()))), domain: Type.String()
  }),
  permissions: Type.Array(Type.String()),
  scope: Type.String(),
  role: Type.String(),
  is_owner: Type.Boolean(),
  kind: StringEnum(['login', 'sso', 'impersonation', 'oauth', 'token']),
  impersonation: Nullable(Type.Object({ by: Id('_users'), reason: Type.String(), expires_at: DateTime() })),
  mfa: Type.Object({ enabled: Type.Boolean(), required: Type.Boolean() }),
  plan: Nullable(Type.Object({ tier: Type.String(), status: Type.String(), trial_ends_at: Nullable(DateTime()), renews_at: Nullable(DateTime()),
    past_due: Type.Boolean() })),
  loyalty_tier: Nullable(Type.String()),
  stripe: Nullable(Type.Object({ customer: Nullable(Type.String()), connected: Type.Boolean(), payments_enabled: Type.Boolean() })),
  twilio: Nullable(Type.Object({ connected: Type.Boolean(), numbers: Type.Array(Type.String()) })),
  announcements: Nullable(Type.Array(Announcement)),
  low_balance: Nullable(Type.Boolean()),
  client_dashboard: Type.Boolean(),
  dashboard_version: Type.String(),
  degraded: Type.Array(Type.String({ description: 'Parts whose source did not answer or is not there.' }))
})
export const getSession = op({ operationId: 'getSession', tags: ['auth'], summary: 'Who is signed in, where, and with what', response: { 200: Ok(Status), ...fails(...READ_FAILS) } })

const Ended = Type.Object({ ended: Type.Boolean() })
export const endSession = op({ operationId: 'endSession', tags: ['auth'], summary: 'End this session', response: { 200: Ok(Ended), ...fails(...WRITE_FAILS) } })
export const logout = op({ operationId: 'logout', tags: ['auth'], summary: 'End this session', response: { 200: Ok(Ended), ...fails(...WRITE_FAILS) } })

export const SessionRow = Entity('LiveSession', {
  id: Id('_api.sessions'),
  kind: StringEnum(['login', 'sso', 'impersonation', 'oauth']),
  device: Session.properties.device,
  address: Nullable(Type.String({ description: 'Masked.' })),
  created_at: DateTime(),
  last_seen_at: DateTime(),
  current: Type.Boolean()
})
export const listSessions = op({ operationId: 'listSessions', tags: ['auth'], summary: 'My live sessions', response: { 200: Ok(Type.Array(SessionRow)), ...fails(...READ_FAILS) } })
export const endOtherSessions = op({ operationId: 'endOtherSessions', tags: ['auth'], summary: 'End all my sessions but this one', response: { 200: Ok(Type.Object({ ended: Type.Integer() })), ...fails(...WRITE_FAILS) } })
export const endSessionById = op({ operationId: 'endSessionById', tags: ['auth'], summary: 'End one of my sessions', params: Strict({ id: Id('_api.sessions') }), response: { 200: Ok(Ended), ...fails(...WRITE_FAILS) } })

export const resetPassword = op({
  operationId: 'resetPassword',
  tags: ['auth'],
  summary: 'Ask for a reset link, or set the password with one',
  body: Type.Unsafe<{ type: 'email', email: string, account?: string, host?: string } | { type: 'reset', token: string, password: string }>({
    type: 'object',
    required: ['type'],
    discriminator: { propertyName: 'type' },
    oneOf: [
      Strict({ type: Type.Unsafe({ type: 'string', const: 'email' }), email: Email, account: Type.Optional(Id('_accounts')), host: Type.Optional(Host) }),
      Strict({ type: Type.Unsafe({ type: 'string', const: 'reset' }), token: Token, password: Type.String({ minLength: 1, maxLength: 500 }) })
    ]
  }),
  response: { 200: Ok(Type.Object({ sent: Type.Optional(Type.Boolean()), changed: Type.Optional(Type.Boolean()) })), ...fails(400, 403, 413, 415, 422,
    429, 503) }
})
export const changePassword = op({
  operationId: 'changePassword',
  tags: ['auth'],
  summary: 'Change my password',
  body: Strict({ current_password: Secret, password: Type.String({ minLength: 1, maxLength: 500 }) }),
  response: { 200: Ok(Type.Object({ ended_sessions: Type.Integer() })), ...fails(...WRITE_FAILS) }
})
export const checkResetToken = op({
  operationId: 'checkResetToken',
  tags: ['auth'],
  summary: 'What a link is good for; changes nothing',
  querystring: Strict({ token: Token }),
  response: {
    200: Ok(Type.Object({ valid: Type.Boolean(), kind: Nullable(StringEnum(['reset', 'invite'])), email: Nullable(Type.String()), account_name: Nullable(Type.String()) })), ...fails(400, 429, 503)
  }
})

export const MyAccount = Type.Object({
  id: Type.Optional(Id('_accounts')),
  account_id: Id('_accounts'),
  name: Type.String(),
  image: Nullable(Type.String()),
  main: Type.Boolean(),
  business: Nullable(Id('crm.contacts')),
  role: Type.String(),
  client_dashboard: Type.Boolean()
})
export const listMyAccounts = op({
  operationId: 'listMyAccounts',
  tags: ['auth'],
  summary: 'Accounts that I can enter',
  querystring: Strict({
    include: Type.Optional(StringEnum(['sub_accounts'])),
    q: Type.Optional(Type.String({ minLength: 2, maxLength: 100 })),
    page: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 }))
  }),
  response: { 200: Page(MyAccount), ...fails(...READ_FAILS) }
})
export const findAccounts = op({
  operationId: 'findAccounts',
  tags: ['auth'],
  summary: 'Send the list of accounts to an address',
  body: Strict({ email: Type.Optional(Email), phone: Type.Optional(Phone), parent_account: Type.Optional(Id('_accounts')), host: Type.Optional(Host) }),
  response: { 200: Ok(Type.Object({ sent: Type.Boolean() })), ...fails(400, 413, 415, 429, 503) }
})
export const enterAccount = op({
  operationId: 'enterAccount', tags: ['auth'], summary: 'Enter another account of mine, or a client\'s', body: Strict({ account_id: Id('_accounts') }), response: { 200: Ok(SessionAnswer), ...fails(...WRITE_FAILS) }
})
export const createSsoLink = op({
  operationId: 'createSsoLink',
  tags: ['auth'],
  summary: 'A one-time link into an account on its own domain',
  body: Strict({ account_id: Id('_accounts'), path: Type.Optional(Type.String({ maxLength: 500, pattern: '^/([^/\\\\].*)?$' })) }),
  response: { 200: Ok(Type.Object({ url: Type.String(), expires_at: DateTime() })), ...fails(...WRITE_FAILS) }
})
export const redeemSsoLink = op({
  operationId: 'redeemSsoLink', tags: ['auth'], summary: 'Open the session of a one-time link', body: Strict({ code: Token }), response: { 200: Ok(SessionAnswer), ...fails(400, 403, 404, 413, 415, 429, 503) }
})
export const startImpersonation = op({
  operationId: 'startImpersonation',
  tags: ['auth'],
  summary: 'Act as another person',
  body: Strict({ user_id: Id('_users'), reason: Type.String({ minLength: 5, maxLength: 500 }) }),
  response: { 200: Ok(SessionAnswer), ...fails(...WRITE_FAILS) }
})
export const endImpersonation = op({ operationId: 'endImpersonation', tags: ['auth'], summary: 'Be oneself again', response: { 200: Ok(SessionAnswer), ...fails(...WRITE_FAILS) } })
export const stepUp = op({
  operationId: 'stepUp',
  tags: ['auth'],
  summary: 'Prove the password again',
  body: Strict({ password: Secret, code: Type.Optional(Code) }),
  response: { 200: Ok(Type.Object({ step_up_token: Type.String({ description: 'For the header X-Step-Up.' }), expires_in: Type.Integer() })), ...fails(...WRITE_FAILS) }
})
export const getMfa = op({
  operationId: 'getMfa',
  tags: ['auth'],
  summary: 'My second factor',
  response: { 200: Ok(Type.Object({ enabled: Type.Boolean(), methods: Type.Array(StringEnum(['totp', 'recovery_code'])), recovery_codes_left: Type.Integer(), required: Type.Boolean() })), ...fails(...READ_FAILS) }
})
const RecoveryCodes = Type.Object({ recovery_codes: Type.Array(Type.String(), { description: 'Shown once.' }) })
export const beginTotp = op({ operationId: 'beginTotp', tags: ['auth'], summary: 'A new TOTP secret, not active yet', response: { 200: Ok(Type.Object({ secret: Type.String(), otpauth_url: Type.String() })), ...fails(...WRITE_FAILS) } })
export const enableTotp = op({ operationId: 'enableTotp', tags: ['auth'], summary: 'Switch TOTP on', body: Strict({ code: Code }), response: { 200: Ok(RecoveryCodes), ...fails(...WRITE_FAILS) } })
export const disableTotp = op({ operationId: 'disableTotp', tags: ['auth'], summary: 'Switch TOTP off', response: { 200: Ok(Type.Object({ enabled: Type.Boolean() })), ...fails(...WRITE_FAILS) } })
export const renewRecoveryCodes = op({ operationId: 'renewRecoveryCodes', tags: ['auth'], summary: 'New recovery codes, the old ones die', response: { 200: Ok(RecoveryCodes), ...fails(...WRITE_FAILS) } })
