import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { wire } from '../../schemas/kit.js'
import { SessionAnswer, login, logout } from '../../schemas/auth.js'
import type { AuthService } from '../../services/auth/index.js'

const toAnswer = wire(SessionAnswer)

export const auth: FastifyPluginAsyncTypebox<{ auth: AuthService }> = async (app, { auth }) => {
  await app.register(visitor)
  await app.register(member)

  async function visitor (scope: typeof app) {
    scope.post('/login', { schema: login, config: { access: 'public', limit: 'auth-login', disableLog: true } }, async req => ({
      data: toAnswer(await auth.login(req.body, { ip: req.ip, userAgent: req.headers['user-agent'] }, req.id)),
      message: 'Logged in.'
    }))
  }

  async function member (scope: typeof app) {
    scope.post('/logout', { schema: logout, config: { access: 'user', scopes: ['auth.self'], disableLog: true } }, async req => ({
      data: { ended: await auth.logout(req.actor) },
      message: 'Logged out.'
    }))
  }
}
