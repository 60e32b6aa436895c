import { Type, type Static } from '@sinclair/typebox'
import { Account } from './accounts.js'
import { Change, Create, DateTime, Entity, Id, ListQuery, Nullable, Ok, Page, Part, READ_FAILS, Strict, StringEnum, WRITE_FAILS, fails, wire } from './kit.js'
import type { Operation } from './operation.js'
import { User } from './users.js'

const Platform = StringEnum(['ios', 'android'], { title: 'MobilePlatform' })
const Variant = StringEnum(['dashclicks', 'whitelabel'], { title: 'MobileVariant' })
const VersionCode = Type.Integer({ minimum: 1, maximum: 2_147_483_647, examples: [412] })

/** A release of the app for one platform and variant. */
export const MobileUpdate = Entity('MobileUpdate', {
  id: Id('mobile-app.updates'),
  platform: Platform,
  variant: Variant,
  version_code: VersionCode,
  version_name: Nullable(Type.String({ maxLength: 20, examples: ['4.1.2'] })),
  is_mandatory: Type.Boolean(),
  message: Nullable(Type.String({ maxLength: 2_000, description: 'Plain text.' })),
  store_url: Nullable(Type.String({ maxLength: 500, pattern: '^https://', format: 'uri', examples: ['https://apps.apple.com/app/id1'] })),
  active: Type.Boolean(),
  rollout_percent: Type.Integer({ minimum: 1, maximum: 100, description: 'Ignored when mandatory.' }),
  created_by: Nullable(Id('_users')),
  created_at: DateTime(),
  updated_at: DateTime()
})
export type MobileUpdate = Static<typeof MobileUpdate>
export const toMobileUpdate = wire(MobileUpdate)

const App = { platform: Platform, variant: Variant }
const Latest = Type.Object({
  ...Part(MobileUpdate, 'id', 'platform', 'variant', 'version_code', 'version_name', 'is_mandatory', 'message', 'store_url', 'rollout_percent', 'created_at').properties,
  update_available: Type.Optional(Type.Boolean()),
  must_update: Type.Optional(Type.Boolean())
}, { title: 'LatestUpdate', component: 'LatestUpdate' })
export type Latest = Static<typeof Latest>
const PUBLIC_FAILS = [400, 404, 429, 503] as const
const NotModified = Type.Null({ description: 'As the caller has it.' })

export const getLatestUpdate = {
  operationId: 'getLatestUpdate',
  tags: ['mobile-app'],
  summary: 'The newest release, and whether the installed one must be updated',
  querystring: Strict({ ...App, version_code: Type.Optional(VersionCode) }),
  response: { 200: Ok(Latest), 304: NotModified, ...fails(...PUBLIC_FAILS) }
} as const satisfies Operation

const Branding = Type.Object({ name: Type.String(), logo: Nullable(Type.String()), colors: Type.Record(Type.String(), Nullable(Type.String())) })
const Config = Entity('MobileConfig', {
  update: Nullable(Latest),
  branding: Nullable(Branding),
  support: Type.Object({ email: Nullable(Type.String()), phone: Nullable(Type.String()), url: Nullable(Type.String()) }),
  legal: Type.Object({ terms_url: Nullable(Type.String()), privacy_url: Nullable(Type.String()) }),
  min_version_code: Type.Integer(),
  features: Type.Record(Type.String(), Type.Unknown())
}, 'What an app needs before anybody has signed in.')
export const getMobileConfig = {
  operationId: 'getMobileConfig',
  tags: ['mobile-app'],
  summary: 'Branding, support and release before the login',
  querystring: Strict({ ...App, host: Type.Optional(Type.String({ minLength: 1, maxLength: 253, examples: ['harbour.example.com'] })) }),
  response: { 200: Ok(Config), 304: NotModified, ...fails(400, 429, 503) }
} as const satisfies Operation

export const Badge = Entity('MobileBadge', {
  notifications: Type.Integer(), reminders: Type.Integer(), conversations: Type.Integer(), support: Type.Integer(), total: Type.Integer()
}, 'What waits for the caller, each at most 999.')
export type Badge = Static<typeof Badge>

const Bootstrap = Entity('MobileBootstrap', {
  user: Part(User, 'id', 'name', 'first_name', 'email', 'image', 'role', 'is_owner', 'time_zone', 'locale'),
  account: Nullable(Part(Account, 'id', 'name', 'main', 'parent_account', 'image', 'plan', 'currency', 'time_zone', 'locale')),
  branding: Nullable(Branding),
  permissions: Type.Array(Type.String()),
  scopes: Nullable(Type.Array(Type.String())),
  accounts: Nullable(Type.Array(Type.Object({ account_id: Id('_accounts'), name: Type.String(), image: Nullable(Type.String()), main: Type.Boolean(), role: Type.String() }))),
  unread: Nullable(Badge),
  reminders: Nullable(Type.Array(Type.Object({ id: Type.String(), title: Type.String(), due_date_time: DateTime() }), { maxItems: 10 })),
  update: Nullable(Latest),
  degraded: Type.Array(Type.String())
}, 'All that the start screen needs.')
export const toBootstrap = wire(Bootstrap)
export const getMobileBootstrap = {
  operationId: 'getMobileBootstrap',
  tags: ['mobile-app'],
  summary: 'The start screen in one call',
  querystring: Strict({ ...App, version_code: VersionCode }),
  response: { 200: Ok(Bootstrap), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const getMobileBadge = {
  operationId: 'getMobileBadge', tags: ['mobile-app'], summary: 'The number on the icon', response: { 200: Ok(Badge), ...fails(...READ_FAILS) }
} as const satisfies Operation

// ---------------------------------------------------------------- releases, for the platform's staff

const Params = Strict({ id: Id('mobile-app.updates') })
const Query = ListQuery({
  sort: ['version_code', 'created_at'], filters: { platform: Type.Optional(Platform), variant: Type.Optional(Variant), active: Type.Optional(Type.Boolean()) }
})
export type UpdateQuery = Static<typeof Query>
export const listUpdates = {
  operationId: 'listUpdates', tags: ['mobile-app'], summary: 'List releases', querystring: Query, response: { 200: Page(MobileUpdate), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const getUpdate = {
  operationId: 'getUpdate', tags: ['mobile-app'], summary: 'Read a release', params: Params, response: { 200: Ok(MobileUpdate), ...fails(...READ_FAILS) }
} as const satisfies Operation

const SETTABLE = ['version_name', 'is_mandatory', 'message', 'store_url', 'active', 'rollout_percent'] as const
export const NewUpdate = Create(MobileUpdate, ['platform', 'variant', 'version_code'], SETTABLE)
export type NewUpdate = Static<typeof NewUpdate>
export const createUpdate = {
  operationId: 'createUpdate', tags: ['mobile-app'], summary: 'Publish a release', body: NewUpdate, response: { 201: Ok(MobileUpdate), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const UpdateChange = Change(MobileUpdate, ...SETTABLE)
export type UpdateChange = Static<typeof UpdateChange>
export const updateUpdate = {
  operationId: 'updateUpdate', tags: ['mobile-app'], summary: 'Change a release', params: Params, body: UpdateChange, response: { 200: Ok(MobileUpdate), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const deleteUpdate = {
  operationId: 'deleteUpdate',
  tags: ['mobile-app'],
  summary: 'Remove a release; never the last active one',
  params: Params,
  response: { 200: Ok(Type.Object({ id: Id('mobile-app.updates'), deleted: Type.Boolean() })), ...fails(...WRITE_FAILS) }
} as const satisfies Operation
