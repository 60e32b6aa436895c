import { chooseMode, missing, unavailable, type CallContext, type ProviderOptions } from '../provider.js'
import type { TwinOptions } from '../twin.js'
import { SmsError, isNumberRefused } from './errors.js'
import { TWILIO, createRealSms } from './real.js'
import { verifyCall } from './signature.js'
import { createSmsTwin } from './twin.js'
import type { OutgoingSms, SentMany, SmsClient, SmsProvider } from './types.js'

export type {
  AvailableNumber, Capabilities, Lookup, NumberSearch, NumberType, OutgoingSms, OwnedNumber, SentMany, SentSms, SmsPrices, SmsProvider, SmsRecord, SmsStatus
} from './types.js'
export type { SmsTwin, WrittenSms } from './twin.js'
export { providerCode, isNumberRefused } from './errors.js'
export { segmentsOf, type Segments } from './segments.js'

export type SmsOptions = ProviderOptions & {
  /** TWILIO_ACCOUNT_SID */
  accountSid?: string
  /** TWILIO_AUTH_TOKEN */
  authToken?: string
  /** TWILIO_BASE_URL */
  baseUrl?: string
  /** the platform's own number */
  from?: string
  /** TWILIO_MESSAGING_GROUP_SID: sends the platform's own messages instead of `from` */
  messagingServiceSid?: string
  /** our route for inbound messages, for the twin's hooks */
  inboundUrl?: string
  deliver?: TwinOptions['deliver']
}

const PARALLEL = 20

/** SMS and calls by Twilio, or by its twin when there is no key outside production. */
export function createSms (options: SmsOptions): SmsProvider {
  const { accountSid, authToken, http } = options
  const mode = chooseMode(accountSid !== undefined && authToken !== undefined, options.production)
  const absent = accountSid === undefined ? 'TWILIO_ACCOUNT_SID' : 'TWILIO_AUTH_TOKEN'
  const local = mode === 'twin' ? createSmsTwin({ ...options, dir: options.twinDir }) : undefined
  const client = accountSid !== undefined && authToken !== undefined ? createRealSms({ ...options, accountSid, authToken }) : local ?? off(absent)
  const token = local?.twin.authToken ?? authToken

  return {
    ...client,
    mode,
    twin: local?.twin,
    state: () => mode === 'off' ? 'not_configured' : mode === 'twin' ? 'ok' : http.state(options.baseUrl ?? TWILIO),
    async sendMany (list, context) {
      if (mode === 'off') throw missing(SmsError.TWILIO_NOT_CONFIGURED(), absent)
      return await sendMany(client, list, context)
    },
    verify (url, params, signature) {
      if (token === undefined) throw missing(SmsError.TWILIO_NOT_CONFIGURED(), absent)
      return verifyCall(url, params, signature, token)
    }
  }
}

function off (variable: string): SmsClient {
  const error = () => missing(SmsError.TWILIO_NOT_CONFIGURED(), variable)
  return {
    ...unavailable<SmsClient, 'send' | 'get' | 'find' | 'lookup' | 'prices' | 'call'>(['send', 'get', 'find', 'lookup', 'prices', 'call'], error),
    numbers: unavailable<SmsClient['numbers'], keyof SmsClient['numbers']>(['search', 'buy', 'update', 'release', 'countries'], error)
  }
}

async function sendMany (client: Pick<SmsClient, 'send'>, list: readonly OutgoingSms[], context?: CallContext): Promise<SentMany> {
  const result: SentMany = { validNumberArr: [], invalidNumberArr: [], sentSmsDetails: [], failed: [] }
  for (let at = 0; at < list.length; at += PARALLEL) {
    const part = list.slice(at, at + PARALLEL)
    const settled = await Promise.allSettled(part.map(sms => client.send(sms, context)))
    for (const [index, one] of settled.entries()) {
      const to = part[index]?.to ?? ''
      if (one.status === 'fulfilled') {
        result.validNumberArr.push(to)
        result.sentSmsDetails.push({ to, ...one.value })
      } else if (isNumberRefused(one.reason)) result.invalidNumberArr.push(to)
      else result.failed.push({ to, error: one.reason })
    }
  }
  return result
}
