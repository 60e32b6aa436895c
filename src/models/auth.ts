import type { Types } from 'mongoose'
import { Grant, LoginFailure, RefreshToken, Session } from '../schemas/auth.js'
import { defineModel, type ModelOf, type RowOf } from './define.js'

type SessionStored = {
  secret_hash: string
  ip: string | null
  /** when the person last proved the password in this session; null for sessions that grew from another one */
  password_at: Date | null
  /** of an impersonation: the session that it was started from */
  origin_id: Types.ObjectId | null
}

/** Not a tenant model: a session is found by its secret, and ended by user or account. */
export const SessionModel = defineModel<typeof Session, SessionStored>(Session, {
  collection: '_api.sessions',
  tenant: false,
  stored: { secret_hash: String, ip: String, password_at: Date, origin_id: 'ObjectId' } as never,
  indexes: [
    [{ secret_hash: 1 }, { unique: true }],
    [{ user_id: 1, ended_at: 1 }],
    [{ account_id: 1, ended_at: 1 }],
    [{ via_account: 1, ended_at: 1 }],
    [{ expires_at: 1 }, { expireAfterSeconds: 30 * 86_400 }]
  ]
})
export type SessionModel = ModelOf<typeof SessionModel>
export type SessionRow = RowOf<typeof Session, SessionStored>

/** Refresh tokens by their hash; one family per session. */
export const RefreshTokenModel = defineModel<typeof RefreshToken, { token_hash: string }>(RefreshToken, {
  collection: '_api.refresh.tokens',
  tenant: false,
  stored: { token_hash: String } as never,
  indexes: [
    [{ token_hash: 1 }, { unique: true }],
    [{ family_id: 1 }],
    [{ session_id: 1 }],
    [{ expires_at: 1 }, { expireAfterSeconds: 30 * 86_400 }]
  ]
})
export type RefreshTokenModel = ModelOf<typeof RefreshTokenModel>
export type RefreshTokenRow = RowOf<typeof RefreshToken, { token_hash: string }>

type GrantStored = { hash: string, data: Record<string, unknown> }

/** One-time things: challenges, selections, codes, links. */
export const GrantModel = defineModel<typeof Grant, GrantStored>(Grant, {
  collection: '_api.grants',
  tenant: false,
  stored: { hash: String, data: {} } as never,
  indexes: [
    [{ hash: 1 }, { unique: true }],
    [{ user_id: 1, kind: 1 }],
    [{ expires_at: 1 }, { expireAfterSeconds: 86_400 }]
  ]
})
export type GrantModel = ModelOf<typeof GrantModel>
export type GrantRow = RowOf<typeof Grant, GrantStored>

/** Failed logins per identifier and address, counted in the database so that every copy sees them. */
export const LoginFailureModel = defineModel<typeof LoginFailure, { key: string }>(LoginFailure, {
  collection: '_api.login-failures',
  tenant: false,
  stored: { key: String } as never,
  indexes: [[{ key: 1 }, { unique: true }], [{ expires_at: 1 }, { expireAfterSeconds: 0 }]]
})
export type LoginFailureModel = ModelOf<typeof LoginFailureModel>
