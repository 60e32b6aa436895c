import type { CallContext, ProviderMode, ProviderState } from '../provider.js'
import type { Params } from './signature.js'
import type { SmsTwin } from './twin.js'

export type SmsStatus = 'accepted' | 'queued' | 'sending' | 'sent' | 'delivered' | 'undelivered' | 'failed' | 'receiving' | 'received' | 'read' | 'canceled' | 'scheduled'

export type OutgoingSms = {
  /** our account, for the log of the twin */
  account?: string
  /** the provider's account that owns the number, when it is not the main one */
  accountSid?: string
  /** E.164; default: the platform's own sender */
  from?: string
  /** E.164 */
  to: string
  /** at most 1 600 characters */
  body: string
  /** public addresses of at most ten files */
  media?: readonly string[]
  /** called with every change of status; `ref` is added to its query */
  statusCallback?: string
  ref?: string
}

export type SentSms = { sid: string, status: SmsStatus, segments: number }

export type SmsRecord = SentSms & {
  from: string
  to: string
  body: string
  errorCode: number | null
  errorMessage: string | null
  createdAt: Date
}

export type SentMany = {
  validNumberArr: string[]
  invalidNumberArr: string[]
  sentSmsDetails: Array<SentSms & { to: string }>
  /** those that failed for another reason than their number */
  failed: Array<{ to: string, error: unknown }>
}

export type Capabilities = { voice: boolean, sms: boolean, mms: boolean, fax: boolean }
export type NumberType = 'local' | 'mobile' | 'toll_free'

/** Integer minor units. */
export type Price = { amount: number, currency: string }

export type AvailableNumber = {
  phone_number: string
  friendly_name: string
  locality: string | null
  region: string | null
  postal_code: string | null
  iso_country: string
  address_requirements: string
  beta: boolean
  capabilities: Capabilities
  monthly_price: Price | null
}

export type OwnedNumber = {
  sid: string
  phoneNumber: string
  friendlyName: string
  smsUrl: string | null
  voiceUrl: string | null
  capabilities: Capabilities
}

export type NumberSearch = { country: string, areaCode?: string, type?: NumberType, capabilities?: readonly (keyof Capabilities)[], limit?: number }

/** Decimal text in units of the currency, as the provider quotes it: prices per message lie below a cent. */
export type SmsPrices = {
  country: string
  currency: string
  inbound: Array<{ type: string, price: string }>
  outbound: Array<{ carrier: string, price: string }>
}

export type Lookup = { valid: boolean, e164: string | null, country: string | null, lineType: string | null }

export type OutgoingCall = { account?: string, from: string, to: string, bridgeTo: string, statusCallback?: string }

export type SmsClient = {
  /** Sends once: a repeat sends twice. After an unknown outcome ask `find`. @throws UpstreamError; see `providerCode` */
  send (sms: OutgoingSms, context?: CallContext): Promise<SentSms>
  get (sid: string, context?: CallContext): Promise<SmsRecord>
  /** What went to a number since a moment, newest first. The provider does not keep `ref`: compare the text. */
  find (query: { to: string, since: Date, ref?: string }, context?: CallContext): Promise<SmsRecord[]>
  lookup (phone: string, context?: CallContext): Promise<Lookup>
  prices (country: string, context?: CallContext): Promise<SmsPrices>
  /** Rings `to` and connects it with `bridgeTo`. */
  call (call: OutgoingCall, context?: CallContext): Promise<{ sid: string, status: string }>
  numbers: {
    search (query: NumberSearch, context?: CallContext): Promise<AvailableNumber[]>
    buy (order: { phoneNumber: string, smsUrl: string, voiceUrl: string }, context?: CallContext): Promise<OwnedNumber>
    update (sid: string, change: { smsUrl?: string, voiceUrl?: string, friendlyName?: string }, context?: CallContext): Promise<OwnedNumber>
    release (sid: string, context?: CallContext): Promise<void>
    countries (context?: CallContext): Promise<Array<{ code: string, name: string, beta: boolean }>>
  }
}

export type SmsProvider = SmsClient & {
  mode: ProviderMode
  twin?: SmsTwin
  state (): ProviderState
  /** In parallel; all are settled, sorted by what became of them. */
  sendMany (list: readonly OutgoingSms[], context?: CallContext): Promise<SentMany>
  /** Was our route called by the provider? @throws TWILIO_NOT_CONFIGURED without a token */
  verify (url: string, params: Params, signature: string): boolean
}
