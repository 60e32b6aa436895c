import { createHmac, timingSafeEqual } from 'node:crypto'

/** What a signed address of the folder allows; the signature covers all of it. */
export type SignedTerms = {
  method: 'GET' | 'PUT'
  key: string
  /** seconds since 1970 */
  expires: number
  /** PUT: exact bytes */
  size?: number
  /** PUT: type of the file; GET: type that the answer names */
  type?: string
  /** PUT: hex */
  sha256?: string
  /** GET: the whole header */
  disposition?: string
}

export type Verdict = { ok: true, terms: SignedTerms } | { ok: false, reason: 'invalid' | 'expired' }

const FIELDS = ['method', 'key', 'expires', 'size', 'type', 'sha256', 'disposition'] as const

// JSON keeps the borders of the fields, so that no two sets of terms sign alike
const signature = (terms: SignedTerms, secret: string) =>
  createHmac('sha256', secret).update(JSON.stringify(['storage-url', ...FIELDS.map(name => terms[name] ?? null)])).digest('base64url')

/** @param base address of the route, without a slash at its end */
export function signStorageUrl (base: string, terms: SignedTerms, secret: string): string {
  const query = new URLSearchParams({ expires: String(terms.expires) })
  for (const name of ['size', 'type', 'sha256', 'disposition'] as const) {
    const value = terms[name]
    if (value !== undefined) query.set(name, String(value))
  }
  query.set('signature', signature(terms, secret))
  return `${base}/${encodeURIComponent(terms.key)}?${query.toString()}`
}

const text = (value: unknown) => typeof value === 'string' ? value : undefined

/**
 * Checks a signed address in constant time. HEAD goes with the signature of GET.
 * @param query as it came, values of any type
 */
export function verifyStorageUrl (method: string, key: string, query: Readonly<Record<string, unknown>>, secret: string, now: Date): Verdict {
  const size = query.size === undefined ? undefined : Number(query.size)
  const terms: SignedTerms = {
    method: method === 'PUT' ? 'PUT' : 'GET',
    key,
    expires: Number(query.expires),
    size,
    type: text(query.type),
    sha256: text(query.sha256),
    disposition: text(query.disposition)
  }
  const known = method === 'GET' || method === 'HEAD' || method === 'PUT'
  const given = Buffer.from(text(query.signature) ?? '')
  const expected = Buffer.from(signature(terms, secret))
  if (!known || given.length !== expected.length || !timingSafeEqual(given, expected)) return { ok: false, reason: 'invalid' }
  return now.getTime() / 1_000 >= terms.expires ? { ok: false, reason: 'expired' } : { ok: true, terms }
}
