import { Type, type Static } from '@sinclair/typebox'
import { Account } from './accounts.js'
import { User } from './users.js'
import { DateTime, Entity, Id, Nullable, Ok, Part, Strict, StringEnum, fails } from './kit.js'
import type { Operation } from './operation.js'

/** A login, kept under the hash of its secret. */
export const Session = Entity('Session', {
  id: Id('_api.sessions'),
  user_id: Id('_users'),
  account_id: Id('_accounts'),
  via_account: Nullable(Id('_accounts')),
  kind: StringEnum(['login', 'sso', 'impersonation', 'oauth']),
  impersonator_id: Nullable(Id('_users')),
  permissions: Type.Array(Type.String()),
  scope: Type.String(),
  remember: Type.Boolean(),
  device: Type.Object({ name: Nullable(Type.String()), platform: Nullable(Type.String()), user_agent: Nullable(Type.String()) }),
  last_seen_at: DateTime(),
  idle_expires_at: DateTime(),
  expires_at: DateTime(),
  ended_at: Nullable(DateTime()),
  end_reason: Nullable(Type.String()),
  created_at: DateTime()
})
export type Session = Static<typeof Session>

export const SessionAnswer = Entity('SessionAnswer', {
  session_id: Type.String({ description: 'What browsers keep: header X-Session-Id.' }),
  session_expires_at: DateTime(),
  access_token: Type.String({ description: 'Bearer token of every protected route.' }),
  token_type: StringEnum(['Bearer']),
  expires_in: Type.Integer({ description: 'Seconds.' }),
  user: Part(User, 'id', 'name', 'email', 'image', 'role', 'is_owner'),
  account: Part(Account, 'id', 'name', 'main', 'parent_account', 'status'),
  permissions: Type.Array(Type.String()),
  scope: Type.String()
})

export const login = {
  operationId: 'login',
  tags: ['auth'],
  summary: 'Log in with e-mail and password',
  body: Strict({
    email: Type.String({ format: 'email', maxLength: 254 }),
    password: Type.String({ minLength: 1, maxLength: 128 }),
    account_id: Type.Optional(Id('_accounts')),
    remember: Type.Optional(Type.Boolean())
  }),
  response: { 200: Ok(SessionAnswer), ...fails(400, 403, 413, 415, 429, 503) }
} as const satisfies Operation

export const logout = {
  operationId: 'logout',
  tags: ['auth'],
  summary: 'End this session',
  response: { 200: Ok(Type.Object({ ended: Type.Boolean() })), ...fails(400, 401, 403, 409, 413, 415, 422, 429, 503) }
} as const satisfies Operation
