import { catalogue } from '../kit.js'
import type { CallContext } from '../provider.js'
import { bearerHeader, createSibling, type SiblingClient, type SiblingOptions } from '../sibling.js'

export const NotificationServiceError = catalogue('notification-service', {
  NOTIFICATION_NOT_CONFIGURED: { status: 503, text: 'The notification service is not configured.' }
})

export type NotificationService = Omit<SiblingClient, 'request'> & {
  /** Tells the service of a row of `notification-queue`, so that it need not poll. */
  trigger (trigger: { module: string, id: string, accountId?: string }, context?: CallContext & { bearer?: string }): Promise<void>
}

export type NotificationServiceOptions = SiblingOptions & {
  /** wakes the delivery in this process, in place of the sibling */
  wake?: (trigger: { module: string, id: string }) => void
}

const SIBLING = {
  name: 'notification-service',
  variable: 'NOTIFICATION_URL',
  notConfigured: NotificationServiceError.NOTIFICATION_NOT_CONFIGURED,
  timeoutMs: 5_000,
  tries: 1
}

/** The platform's Notification service (`NOTIFICATION_URL`). */
export function createNotificationService (options: NotificationServiceOptions): NotificationService {
  const { request, ...sibling } = createSibling(SIBLING, options, (call, plan) => {
    const module = decodeURIComponent(call.path.split('/').at(-1) ?? '')
    for (let i = 0; i < plan.times; i++) options.wake?.({ module, ...call.json as { id: string } })
    return null
  })

  return {
    ...sibling,
    async trigger ({ module, id, accountId }, context) {
      await request({ method: 'POST', path: `/trigger/${encodeURIComponent(module)}`, json: { id }, headers: bearerHeader(context?.bearer), accountId }, context)
    }
  }
}
