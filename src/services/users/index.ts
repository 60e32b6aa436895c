import type { ClientSession } from 'mongoose'
import type { LinkModel } from '../../models/url.js'
import type { Actor } from '../kit.js'
import { createUserBulk } from './bulk.js'
import { createConfigs } from './configs.js'
import { createPost } from './mails.js'
import { createPeople, oid } from './people.js'
import { createPushTokens } from './push.js'
import { createHandOver, createWorkRegistry, type WorkOwner } from './reassign.js'
import { createRecovery } from './recovery.js'
import { createSelf } from './self.js'
import { createTeam } from './team.js'
import { noPorts, type Deps, type Ports } from './types.js'

export { availabilityState } from './availability.js'
export { newUserRow } from './row.js'
export type { WorkOwner, WorkRegistry } from './reassign.js'

type Options = Omit<Deps, 'ports'> & { ports?: Partial<Ports> }

export function createUsersService ({ ports = {}, ...rest }: Options) {
  // One object that modules fill as they come: every part of this module sees what joins later.
  const deps: Deps = { ...rest, ports: { ...noPorts, ...ports } }
  const people = createPeople(deps)
  const post = createPost(deps.platform, deps.accounts)
  const registry = createWorkRegistry()
  const team = createTeam(deps, people, post)
  const handOver = createHandOver(deps, people, registry)
  const self = createSelf(deps, people, post)
  const push = createPushTokens(deps)
  const { users } = deps

  /** People over a plan's limit, the newest first; the owner never. */
  async function excess ({ account_id: accountId, limit }: { account_id: string, limit: number }): Promise<{ count: number, ids: string[] }> {
    const rows = await users.find({ account_id: oid(accountId), status: { $in: ['invited', 'active', 'inactive'] } }, { _id: 1 }).sort({ is_owner: -1, created_at: 1, _id: 1 }).lean()
    const ids = rows.slice(Math.max(1, limit)).map(({ _id }) => _id.toHexString())
    return { count: ids.length, ids }
  }

  /** A downgrade: the people over the limit lose access now, their work goes to the owner in the background. */
  type Cut = { account_id: string, limit: number, keep: readonly string[] }
  async function removeExcess ({ account_id: accountId, limit, keep }: Cut, session: ClientSession): Promise<{ removed: number }> {
    const rows = await users.find({ account_id: oid(accountId), status: { $in: ['invited', 'active', 'inactive'] } }, { is_owner: 1 }, { session }).sort({ is_owner: -1, created_at: 1, _id: 1 }).lean()
    const kept = rows.filter(({ _id, is_owner: owner }) => owner || keep.includes(_id.toHexString()))
    const others = rows.filter(row => !kept.includes(row))
    const leaving = others.slice(Math.max(0, limit - kept.length))
    const owner = rows.find(row => row.is_owner)?._id.toHexString() ?? null
    const actor: Actor = { type: 'system', userId: owner ?? '', accountId, parentAccount: null, role: 'owner', isOwner: true, permissions: new Set(), can: () => true, requestId: 'downgrade' }
    for (const { _id } of leaving) {
      const row = await people.find(accountId, _id.toHexString(), session)
      await people.write(actor, row, { status: 'deleting' }, { type: 'user.updated', when: { is_owner: false } }, session)
      await people.signOut(row, 'downgrade', session)
      await handOver.enqueue(actor, accountId, { from: _id.toHexString(), to: owner, kinds: null, remove: true }, 0, session)
    }
    return { removed: leaving.length }
  }

  return {
    team,
    handOver,
    self,
    push,
    registry,
    excess,
    removeExcess,
    configs: createConfigs(deps, people),
    recovery: createRecovery(deps, post),
    bulk: createUserBulk(deps, team, handOver),
    availability: self.availability,
    registerPushToken: push.register,
    pushTokens: push.of,
    /** Modules that come later give what this one asks of them. */
    provide (parts: Partial<Ports>): void { Object.assign(deps.ports, parts) }
  }
}
export type UsersService = ReturnType<typeof createUsersService>

/** Short links that a person has made go to the one who follows. */
export const linksWork = (links: LinkModel): WorkOwner => ({
  module: 'url',
  kinds: ['short_links'],
  workload: async ({ account_id: accountId, user_id: userId }) => ({
    short_links: await links.countDocuments({ account_id: oid(accountId), created_by: oid(userId), archived_at: null })
  }),
  async reassignUser ({ account_id: accountId, from, to, limit }, session) {
    const mine = { account_id: oid(accountId), created_by: oid(from), archived_at: null }
    const rows = await links.find(mine, { _id: 1 }, { session }).limit(limit + 1).lean()
    const batch = rows.slice(0, limit).map(({ _id }) => _id)
    const { modifiedCount } = await links.updateMany({ ...mine, _id: { $in: batch } }, { $set: { created_by: oid(to) } }, { session })
    return { moved: modifiedCount, left: rows.length > limit ? 1 : 0 }
  }
})
