import type { FastifyInstance } from 'fastify'
import { AccountModel } from '../models/accounts.js'
import { UserModel } from '../models/users.js'
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
    await accounts.create([{
      _id: accountId, parent_account: null, main: true, status: 'active', status_reason: null, archived_at: null, name: 'Demo Agency', email: EMAIL, phone: null, address: null,
      website: null, image: null, owner: { id: userId, name: 'Demo Owner', email: EMAIL, phone: null, avatar: null }, manager: null, plan: 'pro', plan_trial_ends_at: null,
      currency: 'USD', time_zone: 'UTC', locale: 'en-US', created_at: now, updated_at: now, banned: false, search_keys: [], business: null
    }], { session })
    await UserModel.on(mongo).create([newUserRow({
      _id: userId, account_id: accountId, first_name: 'Demo', last_name: 'Owner', email: EMAIL, role: 'owner', status: 'active', created_at: now, password_hash: hash, password_changed_at: now
    })], { session })
  })
  return { email: EMAIL, password }
}
