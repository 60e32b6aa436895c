import { chooseMode, missing, unavailable, type CallContext, type ProviderOptions } from '../provider.js'
import { readServiceAccount } from './access.js'
import { PushError } from './errors.js'
import { createExpo } from './expo.js'
import { FCM, createFcm } from './fcm.js'
import { createPushTwin } from './twin.js'
import { isExpoToken, type PushMessage, type PushProvider, type PushResult } from './types.js'

export type { PushMessage, PushProvider, PushResult } from './types.js'
export type { KeptPush, PushTwin } from './twin.js'

export type PushOptions = ProviderOptions & {
  /** the JSON of the service account */
  serviceAccount?: string
  /** name of its variable (default FIREBASE_ADMIN_SDK_JSON) */
  variable?: string
  /** other address of FCM */
  baseUrl?: string
  /** other address of Expo */
  expoUrl?: string
  expoAccessToken?: string
}

const PARALLEL = 20

/** Push by FCM (web, devices) and Expo (apps), or by the twin when there is no service account outside production. */
export function createPush (options: PushOptions): PushProvider {
  const { serviceAccount, http, variable = 'FIREBASE_ADMIN_SDK_JSON' } = options
  const mode = chooseMode(serviceAccount !== undefined, options.production)
  const local = mode === 'twin' ? createPushTwin({ ...options, dir: options.twinDir }) : undefined
  const { send } = serviceAccount !== undefined
    ? createRealPush({ ...options, serviceAccount, variable })
    : local ?? unavailable<PushProvider, 'send'>(['send'], () => missing(PushError.PUSH_NOT_CONFIGURED(), variable))
  return {
    mode,
    twin: local?.twin,
    state: () => mode === 'off' ? 'not_configured' : mode === 'twin' ? 'ok' : http.state(options.baseUrl ?? FCM),
    send
  }
}

function createRealPush (options: PushOptions & { serviceAccount: string, variable: string }): Pick<PushProvider, 'send'> {
  const fcm = createFcm({ ...options, account: readServiceAccount(options.serviceAccount, options.variable) })
  const expo = createExpo({ ...options, baseUrl: options.expoUrl, accessToken: options.expoAccessToken })

  async function toDevices (message: PushMessage, tokens: readonly string[], context: CallContext): Promise<PushResult[]> {
    const results: PushResult[] = []
    for (let at = 0; at < tokens.length; at += PARALLEL) {
      results.push(...await Promise.all(tokens.slice(at, at + PARALLEL).map(token => fcm.send(message, token, context))))
    }
    return results
  }

  return {
    async send (message, context = {}) {
      const apps = message.tokens.filter(isExpoToken)
      const devices = message.tokens.filter(token => !isExpoToken(token))
      const results = [...await toDevices(message, devices, context), ...await expo.send(message, apps, context)]
      const byToken = new Map(results.map(result => [result.token, result]))
      return message.tokens.flatMap(token => byToken.get(token) ?? [])
    }
  }
}
