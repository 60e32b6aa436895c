import { Type, type Static } from '@sinclair/typebox'
import { Change, Create, DateTime, Entity, Id, ListQuery, Nullable, Ok, Page, READ_FAILS, Strict, StringEnum, WRITE_FAILS, fails, wire } from './kit.js'
import type { Operation } from './operation.js'

const tags = ['oauth'] as const
export const MAX_KEYS = 50
const Scopes = Type.Array(Type.String({ minLength: 2, maxLength: 80, examples: ['url.links.read'] }), { minItems: 1, maxItems: 100, uniqueItems: true })
const Cidr = Type.String({ minLength: 2, maxLength: 49, examples: ['203.0.113.0/24'] })
const SubAccounts = Type.Unsafe<'none' | 'all' | string[]>({
  anyOf: [{ type: 'string', enum: ['none', 'all'] }, { type: 'array', items: { type: 'string', pattern: '^[0-9a-f]{24}$' }, minItems: 1, maxItems: 100, uniqueItems: true }],
  description: 'Sub-accounts for which the key may be exchanged for a token.'
})
export const KEY_STATES = ['active', 'disabled', 'expired', 'revoked'] as const

/** An API key as it is shown; the key itself is seen once, when it is made. */
export const ApiKey = Entity('ApiKey', {
  id: Id('api.keys'),
  account_id: Id('_accounts'),
  key_id: Type.String({ description: 'The part of the key that may be shown.', examples: ['q8Zr2LmT0xYa'] }),
  name: Type.String({ minLength: 1, maxLength: 80, examples: ['Nightly report'] }),
  scopes: Scopes,
  admin: Type.Boolean({ description: 'The key may administer, as long as the person behind it may.' }),
  state: StringEnum(KEY_STATES, { title: 'ApiKeyState' }),
  enabled: Type.Boolean(),
  expires_at: Nullable(DateTime()),
  ip_allow: Type.Array(Cidr, { maxItems: 20 }),
  rate_per_minute: Type.Integer({ minimum: 1, maximum: 3_000 }),
  sub_accounts: SubAccounts,
  created_by: Id('_users'),
  last_used_at: Nullable(DateTime()),
  last_used_ip: Nullable(Type.String()),
  previous_until: Nullable(DateTime('Until then the key before the last reroll works too.')),
  revoked_at: Nullable(DateTime()),
  revoked_reason: Nullable(Type.String()),
  created_at: DateTime(),
  updated_at: DateTime()
}, 'A scoped key for a program: Authorization: Bearer dck_….')
export type ApiKey = Static<typeof ApiKey>
export const toApiKey = wire(ApiKey)

export const NewApiKey = Entity('NewApiKey', {
  ...ApiKey.properties, key: Type.String({ description: 'Shown this once.', examples: ['dck_q8Zr2LmT0xYa_…'] })
}, 'A key with its secret, which is shown once.')
export const toNewApiKey = wire(NewApiKey)

const SETTABLE = ['admin', 'expires_at', 'ip_allow', 'rate_per_minute', 'sub_accounts'] as const
export const KeyInput = Create(ApiKey, ['name', 'scopes'], SETTABLE)
export type KeyInput = Static<typeof KeyInput>
export const KeyChange = Change(ApiKey, 'name', 'scopes', ...SETTABLE)
export type KeyChange = Static<typeof KeyChange>

export const KEY_SORT = ['created_at', 'last_used_at', 'name'] as const
const Query = ListQuery({ sort: KEY_SORT, filters: { state: Type.Optional(ApiKey.properties.state) } })
export type KeyQuery = Static<typeof Query>
const Params = Strict({ id: Id('api.keys') })

export const KeyUsage = Entity('ApiKeyUsage', {
  day: Type.String({ examples: ['2026-01-31'] }),
  requests: Type.Integer(),
  refused: Type.Integer({ description: 'Answered 401, 403 or 429.' }),
  by_status: Type.Record(Type.String(), Type.Integer(), { description: 'Counts by class: 2xx, 3xx, 4xx, 5xx.' })
})

export const listApiKeys = {
  operationId: 'listApiKeys',
  tags,
  summary: 'List API keys',
  description: 'Revoked keys are listed only when the filter asks for them.',
  querystring: Query,
  response: { 200: Page(ApiKey), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const getApiKey = {
  operationId: 'getApiKey', tags, summary: 'Read an API key', params: Params, response: { 200: Ok(ApiKey), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const createApiKey = {
  operationId: 'createApiKey',
  tags,
  summary: 'Make an API key',
  description: 'Needs a step-up (header X-Step-Up), except from a key, which makes only keys no wider than itself.',
  body: KeyInput,
  response: { 201: Ok(NewApiKey), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const updateApiKey = {
  operationId: 'updateApiKey', tags, summary: 'Change an API key', params: Params, body: KeyChange, response: { 200: Ok(ApiKey), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const deleteApiKey = {
  operationId: 'deleteApiKey', tags, summary: 'Revoke an API key for good', params: Params, response: { 200: Ok(ApiKey), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const Overlap = Strict({ overlap_hours: Type.Optional(Type.Integer({ minimum: 0, maximum: 72, description: 'How long the old one works on; 24 unless said.' })) })

export const rerollApiKey = {
  operationId: 'rerollApiKey', tags, summary: 'Replace the secret of an API key', params: Params, body: Overlap, response: { 200: Ok(NewApiKey), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const setApiKeyStatus = {
  operationId: 'setApiKeyStatus',
  tags,
  summary: 'Turn an API key on or off',
  params: Params,
  body: Strict({ enabled: Type.Boolean() }),
  response: { 200: Ok(ApiKey), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const getApiKeyUsage = {
  operationId: 'getApiKeyUsage',
  tags,
  summary: 'Calls of an API key by day, 90 days back',
  params: Params,
  response: { 200: Ok(Type.Array(KeyUsage)), ...fails(...READ_FAILS) }
} as const satisfies Operation
