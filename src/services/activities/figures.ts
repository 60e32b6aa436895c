import { DateTime } from 'luxon'
import { Types } from 'mongoose'
import type { AccountModel } from '../../models/accounts.js'
import type { ActivityModel } from '../../models/activities.js'
import type { Actor } from '../kit.js'
import type { Platform } from '../platform.js'
import { ActivityError } from './errors.js'
import type { Timeline } from './timeline.js'

type Deps = { platform: Pick<Platform, 'clock'>, activities: ActivityModel, accounts: Pick<AccountModel, 'findOne'>, timeline: Pick<Timeline, 'toFilter'> }
type Range = { from?: string, to?: string }
type Facts = { counts: Record<string, number>, total: number, contacts_touched: number, deals_touched: number, active_users: number }
type Interval = 'day' | 'week' | 'month'

const DAY = 86_400_000
const FORMAT = 'yyyy-MM-dd'

/** Figures from the rows of the timeline themselves, under the caller's own sight: they always agree with the list. */
export function createFigures ({ platform: { clock }, activities, accounts, timeline }: Deps) {
  /** @throws RANGE_TOO_LARGE */
  function rangeOf ({ from, to }: Range): { from: Date, to: Date } {
    const end = to === undefined ? new Date(clock.now().getTime() + 1) : new Date(to)
    const start = from === undefined ? new Date(end.getTime() - 30 * DAY) : new Date(from)
    if (end.getTime() - start.getTime() > 366 * DAY) throw ActivityError.RANGE_TOO_LARGE()
    return { from: start, to: end }
  }
  const zoneOf = async (actor: Actor) => (await accounts.findOne({ _id: new Types.ObjectId(actor.accountId) } as never, { time_zone: 1 }).lean() as { time_zone?: string } | null)?.time_zone ?? 'UTC'
  const matching = (actor: Actor, { from, to }: { from: Date, to: Date }, user?: string) =>
    timeline.toFilter(actor, { from: from.toISOString(), to: to.toISOString(), ...(user !== undefined && { created_by: user }) })

  async function facts (actor: Actor, range: { from: Date, to: Date }, user?: string): Promise<Facts> {
    const match = await matching(actor, range, user)
    const [types, all] = await Promise.all([
      activities.aggregate<{ _id: string, n: number }>([{ $match: match }, { $group: { _id: '$activity_type', n: { $sum: 1 } } }, { $sort: { _id: 1 } }]),
      activities.aggregate<Record<'contacts' | 'deals' | 'users', unknown[]>>([
        { $match: match }, { $group: { _id: null, contacts: { $addToSet: '$contact' }, deals: { $addToSet: '$deal' }, users: { $addToSet: '$created_by' } } }
      ])
    ])
    const touched = (some: unknown[] | undefined) => (some ?? []).filter(id => id !== null).length
    return {
      counts: Object.fromEntries(types.map(({ _id, n }) => [_id, n])), total: types.reduce((sum, { n }) => sum + n, 0),
      contacts_touched: touched(all[0]?.contacts), deals_touched: touched(all[0]?.deals), active_users: touched(all[0]?.users)
    }
  }

  async function summary (actor: Actor, { user_id: user, compare, ...query }: Range & { user_id?: string, compare?: 'previous' }) {
    const range = rangeOf(query)
    const now = await facts(actor, range, user)
    const answer = { ...now, from: range.from.toISOString(), to: range.to.toISOString() }
    if (compare === undefined) return answer
    const length = range.to.getTime() - range.from.getTime()
    const previous = await facts(actor, { from: new Date(range.from.getTime() - length), to: range.from }, user)
    return { ...answer, previous, change_percent: previous.total === 0 ? null : Math.round((now.total - previous.total) / previous.total * 1_000) / 10 }
  }

  async function byUser (actor: Actor, { sort = '-total', ...query }: Range & { sort?: string }) {
    const [match, zone] = [await matching(actor, rangeOf(query)), await zoneOf(actor)]
    const rows = await activities.aggregate<{ _id: { user: Types.ObjectId, type: string }, n: number, contacts: unknown[], days: string[], last: Date }>([
      { $match: { ...match, created_by: { $ne: null } } },
      {
        $group: {
          _id: { user: '$created_by', type: '$activity_type' }, n: { $sum: 1 }, contacts: { $addToSet: '$contact' }, last: { $max: '$occurred_at' },
          days: { $addToSet: { $dateToString: { date: '$occurred_at', format: '%Y-%m-%d', timezone: zone } } }
        }
      }
    ])
    const users = new Map<string, { counts: Record<string, number>, contacts: Set<string>, days: Set<string>, last: Date }>()
    for (const { _id: { user, type }, n, contacts, days, last } of rows) {
      const known = users.get(user.toHexString()) ?? { counts: {}, contacts: new Set(), days: new Set(), last }
      known.counts[type] = n
      for (const contact of contacts) if (contact !== null) known.contacts.add(String(contact))
      for (const day of days) known.days.add(day)
      if (last > known.last) known.last = last
      users.set(user.toHexString(), known)
    }
    const list = [...users].map(([id, { counts, contacts, days, last }]) => ({
      user_id: id, counts, total: Object.values(counts).reduce((sum, n) => sum + n, 0), contacts_touched: contacts.size, active_days: days.size, last_active: last.toISOString()
    }))
    const key = sort.replace(/^-/, '')
    const value = (row: typeof list[number]) => key === 'total' ? row.total : row.counts[key] ?? 0
    return list.sort((a, b) => (value(a) - value(b)) * (sort.startsWith('-') ? -1 : 1))
  }

  async function byTime (actor: Actor, { interval = 'day', group_by: group = 'type', ...query }: Range & { interval?: Interval, group_by?: 'type' | 'user' }) {
    const range = rangeOf(query)
    const [match, zone] = [await matching(actor, range), await zoneOf(actor)]
    const rows = await activities.aggregate<{ _id: { at: string, key: unknown }, n: number }>([
      { $match: match },
      { $group: { _id: { at: { $dateToString: { date: '$occurred_at', format: '%Y-%m-%d', timezone: zone } }, key: group === 'type' ? '$activity_type' : '$created_by' }, n: { $sum: 1 } } }
    ])
    const buckets = new Map<string, { at: string, total: number, counts: Record<string, number> }>()
    const slotOf = (at: DateTime) => at.startOf(interval).toFormat(FORMAT)
    for (let at = DateTime.fromJSDate(range.from, { zone }).startOf(interval); at.toMillis() < range.to.getTime(); at = at.plus({ [interval]: 1 })) {
      buckets.set(slotOf(at), { at: slotOf(at), total: 0, counts: {} })
    }
    for (const { _id: { at, key }, n } of rows) {
      const bucket = buckets.get(slotOf(DateTime.fromFormat(at, FORMAT, { zone })))
      if (bucket === undefined) continue
      const name = key === null ? 'none' : String(key)
      bucket.total += n
      bucket.counts[name] = (bucket.counts[name] ?? 0) + n
    }
    return [...buckets.values()]
  }

  return { summary, byUser, byTime }
}
