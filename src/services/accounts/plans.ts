import type { ClientSession, Types } from 'mongoose'
import type { AccountModel, AccountRow } from '../../models/accounts.js'
import { ConfigModel } from '../../models/platform.js'
import type { Plan } from '../../schemas/accounts.js'
import type { Actor } from '../kit.js'
import type { Platform } from '../platform.js'
import { AccountError } from './errors.js'

const DAY = 86_400_000
const ORDER: readonly Plan[] = ['free', 'pro', 'plus', 'platinum']
export type PlanLimits = { users: number | null, sub_accounts: number | null, custom_domain: boolean }
/** Used where the platform has no `plan-limits` of its own; null is without end. */
const LIMITS: Readonly<Record<Plan, PlanLimits>> = {
  free: { users: 3, sub_accounts: 0, custom_domain: false },
  pro: { users: null, sub_accounts: null, custom_domain: true },
  plus: { users: null, sub_accounts: null, custom_domain: true },
  platinum: { users: null, sub_accounts: null, custom_domain: true }
}
type Planned = Pick<AccountRow, 'plan' | 'plan_source' | 'plan_trial_ends_at'>

/** Tier override, else subscription, else pro while the trial runs, else free; a child without its own has its parent's. */
export function planOf ({ plan, plan_source: source, plan_trial_ends_at: ends }: Planned, now: Date, parent: Planned | null = null): Plan {
  if (source === 'parent' && parent !== null) return planOf(parent, now)
  if (source === 'trial') return ends !== null && ends > now ? 'pro' : 'free'
  return source === 'none' ? 'free' : plan
}

export function createPlans ({ platform, accounts }: { platform: Platform, accounts: AccountModel }) {
  const { clock, events, invalidation, jobs, transactions, config } = platform
  const configs = ConfigModel.on(platform.mongo)
  const FIELDS = { plan: 1, plan_source: 1, plan_trial_ends_at: 1, parent_account: 1, name: 1, status: 1 } as const

  async function current (accountId: string | Types.ObjectId, session?: ClientSession): Promise<Plan> {
    const row = await accounts.findById(accountId, FIELDS, { session }).lean()
    if (row === null) throw AccountError.ACCOUNT_NOT_FOUND()
    const parent = row.parent_account === null ? null : await accounts.findById(row.parent_account, FIELDS, { session }).lean()
    return planOf(row, clock.now(), parent)
  }

  async function limits (plan: Plan): Promise<PlanLimits> {
    const row = await configs.findOne({ type: 'plan-limits', key: plan }).sort({ version: -1 }).lean()
    return { ...LIMITS[plan], ...(row as { data?: Partial<PlanLimits> } | null)?.data }
  }

  /** @throws PLAN_REQUIRED below the plan; read anew on every call, so a change bites at once everywhere */
  async function require (actor: Actor, least: Plan = 'pro'): Promise<void> {
    const plan = await current(actor.accountId)
    if (ORDER.indexOf(plan) < ORDER.indexOf(least)) throw AccountError.PLAN_REQUIRED().with({ data: { plan, required: least } })
  }

  /** @throws PLAN_LIMIT_REACHED with `limit` and `used` when one more does not fit */
  async function room (accountId: string | Types.ObjectId, kind: 'users' | 'sub_accounts', used: () => Promise<number>): Promise<void> {
    const limit = (await limits(await current(accountId)))[kind]
    if (limit === null) return
    const count = await used()
    if (count >= limit) throw AccountError.PLAN_LIMIT_REACHED().with({ data: { limit, used: count } })
  }

  /** Sets what the plan stands on, in the caller's transaction; billing and staff call it. */
  async function set (accountId: Types.ObjectId, plan: Plan, source: NonNullable<AccountRow['plan_source']>, session: ClientSession): Promise<void> {
    const before = await accounts.findById(accountId, FIELDS, { session }).lean()
    if (before === null) throw AccountError.ACCOUNT_NOT_FOUND()
    await accounts.updateOne({ _id: accountId }, { $set: { plan, plan_source: source, updated_at: clock.now() } }, { session })
    await invalidation.invalidate('access.accounts', accountId.toHexString(), session)
    await events.emit({
      type: 'account.plan_changed',
      actor: 'system',
      accountId: accountId.toHexString(),
      resource: { type: 'account', id: accountId.toHexString() },
      data: { from: planOf(before, clock.now()), to: plan }
    }, session)
  }

  jobs.register({
    name: 'account-trials',
    family: 'QM_ACCOUNTS',
    kind: 'sweep',
    everyMs: 60_000,
    run: async ({ now, stillMine }) => {
      let ended = 0
      for (;;) {
        const due = await accounts.find({ plan_source: 'trial', plan_trial_ends_at: { $lte: now } }, { _id: 1 }).limit(100).lean()
        if (due.length === 0 || !await stillMine()) return { ended }
        for (const { _id } of due) await transactions.run(session => set(_id, 'free', 'none', session))
        ended += due.length
      }
    }
  })

  return {
    current,
    limits,
    require,
    room,
    set,
    trial: (now: Date) => ({ plan: 'pro' as const, plan_source: 'trial' as const, plan_trial_ends_at: new Date(now.getTime() + config.TRIAL_DAYS * DAY) })
  }
}
export type Plans = ReturnType<typeof createPlans>
