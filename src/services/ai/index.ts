import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { catalogue } from '../kit.js'
import type { CallContext } from '../provider.js'
import { bearerHeader, createSibling, type SiblingClient, type SiblingOptions } from '../sibling.js'

export const AiError = catalogue('ai', {
  AI_NOT_CONFIGURED: { status: 503, text: 'AI is not configured.' }
})

export type AiCall = {
  /** task below `/v1/ai/`, such as `summary` */
  task: string
  input: Readonly<Record<string, unknown>>
  accountId: string
}

export type Ai = Omit<SiblingClient, 'request'> & {
  /** The service's answer. The same question of one account is answered from memory for ten minutes. */
  ask (call: AiCall, context?: CallContext & { bearer?: string }): Promise<unknown>
}

const SIBLING = {
  name: 'ai',
  variable: 'AI_URL',
  notConfigured: AiError.AI_NOT_CONFIGURED,
  timeoutMs: 2_000,
  tries: 1
}
const KEPT_MS = 10 * 60_000

/** The AI service (`AI_URL`). Its twin gives one made-up answer for one question, marked as such. */
export function createAi (options: SiblingOptions): Ai {
  const { clock } = options
  const { request, ...sibling } = createSibling(SIBLING, options, ({ path, json }) => sample(path, json))
  const kept = new LRUCache<string, { answer: object, until: number }>({ max: 500 })

  return {
    ...sibling,
    async ask ({ task, input, accountId }, context) {
      const key = createHash('sha256').update(JSON.stringify([accountId, task, input])).digest('base64url')
      const known = kept.get(key)
      if (known !== undefined && clock.now().getTime() < known.until) return known.answer
      const path = `/v1/ai/${task.split('/').map(encodeURIComponent).join('/')}`
      const answer = await request({ method: 'POST', path, json: input, headers: bearerHeader(context?.bearer), accountId }, context)
      if (typeof answer === 'object' && answer !== null) kept.set(key, { answer, until: clock.now().getTime() + KEPT_MS })
      return answer
    }
  }
}

function sample (path: string, input: unknown): unknown {
  const words = JSON.stringify(input ?? {}).replaceAll(/[^\p{L}\p{N}]+/gu, ' ').trim().split(' ').slice(0, 12).join(' ')
  return { success: true, data: { text: `Sample answer to ${path.split('/').slice(3).join('/')}: ${words}`, sample: true } }
}
