import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import * as operations from '../../schemas/accounts-settings.js'
import type { AccountSettingsService } from '../../services/accounts-settings/index.js'

export const accountSettings: FastifyPluginAsyncTypebox<{ settings: AccountSettingsService }> = async (app, { settings }) => {
  await app.register(member)
  await app.register(administrator)

  async function member (scope: typeof app) {
    scope.get('/poc', { schema: operations.getPointsOfContact, config: { access: 'account', scopes: ['accounts.read'] } }, async req => {
      const { account_name: name, people } = await settings.contacts(req.actor)
      return { data: { account_name: name, people: people.map(({ _id, name, email, phone, image, role }) => ({ id: _id.toHexString(), name, email, phone, image, role })) } }
    })

    scope.get('/:id/branding', { schema: operations.getBranding, config: { access: 'account', scopes: ['accounts.read'] } }, async req => ({
      data: await settings.branding(req.actor, req.params.id)
    }))

    scope.get('/:id/settings', { schema: operations.getAccountSettings, config: { access: 'account', scopes: ['accounts.settings.read'] } }, async req => ({
      data: await settings.settings(req.actor, req.params.id)
    }))
  }

  async function administrator (scope: typeof app) {
    scope.put('/:id/branding', { schema: operations.updateBranding, config: { access: 'admin', scopes: ['accounts.branding.write'] } }, async req => ({
      data: await settings.setBranding(req.actor, req.params.id, req.body),
      message: 'Branding updated.'
    }))

    scope.put('/:id/settings', { schema: operations.updateAccountSettings, config: { access: 'admin', scopes: ['accounts.settings.write'] } }, async req => ({
      data: await settings.setSettings(req.actor, req.params.id, req.body),
      message: 'Settings updated.'
    }))
  }
}
