import { randomInt } from 'node:crypto'
import { Types, type ClientSession } from 'mongoose'
import type { AccountModel, AccountRow, PublicRequestModel, SignupCodeModel } from '../../models/accounts.js'
import type { UserModel } from '../../models/users.js'
import type { EndSessions, OpenSession, SessionAnswerRow } from '../auth/index.js'
import type { KindTokens } from '../auth/tokens.js'
import { CommonError, type Actor } from '../kit.js'
import type { OutgoingMail } from '../mail/index.js'
import type { Platform } from '../platform.js'
import type { BusinessContacts } from './business.js'
import { AccountError } from './errors.js'
import type { Plans } from './plans.js'

export type { Client } from '../auth/index.js'
/** What the selling modules know of an account: running subscriptions, and whether anything of theirs hangs on it. */
export type AccountWork = {
  runningSubscriptions (accountId: Types.ObjectId): Promise<string[]>
  /** orders, subscriptions or files of the account */
  touched (accountId: Types.ObjectId): Promise<boolean>
}
export type SetupAccount = (input: { account_id: Types.ObjectId }, session: ClientSession) => Promise<void>

export type AccountDeps = {
  platform: Platform
  accounts: AccountModel
  users: UserModel
  codes: SignupCodeModel
  requests: PublicRequestModel
  plans: Plans
  contacts: BusinessContacts
  work: AccountWork
  tokens: KindTokens
  reserved: ReadonlySet<string>
  hashPassword (password: string): Promise<string>
  openSession (open: OpenSession, session?: ClientSession): Promise<SessionAnswerRow>
  endSessions (who: EndSessions, session: ClientSession): Promise<unknown>
}

export const oid = (id: string) => new Types.ObjectId(id)
export const hex = (id: Types.ObjectId) => id.toHexString()
/** Crockford base32, and the affiliate codes' alphabet: nothing that looks like something else. */
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const CLEAR = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789'
const draw = (letters: string, length: number) => Array.from({ length }, () => letters[randomInt(letters.length)]!).join('')
export const signupCode = () => draw(LETTERS, 10)
export const affiliateCode = () => draw(CLEAR, 8)
export const foldCode = (code: string) => code.toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1').replace(/[\s-]/g, '')

/** @throws VALIDATION_FAILED for a zone that nobody knows */
export function checkTimeZone (zone: string | undefined): void {
  if (zone === undefined) return
  try {
    Intl.DateTimeFormat('en-US', { timeZone: zone })
  } catch {
    throw CommonError.VALIDATION_FAILED().with({ errors: [{ path: 'body.time_zone', message: 'is not a time zone', code: 'time_zone' }] })
  }
}

const isDuplicateOf = (error: unknown, field: string): boolean => {
  const { code, keyPattern } = error as { code?: number, keyPattern?: Record<string, unknown> }
  return code === 11000 && keyPattern !== undefined && field in keyPattern
}
/** Says what a taken unique key means. */
export function named (error: unknown): never {
  if (isDuplicateOf(error, 'business')) throw AccountError.BUSINESS_HAS_ACCOUNT()
  if (isDuplicateOf(error, 'domain.dashclicks')) throw AccountError.LABEL_TAKEN()
  if (isDuplicateOf(error, 'email_key')) throw AccountError.USER_EXISTS()
  throw error
}

/** What every act of the module shares: finding accounts, their hosts, events, mails. */
export function createCore ({ platform, accounts }: Pick<AccountDeps, 'platform' | 'accounts'>) {
  const { config, events, outbox, ids, invalidation } = platform

  /** @throws ACCOUNT_NOT_FOUND for everything but the own account and its children */
  async function reach (actor: Actor, id: string, session?: ClientSession): Promise<AccountRow> {
    const mine = oid(actor.accountId)
    const row = await accounts.findOne({ _id: oid(id), $or: [{ _id: mine }, { parent_account: mine }] }, null, { session }).lean()
    if (row === null) throw AccountError.ACCOUNT_NOT_FOUND()
    return row as AccountRow
  }

  async function child (actor: Actor, id: string, session?: ClientSession): Promise<AccountRow> {
    const row = await accounts.findOne({ _id: oid(id), parent_account: oid(actor.accountId) }, null, { session }).lean()
    if (row === null) throw AccountError.ACCOUNT_NOT_FOUND()
    return row as AccountRow
  }

  const parentOf = async (row: AccountRow, session?: ClientSession): Promise<AccountRow> =>
    row.parent_account === null ? row : await accounts.findById(row.parent_account, null, { session }).lean() as AccountRow

  /** Where the people of an account go: its custom host once verified, else its label, else the platform. */
  function baseUrl (main: Pick<AccountRow, 'domain'>, verifiedHost: string | null = null): string {
    if (verifiedHost !== null) return `https://${verifiedHost}`
    const url = new URL(config.publicUrl)
    const label = main.domain?.dashclicks
    if (typeof label !== 'string' || /^[\d.:[\]]+$/.test(url.hostname)) return config.publicUrl
    url.hostname = `${label}.${url.hostname}`
    return url.toString().replace(/\/+$/, '')
  }

  const post = (mail: OutgoingMail, session: ClientSession, dedupeId: string = ids.uuid()) => outbox.add([{ topic: 'mail', key: mail.to[0]!.email, dedupeId, payload: mail }], session)

  type Said = { type: string, actor: Actor | 'system' | 'visitor', row: Pick<AccountRow, '_id' | 'name' | 'status' | 'parent_account'>, data?: Record<string, unknown>, changed?: Record<string, { old: unknown, new: unknown }> }
  /** The event, the dashboards of the account and of the one above, and the caches. */
  async function announce ({ type, actor, row, data = {}, changed }: Said, session: ClientSession): Promise<void> {
    const id = hex(row._id)
    const parent = row.parent_account === null ? null : hex(row.parent_account)
    await events.emit({
      type,
      actor,
      accountId: parent ?? id,
      resource: { type: type.split('.')[0]!, id },
      data: { parent_account: parent, name: row.name, status: row.status, account_id: id, ...data },
      ...(changed !== undefined && { changed })
    }, session)
    await outbox.add([id, ...(parent === null ? [] : [parent])].map(accountId => ({
      topic: 'socket',
      key: accountId,
      dedupeId: ids.uuid(),
      accountId,
      payload: { event: 'account_updated', accountId, data: { id, type } },
      expiresAt: new Date(platform.clock.now().getTime() + 3_600_000)
    })), session)
    await invalidation.invalidate('access.accounts', id, session)
  }

  return { reach, child, parentOf, baseUrl, post, announce }
}
export type Core = ReturnType<typeof createCore>
