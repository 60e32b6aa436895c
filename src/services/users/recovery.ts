import { setTimeout as sleep } from 'node:timers/promises'
import type { Types } from 'mongoose'
import type { SmsRecovery } from '../../schemas/users-self.js'
import { crossTenant } from '../../models/define.js'
import { hashToken } from '../auth/tokens.js'
import { sameHash, sixDigits } from './codes.js'
import { UserError } from './errors.js'
import type { Post } from './mails.js'
import { oid } from './people.js'
import type { Deps } from './types.js'

const TTL = 10 * 60_000
const HOUR = 3_600_000
const PER_HOUR = 3
const MAX_ACCOUNTS = 20
const ANYWHERE = 'recovery finds people by their verified phone'
type Target = { user: Types.ObjectId, account: Types.ObjectId }

/** Back in by SMS. Whoever asks gets one answer, in one time: known and unknown phones write the same rows. */
export function createRecovery ({ platform, users, accounts, auth, ports }: Deps, post: Post) {
  const { clock, ids, transactions, config, limiter } = platform

  async function floor<T> (work: Promise<T>): Promise<T> {
    const [result] = await Promise.allSettled([work, sleep(config.AUTH_MIN_MS)])
    if (result.status === 'rejected') throw result.reason
    return result.value
  }

  async function targets ({ phone, parent_account: parent, host }: SmsRecovery): Promise<Target[]> {
    const rows = await users.find({ phone, status: 'active', phone_verified_at: { $ne: null } }, { account_id: 1 }, crossTenant(ANYWHERE)).limit(MAX_ACCOUNTS).lean()
    const all = rows.map(({ _id, account_id: account }) => ({ user: _id, account }))
    const root = parent !== undefined ? oid(parent) : host === undefined ? null : await byHost(host)
    if (root === undefined) return []
    if (root === null) return all
    const family = await accounts.find({ _id: { $in: all.map(({ account }) => account) }, $or: [{ _id: root }, { parent_account: root }] }, { _id: 1 }).lean()
    const ours = new Set(family.map(({ _id }) => _id.toHexString()))
    return all.filter(({ account }) => ours.has(account.toHexString()))
  }

  /** Undefined when nobody has the host. */
  async function byHost (host: string): Promise<Types.ObjectId | undefined> {
    const row = await accounts.findOne({ 'domain.dashclicks': host.toLowerCase().split('.')[0] } as never, { _id: 1 }).lean()
    return row?._id
  }

  const windowOf = () => Math.floor(clock.now().getTime() / HOUR)
  const keyOf = (phone: string, nonce: string) => `sms:${phone}:${nonce}`

  async function start (input: SmsRecovery): Promise<void> {
    await floor(send(input))
  }

  /** Silent past three codes in an hour: the answer must not tell. */
  async function send (input: SmsRecovery): Promise<void> {
    const found = await targets(input)
    const verdict = await limiter.take('auth-mail', `sms:${input.phone}:${windowOf()}`, PER_HOUR)
    if (!verdict.allowed) return
    const code = sixDigits()
    const salt = ids.token(16)
    await transactions.run(async session => {
      await auth.grants.drop('sms_recovery', phoneId(input.phone), session)
      await auth.grants.make({
        kind: 'sms_recovery',
        userId: phoneId(input.phone),
        ttl: TTL,
        secret: keyOf(input.phone, salt),
        data: { salt, code: hashToken(salt + code), targets: found.map(({ user, account }) => ({ user: user.toHexString(), account: account.toHexString() })) }
      }, session)
      if (found.length === 0) return
      await post.text(input.phone, `Your recovery code is ${code}.`, found[0]!.account.toHexString(), `smsr:${salt}`, session)
      await ports.charge({ account_id: found[0]!.account.toHexString(), service: 'sms', units: 1, reference: `smsr:${salt}` }, session)
    })
  }

  /** @returns a token that resets the password, or the accounts to choose from @throws CODE_INVALID */
  async function verify (phone: string, code: string, accountId: string | undefined) {
    return floor(check(phone, code, accountId))
  }

  async function check (phone: string, code: string, accountId: string | undefined) {
    const grant = await auth.grants.latest('sms_recovery', phoneId(phone))
    if (grant === null || !await auth.grants.attempt(grant._id)) throw UserError.CODE_INVALID()
    if (!sameHash(String(grant.data.code), hashToken(String(grant.data.salt) + code))) throw UserError.CODE_INVALID()
    const open = grant.data.targets as { user: string, account: string }[]
    const chosen = accountId === undefined ? (open.length === 1 ? open[0] : undefined) : open.find(({ account }) => account === accountId)
    if (chosen === undefined) {
      if (accountId !== undefined || open.length === 0) throw UserError.CODE_INVALID()
      const rows = await accounts.find({ _id: { $in: open.map(({ account }) => oid(account)) } }, { name: 1 }).lean()
      return { accounts: rows.map(({ _id, name }) => ({ account_id: _id.toHexString(), name })) }
    }
    return { token: await resetToken(grant._id, chosen) }
  }

  const resetToken = (grantId: Types.ObjectId, { user, account }: { user: string, account: string }) => transactions.run(async session => {
    if (!await auth.grants.use(grantId, session)) throw UserError.CODE_INVALID()
    const token = auth.makeToken('password_reset', { userId: user, accountId: account }, TTL / 1_000)
    await users.updateOne({ account_id: oid(account), _id: oid(user), status: 'active' }, { $set: { reset_token_hash: hashToken(token) } }, { session })
    return token
  })

  return { start, verify }
}
export type Recovery = ReturnType<typeof createRecovery>

/** Grants are found by a person; a phone that may be nobody's stands in for one by an id made from it. */
const phoneId = (phone: string): Types.ObjectId => oid(Buffer.from(hashToken(`phone:${phone}`), 'base64url').subarray(0, 12).toString('hex'))
