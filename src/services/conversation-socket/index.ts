import { catalogue } from '../kit.js'
import type { CallContext } from '../provider.js'
import { createSibling, type SiblingClient, type SiblingOptions } from '../sibling.js'
import { socketHeaders } from '../socket-token.js'

export const ConversationSocketError = catalogue('conversation-socket', {
  CONVERSATION_SOCKET_NOT_CONFIGURED: { status: 503, text: 'Live conversations are not configured.' }
})

export type RoomEvent = 'newMessage' | 'updateMessage' | 'supportMessageAck' | 'roomUpdated'

export type RoomEmit = { event: RoomEvent, data: unknown, accountId?: string } & ({ rooms: readonly string[] } | { users: readonly string[] })

export type ConversationSocket = Omit<SiblingClient, 'request'> & {
  /** To everybody in some rooms, or to some users. */
  emit (emit: RoomEmit, context?: CallContext & { ref?: string }): Promise<void>
}

export type ConversationSocketOptions = SiblingOptions & {
  /** APP_SECRET */
  secret: string
  /** hears of every emit that the twin delivers */
  onEmit?: (emit: { event: string, data: unknown, rooms?: readonly string[], users?: readonly string[] }) => void
}

const SIBLING = {
  name: 'conversation-socket',
  variable: 'CONVERSATION_SOCKET',
  notConfigured: ConversationSocketError.CONVERSATION_SOCKET_NOT_CONFIGURED,
  timeoutMs: 3_000,
  tries: 1
}

/** The socket of rooms and the chat widget (`CONVERSATION_SOCKET`). Every call is made once: the outbox repeats it. */
export function createConversationSocket (options: ConversationSocketOptions): ConversationSocket {
  const { request, ...sibling } = createSibling(SIBLING, options, (call, plan) => {
    for (let i = 0; i < plan.times; i++) options.onEmit?.(call.json as Parameters<NonNullable<typeof options.onEmit>>[0])
    return { success: true }
  })

  return {
    ...sibling,
    async emit (emit, context) {
      const { accountId, event, data } = emit
      const receivers = 'rooms' in emit ? { rooms: emit.rooms } : { users: emit.users }
      const headers = await socketHeaders({ accountId, ref: context?.ref }, options.secret, options.clock)
      await request({ method: 'POST', path: '/emit', json: { event, ...receivers, data }, headers, accountId }, context)
    }
  }
}
