import type { ClientSession } from 'mongoose'
import type { UserRow } from '../../models/users.js'
import type { Preferences } from '../../schemas/users.js'
import type { MyChange, PreferencesChange } from '../../schemas/users-self.js'
import type { NewAvailability } from '../../schemas/users.js'
import { CommonError, type Actor } from '../kit.js'
import { availabilityState, isTimeZone } from './availability.js'
import { createCodes } from './codes.js'
import { UserError } from './errors.js'
import type { Post } from './mails.js'
import { isDuplicate, oid, type People } from './people.js'
import { NO_PREFERENCES } from './team.js'
import type { Deps } from './types.js'

const HOUR = 3_600_000
const SEEN_EVERY = 60_000
type Kind = 'email_change' | 'phone_change'

export function createSelf (deps: Deps, people: People, post: Post) {
  const { platform, users, auth } = deps
  const { clock, ids, transactions, config, events } = platform
  const codes = createCodes(deps)
  const seenAt = new Map<string, number>()

  /** The own row; notes at most once a minute that the person is here. */
  async function me (actor: Actor): Promise<UserRow> {
    const row = await people.self(actor)
    const now = clock.now()
    if (now.getTime() - Math.max(row.last_seen_at?.getTime() ?? 0, seenAt.get(actor.userId) ?? 0) > SEEN_EVERY) {
      if (seenAt.size > 50_000) seenAt.clear()
      seenAt.set(actor.userId, now.getTime())
      await users.updateOne({ account_id: row.account_id, _id: row._id }, { $set: { last_seen_at: now } })
    }
    return row
  }

  const checkZone = (zone: string | null | undefined, path: string): void => {
    if (zone !== undefined && zone !== null && !isTimeZone(zone)) {
      throw CommonError.VALIDATION_FAILED().with({ errors: [{ path, message: 'is not a time zone', code: 'time_zone' }] })
    }
  }

  async function update (actor: Actor, change: MyChange): Promise<UserRow> {
    checkZone(change.time_zone, 'body.time_zone')
    const before = await people.self(actor)
    return transactions.run(session => people.write(actor, before, change as Partial<UserRow>, { type: 'user.updated' }, session))
  }

  const preferencesOf = (row: UserRow): Preferences => ({ ...NO_PREFERENCES, ...row.preferences })
  const preferences = async (actor: Actor) => preferencesOf(await people.self(actor))
  async function setPreferences (actor: Actor, change: PreferencesChange): Promise<Preferences> {
    const before = await people.self(actor)
    const next = { ...preferencesOf(before), ...change }
    return preferencesOf(await transactions.run(session => people.write(actor, before, { preferences: next }, { type: 'user.updated' }, session)))
  }

  async function readAnnouncement (actor: Actor, id: string): Promise<void> {
    if (!await deps.ports.announcement(id, actor.accountId)) throw CommonError.NOT_FOUND()
    const row = await people.self(actor)
    await users.updateOne({ account_id: row.account_id, _id: row._id }, { $addToSet: { announcements_read: oid(id) } } as never)
  }

  // ---------------------------------------------------------------- mail and phone

  async function start (actor: Actor, kind: Kind, value: string): Promise<Date> {
    const row = await people.self(actor)
    const expires = new Date(clock.now().getTime() + codes.TTL)
    await transactions.run(async session => {
      const { code, id } = await codes.make(kind, row, { value }, session)
      if (kind === 'phone_change') return post.text(value, `Your code is ${code}.`, actor.accountId, `code:${id}`, session)
      await post.letter({ to: value, accountId: row.account_id.toHexString(), subject: 'Confirm your new address', dedupeId: `code:${id}`, lines: ['Your code, valid for ten minutes:', code], requestId: actor.requestId }, session)
    })
    return expires
  }

  /** @throws CODE_INVALID, USER_EXISTS when another person of the account has the address by now */
  async function verify (actor: Actor, kind: Kind, code: string): Promise<UserRow> {
    const before = await people.self(actor)
    const grant = await codes.check(kind, before, code)
    const value = String(grant.data.value)
    try {
      return await transactions.run(async session => {
        if (!await auth.grants.use(grant._id, session)) throw UserError.CODE_INVALID()
        if (kind === 'email_change') return changeEmail(actor, before, value, session)
        return people.write(actor, before, { phone: value, phone_verified_at: clock.now() }, { type: 'user.phone_changed', data: { from: before.phone, to: value } }, session)
      })
    } catch (error) {
      if (isDuplicate(error)) throw UserError.USER_EXISTS().because(error)
      throw error
    }
  }

  async function changeEmail (actor: Actor, before: UserRow, email: string, session: ClientSession): Promise<UserRow> {
    const after = await people.write(actor, before, { email }, { type: 'user.email_changed', data: { from: before.email, to: email } }, session)
    if (before.email === null) return after
    const token = `undo_${ids.token(32)}`
    await auth.grants.make({ kind: 'email_change', userId: before._id, accountId: before.account_id, data: { undo: before.email, to: email }, ttl: 72 * HOUR, secret: token }, session)
    await post.letter({
      to: before.email,
      accountId: before.account_id.toHexString(),
      subject: 'Your address was changed',
      dedupeId: `email-notice:${token.slice(5, 20)}`,
      requestId: actor.requestId,
      lines: [`Your sign-in address is now ${email}.`, 'Was it not you? Take it back within 72 hours:', `${config.publicUrl}/undo-email?token=${token}`]
    }, session)
    return after
  }

  /** Restores the address before and ends every session. @throws CODE_INVALID, USER_EXISTS */
  async function undoEmail (token: string, requestId: string): Promise<void> {
    const grant = token.startsWith('undo_') ? await auth.grants.find('email_change', token) : null
    const { user_id: userId, account_id: accountId } = grant ?? {}
    if (grant === null || userId === null || userId === undefined || accountId === null || accountId === undefined) throw UserError.CODE_INVALID()
    const before = await people.find(accountId.toHexString(), userId.toHexString())
    const actor = { ...SYSTEM, userId: userId.toHexString(), accountId: accountId.toHexString(), requestId }
    try {
      await transactions.run(async session => {
        if (!await auth.grants.use(grant._id, session)) throw UserError.CODE_INVALID()
        await people.write(actor, before, { email: String(grant.data.undo) }, { type: 'user.email_changed', data: { from: before.email, to: grant.data.undo } }, session)
        await people.signOut(before, 'email_restored', session)
      })
    } catch (error) {
      if (isDuplicate(error)) throw UserError.USER_EXISTS().because(error)
      throw error
    }
  }

  async function removePhone (actor: Actor): Promise<UserRow> {
    const before = await people.self(actor)
    return transactions.run(session => people.write(actor, before, { phone: null, phone_verified_at: null }, { type: 'user.phone_changed', data: { from: before.phone, to: null } }, session))
  }

  // ---------------------------------------------------------------- availability

  const availability = async (actor: Actor, id: string) => shown(await people.find(actor.accountId, id))
  const shown = (row: UserRow) => ({
    time_zone: row.availability?.time_zone ?? row.time_zone,
    days: row.availability?.days ?? [],
    absences: row.availability?.absences ?? [],
    availability_state: availabilityState(row, clock.now())
  })

  /** @throws AVAILABILITY_INVALID, INVALID_REFERENCE for a delegate who is not an active person of the account */
  async function setAvailability (actor: Actor, id: string, change: NewAvailability) {
    if (id !== actor.userId && !(actor.permissions.has('admin') && actor.can('users.update'))) throw UserError.USER_NOT_FOUND()
    const before = await people.find(actor.accountId, id)
    checkHours(change)
    await checkDelegates(actor, id, change)
    const { days, absences } = shown(before)
    const next = {
      time_zone: change.time_zone !== undefined ? change.time_zone : before.availability?.time_zone ?? null,
      days: change.days ?? days,
      absences: change.absences === undefined
        ? absences
        : change.absences.map(({ from, to, delegate = null }) => ({ from: new Date(from), to: new Date(to), delegate: delegate === null ? null : oid(delegate) }))
    }
    return shown(await transactions.run(session => people.write(actor, before, { availability: next as UserRow['availability'] }, { type: 'user.availability_changed' }, session)))
  }

  function checkHours ({ days = [], absences = [], time_zone: zone }: NewAvailability): void {
    if (zone !== undefined && zone !== null && !isTimeZone(zone)) throw UserError.AVAILABILITY_INVALID('the time zone is not known')
    for (const { from, to } of days) if (from >= to) throw UserError.AVAILABILITY_INVALID('hours end after they begin')
    for (const a of days) for (const b of days) if (a !== b && a.day === b.day && a.from < b.to && b.from < a.to) throw UserError.AVAILABILITY_INVALID('hours of a day overlap')
    for (const { from, to } of absences) if (Date.parse(from) >= Date.parse(to)) throw UserError.AVAILABILITY_INVALID('an absence ends after it begins')
  }

  async function checkDelegates (actor: Actor, id: string, { absences = [] }: NewAvailability): Promise<void> {
    const delegates = [...new Set(absences.flatMap(({ delegate }) => delegate === undefined || delegate === null ? [] : [delegate]))]
    if (delegates.length === 0) return
    if (delegates.includes(id)) throw UserError.AVAILABILITY_INVALID('nobody stands in for himself')
    const known = await users.countDocuments({ account_id: oid(actor.accountId), _id: { $in: delegates.map(oid) }, status: 'active' })
    if (known !== delegates.length) throw CommonError.INVALID_REFERENCE('absences.delegate')
  }

  return { me, update, preferences, setPreferences, readAnnouncement, start, verify, undoEmail, removePhone, availability, setAvailability, events }
}
export type Self = ReturnType<typeof createSelf>

const SYSTEM: Actor = {
  type: 'user', userId: '', accountId: '', parentAccount: null, role: 'user', isOwner: false, permissions: new Set(), can: () => false, requestId: ''
}
