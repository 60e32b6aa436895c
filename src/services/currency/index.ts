import { LRUCache } from 'lru-cache'
import { answeredWith, badAnswer } from '../http/index.js'
import { catalogue } from '../kit.js'
import type { CallContext } from '../provider.js'
import { bearerHeader, createSibling, type SiblingClient, type SiblingOptions } from '../sibling.js'
import { TABLE, TABLE_AS_OF } from './table.js'

export const CurrencyError = catalogue('currency', {
  CURRENCY_NOT_CONFIGURED: { status: 503, text: 'Currency rates are not configured.' }
})

/** Units of each currency for one of `base`, as decimal text. */
export type Rates = { base: string, asOf: Date, rates: Readonly<Record<string, string>>, /** the service is away, these are the last known */ stale: boolean }

export type Currency = Omit<SiblingClient, 'request'> & {
  /** Kept for six hours. @param base ISO 4217. @throws UpstreamError when the service is away and nothing is known */
  rates (base: string, context?: CallContext & { bearer?: string }): Promise<Rates>
}

const SIBLING = {
  name: 'currency',
  variable: 'CURRENCY_URL',
  notConfigured: CurrencyError.CURRENCY_NOT_CONFIGURED,
  timeoutMs: 2_000,
  tries: 2
}
const FRESH_MS = 6 * 3_600_000
/** How long last known rates are given before the service is asked again. */
const PAUSE_MS = 30_000

type Slot = { rates: Rates, askAgain: number }

/** The currency service (`CURRENCY_URL`); its twin has a dated table. */
export function createCurrency (options: SiblingOptions): Currency {
  const { clock } = options
  const { request, ...sibling } = createSibling(SIBLING, options, call => tableFor(new URL(call.path, 'http://twin').searchParams.get('base') ?? 'USD'))
  const slots = new LRUCache<string, Slot>({ max: 200 })
  const asking = new Map<string, Promise<Rates>>()

  async function ask (base: string, context: (CallContext & { bearer?: string }) | undefined): Promise<Rates> {
    const answer = await request({ method: 'GET', path: `/v1/currency?base=${encodeURIComponent(base)}`, headers: bearerHeader(context?.bearer) }, context)
    const rates = readRates(answer, base)
    slots.set(base, { rates, askAgain: clock.now().getTime() + FRESH_MS })
    return rates
  }

  async function orLastKnown (base: string, context: (CallContext & { bearer?: string }) | undefined): Promise<Rates> {
    try {
      return await ask(base, context)
    } catch (error) {
      const known = slots.get(base)
      if (known === undefined) throw error
      const rates = { ...known.rates, stale: true }
      slots.set(base, { rates, askAgain: clock.now().getTime() + PAUSE_MS })
      return rates
    }
  }

  return {
    ...sibling,
    async rates (base, context) {
      const known = slots.get(base)
      if (known !== undefined && clock.now().getTime() < known.askAgain) return known.rates
      let answer = asking.get(base)
      if (answer === undefined) {
        answer = orLastKnown(base, context).finally(() => asking.delete(base))
        asking.set(base, answer)
      }
      return await answer
    }
  }
}

const isDecimal = (value: unknown) => typeof value === 'number' || (typeof value === 'string' && /^\d+(?:\.\d+)?$/.test(value))
const isRate = (value: unknown): value is string | number => isDecimal(value) && Number(value) > 0

/** @throws UPSTREAM_BAD_RESPONSE */
function readRates (answer: unknown, base: string): Rates {
  const body = answer as { data?: unknown } | null
  const { rates, as_of: asOf } = (body?.data ?? body ?? {}) as { rates?: unknown, as_of?: unknown }
  if (typeof rates !== 'object' || rates === null) throw badAnswer('currency', 'no rates')
  const good = Object.entries(rates).filter((entry): entry is [string, string | number] => /^[A-Z]{3}$/.test(entry[0]) && isRate(entry[1]))
  const day = new Date(String(asOf))
  if (good.length === 0 || Number.isNaN(day.getTime())) throw badAnswer('currency', 'rates without a date or a number')
  return { base, asOf: day, rates: Object.fromEntries(good.map(([code, rate]) => [code, decimal(rate)])), stale: false }
}

const decimal = (rate: string | number) => typeof rate === 'string' ? rate : Number(rate.toPrecision(12)).toFixed(12).replace(/\.?0+$/, '')

function tableFor (base: string): unknown {
  const unit = TABLE[base]
  if (unit === undefined) throw answeredWith(404, { upstream: 'currency', body: { message: `no rates for ${base}` } })
  const rates = Object.fromEntries(Object.entries(TABLE).map(([code, rate]) => [code, decimal(rate / unit)]))
  return { success: true, data: { base, as_of: TABLE_AS_OF, rates } }
}
