import { catalogue } from '../kit.js'

export const MailError = catalogue('mail', {
  SENDGRID_NOT_CONFIGURED: { status: 503, text: 'Mail is not configured.' }
})
