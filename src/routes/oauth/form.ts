import type { FastifyInstance } from 'fastify'
import { OauthError } from '../../services/oauth/errors.js'

const MAX_BYTES = 65_536
const MAX_FIELDS = 200
/** The one field that a form may carry several times. */
const REPEATED = new Set(['scopes'])

/** application/x-www-form-urlencoded inside this module: a parameter that comes twice is refused (RFC 6749 3.2). */
export function acceptForms (app: FastifyInstance): void {
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: MAX_BYTES }, (_req, body, done) => {
    const form: Record<string, string | string[]> = Object.create(null)
    let fields = 0
    for (const [name, value] of new URLSearchParams(String(body))) {
      const known = form[name]
      if (++fields > MAX_FIELDS || (known !== undefined && !REPEATED.has(name))) return done(OauthError.INVALID_REQUEST('a parameter comes twice') as unknown as Error)
      form[name] = known === undefined ? value : [known, value].flat()
    }
    done(null, { ...form })
  })
}

/** The cookie's value; the first one wins. */
export function cookie (header: string | undefined, name: string): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const at = part.indexOf('=')
    if (part.slice(0, at).trim() === name) return part.slice(at + 1).trim()
  }
  return undefined
}
