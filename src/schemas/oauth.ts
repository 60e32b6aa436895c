import { Type, type Static } from '@sinclair/typebox'
import { Change, Create, DateTime, Entity, Id, ListQuery, Nullable, Ok, Page, READ_FAILS, Strict, StringEnum, WRITE_FAILS, fails, wire } from './kit.js'
import { Overlap } from './oauth-keys.js'
import type { Operation } from './operation.js'

const tags = ['oauth'] as const
export const MAX_APPS = 20
const Scopes = Type.Array(Type.String({ minLength: 2, maxLength: 80, examples: ['url.links.read'] }), { minItems: 1, maxItems: 100, uniqueItems: true })
const RedirectUri = Type.String({ minLength: 3, maxLength: 2_048, examples: ['https://app.example.com/callback'] })

/** A third-party app; its id is its client id. */
export const OauthApp = Entity('OauthApp', {
  id: Type.String({ description: 'The client id.', examples: ['6650f1c2a4b3d2e1f0a9b8c7'] }),
  account_id: Id('_accounts'),
  name: Type.String({ minLength: 1, maxLength: 80, examples: ['Lead Board'] }),
  type: StringEnum(['confidential', 'public'], { title: 'OauthAppType', description: 'Public apps (mobile, desktop, browser) hold no secret.' }),
  redirect_uris: Type.Array(RedirectUri, { minItems: 1, maxItems: 20, uniqueItems: true }),
  scopes: Scopes,
  active: Type.Boolean({ description: 'False: in development, only for users of the own account tree.' }),
  first_party: Type.Boolean(),
  logo: Nullable(Type.String({ maxLength: 2_048, pattern: '^https://', examples: ['https://app.example.com/logo.png'] })),
  description: Nullable(Type.String({ maxLength: 500 })),
  webhook_url: Nullable(Type.String({ maxLength: 2_048, pattern: '^https://', examples: ['https://app.example.com/hooks'] })),
  secrets: Type.Array(Type.Object({ id: Type.String(), hint: Type.String(), expires_at: Nullable(DateTime()) })),
  created_by: Id('_users'),
  created_at: DateTime(),
  updated_at: DateTime()
})
export type OauthApp = Static<typeof OauthApp>
export const toApp = wire(OauthApp)

const ClientSecret = Type.String({ description: 'Shown this once.', examples: ['dcx_…'] })
export const NewOauthApp = Entity('NewOauthApp', { ...OauthApp.properties, client_secret: Nullable(ClientSecret) }, 'An app with its secret, which is shown once; null for public apps.')
export const toNewApp = wire(NewOauthApp)

const OPTIONAL = ['logo', 'description', 'webhook_url'] as const
export const AppInput = Create(OauthApp, ['name', 'type', 'redirect_uris', 'scopes'], OPTIONAL)
export type AppInput = Static<typeof AppInput>
export const AppChange = Change(OauthApp, 'name', 'redirect_uris', 'scopes', ...OPTIONAL)
export type AppChange = Static<typeof AppChange>

export const APP_SORT = ['created_at', 'name'] as const
const AppQuery = ListQuery({ sort: APP_SORT })
export type AppQuery = Static<typeof AppQuery>
/** 24 hex digits, kept as text: what other servers hold as our client id. */
const ClientId = Type.Unsafe<string>({ type: 'string', pattern: '^[0-9a-f]{24}$', ref: 'api.apps', examples: ['6650f1c2a4b3d2e1f0a9b8c7'] })
const AppParams = Strict({ id: ClientId })

export const listOauthApps = {
  operationId: 'listOauthApps', tags, summary: 'List apps', querystring: AppQuery, response: { 200: Page(OauthApp), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const getOauthApp = {
  operationId: 'getOauthApp', tags, summary: 'Read an app', params: AppParams, response: { 200: Ok(OauthApp), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const createOauthApp = {
  operationId: 'createOauthApp', tags, summary: 'Register an app', body: AppInput, response: { 201: Ok(NewOauthApp), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const updateOauthApp = {
  operationId: 'updateOauthApp', tags, summary: 'Change an app', params: AppParams, body: AppChange, response: { 200: Ok(OauthApp), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const deleteOauthApp = {
  operationId: 'deleteOauthApp', tags, summary: 'Delete an app and end all its access', params: AppParams, response: { 200: Ok(OauthApp), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const rotateAppSecret = {
  operationId: 'rotateAppSecret',
  tags,
  summary: 'Make a new client secret',
  description: 'Needs a step-up. At most two secrets are alive.',
  params: AppParams,
  body: Overlap,
  response: { 200: Ok(NewOauthApp), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const endAppSecret = {
  operationId: 'endAppSecret',
  tags,
  summary: 'End one client secret',
  description: 'Needs a step-up.',
  params: Strict({ id: ClientId, secret_id: Type.String({ minLength: 4, maxLength: 40, examples: ['aBcDeFgH'] }) }),
  response: { 200: Ok(OauthApp), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const setAppStatus = {
  operationId: 'setAppStatus',
  tags,
  summary: 'Approve an app for everybody, or put it back into development',
  params: AppParams,
  body: Strict({ active: Type.Boolean() }),
  response: { 200: Ok(OauthApp), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

// ---------------------------------------------------------------- catalogue, connections

export const ScopeEntry = Entity('ScopeEntry', {
  name: Type.String(),
  title: Type.String(),
  description: Type.String(),
  parent: Nullable(Type.String()),
  held: Type.Boolean({ description: 'The caller holds it.' }),
  consentable: Type.Boolean({ description: 'Keys and apps may hold it.' })
})

export const listScopes = {
  operationId: 'listScopes', tags, summary: 'The catalogue of scopes', response: { 200: Ok(Type.Array(ScopeEntry)), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const Connection = Entity('OauthConnection', {
  id: Id('api.connections'),
  account_id: Id('_accounts'),
  client_id: Type.String(),
  app_name: Nullable(Type.String()),
  user_id: Id('_users'),
  user_name: Nullable(Type.String()),
  scopes: Type.Array(Type.String()),
  created_at: DateTime(),
  last_used_at: Nullable(DateTime()),
  revoked_at: Nullable(DateTime())
}, 'An app that a person gave access to this account.')
export const toConnection = wire(Connection)

const ConnectionQuery = ListQuery({ sort: ['created_at', 'last_used_at'] as const })
export type ConnectionQuery = Static<typeof ConnectionQuery>

export const listConnections = {
  operationId: 'listConnections',
  tags,
  summary: 'List apps with access to this account',
  querystring: ConnectionQuery,
  response: { 200: Page(Connection), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const revokeConnection = {
  operationId: 'revokeConnection',
  tags,
  summary: 'End the access of an app',
  params: Strict({ id: Id('api.connections') }),
  response: { 200: Ok(Connection), ...fails(...WRITE_FAILS) }
} as const satisfies Operation
