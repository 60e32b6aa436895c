import type { ClientSession, Types } from 'mongoose'
import type { AccountRow } from '../../models/accounts.js'
import type { UserRow } from '../../models/users.js'
import type { NewBusiness } from '../../schemas/accounts.js'
import type { NewInvite, NewOwner, NewProjectAccount, OwnerChange } from '../../schemas/accounts-invites.js'
import { AuthError } from '../auth/errors.js'
import { hashToken } from '../auth/tokens.js'
import { CommonError, type Actor } from '../kit.js'
import { emailKeyOf, fullName, newUserRow, termsOf } from '../users/row.js'
import type { Business } from './business.js'
import { hex, named, oid, type AccountDeps, type Core } from './core.js'
import { AccountError } from './errors.js'
import { mails } from './mails.js'
import { newAccountRow, searchKeysOf } from './row.js'

const DAY = 86_400_000
const LIFE = 7 * DAY
const BETWEEN = 60_000
const PER_DAY = 5
type Invited = { account: AccountRow, user: UserRow | null, invite_link: string | null, expires_at: Date | null }
type Either = { business_id?: string, business?: NewBusiness }

export function createInvites (deps: AccountDeps, core: Core) {
  const { platform, accounts, users, contacts, plans, work, tokens } = deps
  const { clock, ids, transactions, queues } = platform
  const children = (main: Types.ObjectId) => () => accounts.countDocuments({ parent_account: main, status: { $ne: 'archived' } }).exec()
  const link = (main: AccountRow, token: string) => `${core.baseUrl(main)}/v1/accounts/accept-invite?token=${token}`

  async function businessOf (main: Types.ObjectId, { business_id: id, business }: Either, session: ClientSession): Promise<Business> {
    if ((id === undefined) === (business === undefined)) {
      throw CommonError.VALIDATION_FAILED().with({ errors: [{ path: 'body.business', message: 'needs business or business_id, one of them', code: 'exclusive' }] })
    }
    if (business !== undefined) return contacts.upsert({ account_id: main, fields: business }, session)
    const found = await contacts.find({ account_id: main, id: oid(id!) }, session)
    if (found === null) throw CommonError.INVALID_REFERENCE('business_id')
    return found
  }

  function freshInvite (accountId: Types.ObjectId, userId: Types.ObjectId, email: string, by: string, before: AccountRow['invite'] | null) {
    const now = clock.now()
    const token = tokens.makeToken('invite', { user_id: hex(userId), account_id: hex(accountId), email }, LIFE / 1_000)
    const invite = {
      token_hash: hashToken(token), sent_at: now, expires_at: new Date(now.getTime() + LIFE), sent_count: (before?.sent_count ?? 0) + 1, by: by === '' ? null : oid(by)
    }
    return { token, invite }
  }

  const ownerRow = (accountId: Types.ObjectId, owner: NewOwner, extra: Partial<UserRow> = {}): UserRow => newUserRow({
    _id: ids.objectId(),
    account_id: accountId,
    first_name: owner.first_name,
    last_name: owner.last_name,
    email: owner.email,
    phone: owner.phone ?? null,
    role: 'owner',
    status: 'invited',
    created_at: clock.now(),
    ...extra
  })
  const ownerCopy = (user: UserRow) => ({ id: user._id, name: user.name, email: user.email, phone: user.phone, avatar: user.image })

  type Plan = { owner?: NewOwner, send: boolean, mail: boolean, message?: string, status?: 'pending' | 'active' }
  /** A sub-account with its owner, in the caller's transaction. */
  async function make (actor: Actor, main: AccountRow, either: Either, { owner, send, mail, message }: Plan, session: ClientSession): Promise<Invited> {
    const business = await businessOf(main._id, either, session)
    // Asked first: a duplicate key inside the transaction would end a batch of others.
    if (await accounts.exists({ business: business.id }).session(session) !== null) throw AccountError.BUSINESS_HAS_ACCOUNT()
    const id = ids.objectId()
    const user = owner === undefined ? null : ownerRow(id, owner, { created_by: actor.userId === '' ? null : oid(actor.userId) })
    const fresh = send && user !== null ? freshInvite(id, user._id, user.email!, actor.userId, null) : null
    const { fields } = business
    const row = newAccountRow({
      _id: id,
      parent_account: main._id,
      status: 'pending',
      created_at: clock.now(),
      name: fields.name,
      email: fields.email ?? owner?.email ?? null,
      phone: fields.phone ?? owner?.phone ?? null,
      website: fields.website ?? null,
      address: fields.address ?? null,
      social: fields.social ?? null,
      image: fields.image ?? null,
      business: business.id,
      owner: user === null ? null : ownerCopy(user),
      plan: main.plan,
      plan_source: 'parent',
      currency: main.currency,
      time_zone: main.time_zone,
      locale: main.locale,
      affiliate: { code: null, clicks: 0, enabled: false },
      invite: fresh === null ? null : { ...fresh.invite, state: 'sent', email: user!.email! }
    })
    await accounts.create([row], { session })
    if (user !== null) await users.create([{ ...user, invite: fresh?.invite ?? null }], { session })
    await core.announce({ type: 'account.created', actor, row }, session)
    if (fresh !== null) await sent(actor, main, row, user!, fresh.token, mail, message, session)
    return { account: row, user, invite_link: fresh === null ? null : link(main, fresh.token), expires_at: fresh?.invite.expires_at ?? null }
  }

  async function sent (actor: Actor, main: AccountRow, row: AccountRow, user: UserRow, token: string, mail: boolean, message: string | undefined, session: ClientSession): Promise<void> {
    await core.announce({ type: 'account_invite.sent', actor, row, data: { user_id: hex(user._id), email: user.email } }, session)
    if (mail) await core.post(mails.invite(user.email!, user.first_name, link(main, token), main, message, hex(main._id)), session, `invite:${hashToken(token)}`)
  }

  const mainOf = async (actor: Actor, session?: ClientSession) => core.reach(actor, actor.accountId, session)

  /** @throws BUSINESS_HAS_ACCOUNT, USER_EXISTS, INVALID_REFERENCE, PLAN_REQUIRED, PLAN_LIMIT_REACHED */
  async function invite (actor: Actor, input: NewInvite): Promise<Invited> {
    await plans.require(actor)
    if (input.user_only === true) return inviteUser(actor, input)
    await plans.room(actor.accountId, 'sub_accounts', children(oid(actor.accountId)))
    return transactions.run(async session => make(
      actor, await mainOf(actor, session), input, { owner: input.user, send: true, mail: input.send_email ?? true, message: input.message }, session)
    ).catch(named)
  }

  async function inviteUser (actor: Actor, { account_id: id, user, role = 'user', message, send_email: mail = true }: NewInvite): Promise<Invited> {
    if (!actor.can('users.create')) throw AuthError.SCOPE_REQUIRED().with({ data: { required: ['users.create'] } })
    return transactions.run(async session => {
      const target = id === undefined ? null : await accounts.findOne({ _id: oid(id), parent_account: oid(actor.accountId), status: { $in: ['active', 'pending'] } }, null, { session }).lean() as AccountRow | null
      if (target === null) throw CommonError.INVALID_REFERENCE('account_id')
      if (await users.exists({ account_id: target._id, email_key: emailKeyOf(user.email) }).session(session) !== null) throw AccountError.USER_EXISTS()
      await plans.room(target._id, 'users', () => users.countDocuments({ account_id: target._id, status: { $in: ['active', 'invited'] } }).exec())
      const main = await mainOf(actor, session)
      const made = ownerRow(target._id, user, { role, is_owner: false, created_by: oid(actor.userId) })
      const fresh = freshInvite(target._id, made._id, user.email, actor.userId, null)
      await users.create([{ ...made, invite: fresh.invite }], { session })
      await sent(actor, main, target, made, fresh.token, mail, message, session)
      return { account: target, user: made, invite_link: link(main, fresh.token), expires_at: fresh.invite.expires_at }
    }).catch(named)
  }

  /** One row of a bulk invite, in its batch's transaction; the job's plan was checked when it began. */
  const inviteRow = (actor: Actor, input: Either & { owner: NewOwner }): Promise<Invited> => transactions.run(async session => make(
    actor, await mainOf(actor, session), { business: input.business }, { owner: input.owner, send: true, mail: true }, session))

  async function project (actor: Actor, { owner, send_invite: send = false, ...either }: NewProjectAccount): Promise<Invited> {
    await plans.require(actor)
    await plans.room(actor.accountId, 'sub_accounts', children(oid(actor.accountId)))
    return transactions.run(async session => make(actor, await mainOf(actor, session), either, { owner, send, mail: true }, session)).catch(named)
  }

  const openOf = (row: AccountRow) => row.status === 'pending' && row.owner?.id !== null && row.owner?.id !== undefined

  /** @throws ACCOUNT_NOT_FOUND, INVITE_NOT_PENDING, INVITE_TOO_SOON, TOO_MANY_ATTEMPTS */
  async function resend (actor: Actor, id: string, { email, send_email: mail = true }: { email?: string, send_email?: boolean }): Promise<Invited> {
    return transactions.run(async session => {
      const row = await core.child(actor, id, session)
      if (!openOf(row)) throw AccountError.INVITE_NOT_PENDING()
      const now = clock.now().getTime()
      const wait = row.invite === null ? 0 : row.invite.sent_at.getTime() + BETWEEN - now
      if (wait > 0) throw AccountError.INVITE_TOO_SOON().with({ headers: { 'retry-after': String(Math.ceil(wait / 1_000)) } })
      const day = row.invite !== null && now - row.invite.sent_at.getTime() < DAY ? row.invite : null
      if ((day?.sent_count ?? 0) > PER_DAY) throw AccountError.TOO_MANY_ATTEMPTS().with({ headers: { 'retry-after': String(DAY / 1_000) } })
      const before = await users.findOne({ account_id: row._id, _id: row.owner!.id }, null, { session }).lean() as UserRow
      const user = { ...before, ...(email !== undefined && { email, email_key: emailKeyOf(email) }) }
      const fresh = freshInvite(row._id, user._id, user.email!, actor.userId, day)
      await users.updateOne({ account_id: row._id, _id: user._id }, {
        $set: { invite: fresh.invite, email: user.email, email_key: user.email_key, search_terms: termsOf(user), updated_at: clock.now() }
      }, { session })
      const account = await saveOwner(row, user, { invite: { ...fresh.invite, state: 'sent', email: user.email! } }, session)
      const main = await mainOf(actor, session)
      await sent(actor, main, account, user, fresh.token, mail, undefined, session)
      return { account, user, invite_link: link(main, fresh.token), expires_at: fresh.invite.expires_at }
    })
  }

  async function saveOwner (row: AccountRow, user: UserRow, set: Partial<AccountRow>, session: ClientSession): Promise<AccountRow> {
    const owner = ownerCopy(user)
    return await accounts.findOneAndUpdate(
      { _id: row._id }, { $set: { ...set, owner, search_keys: searchKeysOf({ ...row, owner }), updated_at: clock.now() } }, { session, returnDocument: 'after' }
    ).lean() as AccountRow
  }

  /** An account that nothing hangs on is removed with its owner; of any other only the link dies. @throws ACCOUNT_NOT_FOUND, INVITE_NOT_PENDING */
  async function cancel (actor: Actor, id: string): Promise<'removed' | 'kept'> {
    return transactions.run(async session => {
      const row = await core.child(actor, id, session)
      if (row.status !== 'pending' || row.invite === null || row.invite.state === 'accepted' || row.invite.state === 'cancelled') throw AccountError.INVITE_NOT_PENDING()
      const people = await users.countDocuments({ account_id: row._id }).session(session)
      const kept = row.has_orders === true || people > 1 || await work.touched(row._id)
      if (kept) {
        await accounts.updateOne({ _id: row._id }, { $set: { 'invite.state': 'cancelled', 'invite.token_hash': null, updated_at: clock.now() } }, { session })
        await users.updateMany({ account_id: row._id, status: 'invited', is_owner: true }, { $set: { invite: null } }, { session })
      } else {
        await users.deleteMany({ account_id: row._id }, { session })
        await accounts.deleteOne({ _id: row._id, status: 'pending' }, { session })
        if (row.business !== null) await contacts.free({ account_id: row.parent_account!, id: row.business }, session)
      }
      await core.announce({ type: 'account_invite.cancelled', actor, row, data: { user_id: row.owner?.id ?? null, email: row.invite.email } }, session)
      return kept ? 'kept' : 'removed'
    })
  }

  /** @throws ACCOUNT_NOT_FOUND, ACCOUNT_STATE_INVALID for the mail address of an owner who is active */
  async function updateOwner (actor: Actor, id: string, change: OwnerChange): Promise<AccountRow> {
    return transactions.run(async session => {
      const row = await core.child(actor, id, session)
      const before = row.owner?.id === null || row.owner?.id === undefined ? null : await users.findOne({ account_id: row._id, _id: row.owner.id }, null, { session }).lean() as UserRow | null
      if (before === null) {
        const { first_name: first, last_name: last, email } = change
        if (first === undefined || last === undefined || email === undefined) {
          throw CommonError.VALIDATION_FAILED().with({ errors: [{ path: 'body', message: 'a new owner needs first_name, last_name and email', code: 'required' }] })
        }
        const user = ownerRow(row._id, { first_name: first, last_name: last, email, phone: change.phone }, { created_by: oid(actor.userId) })
        await users.create([user], { session })
        return tell(actor, await saveOwner(row, user, {}, session), session)
      }
      if (change.email !== undefined && change.email !== before.email && before.status === 'active') throw AccountError.ACCOUNT_STATE_INVALID()
      const next = { ...before, ...change }
      const user = { ...next, name: fullName(next), email_key: emailKeyOf(next.email) }
      await users.updateOne({ account_id: row._id, _id: user._id }, {
        $set: {
          first_name: user.first_name, last_name: user.last_name, name: user.name, email: user.email, email_key: user.email_key, phone: user.phone, search_terms: termsOf(user), updated_at: clock.now()
        }
      }, { session })
      return tell(actor, await saveOwner(row, user, {}, session), session)
    })
  }

  const tell = async (actor: Actor, row: AccountRow, session: ClientSession) => {
    await core.announce({ type: 'account.updated', actor, row, changed: { owner: { old: null, new: row.owner?.name ?? null } } }, session)
    return row
  }

  /** What an invite's link shows; changes nothing, however often it is followed. @throws LINK_INVALID */
  async function look (token: string) {
    const claims = tokens.readToken<{ user_id: string, account_id: string }>('invite', token)
    const user = claims === null
      ? null
      : await users.findOne({ account_id: oid(claims.account_id), _id: oid(claims.user_id), status: 'invited', 'invite.token_hash': hashToken(token) } as never).lean()
    if (user === null) throw AccountError.LINK_INVALID()
    const row = await accounts.findById(user.account_id).lean() as AccountRow | null
    if (row === null || row.status === 'archived' || row.status === 'suspended') throw AccountError.LINK_INVALID()
    const main = await core.parentOf(row)
    return { data: { valid: true, email: user.email ?? '', account_name: row.name, branding: main.branding ?? {} }, page: `${core.baseUrl(main)}/set-password?token=${encodeURIComponent(token)}` }
  }

  /** Called in the transaction that sets an invited owner's password: the pending account begins. */
  async function accepted ({ account_id: accountId, user_id: userId }: { account_id: Types.ObjectId, user_id: Types.ObjectId }, session: ClientSession): Promise<void> {
    const row = await accounts.findOneAndUpdate(
      { _id: accountId, status: { $in: ['pending', 'active'] }, 'owner.id': userId, 'invite.state': { $in: ['sent', 'opened'] } },
      { $set: { status: 'active', 'invite.state': 'accepted', 'invite.token_hash': null, updated_at: clock.now() } }, { session, returnDocument: 'after' }
    ).lean() as AccountRow | null
    if (row === null) return
    await queues.add({ source: 'account-setup', accountId: hex(row._id), parentAccount: hex(row.parent_account!), referenceId: hex(row._id), dedupeKey: hex(row._id) }, session)
    await core.announce({ type: 'account.activated', actor: 'system', row }, session)
    await core.announce({ type: 'account_invite.accepted', actor: 'system', row, data: { user_id: hex(userId), email: row.invite?.email } }, session)
  }

  return { invite, inviteRow, project, resend, cancel, updateOwner, look, accepted, make, ownerRow, ownerCopy }
}
export type Invites = ReturnType<typeof createInvites>
