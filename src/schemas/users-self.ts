import { Type, type Static } from '@sinclair/typebox'
import { Change, DateTime, Entity, Id, Nullable, Ok, Part, READ_FAILS, Strict, StringEnum, WRITE_FAILS, fails, wire } from './kit.js'
import type { Operation } from './operation.js'
import { AvailabilityState, Email, Phone, Preferences, User, type Preferences as PreferencesOf } from './users.js'

/** What people do for themselves: profile, addresses, devices, interface, recovery by SMS. */

export const Me = Entity('Me', {
  ...Part(User, 'id', 'account_id', 'first_name', 'last_name', 'name', 'image', 'job_title', 'email', 'phone', 'phone_verified_at', 'role', 'is_owner', 'scopes', 'status',
    'mfa', 'preferences', 'availability', 'time_zone', 'locale', 'announcements_read', 'password_changed_at', 'last_seen_at', 'last_login_at', 'created_at', 'updated_at').properties,
  availability_state: AvailabilityState,
  permissions: Type.Array(Type.String())
}, 'The caller as a person of the account.')
export const toMe = wire(Me)

export const getMe = {
  operationId: 'getMe', tags: ['users'], summary: 'Read the own profile', response: { 200: Ok(Me), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const MyChange = Change(User, 'first_name', 'last_name', 'image', 'job_title', 'time_zone', 'locale')
export type MyChange = Static<typeof MyChange>
export const updateMe = {
  operationId: 'updateMe', tags: ['users'], summary: 'Change the own profile', body: MyChange, response: { 200: Ok(Me), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const toPreferences = wire(Preferences)
export const getMyPreferences = {
  operationId: 'getMyPreferences', tags: ['users'], summary: 'Read the own preferences', response: { 200: Ok(Preferences), ...fails(...READ_FAILS) }
} as const satisfies Operation

const { crm_visibility: _byAdminsOnly, ...own } = Type.Partial(Preferences).properties
export const PreferencesChange = Strict(own, { minProperties: 1 })
export type PreferencesChange = Partial<PreferencesOf>
export const updateMyPreferences = {
  operationId: 'updateMyPreferences', tags: ['users'], summary: 'Change the own preferences', body: PreferencesChange, response: { 200: Ok(Preferences), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

const Code = Type.String({ pattern: '^[0-9]{6}$', examples: ['123456'] })
const CodeSent = Ok(Type.Object({ sent: Type.Boolean(), expires_at: DateTime() }))

export const startEmailChange = {
  operationId: 'startEmailChange', tags: ['users'], summary: 'Send a code to a new e-mail address', body: Strict({ email: Email }), response: { 200: CodeSent, ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const verifyEmailChange = {
  operationId: 'verifyEmailChange', tags: ['users'], summary: 'Change the e-mail address with the code', body: Strict({ code: Code }), response: { 200: Ok(Me), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const undoEmailChange = {
  operationId: 'undoEmailChange',
  tags: ['users'],
  summary: 'Take a change of the e-mail address back with the link from the notice',
  body: Strict({ token: Type.String({ minLength: 20, maxLength: 200 }) }),
  response: { 200: Ok(Type.Object({ restored: Type.Boolean() })), ...fails(400, 409, 413, 415, 429, 503) }
} as const satisfies Operation

export const startPhoneChange = {
  operationId: 'startPhoneChange', tags: ['users'], summary: 'Send a code to a new phone', body: Strict({ phone: Phone }), response: { 200: CodeSent, ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const verifyPhoneChange = {
  operationId: 'verifyPhoneChange', tags: ['users'], summary: 'Set the phone with the code', body: Strict({ code: Code }), response: { 200: Ok(Me), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const removePhone = {
  operationId: 'removePhone', tags: ['users'], summary: 'Remove the own phone', response: { 200: Ok(Me), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const readAnnouncement = {
  operationId: 'readAnnouncement',
  tags: ['users'],
  summary: 'Mark an announcement as read',
  params: Strict({ id: Id('_announcements') }),
  response: { 200: Ok(Type.Object({ id: Id('_announcements'), read: Type.Boolean() })), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

// ---------------------------------------------------------------- devices

export const PushToken = Entity('PushToken', {
  id: Id('expo_push_tokens'),
  account_id: Id('_accounts'),
  user_id: Id('_users'),
  token_hint: Type.String({ description: 'The end of the token.' }),
  device_id: Type.String({ minLength: 1, maxLength: 200, examples: ['iphone-1'] }),
  device_name: Nullable(Type.String({ maxLength: 100 })),
  platform: StringEnum(['ios', 'android'], { title: 'MobilePlatform' }),
  variant: StringEnum(['dashclicks', 'whitelabel'], { title: 'MobileVariant' }),
  app_version: Nullable(Type.String({ maxLength: 30 })),
  last_seen_at: DateTime(),
  created_at: DateTime(),
  updated_at: DateTime()
}, 'A device that takes push messages of its user.')
export const toPushToken = wire(PushToken)
const TokenText = Type.String({ minLength: 8, maxLength: 500, examples: ['ExponentPushToken[abcdefgh]'] })

export const listPushTokens = {
  operationId: 'listPushTokens', tags: ['users'], summary: 'List the own devices', response: { 200: Ok(Type.Array(PushToken)), ...fails(...READ_FAILS) }
} as const satisfies Operation

const { device_id: deviceId, platform, variant, app_version: appVersion, device_name: deviceName } = PushToken.properties
export const NewPushToken = Strict({
  token: TokenText,
  device_id: deviceId,
  platform,
  variant: Type.Optional(variant),
  app_version: Type.Optional(appVersion),
  device_name: Type.Optional(deviceName)
})
export type NewPushToken = Static<typeof NewPushToken>
export const registerPushToken = {
  operationId: 'registerPushToken',
  tags: ['users'],
  summary: 'Register this device for push messages',
  body: NewPushToken,
  response: { 200: Ok(PushToken), 201: Ok(PushToken), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const removePushToken = {
  operationId: 'removePushToken',
  tags: ['users'],
  summary: 'Forget a device; also when it is not known',
  params: Strict({ token: TokenText }),
  response: { 200: Ok(Type.Object({ removed: Type.Boolean() })), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

// ---------------------------------------------------------------- recovery by SMS

export const SmsRecovery = Strict({ phone: Phone, parent_account: Type.Optional(Id('_accounts')), host: Type.Optional(Type.String({ maxLength: 253 })) })
export type SmsRecovery = Static<typeof SmsRecovery>
export const startSmsRecovery = {
  operationId: 'startSmsRecovery',
  tags: ['users'],
  summary: 'Send a recovery code to a verified phone; the answer is the same for every phone',
  body: SmsRecovery,
  response: { 200: Ok(Type.Object({ sent: Type.Boolean() })), ...fails(400, 413, 415, 429, 503) }
} as const satisfies Operation

export const verifySmsRecovery = {
  operationId: 'verifySmsRecovery',
  tags: ['users'],
  summary: 'Turn the recovery code into a token that resets the password',
  body: Strict({ phone: Phone, code: Code, account_id: Type.Optional(Id('_accounts')) }),
  response: {
    200: Ok(Type.Object({
      token: Type.Optional(Type.String()), accounts: Type.Optional(Type.Array(Type.Object({ account_id: Id('_accounts'), name: Type.String() })))
    })),
    ...fails(400, 413, 415, 429, 503)
  }
} as const satisfies Operation

// ---------------------------------------------------------------- interface configuration

export const CONFIG_TYPES = [
  'people_table', 'people_card', 'people_detail', 'businesses_table', 'businesses_card', 'businesses_detail', 'deals_table', 'deals_card', 'deals_detail', 'deals_board',
  'fields', 'forms_table', 'form_responses_table', 'leads_table', 'campaigns_table', 'instasites_table', 'instareports_table', 'templates_table', 'funnels_table',
  'sites_table', 'projects', 'orders_table', 'invoices_table', 'subscriptions_table', 'reviews_table', 'conversations', 'analytics', 'dashboard_widgets', 'reminders',
  'app_drawer', 'admin_notifications', 'client_dashboard'
] as const
export type ConfigType = typeof CONFIG_TYPES[number]

const Key = Type.String({ minLength: 1, maxLength: 80, pattern: '^[a-z][a-z0-9_.]*$' })
const Order = Type.Integer({ minimum: 0, maximum: 10_000 })
const place = Type.Integer({ minimum: 0, maximum: 1_000 })
const ConfigField = Type.Object({
  key: Key,
  visible: Type.Boolean(),
  order: Type.Optional(Order),
  width: Type.Optional(Nullable(Type.Integer({ minimum: 20, maximum: 2_000 }))),
  mandatory: Type.Optional(Type.Boolean())
}, { additionalProperties: false })
export type ConfigField = Static<typeof ConfigField>
const Widget = Type.Object({ id: Key, x: place, y: place, w: place, h: place, visible: Type.Boolean() }, { additionalProperties: false })
const MenuItem = Type.Object({ key: Key, order: Order, visible: Type.Boolean() }, { additionalProperties: false })
export const ConfigData = Type.Object({
  fields: Type.Array(ConfigField, { maxItems: 300 }),
  cards: Type.Array(ConfigField, { maxItems: 100 }),
  widgets: Type.Array(Widget, { maxItems: 100 }),
  menu: Type.Array(MenuItem, { maxItems: 100 }),
  options: Type.Record(Type.String(), Type.Union([Type.String({ maxLength: 2_000 }), Type.Number(), Type.Boolean(), Type.Null()]))
}, { title: 'ConfigData', component: 'ConfigData' })
export type ConfigData = Static<typeof ConfigData>

export const UserConfig = Entity('UserConfig', {
  id: Id('user_configs'),
  account_id: Id('_accounts'),
  user_id: Id('_users'),
  type: StringEnum(CONFIG_TYPES, { title: 'ConfigType' }),
  data: ConfigData,
  version: Type.Integer(),
  created_at: DateTime(),
  updated_at: DateTime()
})
const Source = StringEnum(['account', 'user', 'default'], { title: 'ConfigSource' })
export const ConfigView = Entity('ConfigView', {
  type: UserConfig.properties.type,
  label: Type.String(),
  data: ConfigData,
  mandatory_fields: Type.Array(Type.String()),
  visible_fields: Type.Array(Type.String()),
  source: Source,
  locked: Type.Boolean({ description: 'The account has fixed it.' }),
  version: Type.Integer()
}, 'The configuration of one part of the interface, as it is in force for the caller.')
export type ConfigView = Static<typeof ConfigView>
export const ConfigSummary = Entity('ConfigSummary', {
  type: UserConfig.properties.type, label: Type.String(), group: Type.String(), admin_only: Type.Boolean(), source: Source
})
export type ConfigSummary = Static<typeof ConfigSummary>

const TypeParams = Strict({ type: Type.String({ minLength: 1, maxLength: 60, examples: ['people_table'] }) })
export const listConfigs = {
  operationId: 'listConfigs', tags: ['users'], summary: 'List the types of interface configuration', response: { 200: Ok(Type.Array(ConfigSummary)), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const getConfig = {
  operationId: 'getConfig', tags: ['users'], summary: 'Read one interface configuration', params: TypeParams, response: { 200: Ok(ConfigView), ...fails(...READ_FAILS) }
} as const satisfies Operation

const parts = Type.Partial(ConfigData).properties
export const ConfigChange = Strict({ data: Strict(parts, { minProperties: 1 }), version: Type.Optional(Type.Integer({ minimum: 0 })) })
export type ConfigChange = { data: Partial<ConfigData>, version?: number }
export const updateConfig = {
  operationId: 'updateConfig',
  tags: ['users'],
  summary: 'Change one interface configuration',
  description: 'Parts that the body does not carry stay as they are.',
  params: TypeParams,
  body: ConfigChange,
  response: { 200: Ok(ConfigView), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const resetConfig = {
  operationId: 'resetConfig', tags: ['users'], summary: 'Take one interface configuration back to the defaults', params: TypeParams, response: { 200: Ok(ConfigView), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const UserCounter = Entity('UserCounter', { id: Id('user_counters'), account_id: Id('_accounts'), seq: Type.Integer() })
