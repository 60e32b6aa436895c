import { UpstreamError } from '../http/index.js'
import { catalogue } from '../kit.js'

export const BuilderError = catalogue('site-builder', {
  SITE_BUILDER_NOT_CONFIGURED: { status: 503, text: 'The site builder is not configured.' },
  BUILDER_RATE_LIMITED: { status: 503, text: 'The site builder is busy, try again shortly.' },
  BUILDER_ERROR: { status: 502, text: 'The site builder could not be reached or answered with something unexpected.' },
  BUILDER_TIMEOUT: { status: 504, text: 'The site builder did not answer in time.' }
})

const RETRY_AFTER_S = 10

/** The builder's own refusals keep status and data; what is not an answer becomes ours, with the first error as its cause. */
export function translate (error: unknown): unknown {
  if (!(error instanceof UpstreamError)) return error
  if (error.status === 429) {
    return BuilderError.BUILDER_RATE_LIMITED().with({ headers: { 'retry-after': String(error.retryAfter ?? RETRY_AFTER_S) } }).because(error)
  }
  if (error.outcome === 'answered') return error
  return (error.code === 'UPSTREAM_TIMEOUT' ? BuilderError.BUILDER_TIMEOUT() : BuilderError.BUILDER_ERROR()).because(error)
}
