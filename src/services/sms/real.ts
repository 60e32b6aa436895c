import type { Twilio } from 'twilio'
import type { HttpClient, Method } from '../http/index.js'
import { trimmed, type CallContext } from '../provider.js'
import { segmentsOf } from './segments.js'
import type { AvailableNumber, Capabilities, OutgoingSms, OwnedNumber, Price, SmsClient, SmsRecord, SmsStatus } from './types.js'

export type RealSmsOptions = {
  accountSid: string
  authToken: string
  /** default https://api.twilio.com and its sisters */
  baseUrl?: string
  /** the platform's own sender: a number or the id of a messaging service */
  from?: string
  messagingServiceSid?: string
  http: HttpClient
}

export const TWILIO = 'https://api.twilio.com'

type LibraryCall = { method: string, uri: string, username?: string, password?: string, headers?: Record<string, string>, params?: object, data?: object }

/** Form and query fields as the library gives them: lists repeat their key. */
function fields (values: object | undefined): URLSearchParams {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(values ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined && one !== null) form.append(name, String(one))
  }
  return form
}

/** Carries the library's calls: one breaker, time limit and log for all calls out. */
function transport (http: HttpClient, baseUrl: string | undefined, context: CallContext) {
  return {
    async request (call: LibraryCall) {
      const url = new URL(call.uri)
      for (const [name, value] of fields(call.params)) url.searchParams.append(name, value)
      const target = baseUrl === undefined ? url.href : trimmed(baseUrl) + url.pathname + url.search
      const method = call.method.toUpperCase() as Method
      const answer = await http.call({
        upstream: 'twilio',
        url: target,
        method,
        headers: { ...call.headers, authorization: `Basic ${Buffer.from(`${call.username}:${call.password}`).toString('base64')}` },
        ...(method === 'POST' ? { form: fields(call.data) } : {}),
        timeoutMs: 10_000,
        maxBytes: 1_048_576,
        requestId: context.requestId,
        signal: context.signal
      })
      if (answer.status !== 204) answer.json()
      return { statusCode: answer.status, body: answer.text(), headers: answer.headers }
    }
  }
}

export function createRealSms (options: RealSmsOptions): SmsClient {
  async function client (context: CallContext = {}): Promise<Twilio> {
    const { default: twilio } = await import('twilio')
    const httpClient = transport(options.http, options.baseUrl, context)
    return twilio(options.accountSid, options.authToken, { httpClient: httpClient as never, lazyLoading: true, env: {} })
  }

  const account = async (context: CallContext | undefined, sid = options.accountSid) => (await client(context)).api.v2010.accounts(sid)
  const sender = (from: string | undefined) => from !== undefined
    ? { from }
    : options.messagingServiceSid === undefined ? { from: options.from } : { messagingServiceSid: options.messagingServiceSid }

  return {
    async send (sms, context) {
      const message = await (await account(context, sms.accountSid)).messages.create({
        ...sender(sms.from), to: sms.to, body: sms.body, mediaUrl: sms.media === undefined ? undefined : [...sms.media], statusCallback: callbackOf(sms)
      })
      return { sid: message.sid, status: message.status as SmsStatus, segments: Number(message.numSegments) || segmentsOf(sms.body).segments }
    },
    async get (sid, context) {
      return record(await (await account(context)).messages(sid).fetch())
    },
    async find ({ to, since }, context) {
      const found = await (await account(context)).messages.list({ to, dateSentAfter: since, limit: 50 })
      return found.map(record)
    },
    async lookup (phone, context) {
      const found = await (await client(context)).lookups.v2.phoneNumbers(phone).fetch({ fields: 'line_type_intelligence' })
      const line = found.lineTypeIntelligence as { type?: string } | null
      return { valid: found.valid, e164: found.valid ? found.phoneNumber : null, country: found.countryCode ?? null, lineType: line?.type ?? null }
    },
    async prices (country, context) {
      const found = await (await client(context)).pricing.v1.messaging.countries(country).fetch()
      return {
        country: found.isoCountry,
        currency: found.priceUnit.toUpperCase(),
        inbound: found.inboundSmsPrices.map(one => ({ type: one.numberType ?? '', price: String(one.currentPrice ?? '') })),
        outbound: found.outboundSmsPrices.map(one => ({ carrier: one.carrier ?? '', price: String(listPrice(one.prices?.[0]) ?? '') }))
      }
    },
    async call ({ from, to, bridgeTo, statusCallback }, context) {
      const twiml = `<Response><Dial callerId="${phone(from)}">${phone(bridgeTo)}</Dial></Response>`
      const made = await (await account(context)).calls.create({ from, to, twiml, statusCallback, statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'] })
      return { sid: made.sid, status: made.status }
    },
    numbers: numbers(client, account)
  }
}

function numbers (
  client: (context?: CallContext) => Promise<Twilio>,
  account: (context?: CallContext) => Promise<ReturnType<Twilio['api']['v2010']['accounts']>>
): SmsClient['numbers'] {
  async function monthly (country: string, type: string, context?: CallContext): Promise<Price | null> {
    const found = await (await client(context)).pricing.v1.phoneNumbers.countries(country).fetch()
    const price = found.phoneNumberPrices.find(one => one.numberType === type.replace('_', ' '))
    const amount = Math.round(Number(price?.currentPrice) * 100)
    return Number.isFinite(amount) ? { amount, currency: found.priceUnit.toUpperCase() } : null
  }

  return {
    async search ({ country, areaCode, type = 'local', capabilities = [], limit = 20 }, context) {
      const place = (await account(context)).availablePhoneNumbers(country)
      // the three lists have one shape but three types
      const kind = (type === 'toll_free' ? place.tollFree : type === 'mobile' ? place.mobile : place.local) as typeof place.local
      const found = await kind.list({
        areaCode: areaCode === undefined ? undefined : Number(areaCode),
        smsEnabled: capabilities.includes('sms') || undefined,
        mmsEnabled: capabilities.includes('mms') || undefined,
        voiceEnabled: capabilities.includes('voice') || undefined,
        faxEnabled: capabilities.includes('fax') || undefined,
        limit,
        pageSize: limit
      })
      const price = found.length === 0 ? null : await monthly(country, type, context).catch(() => null)
      return found.map(one => available(one, price))
    },
    async buy ({ phoneNumber, smsUrl, voiceUrl }, context) {
      return owned(await (await account(context)).incomingPhoneNumbers.create({ phoneNumber, smsUrl, smsMethod: 'POST', voiceUrl, voiceMethod: 'POST' }))
    },
    async update (sid, change, context) {
      return owned(await (await account(context)).incomingPhoneNumbers(sid).update(change))
    },
    async release (sid, context) {
      await (await account(context)).incomingPhoneNumbers(sid).remove()
    },
    async countries (context) {
      const found = await (await account(context)).availablePhoneNumbers.list({ limit: 300, pageSize: 300 })
      return found.map(one => ({ code: one.countryCode, name: one.country, beta: one.beta }))
    }
  }
}

// the library types this list in camel case but hands it over as it came
const listPrice = (price: object | undefined) => (price as { current_price?: unknown } | undefined)?.current_price

type LibraryMessage = {
  sid: string
  status: string
  numSegments: string
  from: string
  to: string
  body: string
  errorCode: number | null
  errorMessage: string | null
  dateCreated: Date
}

const record = (message: LibraryMessage): SmsRecord => ({
  sid: message.sid,
  status: message.status as SmsStatus,
  segments: Number(message.numSegments) || 0,
  from: message.from,
  to: message.to,
  body: message.body,
  errorCode: message.errorCode ?? null,
  errorMessage: message.errorMessage ?? null,
  createdAt: message.dateCreated
})

const capabilitiesOf = (given: object): Capabilities => {
  const lower = Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value === true]))
  return { voice: lower.voice ?? false, sms: lower.sms ?? false, mms: lower.mms ?? false, fax: lower.fax ?? false }
}

type LibraryAvailable = {
  phoneNumber: string,
  friendlyName: string,
  locality: string,
  region: string,
  postalCode: string,
  isoCountry: string,
  addressRequirements: string,
  beta: boolean,
  capabilities: object
}

const available = (number: LibraryAvailable, price: Price | null): AvailableNumber => ({
  phone_number: number.phoneNumber,
  friendly_name: number.friendlyName,
  locality: number.locality ?? null,
  region: number.region ?? null,
  postal_code: number.postalCode ?? null,
  iso_country: number.isoCountry,
  address_requirements: number.addressRequirements,
  beta: number.beta,
  capabilities: capabilitiesOf(number.capabilities),
  monthly_price: price
})

const owned = (number: { sid: string, phoneNumber: string, friendlyName: string, smsUrl: string, voiceUrl: string, capabilities: object }): OwnedNumber => ({
  sid: number.sid,
  phoneNumber: number.phoneNumber,
  friendlyName: number.friendlyName,
  smsUrl: number.smsUrl || null,
  voiceUrl: number.voiceUrl || null,
  capabilities: capabilitiesOf(number.capabilities)
})

/** The address that hears of the status, with our reference in its query. */
export function callbackOf (sms: Pick<OutgoingSms, 'statusCallback' | 'ref'>): string | undefined {
  if (sms.statusCallback === undefined || sms.ref === undefined) return sms.statusCallback
  const url = new URL(sms.statusCallback)
  url.searchParams.set('ref', sms.ref)
  return url.href
}

// goes into XML
const phone = (text: string) => text.replaceAll(/[^+\d]/g, '')
