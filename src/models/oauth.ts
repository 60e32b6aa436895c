import { Type, type Static } from '@sinclair/typebox'
import type { Types } from 'mongoose'
import { DateTime, Entity, Id, Nullable } from '../schemas/kit.js'
import { Connection, OauthApp } from '../schemas/oauth.js'
import { ApiKey } from '../schemas/oauth-keys.js'
import { defineModel, type ModelOf, type RowOf } from './define.js'

const DAY = 86_400

export type AppSecret = { id: string, hash: string, hint: string, expires_at: Date | null }
type StoredApp = { _id: string, client_secret: AppSecret[], name_key: string, deleted_at: Date | null }
const { secrets: _shown, ...appFields } = OauthApp.properties
const AppEntity = Type.Object(appFields)

export const OauthAppModel = defineModel<typeof AppEntity, StoredApp>(AppEntity, {
  collection: 'api.apps',
  tenant: true,
  stored: {
    _id: String, client_secret: [{ _id: false, id: String, hash: String, hint: String, expires_at: Date }], name_key: String, deleted_at: Date
  } as never,
  indexes: [
    [{ account_id: 1, created_at: -1, _id: -1 }],
    [{ account_id: 1, name: 1, _id: 1 }],
    [{ account_id: 1, name_key: 1 }, { unique: true }]
  ]
})
export type OauthAppModel = ModelOf<typeof OauthAppModel>
export type AppRow = RowOf<typeof AppEntity, StoredApp>

const { app_name: _app, user_name: _user, ...connectionFields } = Connection.properties
const ConnectionEntity = Type.Object(connectionFields)
type StoredConnection = { session_id: Types.ObjectId | null, revoked_by: Types.ObjectId | null }

export const ConnectionModel = defineModel<typeof ConnectionEntity, StoredConnection>(ConnectionEntity, {
  collection: 'api.connections',
  tenant: true,
  stored: { session_id: 'ObjectId', revoked_by: 'ObjectId' } as never,
  indexes: [
    [{ account_id: 1, client_id: 1, user_id: 1 }, { unique: true, partialFilterExpression: { revoked_at: { $type: 'null' } } }],
    [{ account_id: 1, created_at: -1, _id: -1 }],
    [{ account_id: 1, last_used_at: -1, _id: -1 }],
    [{ client_id: 1 }]
  ]
})
export type ConnectionModel = ModelOf<typeof ConnectionModel>
export type ConnectionRow = RowOf<typeof ConnectionEntity, StoredConnection>

const { state: _state, previous_until: _until, ...keyFields } = ApiKey.properties
const KeyEntity = Type.Object(keyFields)
type StoredKey = {
  key_hash: string
  previous: { key_hash: string, expires_at: Date } | null
  /** the maker could write: without it the key never does */
  may_write: boolean
  expiry_noticed_for: Date | null
}

export const ApiKeyModel = defineModel<typeof KeyEntity, StoredKey>(KeyEntity, {
  collection: 'api.keys',
  tenant: true,
  stored: { key_hash: String, previous: { type: { _id: false, key_hash: String, expires_at: Date } }, may_write: Boolean, expiry_noticed_for: Date } as never,
  indexes: [
    [{ key_id: 1 }, { unique: true }],
    [{ key_hash: 1 }, { unique: true }],
    [{ account_id: 1, created_at: -1, _id: -1 }],
    [{ account_id: 1, last_used_at: -1, _id: -1 }],
    [{ account_id: 1, name: 1, _id: 1 }],
    [{ account_id: 1, created_by: 1 }],
    [{ expires_at: 1 }]
  ]
})
export type ApiKeyModel = ModelOf<typeof ApiKeyModel>
export type KeyRow = RowOf<typeof KeyEntity, StoredKey>

const KeyUsageRow = Entity('ApiKeyUsageRow', {
  id: Id('api.key.usage'), account_id: Id('_accounts'), key_id: Type.String(), day: Type.String(), counts: Type.Record(Type.String(), Type.Integer()), at: Nullable(DateTime())
})
export type KeyUsageRow = Static<typeof KeyUsageRow>

export const KeyUsageModel = defineModel(KeyUsageRow, {
  collection: 'api.key.usage',
  tenant: true,
  indexes: [
    [{ key_id: 1, day: 1 }, { unique: true }],
    [{ at: 1 }, { expireAfterSeconds: 400 * DAY }]
  ]
})
export type KeyUsageModel = ModelOf<typeof KeyUsageModel>
