import { createHmac, randomBytes } from 'node:crypto'
import mongoose, { type Connection, Types } from 'mongoose'
import { AccountModel } from '../../src/models/accounts.js'
import { UserModel } from '../../src/models/users.js'
import { JWT_SECRET } from '../helper.js'

export async function connect (url: string): Promise<Connection> {
  return mongoose.createConnection(url, { serverSelectionTimeoutMS: 10_000 }).asPromise()
}

/** An owner with a token, written straight into the database: no process needs to be asked for it. */
export async function owner (connection: Connection): Promise<{ accountId: string, userId: string, auth: Record<string, string> }> {
  const accountId = new Types.ObjectId()
  const userId = new Types.ObjectId()
  const email = `${randomBytes(6).toString('hex')}@fault.test`
  const now = new Date()
  await AccountModel.on(connection).collection.insertOne({
    _id: accountId, parent_account: null, main: true, status: 'active', banned: false, name: 'Fault', email, plan: 'pro', currency: 'USD', time_zone: 'UTC', locale: 'en-US', created_at: now, updated_at: now
  } as never)
  await UserModel.on(connection).collection.insertOne({
    _id: userId, account_id: accountId, name: 'Fault Finder', first_name: 'Fault', last_name: 'Finder', email, email_key: email, role: 'owner', is_owner: true, scopes: null, status: 'active', created_at: now, updated_at: now
  } as never)
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({
    userId: userId.toHexString(), accountId: accountId.toHexString(), permissions: ['read', 'write', 'admin'], exp: Math.floor(Date.now() / 1_000) + 3_600
  })}`
  return {
    accountId: accountId.toHexString(),
    userId: userId.toHexString(),
    auth: { authorization: `Bearer ${body}.${createHmac('sha256', JWT_SECRET).update(body).digest('base64url')}` }
  }
}
