import { createHash, createHmac, hkdfSync, randomUUID, timingSafeEqual } from 'node:crypto'

/** Claims of an access token; tokens of the platform's router carry only the first three and `exp`. */
export type AccessClaims = {
  userId: string
  accountId?: string
  permissions: string[]
  scope?: string
  sid?: string
  typ?: string
  client_id?: string
  act?: { sub: string }
  iat?: number
  exp: number
}

/** One-time tokens are kept as SHA-256: they are random enough that a slow hash adds nothing. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('base64url')

/** The signing key of one kind of token, so that no kind opens another's door; access tokens use the secret itself. */
export const tokenKey = (secret: string, typ: string): Buffer =>
  typ === 'access' ? Buffer.from(secret) : Buffer.from(hkdfSync('sha256', secret, 'internal-api', `token:${typ}`, 32))

export type TokenKind = 'password_reset' | 'invite' | 'signup' | 'step_up' | 'public_request'
export type TokenClaims = Record<string, unknown>

const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')
const SHAPE = /^[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{43}$/

type Options = { secret: string, previous?: string, now: () => Date }

/** Signed tokens that are not access tokens, one derived key per kind. */
export function createKindTokens ({ secret, previous, now }: Options) {
  const seconds = () => Math.floor(now().getTime() / 1_000)
  const sign = (typ: TokenKind, body: string, key: string) => createHmac('sha256', tokenKey(key, typ)).update(`${HEADER}.${body}`).digest()

  return {
    /** `ttl` in seconds; two tokens are never equal. */
    makeToken (typ: TokenKind, claims: TokenClaims, ttl: number): string {
      const iat = seconds()
      const body = Buffer.from(JSON.stringify({ ...claims, typ, iat, exp: iat + ttl, jti: randomUUID() })).toString('base64url')
      return `${HEADER}.${body}.${sign(typ, body, secret).toString('base64url')}`
    },
    /** The claims of a token of exactly this kind that is genuine and not past its time, else null. */
    readToken<C extends TokenClaims = TokenClaims> (typ: TokenKind, token: string): (C & { exp: number, iat: number }) | null {
      if (token.length > 4_096 || !SHAPE.test(token)) return null
      const [header, body, signature] = token.split('.') as [string, string, string]
      if (header !== HEADER) return null
      const given = Buffer.from(signature, 'base64url')
      const keys = previous === undefined ? [secret] : [secret, previous]
      if (!keys.some(key => timingSafeEqual(sign(typ, body, key), given))) return null
      const claims = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as C & { typ: string, exp: number, iat: number }
      return claims.typ === typ && claims.exp > seconds() ? claims : null
    }
  }
}
export type KindTokens = ReturnType<typeof createKindTokens>
