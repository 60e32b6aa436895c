import { createHash } from 'node:crypto'
import { Types } from 'mongoose'
import { FlagModel, type FlagRow } from '../models/flags.js'
import type { AccountModel } from '../models/accounts.js'
import type { Platform } from './platform.js'

type Subject = { account_id: string, user_id: string }
type Facts = Subject & { plan: string, main: boolean }

/** Stable over time and copies: the same account stays on its side when the percentage grows. */
const bucket = (key: string, accountId: string): number => createHash('sha256').update(`${key}:${accountId}`).digest().readUInt32BE(0) % 10_000 / 100

function holds (rule: FlagRow['rules'][number], key: string, { account_id: account, user_id: user, plan, main }: Facts): boolean {
  return (rule.accounts === undefined || rule.accounts.some(id => String(id) === account)) &&
    (rule.users === undefined || rule.users.some(id => String(id) === user)) &&
    (rule.plans === undefined || rule.plans.includes(plan)) &&
    (rule.main === undefined || rule.main === main) &&
    (rule.percentage === undefined || bucket(key, account) < rule.percentage)
}

/** kill -> default; off -> default; else the first rule whose given conditions all hold (modules/admin-system.md 4.2). */
export function evaluate (flag: FlagRow, facts: Facts): unknown {
  if (flag.kill || !flag.enabled) return flag.default_value
  const hit = flag.rules.find(rule => holds(rule, flag.key, facts))
  return hit === undefined ? flag.default_value : hit.value
}

export function createFlags (platform: Platform, accounts: AccountModel) {
  const rows = FlagModel.on(platform.mongo)
  const flags = platform.cache<FlagRow[]>({ scope: 'flags', max: 1, ttl: 3_000, load: () => rows.find({}).lean() as unknown as Promise<FlagRow[]> })

  async function factsOf ({ account_id: accountId, user_id: userId }: Subject): Promise<Facts> {
    const account = accountId === '' ? null : await accounts.findById(new Types.ObjectId(accountId), { plan: 1, main: 1 }).lean()
    return { account_id: accountId, user_id: userId, plan: account?.plan ?? 'free', main: account?.main ?? false }
  }

  return {
    /** Every flag's value for one caller. */
    async all (subject: Subject): Promise<Record<string, unknown>> {
      const known = await flags.get('all')
      if (known.length === 0) return {}
      const facts = await factsOf(subject)
      return Object.fromEntries(known.map(flag => [flag.key, evaluate(flag, facts)]))
    },
    /** One flag's value; false for a flag that nobody made. */
    async value (key: string, subject: Subject): Promise<unknown> {
      const flag = (await flags.get('all')).find(one => one.key === key)
      return flag === undefined ? false : evaluate(flag, await factsOf(subject))
    }
  }
}
export type Flags = ReturnType<typeof createFlags>
