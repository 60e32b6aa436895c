import { createRequire } from 'node:module'
import type { CountryCode, PhoneNumber } from 'libphonenumber-js'
import { SharedError } from './errors.js'

// The full metadata tells kinds of numbers; it is read when first asked for.
const require = createRequire(import.meta.url)
type Library = { parsePhoneNumberFromString (text: string, country?: CountryCode): PhoneNumber | undefined, isSupportedCountry (code: string): code is CountryCode }
let library: Library | undefined
const load = (): Library => library ??= require('libphonenumber-js/max') as Library

/** @throws PHONE_COUNTRY_REQUIRED for a number without its prefix when no country is named, COUNTRY_NOT_FOUND */
export function parsePhones (numbers: readonly string[], country?: string) {
  const { parsePhoneNumberFromString, isSupportedCountry } = load()
  const home = country?.toUpperCase()
  if (home !== undefined && !isSupportedCountry(home)) throw SharedError.COUNTRY_NOT_FOUND()
  return numbers.map(input => {
    const text = input.trim().replace(/^00(?=[1-9])/, '+')
    if (home === undefined && !text.startsWith('+')) throw SharedError.PHONE_COUNTRY_REQUIRED().with({ data: { number: input } })
    const found = parsePhoneNumberFromString(text, home as CountryCode | undefined)
    if (found === undefined) return { input, valid: false, e164: null, national: null, country: null, type: null }
    return {
      input, valid: found.isValid(), e164: found.number as string, national: found.formatNational(), country: found.country ?? null, type: found.getType()?.toLowerCase() ?? null
    }
  })
}
