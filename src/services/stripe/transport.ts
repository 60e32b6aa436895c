import { AsyncLocalStorage } from 'node:async_hooks'
import { Readable } from 'node:stream'
import type { Stripe } from 'stripe'
import { UpstreamError, badAnswer, timedOut, type HttpAnswer, type HttpClient, type Method } from '../http/index.js'

/** One call of ours, over all tries of the library. */
export type Run = { deadline: number, requestId: string | undefined, error: UpstreamError | null }

export const currentRun = new AsyncLocalStorage<Run>()

type LibraryClient = NonNullable<Stripe.StripeConfig['httpClient']>
type LibraryAnswer = Awaited<ReturnType<LibraryClient['makeRequest']>>

/** Carries the library's calls: our pools, breaker, log and total time. The library repeats, under one idempotency key. */
export function stripeTransport (http: HttpClient): LibraryClient {
  return {
    getClientName: () => 'undici',
    async makeRequest (host, port, path, method, headers, requestData, protocol, timeout) {
      const run = currentRun.getStore()
      const left = run === undefined ? timeout : Math.min(timeout, run.deadline - performance.now())
      try {
        if (left <= 0) throw timedOut('stripe', 'total time')
        const answer = await http.send({
          upstream: 'stripe',
          url: `${protocol}://${host}${port === '' ? '' : `:${port}`}${path}`,
          method: method as Method,
          headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-length').map(([name, value]) => [name, String(value)])),
          ...(requestData === '' || requestData === null ? {} : { body: requestData }),
          tries: 1,
          timeoutMs: left,
          requestId: run?.requestId
        })
        if (run !== undefined) run.error = null
        return answered(answer, run)
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error
        if (run !== undefined) run.error = error
        if (error.retryAfter === undefined && left > 0) throw error
        return refused()
      }
    }
  }
}

function answered (answer: HttpAnswer, run: Run | undefined): LibraryAnswer {
  return {
    getStatusCode: () => answer.status,
    getHeaders: () => ({ ...answer.headers }),
    getRawResponse: () => answer,
    toStream (done) {
      done()
      return Readable.from([answer.bytes])
    },
    async toJSON () {
      try {
        const body = answer.json()
        // the library takes a failure without `error` in it for a success
        if (answer.status >= 400 && typeof (body as { error?: unknown } | null)?.error !== 'object') throw badAnswer('stripe', `status ${answer.status} without an error`)
        return body
      } catch (error) {
        if (run !== undefined && error instanceof UpstreamError) run.error = error
        throw error
      }
    }
  }
}

/** What tells the library not to try again: the breaker is open, or the time is over. */
const refused = (): LibraryAnswer => ({
  getStatusCode: () => 503,
  getHeaders: () => ({ 'stripe-should-retry': 'false' }),
  getRawResponse: () => null,
  toStream: () => Readable.from([]),
  toJSON: async () => ({ error: { type: 'api_error', message: 'not sent' } })
})
