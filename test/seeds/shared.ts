import type { FastifyInstance } from 'fastify'
import { Types } from 'mongoose'
import type { Account, OwnRecord } from '../helper.js'

type Made = { data: { id: string } & { file?: { id: string } } }

export async function sharedRecords (app: FastifyInstance, { auth, accountId, userId }: Account): Promise<OwnRecord[]> {
  const post = async (path: string, payload: object) => (await app.inject({ method: 'POST', url: `/v1/shared/${path}`, headers: auth, payload })).json<Made>().data
  const upload = await post('files/uploads', { name: 'seed.txt', mime_type: 'text/plain', size: 4, purpose: 'attachment' })
  const folder = await post('folders', { name: `Seed ${userId}` })
  const tag = await post('tags', { kind: 'file', name: `Seed ${userId}` })
  const { queues, transactions } = app.services.platform
  const job = await transactions.run(session => queues.add({ source: 'url-import', accountId, userId, referenceId: new Types.ObjectId().toHexString() }, session))
  return [
    { collection: 'shared.files', id: upload.file!.id }, { collection: 'shared.folders', id: folder.id }, { collection: 'shared.tags', id: tag.id }, { collection: 'queues', id: job }
  ]
}
