import type { GrantRow } from '../../models/auth.js'
import { AuthError } from './errors.js'
import type { Mfa } from './mfa.js'
import { identifierOf, type Identifier, type People, type Under } from './people.js'
import type { SessionAnswerRow, Sessions } from './sessions.js'
import type { Throttle } from './throttle.js'
import type { AccountRow, AuthContext, Client, Device, UserRow } from './types.js'

const MINUTE = 60_000
const CHALLENGE_MS = 5 * MINUTE
const DAY = 86_400_000
/** One address may be a user of several accounts; more candidates than this are not tried. */
const MAX_CANDIDATES = 5

type Manner = { remember?: boolean, cookie?: boolean, device?: Device }
type Credentials = Identifier & Under & Manner & { password: string, account_id?: string }
type Pair = { user: UserRow, account: AccountRow }
type Kept = Required<Pick<Manner, 'remember' | 'cookie'>> & { device: Device | null, via: string, user_ids?: string[] }

export type LoginOutcome =
  | { step: 'session', answer: SessionAnswerRow, cookie: boolean, remember: boolean }
  | { step: 'mfa', answer: { mfa_required: true, mfa_token: string, methods: ('totp' | 'recovery_code')[] } }
  | { step: 'selection', answer: { account_selection: true, selection_token: string, accounts: object[] } }

export function createLogin (context: AuthContext, people: People, sessions: Sessions, mfa: Mfa, throttle: Throttle) {
  const { platform, users, grants, passwords } = context
  const { clock, transactions, events, limiter } = platform
  const keep = ({ remember = false, cookie = false, device }: Manner, via: string): Kept => ({ remember, cookie, device: device ?? null, via })

  /** @throws INVALID_CREDENTIALS alike for an unknown address and a wrong password, TOO_MANY_ATTEMPTS, and the account's state after a right password */
  async function login (credentials: Credentials, client: Client, requestId: string): Promise<LoginOutcome> {
    const identifier = identifierOf(credentials)
    await sessions.take('auth-login-hour', client.ip)
    await throttle.enter(identifier, client.ip)
    const candidates = await people.find(credentials, credentials, MAX_CANDIDATES)
    await demandQuiet(identifier, candidates, client.ip)
    const fitting = await throttle.floored(async () => {
      const found = await thoseThatFit(candidates, credentials.password)
      if (found.length > 0) return found
      await failed(identifier, candidates, requestId)
      throw AuthError.INVALID_CREDENTIALS()
    })
    await throttle.good(identifier, client.ip)
    const kept = keep(credentials, 'password')
    const [only] = fitting
    return fitting.length === 1 ? proceed(only!, kept, client, requestId) : choose(fitting, kept)
  }

  /** Past 20 logins a minute for one identifier only addresses with a good login in 30 days go on: a flood from elsewhere locks nobody out. */
  async function demandQuiet (identifier: string, candidates: Pair[], ip: string): Promise<void> {
    const verdict = await limiter.take('auth-login-identifier', identifier)
    if (verdict.allowed) return
    const since = new Date(clock.now().getTime() - 30 * DAY)
    const known = candidates.length === 0 ? null : await context.sessions.exists({ user_id: { $in: candidates.map(({ user }) => user._id) }, ip,
      created_at: { $gte: since } } as never)
    if (known === null) throw AuthError.TOO_MANY_ATTEMPTS().with({ headers: { 'retry-after': String(verdict.reset) } })
  }

  async function thoseThatFit (candidates: Pair[], password: string): Promise<Pair[]> {
    if (candidates.length === 0) await passwords.verify(null, password)
    const fits = await Promise.all(candidates.map(({ user }) => passwords.verify(user.password_hash, password)))
    const fitting = candidates.filter((_, index) => fits[index])
    for (const { user } of fitting) if (passwords.needsRehash(user.password_hash!)) await rehash(user, password)
    return fitting
  }

  async function rehash (user: UserRow, password: string): Promise<void> {
    await users.updateOne({ account_id: user.account_id, _id: user._id, password_hash: user.password_hash },
      { $set: { password_hash: await passwords.hash(password) } })
  }

  const failed = (identifier: string, candidates: Pair[], requestId: string) => transactions.run(tx => events.emit({
    type: 'auth.login_failed',
    actor: 'visitor',
    accountId: candidates[0]?.account._id.toHexString() ?? null,
    resource: { type: 'user', id: candidates[0]?.user._id.toHexString() ?? 'unknown' },
    data: { user_id: candidates[0]?.user._id.toHexString() ?? null, via: identifier.includes('@') ? 'email' : 'phone', request_id: requestId }
  }, tx))

  async function choose (pairs: Pair[], kept: Kept): Promise<LoginOutcome> {
    const token = await grants.make({ kind: 'selection', data: { ...kept, user_ids: pairs.map(({ user }) => user._id.toHexString()) }, ttl: CHALLENGE_MS })
    const list = pairs.map(({ user, account }) => ({ account_id: account._id, name: account.name, image: account.image, main: account.main, role: user.role }))
    return { step: 'selection', answer: { account_selection: true, selection_token: token, accounts: list } }
  }

  /** The password is right: account state, second factor, session. */
  async function proceed ({ user, account }: Pair, kept: Kept, client: Client, requestId: string): Promise<LoginOutcome> {
    await sessions.demandUsable(account)
    if (user.mfa?.totp_enabled !== true) return opened({ user, account }, kept, client, requestId)
    const token = await grants.make({ kind: 'mfa', userId: user._id, accountId: account._id, data: kept, ttl: CHALLENGE_MS })
    return { step: 'mfa', answer: { mfa_required: true, mfa_token: token, methods: ['totp', 'recovery_code'] } }
  }

  async function opened ({ user, account }: Pair, { remember, cookie, device, via }: Kept, client: Client, requestId: string, withMfa?: (tx: never) =>
    Promise<void>): Promise<LoginOutcome> {
    const answer = await transactions.run(async tx => {
      await withMfa?.(tx as never)
      return sessions.openSession({ user, account, via, remember, client: { ...client, ...(device !== null && { device }) }, requestId,
        mfa: withMfa !== undefined }, tx)
    })
    return { step: 'session', answer, cookie, remember }
  }

  async function pairOf (userId: string): Promise<Pair> {
    const user = await people.byId(userId)
    const account = user === null ? null : await sessions.accountById(user.account_id)
    if (user === null || account === null || user.status !== 'active') throw AuthError.INVALID_CREDENTIALS()
    return { user, account }
  }

  /** @throws INVALID_CREDENTIALS for a token that is over or an account whose password did not fit */
  async function select ({ selection_token: token, account_id: accountId }: { selection_token: string, account_id: string }, client: Client,
    requestId: string): Promise<LoginOutcome> {
    const grant = await grants.find('selection', token)
    if (grant === null) throw AuthError.INVALID_CREDENTIALS()
    const kept = grant.data as Kept
    const pairs = await Promise.all((kept.user_ids ?? []).map(pairOf))
    const chosen = pairs.find(({ account }) => account._id.toHexString() === accountId)
    if (chosen === undefined) throw AuthError.INVALID_CREDENTIALS()
    await sessions.demandUsable(chosen.account)
    if (!await grants.use(grant._id)) throw AuthError.INVALID_CREDENTIALS()
    return proceed(chosen, kept, client, requestId)
  }

  /** @throws MFA_TOKEN_INVALID, MFA_CODE_INVALID */
  async function challenge (body: { mfa_token: string, code?: string, recovery_code?: string }, client: Client, requestId: string): Promise<LoginOutcome> {
    const grant = await grants.find('mfa', body.mfa_token)
    if (grant === null || !await grants.attempt(grant._id)) throw AuthError.MFA_TOKEN_INVALID()
    const pair = await pairOf(String(grant.user_id))
    await sessions.demandUsable(pair.account)
    return opened(pair, grant.data as Kept, client, requestId, tx => answered(pair.user, grant, body, tx))
  }

  async function answered (user: UserRow, grant: GrantRow, body: { code?: string, recovery_code?: string }, tx: never): Promise<void> {
    if (!await mfa.useCode(user, body, tx)) throw AuthError.MFA_CODE_INVALID()
    if (!await grants.use(grant._id, tx)) throw AuthError.MFA_TOKEN_INVALID()
  }

  return { login, select, challenge }
}
