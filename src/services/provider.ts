import type { HttpClient } from './http/index.js'
import type { Log } from './http/log.js'
import type { Clock, ServiceError } from './kit.js'

/** `real` talks to the outside system, `twin` plays it on this machine, `off` refuses (production without a key). */
export type ProviderMode = 'real' | 'twin' | 'off'

/** What `/v1/health` shows of an outside system; `open`: its circuit breaker refuses calls. */
export type ProviderState = 'ok' | 'open' | 'not_configured'

/** What the factory of every outside system takes. */
export type ProviderOptions = {
  http: HttpClient
  clock: Clock
  log: Log
  production: boolean
  /** folder of the twins, `data/twins` */
  twinDir: string
}

/** Who calls on whose behalf; goes along with every call to an outside system. */
export type CallContext = { requestId?: string, signal?: AbortSignal }

/** The real client when it is configured; without it the twin, but never in production. */
export const chooseMode = (configured: boolean, production: boolean): ProviderMode => configured ? 'real' : production ? 'off' : 'twin'

/** The 503 of a feature whose variable is missing in production. */
export const missing = (error: ServiceError, variable: string): ServiceError => error.with({ info: `${variable} is not set.` })

/** A provider of which every method fails with `error()`: it never pretends. */
export function unavailable<T, K extends keyof T & string> (methods: readonly K[], error: () => ServiceError): Pick<T, K> {
  const refuse = async () => { throw error() }
  return Object.fromEntries(methods.map(name => [name, refuse])) as unknown as Pick<T, K>
}

/** Removes what must not stand at the end of a base address. */
export const trimmed = (address: string): string => address.replace(/\/+$/, '')
