import { catalogue } from '../kit.js'
import type { CallContext } from '../provider.js'
import { bearerHeader, createSibling, type SiblingClient, type SiblingOptions } from '../sibling.js'

export const QueueManagerError = catalogue('queue-manager', {
  QUEUE_MANAGER_NOT_CONFIGURED: { status: 503, text: 'Background work is not configured.' }
})

export type QueueTrigger = { source: string, action: string, id: string, accountId?: string }

export type QueueManager = Omit<SiblingClient, 'request'> & {
  /** Wakes the queue of a source; the work row stays the truth, so a repeat does no harm. */
  trigger (trigger: QueueTrigger, context?: CallContext & { bearer?: string }): Promise<void>
}

export type QueueManagerOptions = SiblingOptions & {
  /** wakes the runner in this process, in place of the sibling */
  wake?: (trigger: { source: string, action: string, id: string }) => void
}

const SIBLING = {
  name: 'queue-manager',
  variable: 'QUEUE_MANAGER_URL',
  notConfigured: QueueManagerError.QUEUE_MANAGER_NOT_CONFIGURED,
  timeoutMs: 5_000,
  tries: 1
}

/** The platform's Queue Manager (`QUEUE_MANAGER_URL`). */
export function createQueueManager (options: QueueManagerOptions): QueueManager {
  const { request, ...sibling } = createSibling(SIBLING, options, (call, plan) => {
    const source = decodeURIComponent(call.path.split('/').at(-1) ?? '')
    for (let i = 0; i < plan.times; i++) options.wake?.({ source, ...call.json as { action: string, id: string } })
    return null
  })

  return {
    ...sibling,
    async trigger ({ source, action, id, accountId }, context) {
      await request({ method: 'POST', path: `/queue/${encodeURIComponent(source)}`, json: { action, id }, headers: bearerHeader(context?.bearer), accountId }, context)
    }
  }
}
