import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { UserRow } from '../../models/users.js'
import * as operations from '../../schemas/users-self.js'
import { toMe, toPreferences, toPushToken } from '../../schemas/users-self.js'
import type { Actor } from '../../services/kit.js'
import { availabilityState } from '../../services/users/index.js'
import type { UsersOptions } from './index.js'

const ME = { access: 'user', scopes: ['users.me'] } as const

/** What everybody does for himself. */
export const meRoutes: FastifyPluginAsyncTypebox<UsersOptions> = async (app, { platform, users: { self, push } }) => {
  const shown = (actor: Actor, row: UserRow) => toMe({
    ...row,
    announcements_read: row.announcements_read ?? [],
    availability_state: availabilityState(row, platform.clock.now()),
    permissions: [...actor.permissions]
  })

  app.get('/me', { schema: operations.getMe, config: ME }, async req => ({ data: shown(req.actor, await self.me(req.actor)) }))

  app.put('/me', { schema: operations.updateMe, config: ME }, async req => ({ data: shown(req.actor, await self.update(req.actor, req.body)), message: 'Profile updated.' }))

  app.get('/me/preferences', { schema: operations.getMyPreferences, config: ME }, async req => ({ data: toPreferences(await self.preferences(req.actor)) }))

  app.put('/me/preferences', { schema: operations.updateMyPreferences, config: ME }, async req => ({
    data: toPreferences(await self.setPreferences(req.actor, req.body)), message: 'Preferences updated.'
  }))

  app.put('/me/announcements/:id/read', { schema: operations.readAnnouncement, config: ME }, async req => {
    await self.readAnnouncement(req.actor, req.params.id)
    return { data: { id: req.params.id, read: true } }
  })

  for (const kind of ['email', 'phone'] as const) {
    const [start, verify] = kind === 'email' ? [operations.startEmailChange, operations.verifyEmailChange] : [operations.startPhoneChange, operations.verifyPhoneChange]
    app.post(`/me/${kind}`, { schema: start, config: { ...ME, stepUp: kind === 'email', notImpersonated: true, disableLog: true } }, async req => {
      const value = String((req.body as Record<string, unknown>)[kind])
      return { data: { sent: true, expires_at: (await self.start(req.actor, `${kind}_change`, value)).toISOString() }, message: 'Code sent.' }
    })
    app.post(`/me/${kind}/verify`, { schema: verify, config: { ...ME, stepUp: kind === 'email', notImpersonated: true, disableLog: true } }, async req => {
      return { data: shown(req.actor, await self.verify(req.actor, `${kind}_change`, req.body.code)), message: 'Changed.' }
    })
  }

  app.delete('/me/phone', { schema: operations.removePhone, config: { ...ME, notImpersonated: true } }, async req => {
    return { data: shown(req.actor, await self.removePhone(req.actor)), message: 'Phone removed.' }
  })

  app.get('/push-tokens', { schema: operations.listPushTokens, config: ME }, async req => ({ data: (await push.list(req.actor)).map(toPushToken) }))

  app.post('/push-tokens', { schema: operations.registerPushToken, config: { ...ME, disableLog: true } }, async (req, reply) => {
    const { row, created } = await push.registerMine(req.actor, req.body)
    reply.code(created ? 201 : 200)
    return { data: toPushToken(row), message: created ? 'Device registered.' : 'Device known.' }
  })

  app.delete('/push-tokens/:token', { schema: operations.removePushToken, config: { ...ME, disableLog: true } }, async req => ({
    data: { removed: await push.remove(req.actor, req.params.token) }
  }))
}
