import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { startSmsRecovery, undoEmailChange, verifySmsRecovery } from '../../schemas/users-self.js'
import type { UsersOptions } from './index.js'

/** Whoever has lost his way in; no answer tells who exists. */
export const recoveryRoutes: FastifyPluginAsyncTypebox<UsersOptions> = async (app, { users: { recovery, self } }) => {
  app.post('/sms-recovery', { schema: startSmsRecovery, config: { access: 'public', limit: 'auth-mail', disableLog: true } }, async req => {
    await recovery.start(req.body)
    return { data: { sent: true } }
  })

  app.post('/sms-recovery/verify', { schema: verifySmsRecovery, config: { access: 'public', limit: 'auth-code', disableLog: true } }, async req => ({
    data: await recovery.verify(req.body.phone, req.body.code, req.body.account_id)
  }))

  app.post('/email/undo', { schema: undoEmailChange, config: { access: 'public', limit: 'auth-code', disableLog: true } }, async req => {
    await self.undoEmail(req.body.token, req.id)
    return { data: { restored: true }, message: 'The address before is in force again.' }
  })
}
