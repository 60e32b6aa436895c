import { Types, type ClientSession } from 'mongoose'
import { crossTenant } from '../../models/define.js'
import type { AppRow, ConnectionModel, ConnectionRow, OauthAppModel } from '../../models/oauth.js'
import type { UserModel } from '../../models/users.js'
import type { ConnectionQuery } from '../../schemas/oauth.js'
import { AuthError } from '../auth/errors.js'
import type { Actor } from '../kit.js'
import type { Platform } from '../platform.js'
import { createLister } from '../resource/list.js'
import type { AccessEnd } from './access-end.js'
import { OauthError } from './errors.js'

type Deps = { platform: Platform, connections: ConnectionModel, apps: OauthAppModel, users: UserModel, endAccess: AccessEnd }
export type Given = { accountId: Types.ObjectId, userId: Types.ObjectId, app: AppRow, scopes: string[], sessionId: Types.ObjectId }

export function createConnectionsService ({ platform, connections, apps, users, endAccess }: Deps) {
  const { clock, ids, transactions, events } = platform
  const lister = createLister<ConnectionRow>({
    model: connections as never, sortable: { created_at: 'created_at', last_used_at: 'last_used_at' }, defaultSort: '-created_at', projection: { session_id: 0, revoked_by: 0 }
  })

  async function list (actor: Actor, { page, limit, cursor, sort }: ConnectionQuery) {
    const { rows, pagination } = await lister.list({ account_id: new Types.ObjectId(actor.accountId), revoked_at: null }, { page, limit, cursor, sort })
    return { rows: await named(rows), pagination }
  }

  async function named (rows: ConnectionRow[]) {
    const [known, people] = await Promise.all([
      apps.find({ _id: { $in: rows.map(row => row.client_id) } }, { name: 1 }, crossTenant('a client is known only by its id')).lean(),
      users.find({ _id: { $in: rows.map(row => row.user_id) } }, { name: 1 }, crossTenant('people of the account above give access too')).lean()
    ])
    const appNames = new Map(known.map(({ _id, name }) => [String(_id), name]))
    const userNames = new Map(people.map(({ _id, name }) => [_id.toHexString(), name]))
    return rows.map(row => ({ ...row, app_name: appNames.get(row.client_id) ?? null, user_name: userNames.get(row.user_id.toHexString()) ?? null }))
  }

  /** By an admin, or by the person who gave it. @throws CONNECTION_NOT_FOUND */
  async function revoke (actor: Actor, id: string) {
    const key = { account_id: new Types.ObjectId(actor.accountId), _id: new Types.ObjectId(id), revoked_at: null }
    const before = await connections.findOne(key).lean() as ConnectionRow | null
    if (before === null) throw OauthError.CONNECTION_NOT_FOUND()
    if (!actor.permissions.has('admin') && before.user_id.toHexString() !== actor.userId) throw AuthError.PERMISSION_DENIED()
    const now = clock.now()
    await transactions.run(async session => {
      await connections.updateOne(key, { $set: { revoked_at: now, revoked_by: new Types.ObjectId(actor.userId) } }, { session })
      await endAccess({ client_id: before.client_id, user_id: before.user_id, account_id: before.account_id }, 'connection_revoked', session)
      await events.emit({
        type: 'oauth.connection_revoked',
        actor,
        resource: { type: 'oauth_connection', id },
        data: { client_id: before.client_id, user_id: before.user_id.toHexString(), scopes: before.scopes }
      }, session)
    })
    return (await named([{ ...before, revoked_at: now }]))[0]!
  }

  const find = async (accountId: Types.ObjectId, userId: Types.ObjectId, clientId: string): Promise<ConnectionRow | null> =>
    await connections.findOne({ account_id: accountId, client_id: clientId, user_id: userId, revoked_at: null }).lean() as ConnectionRow | null

  /** Remembers what was given, in the transaction that gives it. */
  async function give ({ accountId, userId, app, scopes, sessionId }: Given, requestId: string, session: ClientSession): Promise<void> {
    const now = clock.now()
    const key = { account_id: accountId, client_id: app._id, user_id: userId, revoked_at: null }
    const { modifiedCount } = await connections.updateOne(key, { $set: { scopes, session_id: sessionId, last_used_at: now } }, { session })
    if (modifiedCount === 1) return
    const row = { _id: ids.objectId(), ...key, scopes, session_id: sessionId, created_at: now, last_used_at: now, revoked_by: null }
    await connections.create([row], { session })
    await events.emit({
      type: 'oauth.connection_created',
      resource: { type: 'oauth_connection', id: row._id.toHexString() },
      actor: { type: 'user', userId: userId.toHexString(), accountId: accountId.toHexString(), parentAccount: null, requestId },
      data: { client_id: app._id, user_id: userId.toHexString(), scopes }
    }, session)
  }

  const touch = (accountId: Types.ObjectId, userId: Types.ObjectId, clientId: string, session: ClientSession) =>
    connections.updateOne(
      { account_id: accountId, client_id: clientId, user_id: userId, revoked_at: null }, { $set: { last_used_at: clock.now() } }, { session }
    )

  return { list, revoke, find, give, touch }
}
export type ConnectionsService = ReturnType<typeof createConnectionsService>
