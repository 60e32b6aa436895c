import { catalogue } from '../kit.js'
import type { CallContext } from '../provider.js'
import { createSibling, type SiblingClient, type SiblingOptions } from '../sibling.js'
import { socketHeaders, type SocketCaller } from '../socket-token.js'

export const GeneralSocketError = catalogue('general-socket', {
  GENERAL_SOCKET_NOT_CONFIGURED: { status: 503, text: 'Live updates are not configured.' }
})

export type Emit = { event: string, data: unknown, accountId?: string, userIds?: readonly string[] }
export type ConversationChannel = 'prospect' | 'support'

/** `ref` stays the same over repeats of one emit, so that the receiver can drop them. */
type EmitContext = CallContext & { ref?: string }

export type GeneralSocket = Omit<SiblingClient, 'request'> & {
  /** To everybody of an account, or to some of its users. */
  emit (emit: Emit, context?: EmitContext): Promise<void>
  emitToUser (emit: { userId: string, event: string, data: unknown, accountId?: string }, context?: EmitContext): Promise<void>
  /** Tells the readers of a channel of a new message; the socket reads it itself. */
  emitMessage (emit: { channel: ConversationChannel, messageId: string, accountId: string }, context?: EmitContext): Promise<void>
  emitConversation (emit: { channel: ConversationChannel, conversationId: string, isNew: boolean, accountId: string }, context?: EmitContext): Promise<void>
}

export type GeneralSocketOptions = SiblingOptions & {
  /** APP_SECRET */
  secret: string
  /** hears of every emit that the twin delivers */
  onEmit?: (emit: Emit) => void
}

const SIBLING = {
  name: 'general-socket',
  variable: 'GENERAL_SOCKET',
  notConfigured: GeneralSocketError.GENERAL_SOCKET_NOT_CONFIGURED,
  timeoutMs: 3_000,
  tries: 1
}

/** The socket of dashboard and apps (`GENERAL_SOCKET`). Every call is made once: the outbox repeats it. */
export function createGeneralSocket (options: GeneralSocketOptions): GeneralSocket {
  const { request, ...sibling } = createSibling(SIBLING, options, (call, plan) => {
    const emit = call.json as { event?: string, data?: unknown, account_id?: string, user_ids?: string[] } | undefined
    for (let i = 0; i < plan.times; i++) {
      options.onEmit?.({ event: emit?.event ?? call.path, data: emit?.data ?? emit, accountId: emit?.account_id ?? call.accountId, userIds: emit?.user_ids })
    }
    return { success: true }
  })

  async function send (method: 'GET' | 'POST', path: string, json: unknown, caller: SocketCaller, context: CallContext | undefined) {
    const headers = await socketHeaders(caller, options.secret, options.clock)
    await request({ method, path, json, headers, idempotent: false, accountId: caller.accountId }, context)
  }

  const part = encodeURIComponent

  return {
    ...sibling,
    async emit ({ event, data, accountId, userIds }, context) {
      const body = { event, data, ...(accountId === undefined ? {} : { account_id: accountId }), ...(userIds === undefined ? {} : { user_ids: userIds }) }
      await send('POST', '/emit', body, { accountId, ref: context?.ref }, context)
    },
    async emitToUser ({ userId, event, data, accountId }, context) {
      await send('POST', `/emit/${part(userId)}/${part(event)}`, data, { accountId, userId, ref: context?.ref }, context)
    },
    async emitMessage ({ channel, messageId, accountId }, context) {
      await send('GET', `/conversations/${channel}/emit/message/${part(messageId)}`, undefined, { accountId, ref: context?.ref }, context)
    },
    async emitConversation ({ channel, conversationId, isNew, accountId }, context) {
      const path = `/conversations/${channel}/emit/conversation/${part(conversationId)}/${isNew ? 'new' : 'existing'}`
      await send('GET', path, undefined, { accountId, ref: context?.ref }, context)
    }
  }
}
