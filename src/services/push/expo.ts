import { UpstreamError, badAnswer, type HttpClient } from '../http/index.js'
import { trimmed, type CallContext } from '../provider.js'
import { failed } from './fcm.js'
import type { PushMessage, PushResult } from './types.js'

export const EXPO = 'https://exp.host'
const BATCH = 100

type Ticket = { status?: string, id?: string, message?: string, details?: { error?: string } }

/** Expo's push service: up to a hundred tokens in one call. */
export function createExpo (options: { baseUrl?: string, accessToken?: string, http: HttpClient }) {
  const url = `${trimmed(options.baseUrl ?? EXPO)}/--/api/v2/push/send`

  async function batch (message: PushMessage, tokens: readonly string[], context: CallContext): Promise<PushResult[]> {
    try {
      const answer = await options.http.call({
        upstream: 'expo',
        url,
        method: 'POST',
        headers: options.accessToken === undefined ? {} : { authorization: `Bearer ${options.accessToken}` },
        json: tokens.map(token => bodyOf(message, token)),
        timeoutMs: 10_000,
        maxBytes: 262_144,
        requestId: context.requestId,
        signal: context.signal
      })
      const { data } = answer.json() as { data?: unknown }
      if (!Array.isArray(data) || data.length !== tokens.length) throw badAnswer('expo', 'not one ticket for each token')
      return tokens.map((token, index) => resultOf(token, data[index] as Ticket))
    } catch (error) {
      if (!(error instanceof UpstreamError) || error.status === 401 || error.status === 403) throw error
      return tokens.map(token => failed(token, error))
    }
  }

  return {
    async send (message: PushMessage, tokens: readonly string[], context: CallContext): Promise<PushResult[]> {
      const results: PushResult[] = []
      for (let at = 0; at < tokens.length; at += BATCH) results.push(...await batch(message, tokens.slice(at, at + BATCH), context))
      return results
    }
  }
}

function resultOf (token: string, ticket: Ticket): PushResult {
  if (ticket.status === 'ok' && typeof ticket.id === 'string') return { token, status: 'sent', messageId: ticket.id }
  if (ticket.details?.error === 'DeviceNotRegistered') return { token, status: 'unregistered' }
  const limited = ticket.details?.error === 'MessageRateExceeded'
  return { token, status: 'failed', error: { code: ticket.details?.error ?? 'EXPO_ERROR', status: limited ? 429 : 502 } }
}

const bodyOf = (message: PushMessage, token: string) => ({
  to: token,
  title: message.title,
  body: message.body,
  data: { ...message.data, ...(message.link === undefined ? {} : { link: message.link }) },
  sound: 'default',
  ...(message.badge === undefined ? {} : { badge: message.badge }),
  ...(message.ttl === undefined ? {} : { ttl: message.ttl })
})
