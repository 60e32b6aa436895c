import { CommonError, ServiceError, catalogue } from '../kit.js'
import { redact } from './redact.js'

/** The codes of calls to other systems; `UPSTREAM_ERROR` carries the status of the answer, 502 stands for it in the lists. */
const UpstreamCodes = {
  ...catalogue('upstream', {
    UPSTREAM_ERROR: { status: 502, text: 'A service behind this one refused the call.' },
    UPSTREAM_BAD_RESPONSE: { status: 502, text: 'A service behind this one answered with something unexpected.' }
  }),
  UPSTREAM_UNAVAILABLE: CommonError.UPSTREAM_UNAVAILABLE,
  UPSTREAM_TIMEOUT: CommonError.UPSTREAM_TIMEOUT
}

/**
 * What is known of the other side's state after the failure:
 * `not_sent` it never saw the call, `answered` it refused it, `unknown` it may have acted: look up before repeating.
 */
export type Outcome = 'not_sent' | 'answered' | 'unknown'

type Details = {
  /** name of the other system, for the log */
  upstream: string
  outcome: Outcome
  /** the parsed body of its answer, still with everything in it */
  body?: unknown
  /** seconds that it asked us to wait */
  retryAfter?: number
  /** inner reason, for the log only */
  cause?: unknown
}

/** A failed call to another system: keeps its status and its data, never the request, headers or credentials. */
export class UpstreamError extends ServiceError {
  readonly upstream: string
  readonly outcome: Outcome
  readonly retryAfter: number | undefined

  constructor (status: number, code: keyof typeof UpstreamCodes, details: Details) {
    const shown = redact(details.body)
    super(status, code, UpstreamCodes[code]().message, {
      ...(shown === undefined ? {} : { data: { upstream: shown } }),
      ...(details.retryAfter === undefined ? {} : { headers: { 'retry-after': String(details.retryAfter) } })
    })
    this.name = 'UpstreamError'
    this.upstream = details.upstream
    this.outcome = details.outcome
    this.retryAfter = details.retryAfter
    if (details.cause !== undefined) this.cause = details.cause
  }
}

/** The other side answered with a failure status (400 and above), which is kept. */
export const answeredWith = (status: number, details: Omit<Details, 'outcome'>) =>
  new UpstreamError(status, 'UPSTREAM_ERROR', { ...details, outcome: 'answered' })

/** The other side answered, but not in its own form, or with more bytes than allowed. */
export const badAnswer = (upstream: string, cause: unknown) =>
  new UpstreamError(502, 'UPSTREAM_BAD_RESPONSE', { upstream, cause, outcome: 'unknown' })

export const unreachable = (upstream: string, cause: unknown, outcome: Outcome = 'unknown', retryAfter?: number) =>
  new UpstreamError(502, 'UPSTREAM_UNAVAILABLE', { upstream, cause, outcome, retryAfter })

export const timedOut = (upstream: string, cause: unknown) =>
  new UpstreamError(504, 'UPSTREAM_TIMEOUT', { upstream, cause, outcome: 'unknown' })

/** Seconds of a `Retry-After` header (number or date), at most one day. */
export function retryAfterSeconds (header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined
  const seconds = /^\d{1,9}$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now.getTime()) / 1_000
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(Math.ceil(seconds), 86_400) : undefined
}
