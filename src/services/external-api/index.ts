import { answeredWith, type Method } from '../http/index.js'
import { catalogue } from '../kit.js'
import type { CallContext } from '../provider.js'
import { bearerHeader, createSibling, type SiblingClient, type SiblingOptions } from '../sibling.js'
import type { Twin } from '../twin.js'
import { samples, type SampleRequest } from './samples.js'

export const ExternalApiError = catalogue('external-api', {
  EXTERNAL_API_NOT_CONFIGURED: { status: 503, text: 'The integrations are not configured.' }
})

export type ExternalCall = {
  /** such as `google-ads` */
  integration: string
  /** parts below it, encoded here: `['campaigns', id]` */
  path: readonly string[]
  method?: Method
  query?: Readonly<Record<string, string | number | boolean | undefined>>
  json?: unknown
  accountId?: string
}

export type ExternalApiTwin = Twin & {
  /** Plays one more door: `on('GET', 'yext/:id', …)`; the last one wins. */
  on (method: Method, pattern: string, answer: (request: SampleRequest) => unknown): void
}

export type ExternalApi = Omit<SiblingClient, 'request' | 'twin'> & {
  twin?: ExternalApiTwin
  /**
   * Calls `/v1/e/<integration>/…` with the bearer of the acting user; reads are tried twice within ten seconds.
   * @throws EXTERNAL_API_NOT_CONFIGURED, UpstreamError
   */
  call (call: ExternalCall, context?: CallContext & { bearer?: string }): Promise<unknown>
}

const SIBLING = {
  name: 'external-api',
  variable: 'EXTERNAL_API_URL',
  notConfigured: ExternalApiError.EXTERNAL_API_NOT_CONFIGURED,
  timeoutMs: 10_000,
  tries: 2
}

/** The platform's door to other companies' APIs (`EXTERNAL_API_URL`). */
export function createExternalApi (options: SiblingOptions): ExternalApi {
  const doors = samples(options.clock)
  const { request, twin, ...sibling } = createSibling(SIBLING, options, ({ method, path, json, accountId }) => {
    const url = new URL(path, 'http://twin')
    const parts = url.pathname.split('/').slice(3).map(decodeURIComponent)
    for (const door of doors.toReversed()) {
      const params = door.method === method ? match(door.pattern, parts) : null
      if (params !== null) return door.answer({ params, query: url.searchParams, body: json as SampleRequest['body'], accountId })
    }
    throw answeredWith(501, { upstream: 'external-api', body: { message: `The twin does not play ${method} ${url.pathname}` } })
  })

  return {
    ...sibling,
    twin: twin === undefined ? undefined : { ...twin, on: (method, pattern, answer) => { doors.push({ method, pattern, answer }) } },
    async call ({ integration, path, method = 'GET', query = {}, json, accountId }, context) {
      const search = new URLSearchParams()
      for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
      const target = `/v1/e/${[integration, ...path].map(encodeURIComponent).join('/')}${search.size === 0 ? '' : `?${search.toString()}`}`
      return await request({ method, path: target, json, headers: bearerHeader(context?.bearer), accountId }, context)
    }
  }
}

/** The named parts of a path, null when it is another one. */
function match (pattern: string, parts: readonly string[]): Record<string, string> | null {
  const wanted = pattern.split('/')
  if (wanted.length !== parts.length) return null
  const params: Record<string, string> = {}
  for (const [index, want] of wanted.entries()) {
    const part = parts[index] ?? ''
    if (want.startsWith(':')) params[want.slice(1)] = part
    else if (want !== part) return null
  }
  return params
}
