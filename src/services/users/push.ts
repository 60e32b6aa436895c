import type { ClientSession } from 'mongoose'
import { crossTenant } from '../../models/define.js'
import type { NewPushToken } from '../../schemas/users-self.js'
import type { Actor } from '../kit.js'
import { isDuplicate, oid } from './people.js'
import type { Deps } from './types.js'

const MAX_DEVICES = 10
const ANYWHERE = crossTenant('a device belongs to whoever registers it last')
type Registration = NewPushToken & { account_id: string, user_id: string }

/** Devices that take push messages; a token has one owner. */
export function createPushTokens ({ platform, tokens }: Pick<Deps, 'platform' | 'tokens'>) {
  const { clock, transactions, events } = platform
  const HIDDEN = { token: 0 } as const

  const list = (actor: Actor) => tokens.find({ account_id: oid(actor.accountId), user_id: oid(actor.userId) }, HIDDEN)
    .sort({ last_seen_at: -1 }).limit(MAX_DEVICES).lean()

  /** @returns the device, and whether it is new for this person */
  async function register ({ account_id: accountId, user_id: userId, token, ...device }: Registration, session: ClientSession) {
    const now = clock.now()
    const owner = { account_id: oid(accountId), user_id: oid(userId) }
    const before = await tokens.findOne({ token }, { account_id: 1, user_id: 1 }, { ...ANYWHERE, session }).lean()
    const known = before !== null && before.user_id.equals(owner.user_id) && before.account_id.equals(owner.account_id)
    await tokens.updateOne({ token }, {
      $set: {
        ...owner,
        device_id: device.device_id,
        device_name: device.device_name ?? null,
        platform: device.platform,
        variant: device.variant ?? 'dashclicks',
        app_version: device.app_version ?? null,
        token_hint: token.slice(-6),
        last_seen_at: now,
        updated_at: now
      },
      $setOnInsert: { created_at: now }
    }, { upsert: true, session, ...ANYWHERE })
    const row = (await tokens.findOne({ ...owner, token }, HIDDEN, { session }).lean())!
    await trim(owner, session)
    if (!known) await events.emit({ type: 'push_token.registered', actor: 'system', accountId, resource: { type: 'push_token', id: row._id.toHexString() }, data: { user_id: userId, platform: device.platform } }, session)
    return { row, created: !known }
  }

  async function trim (owner: { account_id: ReturnType<typeof oid>, user_id: ReturnType<typeof oid> }, session: ClientSession): Promise<void> {
    const old = await tokens.find(owner, { _id: 1 }, { session }).sort({ last_seen_at: -1, _id: -1 }).skip(MAX_DEVICES).lean()
    if (old.length > 0) await tokens.deleteMany({ ...owner, _id: { $in: old.map(({ _id }) => _id) } }, { session })
  }

  async function registerMine (actor: Actor, device: NewPushToken) {
    const once = () => transactions.run(session => register({ ...device, account_id: actor.accountId, user_id: actor.userId }, session))
    return once().catch(error => {
      if (isDuplicate(error)) return once()
      throw error
    })
  }

  async function remove (actor: Actor, token: string): Promise<boolean> {
    return transactions.run(async session => {
      const row = await tokens.findOneAndDelete({ account_id: oid(actor.accountId), user_id: oid(actor.userId), token }, { session }).lean()
      if (row === null) return false
      await events.emit({ type: 'push_token.removed', actor, resource: { type: 'push_token', id: row._id.toHexString() }, data: { user_id: actor.userId, platform: row.platform } }, session)
      return true
    })
  }

  /** The provider says that nobody is behind these any more. */
  async function forget (list: readonly string[]): Promise<void> {
    await tokens.deleteMany({ token: { $in: [...list] } }, ANYWHERE as never)
  }

  /** Tokens of some people, for whoever sends to them. */
  const of = async ({ account_id: accountId, user_ids: userIds }: { account_id: string, user_ids: readonly string[] }) =>
    (await tokens.find({ account_id: oid(accountId), user_id: { $in: userIds.map(oid) } }, { token: 1, user_id: 1, platform: 1 }).lean())
      .map(({ token, user_id: user, platform: os }) => ({ token, user_id: user.toHexString(), platform: os }))

  return { list, register, registerMine, remove, forget, of }
}
export type PushTokens = ReturnType<typeof createPushTokens>
