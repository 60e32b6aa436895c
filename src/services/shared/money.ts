import type { CurrencyModel } from '../../models/shared.js'
import type { Currency, Rates } from '../currency/index.js'
import { CommonError } from '../kit.js'
import type { Platform } from '../platform.js'
import { SharedError } from './errors.js'

type Item = { amount: number, currency: string }

const ZERO = new Set('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' '))
const THREE = new Set('BHD IQD JOD KWD LYD OMR TND'.split(' '))
/** Minor digits by ISO 4217. */
export const decimalsOf = (currency: string): number => ZERO.has(currency) ? 0 : THREE.has(currency) ? 3 : 2

/** amount x rate x 10^(to - from) in whole minor units, half to even, without a float in between. */
export function convertMinor (amount: number, rate: string, from: number, to: number): number {
  const [whole = '0', fraction = ''] = rate.split('.')
  const digits = fraction.length + from - to
  const product = BigInt(amount) * BigInt(whole + fraction)
  if (digits <= 0) return Number(product * 10n ** BigInt(-digits))
  const unit = 10n ** BigInt(digits)
  const size = product < 0n ? -product : product
  const twice = size % unit * 2n
  const quotient = size / unit
  const rounded = twice > unit || (twice === unit && quotient % 2n === 1n) ? quotient + 1n : quotient
  return Number(product < 0n ? -rounded : rounded)
}

export function createMoney ({ currency, saved, platform: { clock, log } }: { currency: Pick<Currency, 'rates'>, saved: CurrencyModel, platform: Pick<Platform, 'clock' | 'log'> }) {
  const kept = new Set<string>()

  /** @throws CURRENCY_UNKNOWN, RATES_UNAVAILABLE when nothing was ever known */
  async function ratesOf (base: string): Promise<Rates> {
    try {
      const rates = await currency.rates(base)
      if (!rates.stale) await keep(rates)
      return rates
    } catch (error) {
      if ((error as { status?: number }).status === 404) throw SharedError.CURRENCY_UNKNOWN(base)
      const last = await saved.findOne({ base }).sort({ as_of: -1 }).lean()
      if (last === null) throw SharedError.RATES_UNAVAILABLE().because(error)
      return { base, asOf: last.as_of, rates: last.rates as Record<string, string>, stale: true }
    }
  }

  async function keep ({ base, asOf, rates }: Rates): Promise<void> {
    const key = `${base} ${asOf.toISOString()}`
    if (kept.has(key)) return
    kept.add(key)
    await saved.updateOne({ base, as_of: asOf }, { $set: { rates, fetched_at: clock.now() } }, { upsert: true })
      .catch((error: unknown) => log.warn({ err: error }, 'rates could not be kept'))
  }

  async function rates (base: string, symbols?: string) {
    const all = await ratesOf(base)
    const wanted = symbols?.split(',') ?? Object.keys(all.rates)
    const unknown = wanted.find(code => all.rates[code] === undefined)
    if (unknown !== undefined) throw SharedError.CURRENCY_UNKNOWN(unknown)
    return { base, as_of: all.asOf.toISOString(), stale: all.stale, rates: Object.fromEntries(wanted.map(code => [code, all.rates[code]!])) }
  }

  /** @throws CURRENCY_UNKNOWN, RATES_UNAVAILABLE, VALIDATION_FAILED for what no integer holds */
  async function convert (items: readonly Item[], to: string) {
    const bases = [...new Set(items.map(item => item.currency))]
    const tables = new Map(await Promise.all(bases.map(async base => [base, await ratesOf(base)] as const)))
    const done = items.map(({ amount, currency: from }) => {
      const rate = from === to ? '1' : tables.get(from)!.rates[to]
      if (rate === undefined) throw SharedError.CURRENCY_UNKNOWN(to)
      return { amount, currency: from, rate, converted: convertMinor(amount, rate, decimalsOf(from), decimalsOf(to)) }
    })
    const total = done.reduce((sum, { converted }) => sum + converted, 0)
    if (!Number.isSafeInteger(total)) throw CommonError.VALIDATION_FAILED().with({ errors: [{ path: 'body.items', message: 'the amounts are too large', code: 'maximum' }] })
    const used = [...tables.values()]
    return { to, total, as_of: new Date(Math.min(...used.map(({ asOf }) => asOf.getTime()))).toISOString(), stale: used.some(({ stale }) => stale), items: done }
  }

  return { rates, convert }
}
export type MoneyService = ReturnType<typeof createMoney>
