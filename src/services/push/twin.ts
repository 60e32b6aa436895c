import { join } from 'node:path'
import { createTwinState } from '../twin-state.js'
import { createTwin, type Twin, type TwinOptions } from '../twin.js'
import type { PushMessage, PushResult } from './types.js'

export type KeptPush = Omit<PushMessage, 'tokens'> & { token: string, messageId: string, at: string }

export type PushTwin = Twin & {
  /** What arrived at the devices since the start, newest first. */
  messages (filter?: { token?: string }): KeptPush[]
  /** The device behind this token is gone. */
  markUnregistered (token: string): Promise<void>
}

const MOST_KEPT = 1_000

/** Tokens `bad-…` are unregistered, `slow-…` time out, `fail-…` answer 503. */
export function createPushTwin (options: Omit<TwinOptions, 'name'>) {
  const base = createTwin({ ...options, name: 'push' })
  const state = createTwinState<{ unregistered: string[] }>(join(base.folder, 'state.json'), () => ({ unregistered: [] }))
  const kept: KeptPush[] = []

  function deliver ({ tokens: _tokens, ...message }: PushMessage, token: string, times: number): PushResult {
    if (token.startsWith('bad-') || state.value.unregistered.includes(token)) return { token, status: 'unregistered' }
    if (token.startsWith('slow-')) return { token, status: 'failed', error: { code: 'UPSTREAM_TIMEOUT', status: 504 } }
    if (token.startsWith('fail-')) return { token, status: 'failed', error: { code: 'UPSTREAM_ERROR', status: 503 } }
    const messageId = base.id('projects/twin/messages/', 8)
    for (let i = 0; i < times; i++) kept.unshift({ ...message, token, messageId, at: options.clock.now().toISOString() })
    kept.length = Math.min(kept.length, MOST_KEPT)
    return { token, status: 'sent', messageId }
  }

  return {
    send: (message: PushMessage): Promise<PushResult[]> =>
      base.act({ kind: 'send', accountId: message.account, data: message }, plan => message.tokens.map(token => deliver(message, token, plan.times))),
    twin: {
      ...base,
      messages: ({ token } = {}) => kept.filter(one => token === undefined || one.token === token),
      async markUnregistered (token) {
        state.value.unregistered.push(token)
        await state.save()
      }
    } satisfies PushTwin
  }
}
