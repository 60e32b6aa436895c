import { Session } from '../schemas/auth.js'
import { defineModel, type ModelOf } from './define.js'

type Stored = { secret_hash: string, ip: string | null }

/** Not a tenant model: a session is found by its secret, and ended by user or account. */
export const SessionModel = defineModel<typeof Session, Stored>(Session, {
  collection: '_api.sessions',
  tenant: false,
  stored: { secret_hash: String, ip: String } as never,
  indexes: [
    [{ secret_hash: 1 }, { unique: true }],
    [{ user_id: 1, ended_at: 1 }],
    [{ account_id: 1, ended_at: 1 }],
    [{ expires_at: 1 }, { expireAfterSeconds: 30 * 86_400 }]
  ]
})
export type SessionModel = ModelOf<typeof SessionModel>
