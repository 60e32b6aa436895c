import type { CallContext, ProviderMode, ProviderState } from '../provider.js'
import type { PushTwin } from './twin.js'

export type PushMessage = {
  /** our account, for the log of the twin */
  account?: string
  /** web and device tokens of FCM, `ExponentPushToken[…]` of Expo */
  tokens: readonly string[]
  title: string
  body: string
  data?: Readonly<Record<string, string>>
  /** address that a click opens */
  link?: string
  image?: string
  badge?: number
  /** a newer message with the same tag replaces the older one on the device */
  tag?: string
  /** seconds that it is worth keeping for a device that is off */
  ttl?: number
}

/** `unregistered`: the token is dead and must be removed; `failed`: may work later. */
export type PushResult =
  | { token: string, status: 'sent', messageId: string }
  | { token: string, status: 'unregistered' }
  | { token: string, status: 'failed', error: { code: string, status: number }, /** seconds */ retryAfter?: number }

export type PushProvider = {
  mode: ProviderMode
  twin?: PushTwin
  state (): ProviderState
  /**
   * One result per token, in their order. A failing token does not fail the others.
   * @throws PUSH_NOT_CONFIGURED; UpstreamError when the provider refuses our own credentials
   */
  send (message: PushMessage, context?: CallContext): Promise<PushResult[]>
}

export const isExpoToken = (token: string): boolean => /^Expo(?:nent)?PushToken\[[^\]]{1,200}\]$/.test(token)
