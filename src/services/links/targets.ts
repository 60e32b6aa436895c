import { LinkError } from './errors.js'

const MAX_LENGTH = 2_048
// eslint-disable-next-line no-control-regex -- control characters are what this finds
const CONTROL = /[\u0000-\u0020\u007f]/
const SCHEME = /^[a-z][a-z0-9+.-]*:/i

/**
 * The address as it is stored: a missing protocol becomes https; http and https only, no credentials, no control characters, no short domain
 * of ours (a loop).
 * @throws INVALID_TARGET_URL, LOOP_DETECTED
 */
export function checkTarget (text: string, field: string, ownHosts: ReadonlySet<string>): string {
  const trimmed = text.trim()
  if (CONTROL.test(trimmed)) throw LinkError.INVALID_TARGET_URL(field)
  const withScheme = SCHEME.test(trimmed) && !/^[^/?#]+\.[^/?#]+:\d/.test(trimmed) ? trimmed : `https://${trimmed.replace(/^\/\//, '')}`
  const url = URL.canParse(withScheme) ? new URL(withScheme) : null
  if (url === null || !isPlainWeb(url)) throw LinkError.INVALID_TARGET_URL(field)
  if (ownHosts.has(url.host.toLowerCase())) throw LinkError.LOOP_DETECTED(field)
  if (url.href.length > MAX_LENGTH) throw LinkError.INVALID_TARGET_URL(field)
  return url.href
}

const isPlainWeb = (url: URL): boolean =>
  (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '' &&
  (url.hostname.includes('.') || url.hostname.includes(':') || url.hostname === 'localhost')

type Utm = { source?: string | null, medium?: string | null, campaign?: string | null, term?: string | null, content?: string | null }

/** The target with the link's utm parameters, which replace those that it has. */
export function withUtm (target: string, utm: Utm | null): string {
  if (utm === null) return target
  const url = new URL(target)
  for (const [key, value] of Object.entries(utm)) if (typeof value === 'string' && value !== '') url.searchParams.set(`utm_${key}`, value)
  return url.href
}

/** The target with the visitor's parameters: those that it already has win, `qr` is ours, the fragment stays last. */
export function withQuery (target: string, query: string): string {
  const url = new URL(target)
  for (const [key, value] of new URLSearchParams(query)) if (key !== 'qr' && !url.searchParams.has(key)) url.searchParams.append(key, value)
  return url.href
}
