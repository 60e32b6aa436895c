import t from 'tap'
import { Types } from 'mongoose'
import { build } from '../helper.js'
import { crossTenantReasons, definitions } from '../../src/models/define.js'
import { LinkModel } from '../../src/models/url.js'

/** Each is a place where the service leaves the tenant on purpose; a new one must be added here, and so be seen in a review. */
const REVIEWED = new Set([
  'login finds a person by mail address',
  'an invitation names its user',
  'a session names its user',
  'the door looks a token\'s user up',
  'a redirect knows only the code',
  'codes are unique over all accounts',
  'the sealer and the retention of the audit log serve all accounts',
  'a public file is read by its id',
  'the sweeps of files serve all accounts',
  'recovery finds people by their verified phone',
  'a device belongs to whoever registers it last',
  'a person\'s own accounts are found by mail address',
  'sign-up asks whether a mail address is known',
  'a visitor is known by the token of the request alone',
  'a visitor asks for the mail of a request again',
  'requests of all accounts expire',
  'the door looks a key up by its id',
  'a client is known only by its id',
  'all connections of an app end with it',
  'staff approve the apps of all accounts',
  'the notice of expiring keys serves all accounts',
  'people of the account above give access too',
  'one person is a user of several accounts',
  'a public file is read by its id',
  'the sweeps of files serve all accounts',
  'queue workers serve all accounts',
  'outbox workers serve all accounts'
])

t.test('a query of a tenant\'s collection without the account never reaches the database', async t => {
  const app = await build(t)
  const links = LinkModel.on(app.mongo)
  const id = new Types.ObjectId()
  const account = { account_id: new Types.ObjectId() }
  const refused: Record<string, () => Promise<unknown>> = {
    find: () => links.find({ _id: id }).lean(),
    findOne: () => links.findOne({ _id: id }).lean(),
    findById: () => links.findById(id).lean(),
    exists: () => links.exists({ _id: id }),
    countDocuments: () => links.countDocuments({ active: true }),
    estimatedDocumentCount: () => links.estimatedDocumentCount(),
    distinct: () => links.distinct('code', { active: true }),
    updateOne: () => links.updateOne({ _id: id }, { $set: { title: 'x' } }),
    updateMany: () => links.updateMany({}, { $set: { title: 'x' } }),
    findOneAndUpdate: () => links.findOneAndUpdate({ _id: id }, { $set: { title: 'x' } }),
    findOneAndDelete: () => links.findOneAndDelete({ _id: id }),
    findOneAndReplace: () => links.findOneAndReplace({ _id: id }, {}),
    replaceOne: () => links.replaceOne({ _id: id }, {}),
    deleteOne: () => links.deleteOne({ _id: id }),
    deleteMany: () => links.deleteMany({}),
    aggregate: () => links.aggregate([{ $match: { active: true } }]),
    'aggregate without a match': () => links.aggregate([{ $count: 'n' }]),
    bulkWrite: () => links.bulkWrite([{ updateOne: { filter: { _id: id }, update: { $set: { title: 'x' } } } }]),
    'an account that is an operator': () => links.find({ account_id: { $ne: null } } as never).lean(),
    'an account that is missing': () => links.find({ account_id: undefined } as never).lean(),
    'an account inside $or': () => links.find({ $or: [account, { active: true }] } as never).lean()
  }
  for (const [name, run] of Object.entries(refused)) await t.rejects(Promise.resolve().then(run), { message: /without account_id/ }, name)
  await t.resolves(links.find({ ...account, active: true }).lean())
  await t.resolves(links.aggregate([{ $match: account }]))
})

t.test('every reason to leave the tenant has been reviewed', async t => {
  for (const reason of crossTenantReasons) t.ok(REVIEWED.has(reason), reason)
})

t.test('compound indexes of tenants\' collections begin with the account, or are unique over all', async t => {
  for (const { collection, tenant, indexes } of definitions.values()) {
    if (!tenant) continue
    for (const [key, options] of indexes) {
      const [first] = Object.keys(key)
      const exempt = options?.unique === true || options?.expireAfterSeconds !== undefined || ['source', 'link_id', 'email_key', 'client_id', 'expires_at', 'phone', 'status', 'purge_at', 'sealed'].includes(first!)
      t.ok(first === 'account_id' || exempt, `${collection} ${JSON.stringify(key)}`)
    }
  }
})

t.test('writing what the entity does not declare throws', async t => {
  const app = await build(t)
  const links = LinkModel.on(app.mongo)
  await t.rejects(links.updateOne({ account_id: new Types.ObjectId() }, { $set: { nonsense: 1 } } as never))
})
