import { UpstreamError } from '../http/index.js'
import { catalogue } from '../kit.js'

export const SmsError = catalogue('sms', {
  TWILIO_NOT_CONFIGURED: { status: 503, text: 'SMS and calls are not configured.' }
})

/** Twilio's own number of a refusal (such as 21211, not a phone number), null for other errors. */
export function providerCode (error: unknown): number | null {
  if (!(error instanceof UpstreamError)) return null
  const code = (error.data?.upstream as { code?: unknown } | undefined)?.code
  return typeof code === 'number' ? code : null
}

/** Refusals that speak against the number and not against the call. */
const NUMBER_REFUSALS = new Set([21211, 21214, 21217, 21401, 21408, 21610, 21612, 21614])

export const isNumberRefused = (error: unknown): boolean => NUMBER_REFUSALS.has(providerCode(error) ?? 0)
