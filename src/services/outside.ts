import { createAi } from './ai/index.js'
import { createConversationSocket } from './conversation-socket/index.js'
import { createCurrency } from './currency/index.js'
import { createExternalApi } from './external-api/index.js'
import { createGeneralSocket, type Emit } from './general-socket/index.js'
import { createHttpClient } from './http/index.js'
import { createMail, type OutgoingMail } from './mail/index.js'
import { createNotificationService } from './notification-service/index.js'
import type { Platform } from './platform.js'
import type { ProviderOptions, ProviderState } from './provider.js'
import { createPush } from './push/index.js'
import { createQueueManager } from './queue-manager/index.js'
import { createSiteBuilder } from './site-builder/index.js'
import { createSms, type OutgoingSms } from './sms/index.js'
import { createStorage } from './storage/index.js'
import { createStripe } from './stripe/index.js'
import { tokenKey } from './auth/tokens.js'

const HOUR = 3_600_000

/** Every outside system, wired from the configuration; what must reach it in the transaction of its cause goes through the outbox topics here. */
export function createOutside (platform: Platform, secret: string) {
  const { config, clock, log } = platform
  const http = createHttpClient({ clock, log })
  const common: ProviderOptions = { http, clock, log, production: config.production, twinDir: `${config.DATA_DIR}/twins` }
  const derived = (purpose: string) => tokenKey(secret, purpose).toString('base64url')
  const socketSecret = config.APP_SECRET ?? derived('socket')

  const mail = createMail({
    ...common, apiKey: config.SENDGRID_API_KEY, baseUrl: config.SENDGRID_BASE_URL, from: { email: config.MAIL_FROM }, webhookPublicKey: config.SENDGRID_WEBHOOK_PUBLIC_KEY
  })
  const sms = createSms({
    ...common, accountSid: config.TWILIO_ACCOUNT_SID, authToken: config.TWILIO_AUTH_TOKEN, baseUrl: config.TWILIO_BASE_URL, from: config.TWILIO_FROM,
    messagingServiceSid: config.TWILIO_MESSAGING_GROUP_SID
  })
  const push = createPush({ ...common, serviceAccount: config.FIREBASE_ADMIN_SDK_JSON, baseUrl: config.FCM_BASE_URL })
  const storage = createStorage({
    ...common, bucket: config.S3_BUCKET, region: config.S3_REGION, endpoint: config.S3_ENDPOINT, accessKeyId: config.AWS_ACCESS_KEY_ID,
    secretAccessKey: config.AWS_SECRET_ACCESS_KEY, folder: `${config.DATA_DIR}/files`, baseUrl: `${config.publicUrl}/v1/shared/storage`, secret: derived('storage')
  })
  const stripe = createStripe({ ...common, apiKey: config.STRIPE_SECRET_KEY, baseUrl: config.STRIPE_API_BASE, twinPort: config.STRIPE_TWIN_PORT })
  const siteBuilder = createSiteBuilder({ ...common, baseUrl: config.DUDA_SITES_DOMAIN, token: config.DUDA_TOKEN, webhookSecret: config.DUDA_WEBHOOK_SECRET })
  const externalApi = createExternalApi({ ...common, baseUrl: config.EXTERNAL_API_URL })
  const generalSocket = createGeneralSocket({ ...common, baseUrl: config.GENERAL_SOCKET, secret: socketSecret })
  const conversationSocket = createConversationSocket({ ...common, baseUrl: config.CONVERSATION_SOCKET, secret: socketSecret })
  const queueManager = createQueueManager({ ...common, baseUrl: config.QUEUE_MANAGER_URL, wake: ({ source }) => platform.jobs.wake(`queue:${source}`) })
  const notificationService = createNotificationService({ ...common, baseUrl: config.NOTIFICATION_URL })
  const currency = createCurrency({ ...common, baseUrl: config.CURRENCY_URL })
  const ai = createAi({ ...common, baseUrl: config.AI_URL })

  // Outbox topics: what a transaction wants to leave the service. The row's id is the reference that a repeat carries.
  platform.topic('mail', { ordered: false, deliver: async row => { await mail.send(row.payload as OutgoingMail, { requestId: row.request_id ?? undefined }) } })
  platform.topic('sms', { ordered: false, deliver: async row => { await sms.send(row.payload as OutgoingSms, { requestId: row.request_id ?? undefined }) } })
  platform.topic('socket', {
    ordered: true, deliver: row => generalSocket.emit(row.payload as Emit, { ref: row._id.toHexString(), requestId: row.request_id ?? undefined })
  })
  platform.topic('conv_socket', {
    ordered: true,
    deliver: row => conversationSocket.emit(row.payload as Parameters<typeof conversationSocket.emit>[0], { ref: row._id.toHexString(), requestId: row.request_id ?? undefined })
  })
  platform.topic('queue', {
    ordered: true,
    deliver: async row => { await queueManager.trigger(row.payload as Parameters<typeof queueManager.trigger>[0], { requestId: row.request_id ?? undefined }) }
  })

  return {
    http, mail, sms, push, storage, stripe, siteBuilder, externalApi, generalSocket, conversationSocket, queueManager, notificationService, currency, ai,
    /** Emits to the dashboards of an account are worthless after an hour. */
    socketExpiry: (): Date => new Date(clock.now().getTime() + HOUR),
    siblings: (): Record<string, ProviderState> => ({
      mail: mail.state(), sms: sms.state(), push: push.state(), storage: storage.state(), stripe: stripe.state(), site_builder: siteBuilder.state(),
      external_api: externalApi.state(), general_socket: generalSocket.state(), conversation_socket: conversationSocket.state(),
      queue_manager: queueManager.state(), notification: notificationService.state(), currency: currency.state(), ai: ai.state()
    }),
    async close (): Promise<void> {
      await Promise.all([stripe.close(), http.close()])
    }
  }
}
export type Outside = ReturnType<typeof createOutside>
