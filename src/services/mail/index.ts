import { chooseMode, missing, unavailable, type ProviderOptions } from '../provider.js'
import type { TwinOptions } from '../twin.js'
import { MailError } from './errors.js'
import { readPublicKey, verifyEvents } from './events.js'
import { parseInbound } from './inbound.js'
import { SENDGRID, createRealMail } from './real.js'
import { createMailTwin } from './twin.js'
import type { MailAddress, MailProvider } from './types.js'

export type { InboundMail, MailAddress, MailAttachment, MailProvider, OutgoingMail, Proof } from './types.js'
export type { KeptMail, MailTwin, WrittenMail } from './twin.js'
export { parseAddresses } from './inbound.js'

export type MailOptions = ProviderOptions & {
  /** SENDGRID_API_KEY */
  apiKey?: string
  /** SENDGRID_BASE_URL */
  baseUrl?: string
  /** the platform's own sender */
  from: MailAddress
  /** SENDGRID_WEBHOOK_PUBLIC_KEY */
  webhookPublicKey?: string
  /** the key of an account's sub-user, when it has one */
  keyOf?: (account: string) => Promise<string | null>
  /** our routes, for the twin's hooks */
  eventsUrl?: string
  inboundUrl?: string
  deliver?: TwinOptions['deliver']
}

/** Mail by SendGrid, or by its twin when there is no key outside production. */
export function createMail (options: MailOptions): MailProvider {
  const { apiKey, http, clock } = options
  const mode = chooseMode(apiKey !== undefined, options.production)
  const twin = mode === 'twin' ? createMailTwin({ ...options, dir: options.twinDir }) : undefined
  const encodedKey = options.webhookPublicKey ?? twin?.twin.publicKey
  const publicKey = encodedKey === undefined ? undefined : readPublicKey(encodedKey)
  const sender = apiKey === undefined
    ? twin ?? unavailable<MailProvider, 'send'>(['send'], () => missing(MailError.SENDGRID_NOT_CONFIGURED(), 'SENDGRID_API_KEY'))
    : createRealMail({ ...options, apiKey })

  return {
    mode,
    twin: twin?.twin,
    state: () => mode === 'off' ? 'not_configured' : mode === 'twin' ? 'ok' : http.state(options.baseUrl ?? SENDGRID),
    send: sender.send,
    verifyEvents (raw, signature, timestamp) {
      if (publicKey === undefined) throw missing(MailError.SENDGRID_NOT_CONFIGURED(), 'SENDGRID_WEBHOOK_PUBLIC_KEY')
      return verifyEvents(raw, signature, timestamp, publicKey, clock.now())
    },
    parseInbound
  }
}
