import { Types } from 'mongoose'
import type { Pagination } from '../../schemas/kit.js'
import { fold } from '../filters/terms.js'
import type { Actor } from '../kit.js'
import { AuthError } from './errors.js'
import { baseUrl } from './mails.js'
import type { People } from './people.js'
import type { Sessions } from './sessions.js'
import { settingsOf, type AccountRow, type AuthContext, type Client, type UserRow } from './types.js'

const LINK_MS = 60_000
const DEFAULT_LIMIT = 20
type Query = { include?: string, q?: string, page?: number, limit?: number }
type Row = { account_id: Types.ObjectId, name: string, image: string | null, main: boolean, business: Types.ObjectId | null, role: string,
  client_dashboard: boolean }
type Target = { user: UserRow, account: AccountRow, viaAccount: Types.ObjectId | null }

/** The accounts of one person, and ways into them without a further password. */
export function createSso (context: AuthContext, people: People, sessions: Sessions) {
  const { platform, accounts, grants } = context
  const { clock, events, transactions } = platform

  async function self (actor: Actor): Promise<UserRow> {
    const user = await people.byId(actor.userId)
    if (user === null) throw AuthError.USER_NOT_FOUND()
    return user
  }

  /** Users that are the same person: same mail or verified phone, under the same main account. */
  async function ownPairs (user: UserRow): Promise<{ user: UserRow, account: AccountRow }[]> {
    const parent = await people.rootOf(user.account_id.toHexString())
    const byMail = user.email === null ? [] : await people.find({ email: user.email }, { parent_account: parent }, 200)
    const byPhone = user.phone === null || user.phone_verified_at === null ? [] : await people.find({ phone: user.phone }, { parent_account: parent }, 200)
    return [...new Map([...byMail, ...byPhone].map(pair => [pair.account._id.toHexString(), pair])).values()]
      .filter(({ account }) => !account.banned && account.status === 'active')
  }

  const mayEnterChildren = (actor: Actor) => actor.parentAccount === null && actor.impersonatorId === undefined && actor.can('accounts.sso')

  const toRow = async (account: AccountRow, role: string): Promise<Row> => ({
    account_id: account._id,
    name: account.name,
    image: account.image,
    main: account.main,
    business: account.business ?? null,
    role,
    client_dashboard: account.parent_account !== null && await sessions.dashboardOn(account._id)
  })

  async function list (actor: Actor, { include, q, page = 1, limit = DEFAULT_LIMIT }: Query): Promise<{ rows: Row[], pagination: Pagination }> {
    const user = await self(actor)
    const word = q === undefined ? null : fold(q)
    const own = (await ownPairs(user)).filter(({ account }) => word === null || fold(account.name).includes(word))
    const skip = (page - 1) * limit
    const rows = await Promise.all(own.slice(skip, skip + limit).map(({ account, user: { role } }) => toRow(account, role)))
    const children = include === 'sub_accounts' && mayEnterChildren(actor) ? await childrenOf(actor, own.map(({ account }) => account._id), word, Math.max(0, skip - own.length), limit - rows.length) : { rows: [], total: 0 }
    rows.push(...await Promise.all(children.rows.map(account => toRow(account, user.role))))
    const total = own.length + children.total
    return { rows, pagination: { page, limit, total, totalPages: Math.ceil(total / limit), next_cursor: null } }
  }

  async function childrenOf (actor: Actor, except: Types.ObjectId[], word: string | null, skip: number, limit: number) {
    const filter = {
      parent_account: new Types.ObjectId(actor.accountId),
      status: { $in: ['active', 'pending'] },
      banned: false,
      _id: { $nin: except },
      ...(word !== null && { search_keys: { $gte: word, $lt: `${word}\uffff` } })
    }
    const total = await accounts.countDocuments(filter as never)
    const rows = limit <= 0 ? [] : await accounts.find(filter as never).sort({ created_at: -1,
      _id: -1 }).skip(skip).limit(limit).lean() as unknown as AccountRow[]
    return { rows, total }
  }

  /** @throws ACCOUNT_NOT_FOUND for what is not the caller's, SSO_FORBIDDEN, CLIENT_DASHBOARD_OFF, the account's state, IMPERSONATION_FORBIDDEN */
  async function target (actor: Actor, accountId: string): Promise<Target> {
    if (actor.impersonatorId !== undefined) throw AuthError.IMPERSONATION_FORBIDDEN()
    const user = await self(actor)
    const account = await sessions.accountById(accountId)
    if (account === null) throw AuthError.ACCOUNT_NOT_FOUND()
    const own = (await ownUsers(user)).find(one => one.account_id.equals(account._id))
    if (own !== undefined) return ownTarget(own, account)
    if (account.parent_account === null || account.parent_account.toHexString() !== user.account_id.toHexString()) throw AuthError.ACCOUNT_NOT_FOUND()
    if (!actor.can('accounts.sso') || settingsOf(account).sso?.parent_access === false) throw AuthError.SSO_FORBIDDEN()
    await sessions.demandUsable(account, true)
    return { user, account, viaAccount: account.parent_account }
  }

  async function ownUsers (user: UserRow): Promise<UserRow[]> {
    const parent = await people.rootOf(user.account_id.toHexString())
    const found = user.email === null ? [] : await people.find({ email: user.email }, { parent_account: parent }, 200)
    const phoned = user.phone === null || user.phone_verified_at === null ? [] : await people.find({ phone: user.phone }, { parent_account: parent }, 200)
    return [...found, ...phoned].map(pair => pair.user)
  }

  async function ownTarget (user: UserRow, account: AccountRow): Promise<Target> {
    await sessions.demandUsable(account)
    if (user.role === 'client' && account.parent_account !== null && !await sessions.dashboardOn(account._id)) throw AuthError.CLIENT_DASHBOARD_OFF()
    return { user, account, viaAccount: null }
  }

  async function open (actor: Actor, { user, account, viaAccount }: Target, origin: Awaited<ReturnType<Sessions['current']>>, client: Client, requestId: string) {
    return transactions.run(async tx => {
      const answer = await sessions.openSession({ user, account, viaAccount, via: 'sso', kind: 'sso', origin, client, requestId, mfa: origin?.mfa }, tx)
      await events.emit({
        type: 'auth.sso_entered',
        actor,
        accountId: account._id.toHexString(),
        resource: { type: 'account', id: account._id.toHexString() },
        data: { user_id: user._id.toHexString(), via: viaAccount === null ? 'own' : 'parent' }
      }, tx)
      return answer
    })
  }

  const enter = async (actor: Actor, accountId: string, client: Client) => open(actor, await target(actor, accountId), await sessions.current(actor),
    client, actor.requestId)

  async function link (actor: Actor, { account_id: accountId, path = '/' }: { account_id: string, path?: string }) {
    const { account } = await target(actor, accountId)
    const base = await baseUrl(context, account)
    const data = { session_id: actor.sessionId ?? null, host: new URL(base).host, permissions: [...actor.permissions] }
    const code = await grants.make({ kind: 'sso', userId: actor.userId, accountId, data, ttl: LINK_MS })
    return { url: `${base}/sso?code=${code}&path=${encodeURIComponent(path)}`, expires_at: new Date(clock.now().getTime() + LINK_MS) }
  }

  /** @throws LINK_INVALID: unknown, used, expired, shown by another host than the one it was made for, or its maker may not enter any more */
  async function redeem (code: string, origin: string | undefined, client: Client, requestId: string) {
    const grant = await grants.find('sso', code)
    const data = grant?.data as { session_id: string | null, host: string } | undefined
    if (grant === null || data === undefined || (origin !== undefined && hostOf(origin) !== data.host)) throw AuthError.LINK_INVALID()
    const row = data.session_id === null ? null : await context.sessions.findById(data.session_id).lean() as Awaited<ReturnType<Sessions['current']>>
    if (data.session_id !== null && (row === null || row.ended_at !== null)) throw AuthError.LINK_INVALID()
    const user = await people.byId(grant.user_id!)
    const home = user === null ? null : await sessions.accountById(user.account_id)
    if (user === null || home === null || user.status !== 'active') throw AuthError.LINK_INVALID()
    const held = (await sessions.rights(user, home, { impersonator_id: null, kind: 'login' }))
    const names = new Set(held.scope.split(' '))
    const actor: Actor = {
      type: 'user',
      userId: user._id.toHexString(),
      accountId: home._id.toHexString(),
      parentAccount: home.parent_account?.toHexString() ?? null,
      role: user.role,
      isOwner: user.is_owner,
      permissions: new Set(held.permissions),
      can: scope => names.has(scope) || names.has(scope.split('.')[0]!),
      sessionId: data.session_id ?? undefined,
      requestId
    }
    const entered = await target(actor, grant.account_id!.toHexString())
    if (!await grants.use(grant._id)) throw AuthError.LINK_INVALID()
    return open(actor, entered, row, client, requestId)
  }

  return { list, enter, link, redeem }
}

const hostOf = (origin: string): string | null => URL.canParse(origin) ? new URL(origin).host : null
