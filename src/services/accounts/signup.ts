import type { AccountRow } from '../../models/accounts.js'
import { crossTenant } from '../../models/define.js'
import type { NewAccount } from '../../schemas/accounts-invites.js'
import { checkPassword, type OpenSession } from '../auth/index.js'
import { hashToken } from '../auth/tokens.js'
import { newUserRow } from '../users/row.js'
import { affiliateCode, checkTimeZone, foldCode, hex, named, oid, signupCode, type AccountDeps, type Client, type Core } from './core.js'
import { AccountError } from './errors.js'
import { checkLabel, freeLabel, labelTaken } from './labels.js'
import { mails } from './mails.js'
import { newAccountRow } from './row.js'

const LIFE_S = 3_600
const LIVE_PER_MAIL = 3
type SignupClaims = { code_id: string, email: string }

export function createSignup (deps: AccountDeps, core: Core) {
  const { platform, accounts, users, codes, plans, contacts, tokens, reserved } = deps
  const { clock, ids, transactions, config, queues } = platform
  const known = (emailKey: string) => users.exists({ email_key: emailKey, status: 'active' }).setOptions(crossTenant('sign-up asks whether a mail address is known'))

  /** The same answer and floor time for everybody; a free address gets a code, a known one a link to log in. */
  async function check (email: string, affiliate: string | undefined, host: string | undefined): Promise<{ sent: true, expires_in: number }> {
    const started = Date.now()
    const emailKey = email.trim().toLowerCase()
    const now = clock.now()
    const [taken, live] = await Promise.all([known(emailKey), codes.countDocuments({ email_key: emailKey, expires_at: { $gt: now } })])
    const code = signupCode()
    if (live < LIVE_PER_MAIL) {
      await transactions.run(async session => {
        // A row for a known address too: it counts its mails, and nobody was ever told its code.
        await codes.create([{
          _id: ids.objectId(),
          email_key: emailKey,
          email: email.trim(),
          code_hash: hashToken(code),
          tries: 0,
          used_at: taken === null ? null : now,
          expires_at: new Date(now.getTime() + LIFE_S * 1_000),
          affiliate_code: affiliate ?? null,
          host: host ?? null,
          created_at: now
        }], { session })
        await core.post(taken === null
          ? mails.signupCode(email.trim(), code, `${config.publicUrl}/v1/accounts/verify/${code}`)
          : mails.loginLink(email.trim(), `${config.publicUrl}/login`), session)
      })
    }
    await new Promise(resolve => setTimeout(resolve, Math.max(0, config.AUTH_MIN_MS - (Date.now() - started))))
    return { sent: true, expires_in: LIFE_S }
  }

  const openCode = async (filter: object) => {
    const row = await codes.findOne({ ...filter, used_at: null, expires_at: { $gt: clock.now() } } as never).lean()
    return row
  }

  /** @throws CODE_INVALID; the code stays good */
  async function verifyCode (code: string) {
    const row = await openCode({ code_hash: hashToken(foldCode(code)) })
    if (row === null) throw AccountError.CODE_INVALID()
    return { valid: true, email: row.email, token: tokens.makeToken('signup', { code_id: hex(row._id), email: row.email }, LIFE_S) }
  }

  async function verifyToken (token: string) {
    const claims = tokens.readToken<SignupClaims>('signup', token)
    if (claims !== null && await openCode({ _id: oid(claims.code_id) }) !== null) return { valid: true, email: claims.email, kind: 'signup' as const }
    const invite = tokens.readToken<{ email: string }>('invite', token)
    if (invite !== null && await accounts.exists({ 'invite.token_hash': hashToken(token) }) !== null) return { valid: true, email: invite.email, kind: 'invite' as const }
    const asked = tokens.readToken<{ email: string }>('public_request', token)
    if (asked !== null) return { valid: true, email: asked.email, kind: 'public' as const }
    return { valid: false, email: null, kind: null }
  }

  async function codeOf ({ token, code }: Pick<NewAccount, 'token' | 'code'>) {
    const claims = token === undefined ? null : tokens.readToken<SignupClaims>('signup', token)
    const row = claims !== null
      ? await openCode({ _id: oid(claims.code_id) })
      : code === undefined ? null : await openCode({ code_hash: hashToken(foldCode(code)) })
    if (row === null) throw code === undefined && claims === null ? AccountError.LINK_INVALID() : AccountError.CODE_INVALID()
    return row
  }

  async function referrer (code: string | null | undefined): Promise<AccountRow['_id'] | null> {
    if (code === null || code === undefined) return null
    const row = await accounts.findOne({ 'affiliate.code': code.toUpperCase(), 'affiliate.enabled': true }, { _id: 1 }).lean()
    return row?._id ?? null
  }

  /** @throws CODE_INVALID, LINK_INVALID, LABEL_TAKEN, LABEL_RESERVED, TERMS_NOT_ACCEPTED, PASSWORD_WEAK, USER_EXISTS */
  async function create (input: NewAccount, client: Client, requestId: string) {
    if (!input.accept_terms) throw AccountError.TERMS_NOT_ACCEPTED()
    checkTimeZone(input.time_zone)
    const code = await codeOf(input)
    await checkPassword(input.password, { email: code.email, first_name: input.first_name, last_name: input.last_name })
    const wished = input.subdomain === undefined ? null : checkLabel(input.subdomain, reserved)
    const passwordHash = await deps.hashPassword(input.password)
    const referredBy = await referrer(input.affiliate_code ?? code.affiliate_code)
    const made = await transactions.run(async session => {
      const now = clock.now()
      const { modifiedCount } = await codes.updateOne({ _id: code._id, used_at: null }, { $set: { used_at: now } }, { session })
      if (modifiedCount === 0) throw AccountError.CODE_INVALID()
      if (await known(code.email_key).session(session) !== null) throw AccountError.USER_EXISTS()
      if (wished !== null && await labelTaken(accounts, wished, now, undefined, session)) throw AccountError.LABEL_TAKEN()
      const id = ids.objectId()
      const business = await contacts.upsert({ account_id: id, fields: input.business, account: id }, session)
      const user = newUserRow({
        _id: ids.objectId(),
        account_id: id,
        first_name: input.first_name,
        last_name: input.last_name,
        email: code.email,
        phone: input.phone ?? null,
        role: 'owner',
        status: 'active',
        created_at: now,
        password_hash: passwordHash,
        password_changed_at: now
      })
      const row = newAccountRow({
        _id: id,
        parent_account: null,
        status: 'active',
        created_at: now,
        name: business.fields.name,
        email: business.fields.email ?? code.email,
        phone: business.fields.phone ?? null,
        website: business.fields.website ?? null,
        address: business.fields.address ?? null,
        social: business.fields.social ?? null,
        business: business.id,
        owner: { id: user._id, name: user.name, email: user.email, phone: user.phone, avatar: null },
        ...plans.trial(now),
        domain: { dashclicks: wished ?? await freeLabel(accounts, business.fields.name, reserved, now, () => ids.token(3).toLowerCase().replace(/[^a-z0-9]/g, 'x'), session), custom: null, hostname_id: null },
        affiliate: { code: affiliateCode(), clicks: 0, enabled: true },
        referred_by: referredBy,
        currency: input.currency ?? 'USD',
        time_zone: input.time_zone ?? 'UTC'
      })
      await accounts.create([row], { session })
      await users.create([user], { session })
      await core.announce({ type: 'account.created', actor: 'visitor', row }, session)
      await queues.add({ source: 'account-setup', accountId: hex(id), referenceId: hex(id), dedupeKey: hex(id) }, session)
      await core.post(mails.welcome(code.email, input.first_name, `${core.baseUrl(row)}/login`, null), session)
      return { row, user }
    }).catch(named)
    return deps.openSession({ user: made.user, account: made.row as OpenSession['account'], via: 'signup', client, requestId })
  }

  return { check, verifyCode, verifyToken, create }
}
