import { createHmac, timingSafeEqual } from 'node:crypto'

export type Params = Readonly<Record<string, string>>

/** Twilio's signature: HMAC-SHA1 over the called address and the sorted form fields, base64. */
export function signCall (url: string, params: Params, authToken: string): string {
  const fields = Object.keys(params).sort().map(name => name + params[name]).join('')
  return createHmac('sha1', authToken).update(url + fields).digest('base64')
}

/** In constant time. The address must be the public one, query included, as the provider called it. */
export function verifyCall (url: string, params: Params, signature: string, authToken: string): boolean {
  const expected = Buffer.from(signCall(url, params, authToken))
  const given = Buffer.from(signature)
  return given.length === expected.length && timingSafeEqual(given, expected)
}
