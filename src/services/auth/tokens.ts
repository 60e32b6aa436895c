import { createHash, hkdfSync } from 'node:crypto'

/** Claims of an access token; tokens of the platform's router carry only the first three and `exp`. */
export type AccessClaims = {
  userId: string
  accountId?: string
  permissions: string[]
  scope?: string
  sid?: string
  typ?: string
  act?: { sub: string }
  iat?: number
  exp: number
}

/** One-time tokens are kept as SHA-256: they are random enough that a slow hash adds nothing. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('base64url')

/** The signing key of one kind of token, so that no kind opens another's door; access tokens use the secret itself. */
export const tokenKey = (secret: string, typ: string): Buffer =>
  typ === 'access' ? Buffer.from(secret) : Buffer.from(hkdfSync('sha256', secret, 'internal-api', `token:${typ}`, 32))
