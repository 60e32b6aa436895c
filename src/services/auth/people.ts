import { parsePhoneNumberFromString } from 'libphonenumber-js'
import { Types } from 'mongoose'
import { crossTenant } from '../../models/define.js'
import { CommonError } from '../kit.js'
import type { AccountRow, AuthContext, UserRow } from './types.js'

export const emailKey = (email: string): string => email.trim().toLowerCase()
export const phoneKey = (phone: string): string | null => parsePhoneNumberFromString(phone)?.number ?? null

export type Identifier = { email?: string, phone?: string }
export type Under = { parent_account?: string, host?: string }

/** What a person is called when failures are counted. */
export function identifierOf ({ email, phone }: Identifier): string {
  if ((email === undefined) === (phone === undefined)) {
    throw CommonError.VALIDATION_FAILED().with({ errors: [{ path: 'body', message: 'needs either email or phone', code: 'required' }] })
  }
  return email !== undefined ? emailKey(email) : phoneKey(phone!) ?? phone!
}

export function createPeople ({ users, accounts, parts, platform }: AuthContext) {
  /** Accounts of these ids that stand under one white-label parent, or all. */
  async function places (ids: readonly Types.ObjectId[], parent: string | null): Promise<Map<string, AccountRow>> {
    const rows = await accounts.find({ _id: { $in: ids } }).lean() as unknown as AccountRow[]
    return new Map(rows.filter(row => parent === null || row._id.toHexString() === parent || row.parent_account?.toHexString() === parent).map(row =>
      [row._id.toHexString(), row]))
  }

  /** `undefined`: a host was named that nobody has. */
  async function parentOf ({ parent_account: parent, host }: Under): Promise<string | null | undefined> {
    if (parent !== undefined) return parent
    if (host === undefined) return null
    const name = host.toLowerCase().replace(/:\d+$/, '')
    const platformHost = new URL(platform.config.publicUrl).hostname
    if (name === platformHost) return null
    const found = await parts.accountOfHost?.(name)
    if (found !== undefined && found !== null) return rootOf(found)
    const label = name.endsWith(`.${platformHost}`) ? name.slice(0, -platformHost.length - 1) : null
    const row = label === null ? null : await accounts.collection.findOne({ 'domain.dashclicks': label }, { projection: { _id: 1, parent_account: 1 } })
    if (row === null) return undefined
    return String(row.parent_account ?? row._id)
  }

  async function rootOf (accountId: string): Promise<string> {
    const row = await accounts.findById(accountId, { parent_account: 1 }).lean()
    return row?.parent_account?.toHexString() ?? accountId
  }

  /** Active users with the address under the white-label parent, those who came last first. */
  async function find (who: Identifier, under: Under & { account_id?: string }, max = 50): Promise<{ user: UserRow, account: AccountRow }[]> {
    const parent = await parentOf(under)
    const phone = who.phone === undefined ? null : phoneKey(who.phone)
    if (parent === undefined || (who.email === undefined && phone === null)) return []
    const rows = await users.find({
      ...(who.email !== undefined ? { email_key: emailKey(who.email) } : { phone, phone_verified_at: { $ne: null } }),
      status: 'active',
      ...(under.account_id !== undefined && { account_id: new Types.ObjectId(under.account_id) })
    } as never, null, crossTenant('login finds a person by mail address')).sort({ last_login_at: -1, _id: 1 }).limit(200).lean() as UserRow[]
    const known = await places(rows.map(row => row.account_id), parent)
    return rows.map(user => ({ user, account: known.get(user.account_id.toHexString())! })).filter(({ account }) => account !== undefined).slice(0, max)
  }

  async function byId (id: string | Types.ObjectId): Promise<UserRow | null> {
    return await users.findOne({ _id: id } as never, null, crossTenant('a session names its user')).lean() as UserRow | null
  }

  return { find, byId, rootOf }
}
export type People = ReturnType<typeof createPeople>
