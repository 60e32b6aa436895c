import type { AvailableNumber, Capabilities, NumberSearch, OwnedNumber } from './types.js'

const ALL: Capabilities = { voice: true, sms: true, mms: true, fax: false }

/** Countries in which the twin sells numbers: prefix and how many digits follow it. */
const PLACES: Readonly<Record<string, { name: string, prefix: string, digits: number, area: string, locality: string, region: string }>> = {
  US: { name: 'United States', prefix: '+1', digits: 7, area: '212', locality: 'New York', region: 'NY' },
  CA: { name: 'Canada', prefix: '+1', digits: 7, area: '416', locality: 'Toronto', region: 'ON' },
  GB: { name: 'United Kingdom', prefix: '+44', digits: 8, area: '20', locality: 'London', region: 'England' },
  AU: { name: 'Australia', prefix: '+61', digits: 8, area: '2', locality: 'Sydney', region: 'NSW' },
  DE: { name: 'Germany', prefix: '+49', digits: 8, area: '30', locality: 'Berlin', region: 'BE' }
}
const STOCK = 30
const PRICES = { local: 115, mobile: 300, toll_free: 215 } as const

export const twinCountries = () => Object.entries(PLACES).map(([code, { name }]) => ({ code, name, beta: false }))

/** The twin's stock: the same search finds the same numbers, without those that are sold. */
export function twinStock ({ country, areaCode, type = 'local', capabilities = [], limit = 20 }: NumberSearch, sold: ReadonlySet<string>): AvailableNumber[] {
  const place = PLACES[country]
  if (place === undefined || capabilities.some(name => !ALL[name])) return []
  const area = areaCode ?? (type === 'toll_free' ? '800' : type === 'mobile' ? place.area + '7' : place.area)
  const digits = place.digits + (type === 'mobile' ? -1 : 0)
  return Array.from({ length: STOCK }, (_none, index) => place.prefix + area + String(5_550_100 + index).padStart(digits, '5'))
    .filter(number => !sold.has(number))
    .slice(0, limit)
    .map(number => ({
      phone_number: number,
      friendly_name: number,
      locality: type === 'local' ? place.locality : null,
      region: type === 'local' ? place.region : null,
      postal_code: null,
      iso_country: country,
      address_requirements: 'none',
      beta: false,
      capabilities: ALL,
      monthly_price: { amount: PRICES[type], currency: 'USD' }
    }))
}

export const soldNumber = (sid: string, phoneNumber: string, smsUrl: string | null, voiceUrl: string | null): OwnedNumber =>
  ({ sid, phoneNumber, friendlyName: phoneNumber, smsUrl, voiceUrl, capabilities: ALL })
