import { getCountryCallingCode, isSupportedCountry } from 'libphonenumber-js'
import { DateTime } from 'luxon'
import { LRUCache } from 'lru-cache'
import { fold } from '../filters/terms.js'
import type { Clock } from '../kit.js'
import { CODE_LAST, COUNTRIES, INDUSTRIES, MORE_LANGUAGES, POSTAL, POSTAL_LABELS, RTL, STATES } from './country-table.js'
import { SharedError } from './errors.js'
import { decimalsOf } from './money.js'

type Query = { q?: string, lang?: string }
type ZoneSource = { timeZones?: string[], getTimeZones? (): string[] }

const zonesOf = (code: string): string[] => {
  const locale = new Intl.Locale(`und-${code}`) as ZoneSource
  return locale.getTimeZones?.() ?? locale.timeZones ?? []
}
const ALL_ZONES = [...new Set(['UTC', ...Intl.supportedValuesOf('timeZone')])]
const CURRENCIES = [...new Set(COUNTRIES.flatMap(({ currency }) => currency ?? []))].sort()
const LANGUAGES = [...new Set([...COUNTRIES.flatMap(({ languages }) => languages), ...MORE_LANGUAGES])].sort()

/** A language that names are known in, else English. */
function languageOf (lang: string | undefined): string {
  try {
    return Intl.DisplayNames.supportedLocalesOf(lang ?? 'en')[0] ?? 'en'
  } catch {
    return 'en'
  }
}

const names = (lang: string, type: 'region' | 'currency' | 'language') => {
  const display = new Intl.DisplayNames([lang, 'en'], { type })
  return (code: string) => display.of(code) ?? code
}

const symbolOf = (lang: string, currency: string): string =>
  new Intl.NumberFormat(lang, { style: 'currency', currency, currencyDisplay: 'narrowSymbol' }).formatToParts(0).find(({ type }) => type === 'currency')?.value ?? currency

/** Lists that are the same for everybody, versioned with the service. */
export function createLookups (clock: Clock) {
  const cache = new LRUCache<string, object[]>({ max: 100 })
  const kept = <T extends object>(name: string, query: Query, make: (lang: string) => T[]): T[] => {
    const lang = languageOf(query.lang)
    const key = `${name} ${lang}`
    let list = cache.get(key) as T[] | undefined
    if (list === undefined) {
      list = make(lang)
      cache.set(key, list)
    }
    return list
  }
  const matching = <T extends object>(list: T[], q: string | undefined, fields: (item: T) => string[]): T[] => {
    if (q === undefined) return list
    const wanted = fold(q)
    return list.filter(item => fields(item).some(text => fold(text).includes(wanted)))
  }
  const byName = <T extends { name: string }>(lang: string) => {
    const { compare } = new Intl.Collator(lang)
    return (a: T, b: T) => compare(a.name, b.name)
  }

  const countriesIn = (query: Query) => kept('countries', query, lang => {
    const name = names(lang, 'region')
    return COUNTRIES.map(({ code, code3, currency, languages }) => ({
      code,
      code3,
      name: name(code),
      dial_code: isSupportedCountry(code) ? `+${getCountryCallingCode(code)}` : null,
      currency,
      languages,
      time_zones: zonesOf(code),
      address_format: CODE_LAST.has(code) ? '{street} {unit}\n{city}, {state_province} {postal_code}\n{country}' : '{street} {unit}\n{postal_code} {city}\n{state_province}\n{country}',
      postal_label: POSTAL_LABELS[code] ?? 'Postal code',
      postal_pattern: POSTAL[code] ?? null
    })).sort(byName(lang))
  })

  /** @throws COUNTRY_NOT_FOUND */
  function country (code: string, query: Query = {}) {
    const found = countriesIn(query).find(item => item.code === code.toUpperCase())
    if (found === undefined) throw SharedError.COUNTRY_NOT_FOUND()
    return found
  }

  return {
    countries: (query: Query) => matching(countriesIn(query), query.q, ({ code, code3, name }) => [code, code3, name]),
    country,
    /** @throws COUNTRY_NOT_FOUND */
    states (code: string, query: Query) {
      const { code: known } = country(code)
      const list = (STATES[known] ?? '').split(',').filter(entry => entry !== '').map(entry => {
        const [part = '', name = ''] = entry.split('=')
        return { code: `${known}-${part}`, name }
      })
      return matching(list, query.q, ({ code: id, name }) => [id, name])
    },
    /** @throws COUNTRY_NOT_FOUND */
    timeZones ({ country: code, q, lang }: Query & { country?: string }) {
      const known = code === undefined ? ALL_ZONES : country(code).time_zones
      const locale = languageOf(lang)
      const now = clock.now()
      const list = known.map(name => {
        const at = DateTime.fromJSDate(now, { zone: name }).setLocale(locale)
        const offset = at.toFormat('ZZ')
        return { name, label: `(UTC${offset}) ${name.replaceAll('_', ' ').replaceAll('/', ' / ')}`, offset_minutes: at.offset, abbreviation: at.offsetNameShort ?? offset }
      })
      return matching(list, q, ({ name, label }) => [name, label])
    },
    currencies: (query: Query) => matching(kept('currencies', query, lang => {
      const name = names(lang, 'currency')
      return CURRENCIES.map(code => ({ code, name: name(code), symbol: symbolOf(lang, code), decimals: decimalsOf(code) }))
    }), query.q, ({ code, name }) => [code, name]),
    languages: (query: Query) => matching(kept('languages', query, lang => {
      const name = names(lang, 'language')
      return LANGUAGES.map(tag => ({
        tag, name: name(tag), own_name: names(tag, 'language')(tag), direction: RTL.has(tag.split('-')[0]!) ? 'rtl' as const : 'ltr' as const
      })).sort(byName(lang))
    }), query.q, ({ tag, name, own_name: own }) => [tag, name, own]),
    industries: (query: Query) => matching(INDUSTRIES.map(key => ({ key, label: (key.charAt(0).toUpperCase() + key.slice(1)).replaceAll('_', ' ') })), query.q, ({ key, label }) => [key, label])
  }
}
export type Lookups = ReturnType<typeof createLookups>
