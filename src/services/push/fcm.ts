import { UpstreamError, badAnswer, type HttpClient } from '../http/index.js'
import type { Clock } from '../kit.js'
import { trimmed, type CallContext } from '../provider.js'
import { createAccess, type ServiceAccount } from './access.js'
import type { PushMessage, PushResult } from './types.js'

export const FCM = 'https://fcm.googleapis.com'

type FcmProblem = { error?: { status?: string, details?: Array<{ errorCode?: string, fieldViolations?: Array<{ field?: string }> }> } }

/** FCM HTTP v1: one call for each token. */
export function createFcm (options: { account: ServiceAccount, baseUrl?: string, http: HttpClient, clock: Clock }) {
  const access = createAccess(options.account, options.http, options.clock)
  const url = `${trimmed(options.baseUrl ?? FCM)}/v1/projects/${encodeURIComponent(options.account.projectId)}/messages:send`

  async function post (message: PushMessage, token: string, bearer: string, context: CallContext): Promise<PushResult> {
    const answer = await options.http.call({
      upstream: 'fcm',
      url,
      method: 'POST',
      headers: { authorization: `Bearer ${bearer}` },
      json: { message: bodyOf(message, token) },
      timeoutMs: 10_000,
      maxBytes: 65_536,
      requestId: context.requestId,
      signal: context.signal
    })
    const { name } = answer.json() as { name?: unknown }
    if (typeof name !== 'string') throw badAnswer('fcm', 'no message name')
    return { token, status: 'sent', messageId: name }
  }

  async function deliver (message: PushMessage, token: string, context: CallContext): Promise<PushResult> {
    const bearer = await access.token(context)
    try {
      return await post(message, token, bearer, context)
    } catch (error) {
      if (!(error instanceof UpstreamError) || error.status !== 401) throw error
      access.forget(bearer)
      return await post(message, token, await access.token(context), context)
    }
  }

  return {
    async send (message: PushMessage, token: string, context: CallContext): Promise<PushResult> {
      try {
        return await deliver(message, token, context)
      } catch (error) {
        if (!(error instanceof UpstreamError) || error.upstream !== 'fcm' || error.status === 401) throw error
        return isDead(error) ? { token, status: 'unregistered' } : failed(token, error)
      }
    }
  }
}

export const failed = (token: string, error: UpstreamError): PushResult => ({
  token, status: 'failed', error: { code: error.code, status: error.status }, ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter })
})

/** Is it the token that is refused, for good? */
function isDead (error: UpstreamError): boolean {
  const problem = (error.data?.upstream as FcmProblem | undefined)?.error
  const details = problem?.details ?? []
  if (details.some(one => one.errorCode === 'UNREGISTERED' || one.errorCode === 'SENDER_ID_MISMATCH')) return true
  if (error.status === 404 && problem?.status === 'NOT_FOUND') return true
  return error.status === 400 && details.some(one => one.fieldViolations?.some(violation => violation.field === 'message.token') === true)
}

function bodyOf (message: PushMessage, token: string): object {
  const webpush = {
    ...(message.link === undefined ? {} : { fcm_options: { link: message.link } }),
    ...(message.ttl === undefined ? {} : { headers: { TTL: String(message.ttl) } }),
    ...(message.tag === undefined ? {} : { notification: { tag: message.tag } })
  }
  return {
    token,
    notification: { title: message.title, body: message.body, ...(message.image === undefined ? {} : { image: message.image }) },
    ...(message.data === undefined ? {} : { data: message.data }),
    ...(Object.keys(webpush).length === 0 ? {} : { webpush })
  }
}
