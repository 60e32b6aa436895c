import { Type, type Static } from '@sinclair/typebox'
import { AccountParams } from './accounts.js'
import { AccountSettings, Branding, brandingParts, settingsGroups } from './accounts-look.js'
import { Id, Nullable, Ok, READ_FAILS, Strict, WRITE_FAILS, fails } from './kit.js'
import type { Operation } from './operation.js'

const inherited = Type.Array(Type.String(), { description: 'Paths whose value is the main account\'s or the platform\'s.' })
const BrandingRead = Type.Object({ ...Branding.properties, inherited }, { title: 'BrandingRead', component: 'BrandingRead' })
const SettingsRead = Type.Object({ ...AccountSettings.properties, effective: AccountSettings, inherited }, { title: 'AccountSettingsRead', component: 'AccountSettingsRead' })

export const BrandingChange = Strict(brandingParts, { minProperties: 1 })
export type BrandingChange = Static<typeof BrandingChange>
export const SettingsChange = Strict({
  ...settingsGroups,
  locked: Type.Optional(Type.Array(Type.String({ maxLength: 100, pattern: '^[a-z_]+(\\.[a-z_]+)*$' }), { maxItems: 100, description: 'Main accounts: paths that clients may not change.' }))
}, { minProperties: 1 })
export type SettingsChange = Static<typeof SettingsChange>

export const getBranding = {
  operationId: 'getBranding', tags: ['accounts'], summary: 'How an account looks', params: AccountParams, response: { 200: Ok(BrandingRead), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const updateBranding = {
  operationId: 'updateBranding', tags: ['accounts'], summary: 'Change the look; null takes the inherited part', params: AccountParams, body: BrandingChange,
  response: { 200: Ok(BrandingRead), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const getAccountSettings = {
  operationId: 'getAccountSettings', tags: ['accounts'], summary: 'Settings of an account, own and effective', params: AccountParams,
  response: { 200: Ok(SettingsRead), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const updateAccountSettings = {
  operationId: 'updateAccountSettings', tags: ['accounts'], summary: 'Change groups of settings', params: AccountParams, body: SettingsChange,
  response: { 200: Ok(SettingsRead), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

const Contact = Type.Object({
  id: Id('_users'), name: Type.String(), email: Nullable(Type.String()), phone: Nullable(Type.String()), image: Nullable(Type.String()), role: Type.String()
}, { title: 'PointOfContact', component: 'PointOfContact' })
export const getPointsOfContact = {
  operationId: 'getPointsOfContact', tags: ['accounts'], summary: 'The people in charge of this account',
  response: { 200: Ok(Type.Object({ account_name: Type.String(), people: Type.Array(Contact) })), ...fails(...READ_FAILS) }
} as const satisfies Operation
