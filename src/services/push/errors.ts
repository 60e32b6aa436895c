import { catalogue } from '../kit.js'

export const PushError = catalogue('push', {
  PUSH_NOT_CONFIGURED: { status: 503, text: 'Push notifications are not configured.' }
})
