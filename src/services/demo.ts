import type { FastifyInstance } from 'fastify'
import { AccountModel } from '../models/accounts.js'
import { UserModel } from '../models/users.js'
import { newAccountRow } from './accounts/index.js'
import { newUserRow } from './users/row.js'

export type Demo = { email: string, password: string }
const EMAIL = 'owner@demo.test'

/** On the first start of an empty database: an agency with its owner, whose password is shown once. Null when there is an account already. */
export async function seedDemo (app: FastifyInstance): Promise<Demo | null> {
  const { platform, auth } = app.services
  const { clock, ids, mongo, transactions } = platform
  const accounts = AccountModel.on(mongo)
  if (await accounts.exists({}) !== null) return null
  const password = ids.token(9)
  const now = clock.now()
  const accountId = ids.objectId()
  const userId = ids.objectId()
  const hash = await auth.hashPassword(password)
  await transactions.run(async session => {
    const owner = { id: userId, name: 'Demo Owner', email: EMAIL, phone: null, avatar: null }
    const clients = ['Sunny Bakery', 'Harbour Dental'].map(name => newAccountRow({
      _id: ids.objectId(), parent_account: accountId, status: 'active', name, plan: 'pro', plan_source: 'parent', created_at: now
    }))
    await accounts.create([newAccountRow({
      _id: accountId,
      parent_account: null,
      status: 'active',
      name: 'Demo Agency',
      email: EMAIL,
      owner,
      plan: 'pro',
      created_at: now,
      domain: { dashclicks: 'demo-agency', custom: null, hostname_id: null }
    }), ...clients], { session, ordered: true })
    await UserModel.on(mongo).create([newUserRow({
      _id: userId, account_id: accountId, first_name: 'Demo', last_name: 'Owner', email: EMAIL, role: 'owner', status: 'active', created_at: now, password_hash: hash, password_changed_at: now
    })], { session })
  })
  await app.services.mobile.releases.seed()
  return { email: EMAIL, password }
}
