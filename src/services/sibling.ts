import type { Method } from './http/index.js'
import type { ServiceError } from './kit.js'
import { chooseMode, missing, trimmed, type CallContext, type ProviderMode, type ProviderOptions, type ProviderState } from './provider.js'
import { createTwin, type Twin, type TwinPlan } from './twin.js'

export type SiblingOptions = ProviderOptions & {
  /** address of the sibling; without it the twin outside production */
  baseUrl?: string
}

type Sibling = {
  /** also the folder of its twin */
  name: string
  /** its variable, named in the 503 */
  variable: string
  notConfigured: () => ServiceError
  timeoutMs: number
  /** tries of reading calls; writing ones are made once, the outbox repeats them */
  tries: number
}

export type SiblingCall = {
  method: Method
  /** below the base address, with its leading slash, parts already encoded */
  path: string
  json?: unknown
  headers?: Readonly<Record<string, string>>
  /** a repeat has no second effect (default: by method) */
  idempotent?: boolean
  /** our account, for the log of the twin */
  accountId?: string
}

/** Plays the sibling: what it answers to a call. */
export type SiblingPlay = (call: SiblingCall, plan: TwinPlan) => unknown

export type SiblingClient = {
  mode: ProviderMode
  twin?: Twin
  state (): ProviderState
  /** The parsed answer, null when there is no body. @throws <NAME>_NOT_CONFIGURED, UpstreamError */
  request (call: SiblingCall, context?: CallContext): Promise<unknown>
}

/** One service of the platform beside this one: its real client, its twin, or a refusal. */
export function createSibling (sibling: Sibling, options: SiblingOptions, play: SiblingPlay): SiblingClient {
  const client = choose(sibling, options, play)
  return {
    ...client,
    async request (call, context) {
      // an id of two dots would climb to another door
      if (/\/\.{1,2}(?:[/?]|$)/.test(call.path)) throw new Error(`the path ${call.path} climbs`)
      return await client.request(call, context)
    }
  }
}

function choose (sibling: Sibling, options: SiblingOptions, play: SiblingPlay): SiblingClient {
  const { baseUrl, http } = options
  if (baseUrl !== undefined) {
    return {
      mode: 'real',
      state: () => http.state(baseUrl),
      request: (call, context) => callSibling(sibling, { ...options, baseUrl }, call, context)
    }
  }
  if (chooseMode(false, options.production) === 'off') {
    return {
      mode: 'off',
      state: () => 'not_configured',
      request: async () => { throw missing(sibling.notConfigured(), sibling.variable) }
    }
  }
  const twin = createTwin({ ...options, name: sibling.name, dir: options.twinDir })
  return {
    mode: 'twin',
    twin,
    state: () => 'ok',
    request: call => twin.act({ kind: `${call.method} ${call.path}`, accountId: call.accountId, data: call.json }, plan => play(call, plan))
  }
}

async function callSibling (sibling: Sibling, options: SiblingOptions & { baseUrl: string }, call: SiblingCall, context: CallContext = {}): Promise<unknown> {
  const answer = await options.http.call({
    upstream: sibling.name,
    url: trimmed(options.baseUrl) + call.path,
    method: call.method,
    headers: call.headers,
    ...(call.json === undefined ? {} : { json: call.json }),
    idempotent: call.idempotent ?? (call.method === 'GET' || call.method === 'HEAD'),
    tries: sibling.tries,
    timeoutMs: sibling.timeoutMs,
    requestId: context.requestId,
    signal: context.signal
  })
  return answer.bytes.length === 0 || !/json/.test(answer.headers['content-type'] ?? '') ? null : answer.json()
}

export const bearerHeader = (bearer: string | undefined): Record<string, string> => bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }
