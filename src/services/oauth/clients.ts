import { timingSafeEqual } from 'node:crypto'
import { crossTenant } from '../../models/define.js'
import type { AppRow, OauthAppModel } from '../../models/oauth.js'
import { hashToken } from '../auth/tokens.js'
import type { Clock } from '../kit.js'
import { OauthError } from './errors.js'

export type Credentials = { client_id?: string, client_secret?: string }

const equal = (a: string, b: string): boolean => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
const NOBODY = hashToken('nobody')
const refusal = () => OauthError.INVALID_CLIENT().with({ headers: { 'www-authenticate': 'Basic realm="oauth"' } })

/** RFC 6749 2.3.1: both parts of Basic are form-encoded before they are joined. */
function fromHeader (header: string): Credentials {
  const text = Buffer.from(header.slice(6), 'base64').toString('utf8')
  const at = text.indexOf(':')
  if (at === -1) throw refusal()
  const decode = (part: string) => decodeURIComponent(part.replaceAll('+', ' '))
  try {
    return { client_id: decode(text.slice(0, at)), client_secret: decode(text.slice(at + 1)) }
  } catch {
    throw refusal()
  }
}

/** One way of naming the client at a time. @throws INVALID_REQUEST for two */
export function credentialsOf (authorization: string | undefined, body: Credentials): Credentials {
  if (authorization === undefined || !/^basic /i.test(authorization)) return body
  const header = fromHeader(authorization)
  if (body.client_secret !== undefined || (body.client_id !== undefined && body.client_id !== header.client_id)) {
    throw OauthError.INVALID_REQUEST('the client authenticates in two ways at once')
  }
  return header
}

export function createClients (apps: OauthAppModel, clock: Clock) {
  /** Null for what no app is called. */
  const find = async (clientId: string | undefined): Promise<AppRow | null> => clientId === undefined || !/^[0-9a-f]{24}$/.test(clientId)
    ? null
    : await apps.findOne({ _id: clientId, deleted_at: null }, null, crossTenant('a client is known only by its id')).lean() as AppRow | null

  /** @throws INVALID_CLIENT, alike for an unknown client and a wrong or expired secret */
  async function authenticate ({ client_id: id, client_secret: secret }: Credentials): Promise<AppRow> {
    const app = await find(id)
    if (app !== null && app.type === 'public' && (secret === undefined || secret === '')) return app
    const hash = hashToken(secret ?? '')
    const now = clock.now()
    const known = app?.client_secret ?? [{ hash: NOBODY, expires_at: null }]
    const fits = known.filter(one => equal(hash, one.hash) && (one.expires_at === null || one.expires_at > now))
    if (app === null || app.type === 'public' || fits.length === 0) throw refusal()
    return app
  }

  return { find, authenticate }
}
export type Clients = ReturnType<typeof createClients>
