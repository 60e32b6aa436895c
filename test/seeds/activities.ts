import type { FastifyInstance } from 'fastify'
import { Types } from 'mongoose'
import type { Account, OwnRecord } from '../helper.js'

export async function activityRecords (app: FastifyInstance, { auth, accountId, userId }: Account): Promise<OwnRecord[]> {
  const contact = new Types.ObjectId()
  await app.mongo.collection('crm.contacts').insertOne({ _id: contact, account_id: new Types.ObjectId(accountId), is_deleted: true, unique_keys: [contact.toHexString()] })
  const { transactions } = app.services.platform
  const ref = { collection: 'seeds', id: userId }
  await transactions.run(session => app.services.activities.record({ account_id: accountId, contact: contact.toHexString(), activity_type: 'note', activity_ref: ref, source_key: 'seed', created_by: userId, title: 'Seed' }, session))
  await transactions.run(session => app.services.activities.audit({ accountId, action: 'seed.created', resource: { type: 'seed', id: userId }, actor: { kind: 'user', id: userId } }, session))
  const row = (await app.mongo.collection('_activity').findOne({ 'activity_ref.id': userId }))!
  const comment = await app.inject({ method: 'POST', url: `/v1/activities/${String(row._id)}/comments`, headers: auth, payload: { content: 'Seed' } })
  const audited = (await app.mongo.collection('_audit').findOne({ resource_id: userId }))!
  return [
    { collection: '_activity', id: String(row._id) }, { collection: '_activity.comments', id: comment.json<{ data: { id: string } }>().data.id }, { collection: '_audit', id: String(audited._id) }
  ]
}
