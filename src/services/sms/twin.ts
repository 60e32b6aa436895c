import { join } from 'node:path'
import { answeredWith } from '../http/index.js'
import { createTwinState } from '../twin-state.js'
import { createTwin, type Twin, type TwinOptions, type TwinPlan } from '../twin.js'
import { callbackOf } from './real.js'
import { segmentsOf } from './segments.js'
import { signCall, type Params } from './signature.js'
import { soldNumber, twinCountries, twinStock } from './twin-numbers.js'
import type { OutgoingSms, OwnedNumber, SmsClient, SmsRecord, SmsStatus } from './types.js'

export type SmsTwinOptions = Omit<TwinOptions, 'name'> & {
  /** the platform's own number */
  from?: string
  /** our route for inbound messages, for numbers that name none */
  inboundUrl?: string
}

export type WrittenSms = { from: string, to: string, body: string, media?: ReadonlyArray<{ url: string, type: string }> }

export type SmsTwin = Twin & {
  /** The kept messages, newest first; `to` picks those to one number. */
  messages (filter?: { to?: string }): SmsRecord[]
  /** Somebody outside writes to one of our numbers. */
  inbound (sms: WrittenSms): void
  /** signs the twin's calls to our routes */
  authToken: string
  accountSid: string
}

type Kept = Omit<SmsRecord, 'createdAt'> & { createdAt: string, ref: string | null }
type State = { account_sid: string, auth_token: string, messages: Kept[], numbers: OwnedNumber[] }

const STEP_MS = 100
const MOST_KEPT = 5_000
const DEFAULT_FROM = '+15005550006'

/** Refusals by number, as Twilio's test credentials have them. */
const TO_REFUSED: Readonly<Record<string, readonly [number, string]>> = {
  '+15005550001': [21211, 'is not a valid phone number'],
  '+15005550002': [21612, 'cannot be reached from this sender'],
  '+15005550003': [21408, 'lies in a region that is not enabled'],
  '+15005550004': [21610, 'has unsubscribed'],
  '+15005550009': [21614, 'is not a mobile number']
}
const FROM_REFUSED: Readonly<Record<string, readonly [number, string]>> = {
  '+15005550001': [21212, 'is not a valid phone number'],
  '+15005550007': [21606, 'does not belong to this account'],
  '+15005550008': [21611, 'has a full queue']
}
const REMOTE_FAILURE = { errorCode: 30003, errorMessage: 'Unreachable destination handset' } as const

/** A number that ends in 9999 takes the message and never delivers it. */
const isUndeliverable = (to: string) => to.endsWith('9999')

const refusal = (refused: readonly [number, string], number: string, status = 400) =>
  answeredWith(status, { upstream: 'twilio', body: { code: refused[0], message: `The number ${number} ${refused[1]}`, status } })

const notFound = (sid: string) => answeredWith(404, { upstream: 'twilio', body: { code: 20404, message: `The resource ${sid} was not found`, status: 404 } })

const phonePattern = /^\+[1-9]\d{6,14}$/

export function createSmsTwin (options: SmsTwinOptions): SmsClient & { twin: SmsTwin } {
  const base = createTwin({ ...options, name: 'twilio' })
  const file = join(base.folder, 'state.json')
  const state = createTwinState<State>(file, () => ({ account_sid: base.id('AC'), auth_token: base.id('', 16), messages: [], numbers: [] }))
  const { value } = state

  async function send (sms: OutgoingSms) {
    const from = sms.from ?? options.from ?? DEFAULT_FROM
    return await base.act({ kind: 'send', accountId: sms.account, data: { ...sms, from } }, async plan => {
      const refused = TO_REFUSED[sms.to] ?? (phonePattern.test(sms.to) ? undefined : TO_REFUSED['+15005550001'])
      if (refused !== undefined) throw refusal(refused, sms.to)
      const sender = FROM_REFUSED[from]
      if (sender !== undefined) throw refusal(sender, from)
      const message = keep(sms, from)
      follow(message, callbackOf(sms), plan)
      await state.save()
      options.log.info({ twin: 'twilio', to: sms.to, body: sms.body }, 'sms')
      return { sid: message.sid, status: message.status, segments: message.segments }
    })
  }

  function keep (sms: OutgoingSms, from: string): Kept {
    const message: Kept = {
      sid: base.id('SM'),
      status: 'queued',
      segments: segmentsOf(sms.body).segments,
      from,
      to: sms.to,
      body: sms.body,
      errorCode: null,
      errorMessage: null,
      createdAt: options.clock.now().toISOString(),
      ref: sms.ref ?? null
    }
    value.messages.push(message)
    if (value.messages.length > MOST_KEPT) value.messages.shift()
    return message
  }

  /** queued, sent, delivered in steps of 100 ms, each told to the callback. */
  function follow (message: Kept, callback: string | undefined, plan: TwinPlan) {
    const last: SmsStatus = isUndeliverable(message.to) ? 'undelivered' : 'delivered'
    const course: SmsStatus[] = plan.reorder ? [last, 'sent', 'queued'] : ['queued', 'sent', last]
    if (plan.times === 0) return
    course.forEach((status, index) => {
      base.later(index * STEP_MS, async () => {
        message.status = plan.reorder ? last : status
        if (message.status === 'undelivered') Object.assign(message, REMOTE_FAILURE)
        await state.save()
        for (let i = 0; i < plan.times; i++) tell(callback, message, status)
      })
    })
  }

  function tell (callback: string | undefined, message: Kept, status: SmsStatus) {
    if (callback === undefined) return
    post(callback, {
      AccountSid: value.account_sid,
      ApiVersion: '2010-04-01',
      From: message.from,
      To: message.to,
      MessageSid: message.sid,
      SmsSid: message.sid,
      MessageStatus: status,
      SmsStatus: status,
      ...(status === 'undelivered' ? { ErrorCode: String(REMOTE_FAILURE.errorCode) } : {})
    })
  }

  function post (url: string, params: Params) {
    base.hook({
      url,
      body: new URLSearchParams(params).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signCall(url, params, value.auth_token) }
    })
  }

  function inbound (sms: WrittenSms) {
    const url = value.numbers.find(number => number.phoneNumber === sms.to)?.smsUrl ?? options.inboundUrl
    if (url === undefined || url === null) throw new Error('the SMS twin was built without inboundUrl')
    const sid = base.id('SM')
    const media = (sms.media ?? []).flatMap((one, index) => [[`MediaUrl${index}`, one.url], [`MediaContentType${index}`, one.type]])
    post(url, {
      AccountSid: value.account_sid,
      ApiVersion: '2010-04-01',
      MessageSid: sid,
      SmsSid: sid,
      SmsMessageSid: sid,
      SmsStatus: 'received',
      From: sms.from,
      To: sms.to,
      Body: sms.body,
      NumSegments: String(segmentsOf(sms.body).segments),
      NumMedia: String(sms.media?.length ?? 0),
      ...Object.fromEntries(media)
    })
  }

  const shown = ({ ref: _ref, ...message }: Kept): SmsRecord => ({ ...message, createdAt: new Date(message.createdAt) })
  const messages = ({ to }: { to?: string } = {}) => value.messages.filter(one => to === undefined || one.to === to).map(shown).reverse()

  return {
    send,
    get: sid => base.act({ kind: 'get', data: { sid } }, () => {
      const message = value.messages.find(one => one.sid === sid)
      if (message === undefined) throw notFound(sid)
      return shown(message)
    }),
    find: ({ to, since, ref }) => base.act({ kind: 'find', data: { to, since, ref } }, () => value.messages
      .filter(one => one.to === to && one.createdAt >= since.toISOString() && (ref === undefined || one.ref === ref)).map(shown).reverse()),
    lookup: phone => base.act({ kind: 'lookup', data: { phone } }, () => phonePattern.test(phone) && !phone.endsWith('0000')
      ? { valid: true, e164: phone, country: 'US', lineType: 'mobile' }
      : { valid: false, e164: null, country: null, lineType: null }),
    prices: country => base.act({ kind: 'prices', data: { country } }, () => ({
      country,
      currency: 'USD',
      inbound: [{ type: 'local', price: '0.0079' }],
      outbound: [{ carrier: 'Twin Mobile', price: '0.0079' }]
    })),
    call: call => base.act({ kind: 'call', accountId: call.account, data: call }, plan => {
      const sid = base.id('CA')
      const course = ['ringing', 'in-progress', 'completed']
      for (const [index, status] of (plan.reorder ? course.reverse() : course).entries()) {
        if (call.statusCallback === undefined || plan.times === 0) break
        const params = { AccountSid: value.account_sid, CallSid: sid, CallStatus: status, From: call.from, To: call.to, CallDuration: status === 'completed' ? '61' : '0' }
        const url = call.statusCallback
        base.later((index + 1) * STEP_MS, async () => { for (let i = 0; i < plan.times; i++) post(url, params) })
      }
      return { sid, status: 'queued' }
    }),
    numbers: {
      search: query => base.act({ kind: 'numbers.search', data: query }, () => twinStock(query, new Set(value.numbers.map(one => one.phoneNumber)))),
      buy: order => base.act({ kind: 'numbers.buy', data: order }, async () => {
        if (value.numbers.some(one => one.phoneNumber === order.phoneNumber)) throw refusal([21422, 'is not available'], order.phoneNumber)
        const number = soldNumber(base.id('PN'), order.phoneNumber, order.smsUrl, order.voiceUrl)
        value.numbers.push(number)
        await state.save()
        return number
      }),
      update: (sid, change) => base.act({ kind: 'numbers.update', data: { sid, ...change } }, async () => {
        const number = value.numbers.find(one => one.sid === sid)
        if (number === undefined) throw notFound(sid)
        Object.assign(number, change)
        await state.save()
        return { ...number }
      }),
      release: sid => base.act({ kind: 'numbers.release', data: { sid } }, async () => {
        const index = value.numbers.findIndex(one => one.sid === sid)
        if (index === -1) throw notFound(sid)
        value.numbers.splice(index, 1)
        await state.save()
      }),
      countries: () => base.act({ kind: 'numbers.countries' }, twinCountries)
    },
    twin: { ...base, messages, inbound, authToken: value.auth_token, accountSid: value.account_sid }
  }
}
