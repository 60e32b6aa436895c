import type { Stripe } from 'stripe'
import { chooseMode, missing, type CallContext, type ProviderMode, type ProviderOptions, type ProviderState } from '../provider.js'
import type { TwinOptions } from '../twin.js'
import { StripeError, translate } from './errors.js'
import { verifyEvent, type Proof } from './signature.js'
import { currentRun, stripeTransport, type Run } from './transport.js'
import { createStripeTwin, type StripeTwin, type StripeTwinOptions } from './twin/server.js'

export { StripeFailure } from './errors.js'
export { signEvent } from './signature.js'
export type { StripeTwin } from './twin/server.js'
export { change, refuse, type Call, type Door, type StripeObject } from './twin/core.js'

export type StripeProvider = {
  mode: ProviderMode
  twin?: StripeTwin
  state (): ProviderState
  /**
   * Calls Stripe by its own library: `run(stripe => stripe.customers.create({ … }, { idempotencyKey, stripeAccount }))`.
   * Twenty seconds for everything, two repeats under one idempotency key.
   * @throws STRIPE_NOT_CONFIGURED, CARD_DECLINED, PAYMENT_ACTION_REQUIRED, STRIPE_RATE_LIMITED, STRIPE_UNAVAILABLE; UpstreamError, whose
   * `outcome` is `unknown` when Stripe may have acted
   */
  run<T> (work: (stripe: Stripe) => Promise<T>, context?: CallContext): Promise<T>
  /** Checks `Stripe-Signature` over the raw body; the twin signs with `twin.webhookSecret`. */
  verifyEvent (raw: string | Uint8Array, header: string, secret: string): Proof
  close (): Promise<void>
}

export type StripeOptions = ProviderOptions & {
  /** STRIPE_SECRET_KEY */
  apiKey?: string
  /** STRIPE_API_BASE */
  baseUrl?: string
  /** STRIPE_TWIN_PORT (default 12111, 0 takes a free one) */
  twinPort?: number
  /** our routes, for the twin's hooks */
  endpoints?: StripeTwinOptions['endpoints']
  /** further doors of the twin */
  doors?: StripeTwinOptions['doors']
  deliver?: TwinOptions['deliver']
  /** time for everything, milliseconds (default 20 000) */
  timeoutMs?: number
}

export const STRIPE = 'https://api.stripe.com'
/** Pinned: a newer library must not change what the objects look like. */
const API_VERSION = '2026-10-28.endive'

/** Payments by Stripe; without a key outside production the same library talks to the twin on loopback. */
export function createStripe (options: StripeOptions): StripeProvider {
  const { apiKey, http, clock, timeoutMs = 20_000 } = options
  const mode = chooseMode(apiKey !== undefined, options.production)
  const twin = mode === 'twin' ? createStripeTwin({ ...options, dir: options.twinDir, port: options.twinPort ?? 12_111 }) : undefined
  let made: Promise<Stripe> | undefined

  async function connect (): Promise<Stripe> {
    const { default: Library } = await import('stripe')
    const url = new URL(options.baseUrl ?? await twin?.start() ?? STRIPE)
    return new Library(apiKey ?? twin?.secretKey ?? '', {
      apiVersion: API_VERSION,
      httpClient: stripeTransport(http),
      maxNetworkRetries: 2,
      timeout: timeoutMs,
      protocol: url.protocol === 'http:' ? 'http' : 'https',
      host: url.hostname,
      port: url.port === '' ? (url.protocol === 'http:' ? 80 : 443) : Number(url.port),
      telemetry: false
    })
  }

  return {
    mode,
    twin,
    state: () => mode === 'off' ? 'not_configured' : mode === 'twin' ? 'ok' : http.state(options.baseUrl ?? STRIPE),
    async run (work, context = {}) {
      if (mode === 'off') throw missing(StripeError.STRIPE_NOT_CONFIGURED(), 'STRIPE_SECRET_KEY')
      made ??= connect()
      made.catch(() => { made = undefined })
      const stripe = await made
      const run: Run = { deadline: performance.now() + timeoutMs, requestId: context.requestId, error: null }
      try {
        return await currentRun.run(run, () => work(stripe))
      } catch (error) {
        throw translate(error, run.error)
      }
    },
    verifyEvent: (raw, header, secret) => verifyEvent(raw, header, secret, clock.now()),
    async close () { await twin?.close() }
  }
}
