import { ServiceError, catalogue } from '../kit.js'
import { answeredWith, type Outcome, type UpstreamError } from '../http/index.js'

export const StripeError = catalogue('stripe', {
  STRIPE_NOT_CONFIGURED: { status: 503, text: 'Payments are not configured.' },
  STRIPE_RATE_LIMITED: { status: 503, text: 'The payment provider is busy, try again shortly.' },
  STRIPE_UNAVAILABLE: { status: 503, text: 'The payment provider is not available, try again shortly.' },
  CARD_DECLINED: { status: 402, text: 'The card was declined.' },
  PAYMENT_ACTION_REQUIRED: { status: 402, text: 'The bank asks for a confirmation of this payment.' }
})

/** A failed call to Stripe; `outcome` says whether it may have acted, `retryAfter` in seconds. */
export class StripeFailure extends ServiceError {
  readonly outcome: Outcome
  readonly retryAfter: number | undefined

  constructor (base: ServiceError, outcome: Outcome, data?: Readonly<Record<string, unknown>>, retryAfter?: number) {
    super(base.status, base.code, base.message, {
      ...(data === undefined ? {} : { data }),
      ...(retryAfter === undefined ? {} : { headers: { 'retry-after': String(retryAfter) } })
    })
    this.name = 'StripeFailure'
    this.outcome = outcome
    this.retryAfter = retryAfter
  }
}

type LibraryError = {
  type?: string
  statusCode?: number
  code?: string
  decline_code?: string
  param?: string
  headers?: Record<string, string>
  payment_intent?: { id?: string, client_secret?: string | null }
}

const RETRY_AFTER_S = 5

/**
 * What the library threw in our terms: card problems with their reason, overload and absence as 503, an unknown outcome
 * as the transport's own error; other refusals keep status and code only.
 * @param transport the last failure of the transport during the call
 */
export function translate (error: unknown, transport: UpstreamError | null): unknown {
  const { type = '', statusCode, code, decline_code: decline, param, headers, payment_intent: intent } = error as LibraryError
  if (!type.startsWith('Stripe')) return error
  if (type === 'StripeCardError') {
    const payment = intent?.id === undefined ? {} : { payment_intent: intent.id }
    return code === 'authentication_required'
      ? new StripeFailure(StripeError.PAYMENT_ACTION_REQUIRED(), 'answered', { ...payment, client_secret: intent?.client_secret ?? null })
      : new StripeFailure(StripeError.CARD_DECLINED(), 'answered', { ...payment, decline_code: decline ?? code ?? null })
  }
  const retryAfter = Number(headers?.['retry-after']) || RETRY_AFTER_S
  if (statusCode === 429 || type === 'StripeRateLimitError') return new StripeFailure(StripeError.STRIPE_RATE_LIMITED(), 'answered', undefined, retryAfter)
  if (transport?.outcome === 'not_sent') return new StripeFailure(StripeError.STRIPE_UNAVAILABLE(), 'not_sent', undefined, transport.retryAfter ?? RETRY_AFTER_S).because(transport)
  if (transport !== null) return transport
  if (statusCode === undefined || statusCode >= 500) return new StripeFailure(StripeError.STRIPE_UNAVAILABLE(), 'unknown', undefined, retryAfter).because(error)
  return answeredWith(statusCode, { upstream: 'stripe', body: { type, code, param }, cause: error })
}
