import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTwinState } from '../twin-state.js'
import { createTwin, type Twin, type TwinOptions, type TwinPlan } from '../twin.js'
import { toEml } from './eml.js'
import { signEvents } from './events.js'
import type { MailAddress, OutgoingMail } from './types.js'

export type MailTwinOptions = Omit<TwinOptions, 'name'> & {
  from: MailAddress
  /** our own route for events; without it the events are only kept */
  eventsUrl?: string
  /** our own route for inbound mail, token included */
  inboundUrl?: string
}

/** A mail that the twin was given. */
export type KeptMail = {
  message_id: string
  from: MailAddress
  to: readonly MailAddress[]
  cc: readonly MailAddress[]
  bcc: readonly MailAddress[]
  reply_to: MailAddress | null
  subject: string
  text: string | null
  html: string | null
  headers: Readonly<Record<string, string>>
  attachments: Array<{ filename: string, type: string, size: number }>
  ref: string | null
  /** addresses in the text, in order, each once */
  links: string[]
}

export type WrittenMail = { from: string, to: string, subject: string, text?: string, html?: string, inReplyTo?: string }

export type MailTwin = Twin & {
  /** The kept mails of today, newest first; `to` picks those to one address. */
  mails (filter?: { to?: string, day?: string, limit?: number }): Promise<KeptMail[]>
  /** Somebody outside writes a mail to us: it arrives on our own route. */
  inbound (mail: WrittenMail): void
  /** the public key under which the twin's events verify, base64 of the DER form */
  publicKey: string
}

/** What follows a mail to `bounce+…@…` and its like; every other address gets its mail. */
const COURSES: Readonly<Record<string, readonly string[]>> = {
  bounce: ['processed', 'bounce'],
  drop: ['dropped'],
  defer: ['processed', 'deferred', 'delivered'],
  spam: ['processed', 'delivered', 'spamreport'],
  unsubscribe: ['processed', 'delivered', 'unsubscribe'],
  open: ['processed', 'delivered', 'open'],
  click: ['processed', 'delivered', 'open', 'click']
}
const NORMAL = ['processed', 'delivered'] as const

const DETAILS: Readonly<Record<string, object>> = {
  bounce: { type: 'bounce', reason: '550 5.1.1 no such mailbox', status: '5.1.1' },
  dropped: { reason: 'Bounced Address', status: '5.0.0' },
  deferred: { response: '450 try again later', attempt: '1' },
  delivered: { response: '250 OK' },
  open: { useragent: 'twin', ip: '127.0.0.1' },
  click: { useragent: 'twin', ip: '127.0.0.1', url: 'https://example.com/' }
}

/** The http(s) addresses of a text, in order, each once. */
export const linksOf = (...texts: Array<string | undefined>): string[] =>
  [...new Set(texts.flatMap(text => text?.match(/https?:\/\/[^\s"'<>)\]]+/g) ?? []))].map(link => link.replaceAll('&amp;', '&'))

export function createMailTwin (options: MailTwinOptions) {
  const base = createTwin({ ...options, name: 'sendgrid' })
  const state = createTwinState(join(base.folder, 'state.json'), newKeys)
  const privateKey = createPrivateKey(state.value.private_key)
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).toString('base64')
  state.save().catch((error: unknown) => { options.log.warn({ twin: 'sendgrid', err: error }, 'the key of the twin could not be kept') })

  async function send (mail: OutgoingMail): Promise<{ messageId: string }> {
    const messageId = base.id('', 11)
    const kept = keep(mail, options.from, messageId)
    return await base.act({ kind: 'send', accountId: mail.account, data: kept }, async plan => {
      await mkdir(base.folder, { recursive: true })
      await writeFile(join(base.folder, `${messageId}.eml`), toEml(mail, options.from, messageId, options.clock.now()))
      options.log.info({ twin: 'sendgrid', to: mail.to.map(one => one.email), subject: mail.subject, links: kept.links }, 'mail')
      for (const { email } of [...mail.to, ...mail.cc ?? [], ...mail.bcc ?? []]) follow(email, messageId, mail.ref, plan)
      return { messageId }
    })
  }

  function follow (email: string, messageId: string, ref: string | undefined, plan: TwinPlan) {
    const course = COURSES[email.split('+')[0] ?? ''] ?? NORMAL
    const events = course.map(event => ({
      email,
      timestamp: Math.floor(options.clock.now().getTime() / 1_000),
      event,
      sg_event_id: base.id('', 11),
      sg_message_id: `${messageId}.twin`,
      'smtp-id': `<${messageId}@twin.invalid>`,
      ...(ref === undefined ? {} : { ref }),
      ...DETAILS[event]
    }))
    if (plan.reorder) events.reverse()
    for (const event of events) for (let i = 0; i < plan.times; i++) post([event])
  }

  function post (events: readonly object[]) {
    if (options.eventsUrl === undefined) {
      base.later(0, async () => { await base.record({ kind: 'event', data: events }) })
      return
    }
    const body = JSON.stringify(events)
    const timestamp = String(Math.floor(options.clock.now().getTime() / 1_000))
    base.hook({
      url: options.eventsUrl,
      body,
      headers: {
        'content-type': 'application/json',
        'x-twilio-email-event-webhook-signature': signEvents(body, timestamp, privateKey),
        'x-twilio-email-event-webhook-timestamp': timestamp
      }
    })
  }

  function inbound (mail: WrittenMail) {
    if (options.inboundUrl === undefined) throw new Error('the mail twin was built without inboundUrl')
    const border = base.id('twin-', 8)
    const messageId = `<${base.id('', 11)}@twin.invalid>`
    const headers = [`Message-ID: ${messageId}`, `Subject: ${mail.subject}`, ...(mail.inReplyTo === undefined ? [] : [`In-Reply-To: ${mail.inReplyTo}`])]
    const fields = {
      headers: headers.join('\n'),
      from: mail.from,
      to: mail.to,
      subject: mail.subject,
      text: mail.text ?? '',
      html: mail.html ?? '',
      envelope: JSON.stringify({ to: [mail.to], from: mail.from }),
      attachments: '0',
      charsets: '{"text":"utf-8"}',
      spam_score: '0.1'
    }
    const parts = Object.entries(fields).map(([name, value]) => `--${border}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
    base.hook({ url: options.inboundUrl, body: `${parts.join('')}--${border}--\r\n`, headers: { 'content-type': `multipart/form-data; boundary=${border}` } })
  }

  async function mails ({ to, day, limit = 100 }: { to?: string, day?: string, limit?: number } = {}): Promise<KeptMail[]> {
    const kept = (await base.entries({ day, kind: 'send', limit: 10_000 })).filter(entry => entry.fault === undefined || entry.fault === 'duplicate')
    return kept.map(entry => entry.data as KeptMail).filter(mail => to === undefined || mail.to.some(one => one.email === to)).slice(0, limit)
  }

  return { send, twin: { ...base, mails, inbound, publicKey } satisfies MailTwin }
}

function keep (mail: OutgoingMail, from: MailAddress, messageId: string): KeptMail {
  return {
    message_id: messageId,
    from: mail.from ?? from,
    to: mail.to,
    cc: mail.cc ?? [],
    bcc: mail.bcc ?? [],
    reply_to: mail.replyTo ?? null,
    subject: mail.subject,
    text: mail.text ?? null,
    html: mail.html ?? null,
    headers: mail.headers ?? {},
    attachments: (mail.attachments ?? []).map(file => ({ filename: file.filename, type: file.type, size: file.content.length })),
    ref: mail.ref ?? null,
    links: linksOf(mail.text, mail.html)
  }
}

const newKeys = () => ({
  private_key: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
})
