import type { AccountRow } from '../../models/accounts.js'
import { toBusiness, toExpandedUser, type AccountQuery } from '../../schemas/accounts.js'
import { fold } from '../filters/terms.js'
import type { Actor } from '../kit.js'
import { createLister } from '../resource/list.js'
import { oid, type AccountDeps, type Core } from './core.js'
import { planOf } from './plans.js'

const HIDDEN = { search_keys: 0, 'invite.token_hash': 0, old_labels: 0 } as const
const SORTABLE = { created_at: 'created_at', updated_at: 'updated_at', name: 'name', 'owner.name': 'owner.name' }
type Filters = Omit<AccountQuery, 'page' | 'limit' | 'cursor' | 'sort' | 'fields'>
type Status = AccountRow['status']

export function createListing ({ platform, accounts, users }: Pick<AccountDeps, 'platform' | 'accounts' | 'users'>, core: Core) {
  const lister = createLister<AccountRow>({ model: accounts as never, sortable: SORTABLE, defaultSort: '-created_at', projection: HIDDEN })

  function toFilter (actor: Actor, { status = 'active', include_pending: pending, manager, plan, has_orders: orders, created_from: from, created_to: to, q }: Filters): Record<string, unknown> {
    const statuses = [...new Set([...status.split(','), ...(pending === true ? ['pending'] : [])])]
    return {
      parent_account: oid(actor.accountId),
      status: statuses.length === 1 ? statuses[0] : { $in: statuses },
      ...(manager !== undefined && { manager: oid(manager) }),
      ...(plan !== undefined && { plan }),
      ...(orders !== undefined && { has_orders: orders }),
      ...((from !== undefined || to !== undefined) && { created_at: { ...(from && { $gte: new Date(from) }), ...(to && { $lt: new Date(to) }) } }),
      ...(q !== undefined && { $and: fold(q).split(' ').slice(0, 8).map(word => ({ search_keys: { $elemMatch: { $gte: word, $lt: `${word}\uffff` } } })) })
    }
  }

  const parentOf = (actor: Actor) => accounts.findById(actor.accountId, { plan: 1, plan_source: 1, plan_trial_ends_at: 1 }).lean()

  async function list (actor: Actor, { page, limit, cursor, sort, fields: _fields, ...filters }: AccountQuery) {
    const [{ rows, pagination }, parent] = await Promise.all([lister.list(toFilter(actor, filters), { page, limit, cursor, sort }), parentOf(actor)])
    const now = platform.clock.now()
    return { rows: rows.map(row => ({ ...row, plan: planOf(row, now, parent) })), pagination }
  }

  async function counts (actor: Actor): Promise<Record<Status, number>> {
    const groups = await accounts.aggregate<{ _id: Status, count: number }>([
      { $match: { parent_account: oid(actor.accountId) } }, { $group: { _id: '$status', count: { $sum: 1 } } }
    ])
    return { active: 0, pending: 0, suspended: 0, archived: 0, ...Object.fromEntries(groups.map(({ _id, count }) => [_id, count])) }
  }

  const withPlan = async (row: AccountRow): Promise<AccountRow> => {
    const parent = row.parent_account === null ? null : await accounts.findById(row.parent_account, { plan: 1, plan_source: 1, plan_trial_ends_at: 1 }).lean()
    return { ...row, plan: planOf(row, platform.clock.now(), parent) }
  }

  /** @throws ACCOUNT_NOT_FOUND */
  async function get (actor: Actor, id: string, expand = '') {
    const row = await withPlan(await core.reach(actor, id))
    const asked = expand.split(',')
    if (expand === '') return row
    const person = async (userId: AccountRow['manager'] | undefined) => {
      if (userId === null || userId === undefined) return null
      const accountIds = [row._id, ...(row.parent_account === null ? [] : [row.parent_account])]
      const user = await users.findOne({ account_id: { $in: accountIds }, _id: userId }, { name: 1, email: 1, phone: 1, image: 1 }).lean()
      return user === null ? null : toExpandedUser(user)
    }
    return {
      ...row,
      expanded: {
        ...(asked.includes('business') && { business: toBusiness({ ...row, id: row.business, _id: row.business }) }),
        ...(asked.includes('owner') && { owner: await person(row.owner?.id) }),
        ...(asked.includes('manager') && { manager: await person(row.manager) })
      }
    }
  }

  return {
    list,
    counts,
    get,
    withPlan,
    stream: (actor: Actor, { sort, ...filters }: Filters & { sort?: string }) => lister.stream(toFilter(actor, filters), sort)
  }
}
