import type { FastifyInstance } from 'fastify'
import type { Account, OwnRecord } from '../helper.js'

export async function urlRecords (app: FastifyInstance, { auth }: Account): Promise<OwnRecord[]> {
  const res = await app.inject({ method: 'POST', url: '/v1/url', headers: auth, payload: { url: 'https://example.com/seed' } })
  return [{ collection: 'short-urls', id: res.json<{ data: { id: string } }>().data.id }]
}
