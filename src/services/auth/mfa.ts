import { randomInt } from 'node:crypto'
import type { Actor } from '../kit.js'
import { AuthError } from './errors.js'
import type { People } from './people.js'
import type { Sessions } from './sessions.js'
import type { Throttle } from './throttle.js'
import { matchTotp, newTotpSecret } from './totp.js'
import { hashToken } from './tokens.js'
import { settingsOf, type AccountRow, type AuthContext, type Session, type UserRow } from './types.js'

const SIGNS = '23456789ABCDEFGHJKMNPQRSTVWXYZ'
const CODES = 10
const STEP_UP_S = 300
type Answer = { code?: string, recovery_code?: string }

const newCodes = () => Array.from({ length: CODES }, () => Array.from({ length: 10 }, () => SIGNS[randomInt(SIGNS.length)]).join(''))
const codeHash = (user: Pick<UserRow, '_id'>, code: string) => hashToken(`${user._id.toHexString()}:${code.replace(/[\s-]/g, '').toUpperCase()}`)

/** Second factor: TOTP with recovery codes, and proving the password again for what matters. */
export function createMfa (context: AuthContext, people: People, sessions: Sessions, throttle: Throttle) {
  const { platform, users, passwords, tokens, seal, unseal } = context
  const { clock, transactions, events, invalidation, config } = platform
  const mine = (user: Pick<UserRow, '_id' | 'account_id'>) => ({ account_id: user.account_id, _id: user._id })

  async function self (actor: Actor): Promise<UserRow> {
    const user = await people.byId(actor.userId)
    if (user === null) throw AuthError.USER_NOT_FOUND()
    return user
  }

  /** Uses a code up: of two answers with the same code one is right. */
  async function useCode (user: UserRow, { code, recovery_code: recovery }: Answer, tx: Session): Promise<boolean> {
    if (recovery !== undefined) {
      const hash = codeHash(user, recovery)
      const { modifiedCount } = await users.updateOne({ ...mine(user), 'mfa.recovery_hashes': hash } as never, { $pull: { 'mfa.recovery_hashes': hash } } as never, { session: tx })
      if (modifiedCount === 1) {
        await events.emit({
          type: 'auth.recovery_code_used',
          actor: { type: 'user', userId: user._id.toHexString(), accountId: user.account_id.toHexString(), parentAccount: null, requestId: '' },
          resource: { type: 'user', id: user._id.toHexString() },
          data: { user_id: user._id.toHexString() }
        }, tx)
      }
      return modifiedCount === 1
    }
    const sealed = user.mfa?.totp_secret
    const step = typeof sealed !== 'string' || code === undefined ? null : matchTotp(unseal(sealed), code, clock.now(), user.mfa?.last_step ?? null)
    if (step === null) return false
    const { modifiedCount } = await users.updateOne(
      { ...mine(user), $or: [{ 'mfa.last_step': null }, { 'mfa.last_step': { $lt: step } }] } as never, { $set: { 'mfa.last_step': step } } as never, { session: tx }
    )
    return modifiedCount === 1
  }

  async function requiredBy (actor: Actor): Promise<boolean> {
    const account = actor.accountId === '' ? null : await sessions.accountById(actor.accountId)
    if (account === null) return false
    const parent = account.parent_account === null ? null : await sessions.accountById(account.parent_account)
    return demands(account) ?? (parent === null ? undefined : demands(parent)) ?? false
  }
  const demands = (account: AccountRow) => settingsOf(account).security?.require_mfa

  async function get (actor: Actor) {
    const user = await self(actor)
    const enabled = user.mfa?.totp_enabled === true
    return { enabled, methods: enabled ? ['totp' as const, 'recovery_code' as const] : [], recovery_codes_left: user.mfa?.recovery_hashes.length ?? 0, required: await requiredBy(actor) }
  }

  /** A secret that is not active yet. @throws MFA_ALREADY_ENABLED */
  async function begin (actor: Actor) {
    const user = await self(actor)
    if (user.mfa?.totp_enabled === true) throw AuthError.MFA_ALREADY_ENABLED()
    const secret = newTotpSecret()
    await users.updateOne(mine(user), { $set: { mfa: { totp_enabled: false, totp_secret: seal(secret), last_step: null, recovery_hashes: [],
      enabled_at: null } } })
    const issuer = encodeURIComponent(new URL(config.publicUrl).hostname)
    return { secret, otpauth_url: `otpauth://totp/${issuer}:${encodeURIComponent(user.email ?? user.name)}?secret=${secret}&issuer=${issuer}&algorithm=SHA1&digits=6&period=30` }
  }

  const note = (actor: Actor, type: string, tx: Session) => events.emit({ type, actor, resource: { type: 'user', id: actor.userId }, data: { user_id: actor.userId } }, tx)

  async function enable (actor: Actor, code: string): Promise<string[]> {
    const user = await self(actor)
    if (user.mfa?.totp_enabled === true) throw AuthError.MFA_ALREADY_ENABLED()
    await throttle.enter(`mfa:${actor.userId}`, 'self')
    const codes = newCodes()
    await transactions.run(async tx => {
      if (!await useCode(user, { code }, tx)) throw AuthError.MFA_CODE_INVALID()
      await users.updateOne(mine(user), { $set: { 'mfa.totp_enabled': true, 'mfa.enabled_at': clock.now(), 'mfa.recovery_hashes': codes.map(one => codeHash(user, one)) } } as never, { session: tx })
      await invalidation.invalidate('access.users', actor.userId, tx)
      await note(actor, 'auth.mfa_enabled', tx)
    })
    await throttle.good(`mfa:${actor.userId}`, 'self')
    return codes
  }

  async function disable (actor: Actor): Promise<void> {
    const user = await self(actor)
    if (await requiredBy(actor)) throw AuthError.MFA_REQUIRED_BY_ACCOUNT()
    await transactions.run(async tx => {
      const was = user.mfa?.totp_enabled === true
      await users.updateOne(mine(user), { $set: { mfa: { totp_enabled: false, totp_secret: null, last_step: null, recovery_hashes: [],
        enabled_at: null } } }, { session: tx })
      await invalidation.invalidate('access.users', actor.userId, tx)
      if (was) await note(actor, 'auth.mfa_disabled', tx)
    })
  }

  /** @throws MFA_NOT_ENABLED */
  async function renewCodes (actor: Actor): Promise<string[]> {
    const user = await self(actor)
    const codes = newCodes()
    const { modifiedCount } = await users.updateOne(
      { ...mine(user), 'mfa.totp_enabled': true } as never, { $set: { 'mfa.recovery_hashes': codes.map(one => codeHash(user, one)) } } as never)
    if (modifiedCount === 0) throw AuthError.MFA_NOT_ENABLED()
    return codes
  }

  /** Proves the password (and the code) again. @throws INVALID_CREDENTIALS, MFA_CODE_INVALID, TOO_MANY_ATTEMPTS */
  async function stepUp (actor: Actor, { password, code }: { password: string, code?: string }, ip: string) {
    const user = await self(actor)
    await throttle.enter(`step-up:${actor.userId}`, ip)
    if (!await passwords.verify(user.password_hash, password)) throw AuthError.INVALID_CREDENTIALS()
    if (user.mfa?.totp_enabled === true && !await transactions.run(tx => useCode(user, { code: code ?? '' }, tx))) throw AuthError.MFA_CODE_INVALID()
    await throttle.good(`step-up:${actor.userId}`, ip)
    return { step_up_token: tokens.makeToken('step_up', { userId: actor.userId }, STEP_UP_S), expires_in: STEP_UP_S }
  }

  return { get, begin, enable, disable, renewCodes, stepUp, useCode }
}
export type Mfa = ReturnType<typeof createMfa>
