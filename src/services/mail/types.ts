import type { CallContext, ProviderMode, ProviderState } from '../provider.js'
import type { MailTwin } from './twin.js'

export type MailAddress = { email: string, name?: string }

export type MailAttachment = { filename: string, content: Uint8Array, type: string, /** shown in the text under `cid:` */ contentId?: string }

export type OutgoingMail = {
  /** the account in whose name it goes out */
  account?: string
  /** default: the platform's own sender */
  from?: MailAddress
  to: readonly MailAddress[]
  cc?: readonly MailAddress[]
  bcc?: readonly MailAddress[]
  replyTo?: MailAddress
  subject: string
  text?: string
  html?: string
  headers?: Readonly<Record<string, string>>
  attachments?: readonly MailAttachment[]
  /** comes back with every event of this mail */
  ref?: string
}

export type InboundMail = {
  from: MailAddress | null
  to: MailAddress[]
  cc: MailAddress[]
  /** the addresses that it was really delivered to */
  deliveredTo: string[]
  subject: string
  text: string
  html: string
  messageId: string | null
  inReplyTo: string | null
  references: string[]
  spamScore: number | null
  /** files, by the name of their form field */
  attachments: Array<{ field: string, filename: string, type: string, contentId: string | null }>
}

/** Was this call made by the provider? `stale`: its time is more than five minutes away. */
export type Proof = 'ok' | 'invalid' | 'stale'

export type MailProvider = {
  mode: ProviderMode
  twin?: MailTwin
  state (): ProviderState
  /**
   * Hands a mail to the provider, once: a repeat sends it twice.
   * @throws SENDGRID_NOT_CONFIGURED, UpstreamError with the provider's status and errors
   */
  send (mail: OutgoingMail, context?: CallContext): Promise<{ messageId: string }>
  /** Checks the signature over the raw body of an event call. @throws SENDGRID_NOT_CONFIGURED without a public key */
  verifyEvents (raw: string | Uint8Array, signature: string, timestamp: string): Proof
  /** Reads the text fields of an inbound mail's form. */
  parseInbound (form: Readonly<Record<string, string>>): InboundMail
}
