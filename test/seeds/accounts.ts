import type { FastifyInstance } from 'fastify'
import type { Account, OwnRecord } from '../helper.js'

export async function accountRecords (app: FastifyInstance, { auth, accountId }: Account): Promise<OwnRecord[]> {
  const res = await app.inject({
    method: 'POST',
    url: '/v1/accounts/invite',
    headers: auth,
    payload: { business: { name: 'Seed Bakery', email: `${accountId}@bakery.test` }, user: { first_name: 'Bea', last_name: 'Baker', email: `${accountId}@bakery.test` } }
  })
  return [{ collection: '_accounts', id: res.json<{ data: { account: { id: string } } }>().data.account.id }]
}
