import type { FastifyInstance } from 'fastify'
import type { Account, OwnRecord } from '../helper.js'

export async function userRecords (app: FastifyInstance, { auth }: Account): Promise<OwnRecord[]> {
  const res = await app.inject({ method: 'POST', url: '/v1/users', headers: auth, payload: { first_name: 'Sam', last_name: 'Seed', email: `${Date.now()}@team.test` } })
  return [{ collection: '_users', id: res.json<{ data: { id: string } }>().data.id }]
}
