import type { AccountModel } from '../../models/accounts.js'
import type { GrantModel, LoginFailureModel, RefreshTokenModel, SessionModel } from '../../models/auth.js'
import type { UserModel } from '../../models/users.js'
import type { Platform } from '../platform.js'
import { createAccess } from './access.js'
import { createAccessCaches } from './caches.js'
import { createGrants } from './grants.js'
import { createImpersonation } from './impersonation.js'
import { createLogin } from './login.js'
import { createMfa } from './mfa.js'
import type { Parts } from './parts.js'
import { checkPassword } from './password-rules.js'
import { createPasswords } from './passwords.js'
import { createPeople } from './people.js'
import { createRecovery } from './recovery.js'
import { createRefresh } from './refresh.js'
import { createSealing } from './sealing.js'
import { createSessions } from './sessions.js'
import { createSso } from './sso.js'
import { createStatus } from './status.js'
import { createThrottle } from './throttle.js'
import { createKindTokens } from './tokens.js'
import type { AuthContext } from './types.js'

export { emailKey, phoneKey } from './people.js'
export { permissionsOf } from './scope.js'
export { checkPassword, passwordFaults } from './password-rules.js'
export type { OpenSession, EndSessions, SessionAnswerRow } from './sessions.js'
export type { LoginOutcome } from './login.js'
export type { Parts as AuthParts } from './parts.js'
export type { Client } from './types.js'

type Deps = {
  platform: Platform
  secret: string
  users: UserModel
  accounts: AccountModel
  sessions: SessionModel
  refreshTokens: RefreshTokenModel
  grants: GrantModel
  failures: LoginFailureModel
  sign (claims: object, expiresIn: number): string
}

/** Proves who is calling. Other modules use what stands under "for other modules"; the rest serves this module's routes. */
export function createAuthService ({ platform, secret, users, accounts, sessions: sessionRows, refreshTokens, grants: grantRows, failures, sign }: Deps) {
  const { config, clock } = platform
  const parts: Parts = {}
  const passwords = createPasswords()
  const caches = createAccessCaches(platform, { users, accounts, sessions: sessionRows, clientDashboard: async id =>
    await parts.clientDashboard?.(id) ?? false })
  const tokens = createKindTokens({ secret, previous: config.JWT_SECRET_PREVIOUS, now: clock.now })
  const grants = createGrants(platform, grantRows)
  const context: AuthContext = {
    platform, users, accounts, sessions: sessionRows, refreshTokens, grantRows, failures, caches, passwords, tokens, grants, parts, sign,
      ...createSealing(config.ENCRYPTION_KEY ?? secret)
  }
  const people = createPeople(context)
  const sessions = createSessions(context)
  const throttle = createThrottle(context)
  const mfa = createMfa(context, people, sessions, throttle)
  const recovery = createRecovery(context, people, sessions, throttle)

  return {
    access: createAccess(caches, tokens),
    // for other modules
    openSession: sessions.openSession,
    endSessions: sessions.endSessions,
    makeToken: tokens.makeToken,
    readToken: tokens.readToken,
    makeResetToken: recovery.makeResetToken,
    grants,
    checkPassword,
    hashPassword: passwords.hash,
    verifyPassword: passwords.verify,
    seal: context.seal,
    unseal: context.unseal,
    /** the floor time of answers that must not tell who exists */
    floored: throttle.floored,
    /** Other modules say what they know; a part that nobody provides counts as missing. */
    provide (more: Parts): void { Object.assign(parts, more) },
    // for the routes of this module
    sessions,
    mfa,
    recovery,
    ...createLogin(context, people, sessions, mfa, throttle),
    ...createRefresh(context, sessions),
    sso: createSso(context, people, sessions),
    impersonation: createImpersonation(context, people, sessions),
    status: createStatus(context, people, sessions, mfa)
  }
}
export type AuthService = ReturnType<typeof createAuthService>
