import { Type, type TObject } from '@sinclair/typebox'
import { Currency, DateTime, Entity, Nullable, Ok, READ_FAILS, Strict, StringEnum, WRITE_FAILS, fails } from './kit.js'
import type { Operation } from './operation.js'

const Lang = Type.Optional(Type.String({ maxLength: 20, pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$', description: 'Language of the names, default en.', examples: ['en'] }))
const query = { q: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })), lang: Lang }
const Code = Type.String({ pattern: '^[A-Za-z]{2}$', examples: ['IT'] })

export const Country = Entity('Country', {
  code: Type.String(),
  code3: Type.String(),
  name: Type.String(),
  dial_code: Nullable(Type.String({ examples: ['+39'] })),
  currency: Nullable(Type.String()),
  languages: Type.Array(Type.String()),
  time_zones: Type.Array(Type.String()),
  address_format: Type.String({ description: 'Lines of an address with {fields}.' }),
  postal_label: Type.String({ examples: ['ZIP code'] }),
  postal_pattern: Nullable(Type.String())
}, 'ISO 3166-1.')
export const State = Entity('State', { code: Type.String({ examples: ['US-CA'] }), name: Type.String() }, 'ISO 3166-2.')
export const TimeZone = Entity('TimeZone', {
  name: Type.String({ examples: ['Europe/Rome'] }), label: Type.String(), offset_minutes: Type.Integer({ description: 'Now, summer time included.' }), abbreviation: Type.String()
})
export const CurrencyEntry = Entity('CurrencyEntry', { code: Currency(), name: Type.String(), symbol: Type.String(), decimals: Type.Integer() }, 'ISO 4217.')
export const Language = Entity('Language', { tag: Type.String(), name: Type.String(), own_name: Type.String(), direction: StringEnum(['ltr', 'rtl']) }, 'BCP 47.')
export const Industry = Entity('Industry', { key: Type.String(), label: Type.String() })

const reference = <T extends TObject>(item: T) => ({
  200: Ok(Type.Array(item)), 304: Type.Null({ description: 'Not changed.' }), ...fails(400, 404, 429, 503)
})

export const listCountries = { operationId: 'listCountries', tags: ['shared'], summary: 'Countries', querystring: Strict(query), response: reference(Country) } as const satisfies Operation
export const getCountry = {
  operationId: 'getCountry',
  tags: ['shared'],
  summary: 'One country',
  params: Strict({ code: Code }),
  querystring: Strict({ lang: Lang }),
  response: { 200: Ok(Country), 304: Type.Null({ description: 'Not changed.' }), ...fails(400, 404, 429, 503) }
} as const satisfies Operation
export const listStates = {
  operationId: 'listStates', tags: ['shared'], summary: 'States and provinces of a country', params: Strict({ code: Code }), querystring: Strict(query), response: reference(State)
} as const satisfies Operation
export const listTimeZones = {
  operationId: 'listTimeZones', tags: ['shared'], summary: 'Time zones', querystring: Strict({ ...query, country: Type.Optional(Code) }), response: reference(TimeZone)
} as const satisfies Operation
export const listCurrencies = { operationId: 'listCurrencies', tags: ['shared'], summary: 'Currencies', querystring: Strict(query), response: reference(CurrencyEntry) } as const satisfies Operation
export const listLanguages = { operationId: 'listLanguages', tags: ['shared'], summary: 'Languages', querystring: Strict(query), response: reference(Language) } as const satisfies Operation
export const listIndustries = { operationId: 'listIndustries', tags: ['shared'], summary: 'Industries', querystring: Strict(query), response: reference(Industry) } as const satisfies Operation

export const getRates = {
  operationId: 'getRates',
  tags: ['shared'],
  summary: 'Conversion rates of a currency',
  querystring: Strict({ base: Type.Optional(Currency()), symbols: Type.Optional(Type.String({ maxLength: 1_000, pattern: '^[A-Z]{3}(,[A-Z]{3})*$' })) }),
  response: {
    200: Ok(Type.Object({
      base: Type.String(),
      as_of: DateTime(),
      stale: Type.Boolean({ description: 'The currency service is away; these are the last known.' }),
      rates: Type.Record(Type.String(), Type.String(), { description: 'Units for one of base, as decimal text.' })
    })),
    ...fails(...READ_FAILS)
  }
} as const satisfies Operation

const Amount = Type.Integer({ minimum: -9_000_000_000_000, maximum: 9_000_000_000_000, description: 'Minor units of the currency beside it.', examples: [1999] })
export const convertMoney = {
  operationId: 'convertMoney',
  tags: ['shared'],
  summary: 'Convert amounts, each rounded half to even; writes nothing',
  body: Strict({ items: Type.Array(Strict({ amount: Amount, currency: Currency() }), { minItems: 1, maxItems: 200 }), to: Currency() }),
  response: {
    200: Ok(Type.Object({
      to: Type.String(),
      total: Type.Integer({ description: 'Sum of the converted amounts.' }),
      as_of: DateTime(),
      stale: Type.Boolean(),
      items: Type.Array(Type.Object({ amount: Type.Integer(), currency: Type.String(), converted: Type.Integer(), rate: Type.String() }))
    })),
    ...fails(...WRITE_FAILS)
  }
} as const satisfies Operation

export const parsePhone = {
  operationId: 'parsePhone',
  tags: ['shared'],
  summary: 'Read phone numbers',
  body: Strict({ numbers: Type.Array(Type.String({ minLength: 1, maxLength: 50 }), { minItems: 1, maxItems: 200 }), country: Type.Optional(Code) }),
  response: {
    200: Ok(Type.Object({
      numbers: Type.Array(Type.Object({
        input: Type.String(),
        valid: Type.Boolean(),
        e164: Nullable(Type.String()),
        national: Nullable(Type.String()),
        country: Nullable(Type.String()),
        type: Nullable(Type.String({ description: 'A guess: mobile, fixed_line, fixed_line_or_mobile, toll_free, voip …' }))
      }))
    })),
    ...fails(...WRITE_FAILS)
  }
} as const satisfies Operation
