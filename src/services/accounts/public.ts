import type { Types } from 'mongoose'
import type { AccountRow, PublicRequestRow } from '../../models/accounts.js'
import { crossTenant } from '../../models/define.js'
import type { NewProfile, RequestQuery } from '../../schemas/accounts-invites.js'
import { checkPassword } from '../auth/index.js'
import { hashToken } from '../auth/tokens.js'
import { fold } from '../filters/terms.js'
import type { Actor } from '../kit.js'
import { createLister } from '../resource/list.js'
import { hex, named, oid, type AccountDeps, type Core } from './core.js'
import { AccountError } from './errors.js'
import type { Invites } from './invites.js'
import { mails } from './mails.js'

const HOUR = 3_600_000
const LIFE = 48 * HOUR
const UNDECIDED = 30 * 24 * HOUR
const BETWEEN = 60_000
const PER_DAY = 5
const HIDDEN = { token_hash: 0, password_hash: 0, email_key: 0 } as const
const BY_TOKEN = crossTenant('a visitor is known by the token of the request alone')
const BY_ID = crossTenant('a visitor asks for the mail of a request again')
const EXPIRING = crossTenant('requests of all accounts expire')

export function createPublicRequests (deps: AccountDeps, core: Core, invites: Invites) {
  const { platform, accounts, users, requests, tokens } = deps
  const { clock, ids, transactions, events, queues, jobs } = platform
  const lister = createLister<PublicRequestRow>({ model: requests as never, sortable: { created_at: 'created_at', email: 'email' }, defaultSort: '-created_at', projection: HIDDEN })

  async function agency (filter: object): Promise<AccountRow | null> {
    const row = await accounts.findOne({ ...filter, parent_account: null, status: 'active', banned: false } as never).lean() as AccountRow | null
    return row?.settings?.public_signup?.enabled === true ? row : null
  }

  const fresh = (accountId: Types.ObjectId, email: string) => tokens.makeToken('public_request', { account_id: hex(accountId), email }, LIFE / 1_000)
  const letter = (main: AccountRow, email: string, token: string) => mails.publicRequest(email, `${core.baseUrl(main)}/v1/accounts/verify-public-invite?token=${token}`, main)

  /** The same answer whether or not there is such an agency, and whether or not it takes clients in. */
  async function ask ({ email, parent_account: id, host }: { email: string, parent_account?: string, host?: string }): Promise<{ sent: true }> {
    const main = id !== undefined
      ? await agency({ _id: oid(id) })
      : host === undefined ? null : await agency({ $or: [{ 'domain.custom': host.toLowerCase() }, { 'domain.dashclicks': host.toLowerCase().split('.')[0] }] })
    if (main === null) return { sent: true }
    const emailKey = email.trim().toLowerCase()
    await transactions.run(async session => {
      const open = await requests.findOne({ account_id: main._id, email_key: emailKey, open: true }, null, { session }).lean() as PublicRequestRow | null
      if (open !== null) return
      const now = clock.now()
      const token = fresh(main._id, email.trim())
      await requests.create([{
        _id: ids.objectId(),
        account_id: main._id,
        email: email.trim(),
        email_key: emailKey,
        status: 'unverified',
        open: true,
        token_hash: hashToken(token),
        profile: null,
        password_hash: null,
        decided_by: null,
        decided_at: null,
        reason: null,
        created_account: null,
        sent_count: 1,
        sent_at: now,
        day_sent: 1,
        expires_at: new Date(now.getTime() + LIFE),
        created_at: now,
        updated_at: now
      }], { session })
      await core.post(letter(main, email.trim(), token), session)
    })
    return { sent: true }
  }

  async function again (id: string): Promise<{ sent: true }> {
    await transactions.run(async session => {
      const row = await requests.findOne({ _id: oid(id), status: 'unverified', open: true }, null, { session, ...BY_ID }).lean() as PublicRequestRow | null
      const main = row === null ? null : await agency({ _id: row.account_id })
      if (row === null || main === null) return
      const now = clock.now()
      const since = now.getTime() - row.sent_at.getTime()
      const today = since < 24 * HOUR ? row.day_sent : 0
      if (since < BETWEEN || today >= PER_DAY) return
      const token = fresh(main._id, row.email)
      await requests.updateOne({ account_id: row.account_id, _id: row._id }, {
        $set: { token_hash: hashToken(token), sent_at: now, day_sent: today + 1, sent_count: row.sent_count + 1, expires_at: new Date(now.getTime() + LIFE), updated_at: now }
      }, { session })
      await core.post(letter(main, row.email, token), session)
    })
    return { sent: true }
  }

  async function byToken (token: string): Promise<PublicRequestRow | null> {
    const claims = tokens.readToken<{ account_id: string }>('public_request', token)
    return claims === null ? null : await requests.findOne({ account_id: oid(claims.account_id), token_hash: hashToken(token) }).lean() as PublicRequestRow | null
  }

  /** @throws LINK_INVALID */
  async function look (token: string) {
    const row = await byToken(token)
    const main = row?.status === 'unverified' ? await agency({ _id: row.account_id }) : null
    if (row === null || main === null) throw AccountError.LINK_INVALID()
    return { valid: true, email: row.email, parent: { name: main.name, branding: main.branding ?? {} } }
  }

  /** @throws LINK_INVALID, PASSWORD_WEAK, BUSINESS_HAS_ACCOUNT when it is approved at once */
  async function complete ({ token, password, ...profile }: NewProfile): Promise<{ status: 'pending' | 'approved', account_id: Types.ObjectId | null }> {
    const row = await byToken(token)
    const main = row?.status === 'unverified' ? await agency({ _id: row.account_id }) : null
    if (row === null || main === null) throw AccountError.LINK_INVALID()
    await checkPassword(password, { email: row.email, first_name: profile.first_name, last_name: profile.last_name })
    const hash = await deps.hashPassword(password)
    return transactions.run(async session => {
      const now = clock.now()
      const taken = await requests.findOneAndUpdate(
        { account_id: row.account_id, _id: row._id, status: 'unverified' },
        { $set: { status: 'pending', profile, password_hash: hash, expires_at: new Date(now.getTime() + UNDECIDED), updated_at: now } }, { session, returnDocument: 'after' }
      ).lean() as PublicRequestRow | null
      if (taken === null) throw AccountError.LINK_INVALID()
      await say('account_request.created', taken, 'visitor', session)
      if (main.settings?.public_signup?.auto_approve !== true) return { status: 'pending' as const, account_id: null }
      return { status: 'approved' as const, account_id: (await approve(taken, main, null, session)).created_account }
    }).catch(named)
  }

  const say = (type: string, row: PublicRequestRow, actor: Actor | 'visitor' | 'system', session: Parameters<typeof events.emit>[1]) => events.emit({
    type, actor, accountId: hex(row.account_id), resource: { type: 'account_request', id: hex(row._id) }, data: { email: row.email, created_account: row.created_account, reason: row.reason }
  }, session)

  async function approve (row: PublicRequestRow, main: AccountRow, actor: Actor | null, session: Parameters<typeof events.emit>[1]): Promise<PublicRequestRow> {
    const now = clock.now()
    const profile = row.profile as unknown as Omit<NewProfile, 'token' | 'password'>
    const who = actor ?? VISITOR(hex(main._id))
    const made = await invites.make(who, main, { business: profile.business }, {
      owner: { first_name: profile.first_name, last_name: profile.last_name, email: row.email, phone: profile.phone }, send: false, mail: false
    }, session)
    const { _id } = made.account
    await accounts.updateOne({ _id }, { $set: { status: 'active' } }, { session })
    await users.updateOne({ account_id: _id, _id: made.user!._id }, { $set: { status: 'active', password_hash: row.password_hash, password_changed_at: now } }, { session })
    const after = await requests.findOneAndUpdate(
      { account_id: row.account_id, _id: row._id, status: 'pending' },
      { $set: { status: 'approved', open: false, created_account: _id, decided_at: now, decided_by: actor === null ? null : oid(actor.userId), password_hash: null, updated_at: now } },
      { session, returnDocument: 'after' }
    ).lean() as PublicRequestRow | null
    if (after === null) throw AccountError.ALREADY_DECIDED()
    await queues.add({ source: 'account-setup', accountId: hex(_id), parentAccount: hex(main._id), referenceId: hex(_id), dedupeKey: hex(_id) }, session)
    await core.announce({ type: 'account.activated', actor: who, row: { ...made.account, status: 'active' } }, session)
    await say('account_request.approved', after, actor ?? 'visitor', session)
    await core.post(mails.welcome(row.email, profile.first_name, `${core.baseUrl(main)}/login`, main, main.settings?.public_signup?.welcome_text), session)
    return after
  }

  /** @throws REQUEST_NOT_FOUND, ALREADY_DECIDED, PLAN_REQUIRED, BUSINESS_HAS_ACCOUNT */
  async function decide (actor: Actor, id: string, { status, reason }: { status: 'approved' | 'rejected', reason?: string }): Promise<PublicRequestRow> {
    const account = oid(actor.accountId)
    await deps.plans.require(actor)
    return transactions.run(async session => {
      const row = await requests.findOne({ account_id: account, _id: oid(id) }, null, { session }).lean() as PublicRequestRow | null
      if (row === null) throw AccountError.REQUEST_NOT_FOUND()
      if (row.status !== 'pending') throw AccountError.ALREADY_DECIDED()
      const main = await accounts.findById(account, null, { session }).lean() as AccountRow
      if (status === 'approved') return approve(row, main, actor, session)
      const now = clock.now()
      const after = await requests.findOneAndUpdate({ account_id: account, _id: row._id, status: 'pending' }, {
        $set: { status, open: false, reason: reason ?? null, decided_at: now, decided_by: oid(actor.userId), password_hash: null, updated_at: now }
      }, { session, returnDocument: 'after' }).lean() as PublicRequestRow | null
      if (after === null) throw AccountError.ALREADY_DECIDED()
      await say('account_request.rejected', after, actor, session)
      await core.post(mails.rejected(row.email, main, reason ?? null), session)
      return after
    }).catch(named)
  }

  jobs.register({
    name: 'account-requests',
    family: 'QM_ACCOUNTS',
    kind: 'sweep',
    everyMs: 600_000,
    run: async ({ now }) => {
      const { modifiedCount } = await requests.updateMany(
        { open: true, expires_at: { $lte: now } }, { $set: { status: 'expired', open: false, password_hash: null, updated_at: now } }, EXPIRING as never as never
      )
      return { expired: modifiedCount }
    }
  })

  return {
    ask,
    again,
    look,
    complete,
    decide,
    list: (actor: Actor, { page, limit, cursor, sort, q, status }: RequestQuery) => lister.list({
      account_id: oid(actor.accountId), ...(status !== undefined && { status }), ...(q !== undefined && { email_key: { $gte: fold(q), $lt: `${fold(q)}\uffff` } })
    }, { page, limit, cursor, sort }),
    /** @throws REQUEST_NOT_FOUND */
    async state (token: string) {
      const row = await requests.findOne({ token_hash: hashToken(token) } as never, null, BY_TOKEN as never).lean() as unknown as PublicRequestRow | null
      if (row === null) throw AccountError.REQUEST_NOT_FOUND()
      return { status: row.status, email: row.email, reason: row.reason }
    }
  }
}

/** Who acts when nobody is signed in. */
const VISITOR = (accountId: string): Actor => ({
  type: 'system', userId: '', accountId, parentAccount: null, role: 'user', isOwner: false, permissions: new Set(), can: () => false, requestId: 'visitor'
})
