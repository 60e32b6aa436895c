import type { FastifyInstance } from 'fastify'
import { Types } from 'mongoose'
import type { Account, OwnRecord } from '../helper.js'
import { ConnectionModel } from '../../src/models/oauth.js'

export async function oauthRecords (app: FastifyInstance, { auth, accountId, userId }: Account): Promise<OwnRecord[]> {
  const { auth: { makeToken }, platform: { clock } } = app.services
  const id = (res: { json (): { data: { id: string } } }) => res.json().data.id
  const post = (url: string, payload: object) => app.inject({
    method: 'POST', url: `/v1/auth/oauth${url}`, headers: { ...auth, 'x-step-up': makeToken('step_up', { userId }, 300) }, payload
  })
  const client = id(await post('/apps', { name: 'Seeded', type: 'public', redirect_uris: ['https://app.example.com/'], scopes: ['url.links'] }))
  const key = id(await post('/keys', { name: 'Seeded', scopes: ['url.links.read'] }))
  const connection = new Types.ObjectId()
  await ConnectionModel.on(app.mongo).create([{
    _id: connection,
    account_id: new Types.ObjectId(accountId),
    client_id: client,
    user_id: new Types.ObjectId(userId),
    scopes: ['url.links'],
    session_id: null,
    created_at: clock.now(),
    last_used_at: null,
    revoked_at: null,
    revoked_by: null
  }])
  return [{ collection: 'api.apps', id: client }, { collection: 'api.keys', id: key }, { collection: 'api.connections', id: connection.toHexString() }]
}
