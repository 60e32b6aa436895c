import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import * as operations from '../../schemas/accounts.js'
import { toAccount } from '../../schemas/accounts.js'
import type { AccountsService } from '../../services/accounts/index.js'
import type { Platform } from '../../services/platform.js'
import { bulkStatus } from '../../services/resource/bulk.js'
import { exportHeaders, exportStream } from '../../services/resource/export.js'
import { pickFields } from '../../services/resource/list.js'

type Options = { platform: Platform, accounts: AccountsService }

const FIELDS = new Set(Object.keys(operations.Account.properties))
const COLUMNS = ['id', 'name', 'status', 'email', 'phone', 'website', 'plan', 'manager', 'time_zone', 'currency', 'has_orders', 'created_at']
const LIST = { access: 'account', scopes: ['accounts.sub_accounts.read'], mainOnly: true } as const
const EITHER = { access: 'account', scopes: ['accounts.update', 'accounts.sub_accounts.update'] } as const
const STATUS = { access: 'admin', scopes: ['accounts.sub_accounts.update'] } as const
const ARCHIVE = { access: 'admin', scopes: ['accounts.sub_accounts.delete'] } as const

export const accounts: FastifyPluginAsyncTypebox<Options> = async (app, { platform, accounts: { listing, changing } }) => {
  await app.register(member)
  await app.register(administrator)

  async function member (scope: typeof app) {
    scope.get('/', { schema: operations.listAccounts, config: LIST }, async req => {
      const { rows, pagination } = await listing.list(req.actor, req.query)
      return { data: pickFields(rows.map(toAccount), req.query.fields, FIELDS), pagination }
    })

    scope.get('/search', { schema: operations.searchAccounts, config: LIST }, async req => {
      const { rows, pagination } = await listing.list(req.actor, req.query)
      return { data: pickFields(rows.map(toAccount), req.query.fields, FIELDS), pagination }
    })

    scope.get('/counts', { schema: operations.countAccounts, config: LIST }, async req => ({ data: await listing.counts(req.actor) }))

    scope.get('/export', { schema: operations.exportAccounts, config: { ...LIST, limit: 'heavy', raw: true } }, async (req, reply) => {
      const { format = 'csv', ...filters } = req.query
      return reply.headers(exportHeaders('accounts', format, platform.clock.now()))
        .send(exportStream(mapAsync(listing.stream(req.actor, filters), toAccount), format, COLUMNS))
    })

    scope.get('/:id', { schema: operations.getAccount, config: { access: 'account', scopes: ['accounts.read'] } }, async req => {
      const row = await listing.get(req.actor, req.params.id, req.query.expand)
      return { data: { ...toAccount(row), ...('expanded' in row && { expanded: row.expanded }) } }
    })

    scope.put('/:id', { schema: operations.updateAccount, config: EITHER }, async req => ({
      data: toAccount(await listing.withPlan(await changing.update(req.actor, req.params.id, req.body))),
      message: 'Account updated.'
    }))
  }

  async function administrator (scope: typeof app) {
    scope.put('/:id/status', { schema: operations.setAccountStatus, config: STATUS }, async req => ({
      data: toAccount(await changing.setStatus(req.actor, req.params.id, req.body)),
      message: 'Status set.'
    }))

    scope.delete('/:id', { schema: operations.archiveAccount, config: ARCHIVE }, async req => ({
      data: toAccount(await changing.archive(req.actor, req.params.id)),
      message: 'Account archived.'
    }))

    scope.put('/:id/unarchive', { schema: operations.unarchiveAccount, config: ARCHIVE }, async req => ({
      data: toAccount(await changing.unarchive(req.actor, req.params.id)),
      message: 'Account is back.'
    }))

    scope.post('/bulk', { schema: operations.bulkAccounts, config: { ...STATUS, mainOnly: true, limit: 'heavy' } }, async (req, reply) => {
      const result = await changing.bulk(req.actor, req.body)
      reply.code(bulkStatus(result))
      return { data: result, message: `${result.counts.succeeded} of ${result.counts.total} rows done.` }
    })
  }
}

async function * mapAsync<T, U> (items: AsyncIterable<T>, map: (item: T) => U): AsyncGenerator<U> {
  for await (const item of items) yield map(item)
}
