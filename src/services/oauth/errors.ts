import { catalogue, type ServiceError } from '../kit.js'

export const OauthError = catalogue('oauth', {
  INVALID_CLIENT: { status: 401, text: 'The app could not be authenticated.' },
  INVALID_GRANT: { status: 400, text: 'The code or token is not valid.' },
  INVALID_REQUEST: { status: 400, text: (why: string) => `The request is not valid: ${why}.` },
  INVALID_SCOPE: { status: 400, text: 'The scope is not known, or more than was granted.' },
  UNSUPPORTED_GRANT_TYPE: { status: 400, text: 'This grant type is not supported.' },
  UNAUTHORIZED_CLIENT: { status: 400, text: 'This app may not use this grant type.' },
  ACCESS_DENIED: { status: 403, text: 'Access was denied.' },
  FORM_EXPIRED: { status: 403, text: 'This page has expired. Go back to the app and start again.' },
  APP_NOT_FOUND: { status: 404, text: 'App not found.' },
  KEY_NOT_FOUND: { status: 404, text: 'API key not found.' },
  CONNECTION_NOT_FOUND: { status: 404, text: 'Connection not found.' },
  SECRET_NOT_FOUND: { status: 404, text: 'Client secret not found.' },
  SCOPE_ESCALATION: { status: 403, text: 'This is more than you hold yourself.' },
  SCOPE_NOT_ALLOWED: { status: 422, text: (name: string) => `Keys and apps may not hold ${name}.` },
  UNKNOWN_SCOPE: { status: 422, text: (name: string) => `${name} is not a scope.` },
  REDIRECT_URI_INVALID: { status: 422, text: 'A redirect URI is https, http on 127.0.0.1 or [::1] for public apps, or a private scheme with a dot; without fragment, wildcard or user.' },
  ADDRESS_INVALID: { status: 422, text: (value: string) => `${value} is not an address range.` },
  EXPIRY_INVALID: { status: 422, text: 'expires_at must be in the future.' },
  KEY_LIMIT_REACHED: { status: 422, text: (max: number) => `An account holds ${max} API keys.` },
  APP_LIMIT_REACHED: { status: 422, text: (max: number) => `An account holds ${max} apps.` },
  APP_HAS_NO_SECRET: { status: 409, text: 'A public app has no secret.' },
  KEY_STATE_INVALID: { status: 409, text: 'This key has been revoked.' },
  KEY_ADDRESS_FORBIDDEN: { status: 403, text: 'This key may not be used from this address.' }
})

/** What RFC 6749 calls an error of ours. */
export function rfcName ({ code, status }: Pick<ServiceError, 'code' | 'status'>): string {
  const own = RFC_NAMES[code]
  if (own !== undefined) return own
  if (status === 429 || status === 503) return 'temporarily_unavailable'
  if (status >= 500) return 'server_error'
  return status === 401 ? 'invalid_client' : status === 403 || status === 404 ? 'access_denied' : 'invalid_request'
}

const RFC_NAMES: Readonly<Record<string, string>> = {
  INVALID_CLIENT: 'invalid_client',
  INVALID_GRANT: 'invalid_grant',
  INVALID_REQUEST: 'invalid_request',
  INVALID_SCOPE: 'invalid_scope',
  UNSUPPORTED_GRANT_TYPE: 'unsupported_grant_type',
  UNAUTHORIZED_CLIENT: 'unauthorized_client',
  ACCESS_DENIED: 'access_denied',
  SCOPE_ESCALATION: 'invalid_scope',
  TOKEN_INVALID: 'invalid_grant',
  TOKEN_EXPIRED: 'invalid_grant',
  SESSION_REVOKED: 'invalid_grant',
  SESSION_EXPIRED: 'invalid_grant'
}
