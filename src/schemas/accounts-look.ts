import { Type, type Static } from '@sinclair/typebox'
import { Entity, Nullable } from './kit.js'

const Color = Type.Optional(Nullable(Type.String({ maxLength: 20, description: '#rrggbb', examples: ['#1a2b3c'] })))
const Image = Type.Optional(Nullable(Type.String({ maxLength: 2_048, pattern: '^https?://', examples: ['https://files.harbour.test/logo.png'] })))
const Address = Type.Optional(Nullable(Type.String({ maxLength: 500, pattern: '^https?://' })))

const closed = { additionalProperties: false } as const
const colors = { primary: Color, secondary: Color, background: Color, text: Color }
const support = { email: Type.Optional(Nullable(Type.String({ format: 'email', maxLength: 254 }))), phone: Type.Optional(Nullable(Type.String({ maxLength: 20 }))), url: Address }
export const brandingParts = {
  colors: Type.Optional(Nullable(Type.Object(colors, closed))),
  logo: Image,
  logo_dark: Image,
  favicon: Image,
  login_image: Image,
  mail_footer: Type.Optional(Nullable(Type.String({ maxLength: 2_000, description: 'Plain text.' }))),
  support: Type.Optional(Nullable(Type.Object(support, closed))),
  terms_url: Address,
  privacy_url: Address
}
/** How an account looks; a part that is absent is the main account's, else the platform's. */
export const Branding = Entity('Branding', {
  ...brandingParts, colors: Type.Optional(Nullable(Type.Object(colors))), support: Type.Optional(Nullable(Type.Object(support)))
})
export type Branding = Static<typeof Branding>

const Free = Type.Record(Type.String({ maxLength: 100 }), Type.Unsafe<unknown>({}))
export const settingsGroups = {
  notifications: Type.Optional(Free),
  sso: Type.Optional(Type.Object({ parent_access: Type.Optional(Type.Boolean({ description: 'The main account may enter; default true.' })) }, closed)),
  conversations: Type.Optional(Free),
  security: Type.Optional(Type.Object({
    require_mfa: Type.Optional(Type.Boolean()), session_idle_hours: Type.Optional(Nullable(Type.Integer({ minimum: 1, maximum: 720 })))
  }, closed)),
  public_signup: Type.Optional(Type.Object({
    enabled: Type.Optional(Type.Boolean()), auto_approve: Type.Optional(Type.Boolean()), welcome_text: Type.Optional(Nullable(Type.String({ maxLength: 2_000 })))
  }, closed)),
  configs: Type.Optional(Free)
}
/** Settings that are the account's own; the rest is inherited. */
export const AccountSettings = Entity('AccountSettings', {
  notifications: Type.Optional(Free),
  conversations: Type.Optional(Free),
  configs: Type.Optional(Free),
  sso: Type.Optional(Type.Object({ parent_access: Type.Optional(Type.Boolean()) })),
  security: Type.Optional(Type.Object({ require_mfa: Type.Optional(Type.Boolean()), session_idle_hours: Type.Optional(Nullable(Type.Integer())) })),
  public_signup: Type.Optional(Type.Object({
    enabled: Type.Optional(Type.Boolean()), auto_approve: Type.Optional(Type.Boolean()), welcome_text: Type.Optional(Nullable(Type.String()))
  })),
  locked: Type.Optional(Type.Array(Type.String()))
})
export type AccountSettings = Static<typeof AccountSettings>
