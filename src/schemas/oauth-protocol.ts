import { Type, type Static, type TProperties } from '@sinclair/typebox'
import { Ok, Strict, StringEnum, fails } from './kit.js'
import type { Operation } from './operation.js'

const tags = ['oauth'] as const
const text = (maxLength: number, description?: string) => Type.Optional(Type.String({ maxLength, ...(description && { description }) }))
const FORM = ['application/x-www-form-urlencoded', 'application/json'] as const

/** Bodies with the members of the RFC at the top and the house envelope around the same members. */
const rfc = (properties: TProperties) => Type.Unsafe<object>(Type.Object({
  success: Type.Boolean({ const: true }),
  ...properties,
  data: Type.Object(properties),
  message: Type.Optional(Type.String()),
  meta: Type.Object({ timestamp: Type.String(), version: Type.String(), request_id: Type.String() })
}))
const RfcFailure = Type.Object({
  success: Type.Boolean({ const: false }),
  errno: Type.Integer(),
  message: Type.String(),
  additional_info: Type.Optional(Type.String()),
  data: Type.Object({ code: Type.String() }, { additionalProperties: true }),
  error: Type.String({ description: 'Name of RFC 6749.', examples: ['invalid_grant'] }),
  error_description: Type.String()
}, { title: 'OauthFailure', component: 'OauthFailure' })
const refused = <const S extends readonly number[]> (...statuses: S) =>
  Object.fromEntries(statuses.map(status => [status, { ...RfcFailure, description: 'Refused, in the words of RFC 6749.' }])) as unknown as { [K in S[number]]: typeof RfcFailure }

const Client = { client_id: text(100), client_secret: text(200) }

/** Open: RFC 6749 3.2 ignores parameters that are not known. */
const TokenBody = Type.Object({
  grant_type: text(100),
  code: text(200),
  redirect_uri: text(2_048),
  code_verifier: text(128),
  refresh_token: text(200),
  scope: text(4_096),
  subject_token: text(8_192),
  subject_token_type: text(100),
  account_id: text(24),
  ...Client
}, { examples: [{ grant_type: 'authorization_code' }] })
export type TokenBody = Static<typeof TokenBody>

const TokenAnswer = {
  access_token: Type.String(),
  token_type: StringEnum(['Bearer']),
  expires_in: Type.Integer({ description: 'Seconds.' }),
  refresh_token: Type.Optional(Type.String()),
  scope: Type.String(),
  issued_token_type: Type.Optional(Type.String())
}

export const token = {
  operationId: 'token',
  tags,
  summary: 'Exchange a code, a refresh token or another token for an access token',
  consumes: FORM,
  body: TokenBody,
  response: { 200: rfc(TokenAnswer), ...refused(400, 401, 403, 404, 413, 415, 429, 503) }
} as const satisfies Operation

const OneToken = Type.Object({ token: text(8_192), token_type_hint: text(100), ...Client })
export type OneToken = Static<typeof OneToken>

export const revokeToken = {
  operationId: 'revokeToken',
  tags,
  summary: 'Revoke a token (RFC 7009)',
  consumes: FORM,
  body: OneToken,
  response: { 200: rfc({}), ...refused(400, 401, 413, 415, 429, 503) }
} as const satisfies Operation

export const introspectToken = {
  operationId: 'introspectToken',
  tags,
  summary: 'Ask about a token of the own app (RFC 7662)',
  consumes: FORM,
  body: OneToken,
  response: {
    200: rfc({
      active: Type.Boolean(),
      scope: Type.Optional(Type.String()),
      client_id: Type.Optional(Type.String()),
      token_type: Type.Optional(Type.String()),
      exp: Type.Optional(Type.Integer()),
      iat: Type.Optional(Type.Integer()),
      sub: Type.Optional(Type.String()),
      account_id: Type.Optional(Type.String()),
      iss: Type.Optional(Type.String())
    }),
    ...refused(400, 401, 413, 415, 429, 503)
  }
} as const satisfies Operation

const list = Type.Array(Type.String())
export const oauthMetadata = {
  operationId: 'oauthMetadata',
  tags,
  summary: 'What this authorization server offers (RFC 8414)',
  response: {
    200: rfc({
      issuer: Type.String(),
      authorization_endpoint: Type.String(),
      token_endpoint: Type.String(),
      revocation_endpoint: Type.String(),
      introspection_endpoint: Type.String(),
      scopes_supported: list,
      response_types_supported: list,
      grant_types_supported: list,
      code_challenge_methods_supported: list,
      token_endpoint_auth_methods_supported: list,
      revocation_endpoint_auth_methods_supported: list,
      introspection_endpoint_auth_methods_supported: list,
      authorization_response_iss_parameter_supported: Type.Boolean()
    }),
    ...fails(429, 503)
  }
} as const satisfies Operation

// ---------------------------------------------------------------- screens

const HTML = 'The screen as HTML; with Accept: application/json its state in the envelope.'
const Screen = Ok(Type.Object({
  screen: StringEnum(['signin', 'accounts', 'scopes', 'loading', 'error']),
  form_token: Type.Optional(Type.String({ description: 'Goes back with every form of this transaction.' }))
}, { additionalProperties: true, description: HTML }))
const Redirect = Type.Null({ description: 'On to the next screen, or to the redirect URI of the app.' })
const screens = { 200: { ...Screen, description: HTML }, 303: Redirect, ...fails(400, 403, 413, 415, 429, 503) } as const

export const AuthorizeQuery = Type.Object({
  response_type: text(50),
  client_id: text(100),
  redirect_uri: text(2_048),
  scope: text(4_096),
  state: text(512),
  code_challenge: text(128),
  code_challenge_method: text(20),
  prompt: text(50),
  login_hint: text(254)
}, { description: 'Unknown parameters are ignored, as RFC 6749 asks.' })
export type AuthorizeQuery = Static<typeof AuthorizeQuery>

export const authorize = {
  operationId: 'authorize', tags, summary: 'Begin to give an app access', querystring: AuthorizeQuery, response: screens
} as const satisfies Operation

const FormToken = { form_token: Type.Optional(Type.String({ maxLength: 100 })) }
export const SigninForm = Strict({ ...FormToken, identifier: text(254), password: text(128), code: text(20) })
export type SigninForm = Static<typeof SigninForm>

export const authorizeSignin = {
  operationId: 'authorizeSignin', tags, summary: 'Sign in on the screens', consumes: FORM, body: SigninForm, response: screens
} as const satisfies Operation

export const authorizeAccounts = {
  operationId: 'authorizeAccounts', tags, summary: 'The accounts to choose from', response: screens
} as const satisfies Operation

export const authorizeSelectAccount = {
  operationId: 'authorizeSelectAccount',
  tags,
  summary: 'Choose the account that the app gets access to',
  consumes: FORM,
  body: Strict({ ...FormToken, account_id: text(24) }),
  response: screens
} as const satisfies Operation

export const authorizeConsent = {
  operationId: 'authorizeConsent',
  tags,
  summary: 'Allow or deny what an app asks for',
  consumes: FORM,
  body: Strict({ ...FormToken, decision: text(10), scopes: Type.Optional(Type.Unsafe<string | string[]>({ anyOf: [{ type: 'string', maxLength: 80 }, { type: 'array', items: { type: 'string', maxLength: 80 }, maxItems: 100 }] })) }),
  response: screens
} as const satisfies Operation

export const authorizeLoading = {
  operationId: 'authorizeLoading', tags, summary: 'Hand over to the app', response: screens
} as const satisfies Operation
