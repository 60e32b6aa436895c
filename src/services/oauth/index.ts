import type { ClientSession, Types } from 'mongoose'
import type { AccountModel } from '../../models/accounts.js'
import type { GrantModel, RefreshTokenModel, SessionModel } from '../../models/auth.js'
import type { ApiKeyModel, ConnectionModel, KeyUsageModel, OauthAppModel } from '../../models/oauth.js'
import type { UserModel } from '../../models/users.js'
import { SCOPES } from '../../schemas/scopes.js'
import type { Access } from '../auth/access.js'
import type { AccessClaims } from '../auth/tokens.js'
import type { Platform } from '../platform.js'
import { createAccessEnd } from './access-end.js'
import { createAppsService } from './apps.js'
import { createAuthorizeService } from './authorize.js'
import { createClients } from './clients.js'
import { createConnectionsService } from './connections.js'
import type { Guard } from './guard.js'
import { createIdentity, type Login } from './identity.js'
import { createKeyDoor } from './key-door.js'
import { createKeysService } from './keys.js'
import { mayHold } from './scopes.js'
import { createTokensService, type Caller, type TokenAnswer } from './tokens.js'

type Deps = {
  platform: Platform
  users: UserModel
  accounts: AccountModel
  sessions: SessionModel
  refreshTokens: RefreshTokenModel
  grants: GrantModel
  apps: OauthAppModel
  connections: ConnectionModel
  keys: ApiKeyModel
  usage: KeyUsageModel
  access: Access
  guard: Guard
  login: Login
  refreshSession (token: string, caller: Caller): Promise<TokenAnswer>
  sign (claims: object, expiresIn: number): string
  verify (token: string): AccessClaims
}

type Mail = { subject: string, text: string, ref: string }
const HOUR = 3_600_000
export const MOUNT = '/v1/auth/oauth'

export function createOauthService (deps: Deps) {
  const { platform, users, accounts, sessions, refreshTokens, grants, access, guard } = deps
  const issuer = platform.config.publicUrl + MOUNT
  const endAccess = createAccessEnd({ platform, sessions, refreshTokens })
  const clients = createClients(deps.apps, platform.clock)
  const apps = createAppsService({ platform, apps: deps.apps, connections: deps.connections, guard, endAccess })
  const connections = createConnectionsService({ platform, connections: deps.connections, apps: deps.apps, users, endAccess })
  const keys = createKeysService({ platform, keys: deps.keys, usage: deps.usage, guard, notice, endAccess })
  const keyDoor = createKeyDoor({ platform, keys: deps.keys, usage: deps.usage, access })
  const tokens = createTokensService({
    platform,
    accounts,
    sessions,
    refreshTokens,
    grants,
    access,
    clients,
    connections,
    keyDoor,
    endAccess,
    notice,
    sign: deps.sign,
    verify: deps.verify,
    refreshSession: deps.refreshSession
  })
  const identity = createIdentity({ login: deps.login, users, accounts, sessions, access, clock: platform.clock })
  const authorize = createAuthorizeService({ platform, grants, clients, connections, identity, person: tokens.person, issuer })

  /** By mail to the owner of the account. */
  async function notice (accountId: Types.ObjectId, { subject, text, ref }: Mail, session: ClientSession): Promise<void> {
    const owner = await users.findOne({ account_id: accountId, is_owner: true, status: 'active' }, { email: 1, name: 1 }, { session }).lean()
    if (owner === null || owner.email === null) return
    await platform.outbox.add([{
      topic: 'mail',
      key: accountId.toHexString(),
      dedupeId: ref,
      accountId: accountId.toHexString(),
      payload: { account: accountId.toHexString(), to: [{ email: owner.email, name: owner.name }], subject, text, ref }
    }], session)
  }

  platform.jobs.register({ name: 'api-key-expiry', family: null, kind: 'sweep', everyMs: HOUR, run: async () => ({ keys: await keys.noticeExpiry() }) })

  const metadata = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    revocation_endpoint: `${issuer}/revoke`,
    introspection_endpoint: `${issuer}/introspect`,
    scopes_supported: [...SCOPES.keys()].filter(mayHold),
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:token-exchange'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    revocation_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    authorization_response_iss_parameter_supported: true
  }

  const workload = async (who: { account_id: string, user_id: string }) => ({ api_keys: await keys.workload(who.account_id, who.user_id) })

  return { apps, connections, keys, keyDoor, tokens, authorize, metadata, reassignUser: keys.reassign, workload }
}
export type OauthService = ReturnType<typeof createOauthService>
