import type { AccountRow } from '../../models/accounts.js'
import type { OutgoingMail } from '../mail/index.js'

const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
type Brand = Pick<AccountRow, 'name' | 'branding' | 'email'> | null
type Letter = { to: string, subject: string, lines: string[], link?: { text: string, url: string }, brand: Brand, accountId?: string }

/** A mail in the look of the main account; without one in none at all, for clients never see the platform's. */
function letter ({ to, subject, lines, link, brand, accountId }: Letter): OutgoingMail {
  const footer = brand?.branding?.mail_footer ?? brand?.name ?? null
  const color = brand?.branding?.colors?.primary ?? '#1f2937'
  const text = [...lines, ...(link === undefined ? [] : [`${link.text}: ${link.url}`]), ...(footer === null ? [] : [footer])].join('\n\n')
  const html = [
    ...(typeof brand?.branding?.logo === 'string' ? [`<p><img src="${escape(brand.branding.logo)}" alt="${escape(brand.name)}" height="48"></p>`] : []),
    ...lines.map(line => `<p>${escape(line)}</p>`),
    ...(link === undefined ? [] : [`<p><a href="${escape(link.url)}" style="color:${escape(color)}">${escape(link.text)}</a></p>`]),
    ...(footer === null ? [] : [`<p style="color:#6b7280">${escape(footer)}</p>`])
  ].join('\n')
  const replyTo = brand?.branding?.support?.email ?? brand?.email ?? null
  return { to: [{ email: to }], subject, text, html, ...(replyTo !== null && { replyTo: { email: replyTo } }), ...(accountId !== undefined && { account: accountId }) }
}

export const mails = {
  signupCode: (to: string, code: string, url: string) => letter({
    to, brand: null, subject: 'Your sign-up code', lines: [`Your code is ${code}. It is good for 60 minutes.`], link: { text: 'Go on', url }
  }),
  loginLink: (to: string, url: string) => letter({
    to, brand: null, subject: 'You have an account already', lines: ['Somebody wants to sign up with your address. You have an account already.'], link: { text: 'Log in', url }
  }),
  welcome: (to: string, name: string, url: string, brand: Brand, text?: string | null) => letter({
    to, brand, subject: 'Welcome', lines: [`Welcome, ${name}.`, ...(typeof text === 'string' && text !== '' ? [text] : [])], link: { text: 'Log in', url }
  }),
  invite: (to: string, name: string, url: string, brand: Brand, message?: string, accountId?: string) => letter({
    to,
    brand,
    accountId,
    subject: `${brand?.name ?? 'Your agency'} invites you`,
    lines: [`Hello ${name},`, ...(message === undefined ? [] : [message]), 'set your password to begin. The link is good for 7 days.'],
    link: { text: 'Set your password', url }
  }),
  publicRequest: (to: string, url: string, brand: Brand) => letter({
    to, brand, subject: `Your account with ${brand?.name ?? 'us'}`, lines: ['Confirm your address to go on. The link is good for 48 hours.'], link: { text: 'Go on', url }
  }),
  rejected: (to: string, brand: Brand, reason: string | null) => letter({
    to, brand, subject: `Your request to ${brand?.name ?? 'us'}`, lines: ['Your request was not accepted.', ...(reason === null ? [] : [reason])]
  })
}
