import { SignJWT, importPKCS8 } from 'jose'
import { badAnswer, type HttpClient } from '../http/index.js'
import type { Clock } from '../kit.js'
import type { CallContext } from '../provider.js'

export type ServiceAccount = { projectId: string, clientEmail: string, privateKey: string, tokenUrl: string }

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging'
const GOOGLE_TOKEN = 'https://oauth2.googleapis.com/token'

/** Reads the JSON of a Google service account. @throws Error that names the variable and never the content */
export function readServiceAccount (json: string, variable: string): ServiceAccount {
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(json) as Record<string, unknown>
  } catch {
    throw new Error(`${variable} is not JSON`)
  }
  const { project_id: projectId, client_email: clientEmail, private_key: privateKey, token_uri: tokenUrl = GOOGLE_TOKEN } = fields ?? {}
  if (typeof projectId !== 'string' || typeof clientEmail !== 'string' || typeof privateKey !== 'string' || typeof tokenUrl !== 'string') {
    throw new Error(`${variable} needs project_id, client_email and private_key`)
  }
  return { projectId, clientEmail, privateKey, tokenUrl }
}

/** Access tokens of a service account: asked for once, kept until a minute before they end. */
export function createAccess (account: ServiceAccount, http: HttpClient, clock: Clock) {
  let kept: { token: string, until: number } | null = null
  let asking: Promise<string> | null = null

  async function assertion (): Promise<string> {
    const now = Math.floor(clock.now().getTime() / 1_000)
    const key = await importPKCS8(account.privateKey, 'RS256')
    return await new SignJWT({ scope: SCOPE })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .setIssuer(account.clientEmail)
      .setAudience(account.tokenUrl)
      .setIssuedAt(now)
      .setExpirationTime(now + 3_600)
      .sign(key)
  }

  async function ask (context: CallContext): Promise<string> {
    const answer = await http.call({
      upstream: 'fcm-auth',
      url: account.tokenUrl,
      method: 'POST',
      form: { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: await assertion() },
      idempotent: true,
      tries: 2,
      timeoutMs: 10_000,
      maxBytes: 65_536,
      requestId: context.requestId
    })
    const { access_token: token, expires_in: seconds } = answer.json() as { access_token?: unknown, expires_in?: unknown }
    if (typeof token !== 'string') throw badAnswer('fcm-auth', 'no access token')
    kept = { token, until: clock.now().getTime() + (Number(seconds) || 0) * 1_000 - 60_000 }
    return token
  }

  return {
    async token (context: CallContext): Promise<string> {
      if (kept !== null && clock.now().getTime() < kept.until) return kept.token
      asking ??= ask(context).finally(() => { asking = null })
      return await asking
    },
    /** The provider no longer takes this token. */
    forget (token: string): void { if (kept?.token === token) kept = null }
  }
}
