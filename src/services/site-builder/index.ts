import { chooseMode, missing, unavailable, type ProviderOptions } from '../provider.js'
import type { TwinOptions } from '../twin.js'
import { createDuda } from './duda.js'
import { BuilderError } from './errors.js'
import { verifyHook } from './signature.js'
import { createBuilderTwin } from './twin.js'
import { METHODS, type SiteBuilder, type SiteBuilderClient } from './types.js'

export type {
  BuilderContent, BuilderRevision, BuilderSite, BuilderStats, BuilderStatus, BuilderSubmission, BuilderTemplate, NewSite, Period, SiteBuilder, SiteBuilderClient
} from './types.js'
export { BuilderError } from './errors.js'
export { signHook } from './signature.js'

export type SiteBuilderOptions = ProviderOptions & {
  /** DUDA_SITES_DOMAIN: address of the API (default https://api.duda.co/api) */
  baseUrl?: string
  /** DUDA_TOKEN: `user:password` */
  token?: string
  /** DUDA_WEBHOOK_SECRET */
  webhookSecret?: string
  /** our route, for the twin's hooks */
  hooksUrl?: string
  slowMs?: number
  deliver?: TwinOptions['deliver']
}

const DUDA = 'https://api.duda.co/api'

/** Websites by Duda, or by a twin that keeps drafts and publications when there is no token outside production. */
export function createSiteBuilder (options: SiteBuilderOptions): SiteBuilder {
  const { token, baseUrl = DUDA, http, clock } = options
  const mode = chooseMode(token !== undefined, options.production)
  const local = mode === 'twin' ? createBuilderTwin({ ...options, dir: options.twinDir }) : undefined
  const client = token !== undefined
    ? createDuda({ baseUrl, token, http })
    : local?.client ?? unavailable<SiteBuilderClient, keyof SiteBuilderClient>(METHODS, () => missing(BuilderError.SITE_BUILDER_NOT_CONFIGURED(), 'DUDA_TOKEN'))
  const secret = local?.secret ?? options.webhookSecret
  return {
    ...client,
    mode,
    twin: local?.twin,
    state: () => mode === 'off' ? 'not_configured' : mode === 'twin' ? 'ok' : http.state(baseUrl),
    verifyHook (raw, signature, timestamp) {
      if (secret === undefined) throw missing(BuilderError.SITE_BUILDER_NOT_CONFIGURED(), 'DUDA_WEBHOOK_SECRET')
      return verifyHook(raw, signature, timestamp, secret, clock.now())
    }
  }
}
