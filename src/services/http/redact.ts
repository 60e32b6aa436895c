const DROPPED_WORDS = ['authorization', 'password', 'passwd', 'secret', 'cookie', 'credential', 'apikey', 'privatekey', 'token', 'signature', 'stack']
const DROPPED_KEYS = new Set(['config', 'request', 'headers', 'trace', 'options', 'auth', 'baseurl', 'proxy', 'agent', 'socket', 'moreinfo', 'docurl', 'requestlogurl'])

const MAX_DEPTH = 6
const MAX_ITEMS = 50
const MAX_TEXT = 2_000

const SECRETS = [
  /\b(?:bearer|basic)\s+[\w.+/=~-]{6,}/gi,
  /\b(?:sk|rk|pk)_(?:live|test)_\w+/g,
  /\bwhsec_[\w+/=]+/g,
  /\bSG\.[\w-]{6,}\.[\w-]{6,}/g,
  /\beyJ[\w-]{6,}\.[\w-]+\.[\w-]*/g
]
const QUERY_SECRET = /([?&](?:key|api_key|token|access_token|secret|password|sig|signature)=)[^&\s"']+/gi
/** Addresses of the inside: connect strings, links, IPv4 with a port. */
const ADDRESSES = [/\b[a-z][a-z+.-]{1,20}:\/\/[^\s"'<>]+/gi, /\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b/g]

const isDropped = (key: string): boolean => {
  const plain = key.toLowerCase().replaceAll(/[-_]/g, '')
  return DROPPED_KEYS.has(plain) || DROPPED_WORDS.some(word => plain.includes(word))
}

/** Text without credentials and without addresses. */
export function redactText (text: string): string {
  let clean = text.slice(0, MAX_TEXT)
  for (const pattern of SECRETS) clean = clean.replace(pattern, '[redacted]')
  for (const pattern of ADDRESSES) clean = clean.replace(pattern, '[address]')
  return clean.replace(QUERY_SECRET, '$1[redacted]')
}

/**
 * What may be shown of another service's error body: no request configuration, headers, credentials, addresses or stack,
 * bounded in depth, length and size.
 */
export function redact (value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value
  if (depth >= MAX_DEPTH) return '[cut]'
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map(item => redact(item, depth + 1))
  const kept = Object.entries(value).filter(([key]) => !isDropped(key) && key !== '__proto__').slice(0, MAX_ITEMS)
  return Object.fromEntries(kept.map(([key, item]) => [key, redact(item, depth + 1)]))
}
