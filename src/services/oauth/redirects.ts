import { OauthError } from './errors.js'

// eslint-disable-next-line no-control-regex
const BAD = /[\s\\*#\u0000-\u001f\u007f]/
const LOOPBACK = /^http:\/\/(127\.0\.0\.1|\[::1\])(:\d{1,5})?(\/[^?]*)?(\?.*)?$/
const PRIVATE_SCHEME = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:\/?\/?[^/]/

function acceptable (uri: string, isPublic: boolean): boolean {
  if (BAD.test(uri)) return false
  if (uri.startsWith('https://')) {
    if (!URL.canParse(uri)) return false
    const { username, password, hostname } = new URL(uri)
    return username === '' && password === '' && hostname !== '' && !uri.slice(8).split(/[/?]/, 1)[0]!.includes('@')
  }
  return isPublic && (LOOPBACK.test(uri) || PRIVATE_SCHEME.test(uri))
}

/** @throws REDIRECT_URI_INVALID */
export function checkRedirects (uris: readonly string[], type: 'confidential' | 'public'): string[] {
  for (const uri of uris) if (!acceptable(uri, type === 'public')) throw OauthError.REDIRECT_URI_INVALID().with({ data: { redirect_uri: uri } })
  return [...uris]
}

const loopbackParts = (uri: string): string | null => {
  const [, host, , path = '', query = ''] = LOOPBACK.exec(uri) ?? []
  return host === undefined || BAD.test(uri) ? null : `${host}${path}${query}`
}

/** Character by character; only the port of a public app's loopback address is free (RFC 8252 7.3). */
export function isRegistered (uri: string, registered: readonly string[], type: 'confidential' | 'public'): boolean {
  if (registered.includes(uri)) return true
  if (type !== 'public') return false
  const parts = loopbackParts(uri)
  return parts !== null && registered.some(known => loopbackParts(known) === parts)
}

/** Adds parameters to a registered redirect URI without touching the rest of it. */
export function withParameters (uri: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams(Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined)).toString()
  return uri + (uri.includes('?') ? (uri.endsWith('?') || uri.endsWith('&') ? '' : '&') : '?') + query
}

/** What `form-action` of a screen must allow besides ourselves: browsers hold the whole chain of redirects after a form to it. */
export function formTarget (uri: string): string {
  if (uri.startsWith('https://')) return new URL(uri).origin
  const loopback = /^http:\/\/127\.0\.0\.1(:\d+)?/.exec(uri)
  if (loopback !== null) return loopback[0]
  return uri.startsWith('http://') ? 'http:' : `${uri.slice(0, uri.indexOf(':'))}:`
}
