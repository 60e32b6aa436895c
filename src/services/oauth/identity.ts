import { Types } from 'mongoose'
import type { AccountModel } from '../../models/accounts.js'
import type { SessionModel } from '../../models/auth.js'
import { crossTenant } from '../../models/define.js'
import type { UserModel } from '../../models/users.js'
import type { Access } from '../auth/access.js'
import { hashToken } from '../auth/tokens.js'
import type { Clock } from '../kit.js'
import type { Caller } from './tokens.js'

export type Proven = { kind: 'in', userId: string, accountId: string, secret: string, expires: Date }
export type Challenge = { kind: 'mfa', token: string }
export type Choice = { accountId: string, userId: string, name: string, main: boolean, parent: string | null }

/** The login of the module auth, with its throttles and second factor. */
export type Login = {
  signIn (identifier: string, password: string, caller: Caller): Promise<Proven | Challenge>
  answerMfa (token: string, code: string, caller: Caller): Promise<Proven | Challenge>
}
type Deps = { login: Login, users: UserModel, accounts: AccountModel, sessions: SessionModel, access: Access, clock: Clock }

const MAX_OWN = 20
const MAX_CLIENTS = 100

/** Who sits at the screens, and which accounts that person may hand to an app. */
export function createIdentity ({ login, users, accounts, sessions, access, clock }: Deps) {
  const anyAccount = crossTenant('one person is a user of several accounts')
  const userOf = (id: string) => users.findOne({ _id: new Types.ObjectId(id), status: 'active' }, { account_id: 1, email_key: 1, name: 1, email: 1 }, anyAccount).lean()

  async function session (secret: string | undefined): Promise<{ userId: string, accountId: string } | null> {
    if (secret === undefined || secret.length > 200) return null
    const now = clock.now()
    const row = await sessions.findOne({ secret_hash: hashToken(secret), kind: 'login', ended_at: null, expires_at: { $gt: now }, idle_expires_at: { $gt: now } }, { user_id: 1, account_id: 1 }).lean()
    return row === null ? null : { userId: row.user_id.toHexString(), accountId: row.account_id.toHexString() }
  }

  /** Own accounts, the present one first, and the clients that the person may enter. */
  async function accountsOf (userId: string, home: string | null): Promise<Choice[]> {
    const user = await userOf(userId)
    if (user === null) return []
    const same = typeof user.email_key === 'string' && user.email_key !== ''
      ? await users.find({ email_key: user.email_key, status: 'active' }, { account_id: 1 }, anyAccount).limit(MAX_OWN).lean()
      : [user]
    const own = await accounts.find({ _id: { $in: same.map(row => row.account_id) }, status: 'active', banned: { $ne: true } }, { name: 1, main: 1, parent_account: 1 }).lean()
    const byAccount = new Map(same.map(row => [row.account_id.toHexString(), row._id.toHexString()]))
    const choices = own.map(row => ({ ...toChoice(row), userId: byAccount.get(row._id.toHexString())! }))
    choices.sort((a, b) => Number(b.accountId === home) - Number(a.accountId === home) || a.name.localeCompare(b.name))
    const clients = await Promise.all(choices.filter(choice => choice.main).map(clientsOf))
    return [...choices, ...clients.flat().filter(client => !byAccount.has(client.accountId))]
  }

  async function clientsOf ({ accountId, userId }: Choice): Promise<Choice[]> {
    const actor = await Promise.resolve(access.resolve({ userId, accountId, permissions: ['read', 'write'], exp: 0 }, '', clock.now().getTime())).catch(() => null)
    if (actor === null || !actor.can('accounts.sso')) return []
    const rows = await accounts.find({ parent_account: new Types.ObjectId(accountId), status: 'active' } as never, { name: 1, main: 1, parent_account: 1 }).sort({ name: 1 }).limit(MAX_CLIENTS).lean()
    return rows.map(row => ({ ...toChoice(row), userId }))
  }

  const toChoice = (row: { _id: Types.ObjectId, name: string, main: boolean, parent_account: Types.ObjectId | null }) =>
    ({ accountId: row._id.toHexString(), name: row.name, main: row.main, parent: row.parent_account?.toHexString() ?? null })

  async function describe (userId: string, accountId: string) {
    const [user, account] = await Promise.all([userOf(userId), accounts.findById(accountId, { name: 1 }).lean()])
    return { person: user?.email ?? user?.name ?? '', account: account?.name ?? '' }
  }

  const homeOf = async (userId: string): Promise<string | null> => (await userOf(userId))?.account_id.toHexString() ?? null

  return { ...login, session, accounts: accountsOf, describe, homeOf }
}
export type Identity = ReturnType<typeof createIdentity>
