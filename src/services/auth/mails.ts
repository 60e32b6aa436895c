import type { OutgoingMail } from '../mail/index.js'
import type { AccountRow, AuthContext, Session, UserRow } from './types.js'

type Kind = 'password_reset' | 'password_changed' | 'new_sign_in' | 'refresh_reused' | 'accounts_found'
type Letter = { user: UserRow, account: AccountRow, dedupeId: string, link?: string, address?: string, lines?: string[] }

const escape = (text: string) => text.replace(/[&<>"']/g, sign => `&#${sign.charCodeAt(0)};`)

const TEXTS: Record<Kind, (letter: Letter, brand: string) => { subject: string, lines: string[] }> = {
  password_reset: ({ link, lines }, brand) => ({ subject: `Set a new password for ${brand}`, lines: ['Somebody asked for a new password for this address. The link works once, for 60 minutes:', ...(lines ?? [link ?? '']), 'If it was not you, do nothing.'] }),
  password_changed: (_, brand) => ({ subject: `Your ${brand} password was changed`, lines: ['Your password was changed and your other sessions were ended.', 'If it was not you, set a new one at once.'] }),
  new_sign_in: ({ address }, brand) => ({ subject: `New sign-in to ${brand}`, lines: [`Somebody signed in from a device and an address that are new for you (${address ?? 'unknown'}).`, 'If it was not you, change your password.'] }),
  refresh_reused: (_, brand) => ({ subject: `A session of yours at ${brand} was ended`, lines: ['A token of one of your sessions was used twice, as a thief would. The session was ended; sign in again.'] }),
  accounts_found: ({ lines }, brand) => ({ subject: `Your accounts at ${brand}`, lines: ['You asked where you can sign in with this address:', ...(lines ?? [])] })
}

/** The account in whose name a mail goes out: the agency of a client, or the agency itself. */
export async function brandOf (context: Pick<AuthContext, 'accounts'>, account: AccountRow, tx?: Session): Promise<AccountRow> {
  if (account.parent_account === null) return account
  return await context.accounts.findById(account.parent_account, null, { session: tx }).lean() as unknown as AccountRow | null ?? account
}

/** An outbox row with the mail in the brand of the account. */
export async function mailOf (context: AuthContext, kind: Kind, letter: Letter, tx?: Session) {
  const brand = await brandOf(context, letter.account, tx)
  const { subject, lines } = TEXTS[kind](letter, brand.name)
  const payload: OutgoingMail = {
    account: letter.account._id.toHexString(),
    from: { email: context.platform.config.MAIL_FROM, name: brand.name },
    to: [{ email: letter.user.email!, name: letter.user.name }],
    subject,
    text: [`Hello ${letter.user.first_name},`, ...lines, brand.name].join('\n\n'),
    html: [`Hello ${letter.user.first_name},`, ...lines, brand.name].map(line => `<p>${/^https?:\S+$/.test(line) ? `<a href="${escape(line)}">${escape(line)}</a>` : escape(line)}</p>`).join('')
  }
  return { topic: 'mail', key: letter.account._id.toHexString(), dedupeId: letter.dedupeId, payload }
}

/** Scheme and host of the account's dashboard: its own domain, else the platform's. */
export async function baseUrl (context: AuthContext, account: AccountRow): Promise<string> {
  return await context.parts.baseUrl?.(account._id.toHexString()) ?? context.platform.config.publicUrl
}
