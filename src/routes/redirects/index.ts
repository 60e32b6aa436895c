import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { addressKey } from '../../services/address.js'
import type { Cache } from '../../services/cache.js'
import type { Clicks } from '../../services/clicks/index.js'
import { isLookable } from '../../services/links/codes.js'
import { LinkError } from '../../services/links/errors.js'
import { codeKey, decide, type Decision, type LiveLink } from '../../services/links/resolver.js'
import type { Platform } from '../../services/platform.js'
import { sendFailure } from '../../plugins/errors.js'
import { shortLinkRedirect } from '../../schemas/url.js'
import type { ServiceError } from '../../services/kit.js'
import { missingPage } from './pages.js'

type Options = { platform: Platform, cache: Cache<LiveLink | null>, clicks: Clicks, reserved: ReadonlySet<string> }

const CONFIG = { access: 'public', silent: true, raw: true } as const

/**
 * `GET /:code`: from memory to the answer without a promise, a schema or a log line. The click is in the journal before the answer leaves.
 */
export const redirects: FastifyPluginAsync<Options> = async (app, { platform, cache, clicks, reserved }) => {
  const { config, clock, limiter } = platform
  const countryHeader = config.COUNTRY_HEADER?.toLowerCase()

  function answer (req: FastifyRequest, reply: FastifyReply, link: LiveLink | null, query: string): void {
    const now = clock.now().getTime()
    const decision = decide(link, query, now)
    if (decision.kind !== 'redirect') return refuse(req, reply, decision)
    if (req.method === 'HEAD') return send(reply, decision.link.status, decision.location, decision.link.crawlable)
    const { headers } = req
    clicks.record({
      linkId: decision.link.id,
      accountId: decision.link.accountId,
      at: now,
      ip: req.ip,
      userAgent: headers['user-agent'],
      referrer: headers.referer,
      language: headers['accept-language'],
      country: countryHeader === undefined ? undefined : String(headers[countryHeader] ?? ''),
      query,
      prefetch: headers.purpose === 'prefetch' || headers['sec-purpose'] !== undefined
    }, () => send(reply, decision.link.status, decision.location, decision.link.crawlable))
  }

  function send (reply: FastifyReply, status: number, location: string, crawlable: boolean): void {
    reply.hijack()
    const { raw } = reply
    raw.setHeader('Location', location)
    raw.setHeader('Cache-Control', 'no-store')
    raw.setHeader('Referrer-Policy', 'no-referrer-when-downgrade')
    if (!crawlable) raw.setHeader('X-Robots-Tag', 'noindex')
    raw.setHeader('Content-Length', '0')
    raw.statusCode = status
    raw.end()
  }

  function refuse (req: FastifyRequest, reply: FastifyReply, decision: Exclude<Decision, { kind: 'redirect' }>): void {
    switch (decision.kind) {
      case 'fallback': return send(reply, 302, decision.location, false)
      case 'expired': return fail(req, reply, LinkError.LINK_EXPIRED())
      case 'blocked': return fail(req, reply, LinkError.LINK_BLOCKED())
      default: return missing(req, reply)
    }
  }

  /** Guessing codes is counted; people who follow dead links get a page. */
  function missing (req: FastifyRequest, reply: FastifyReply): void {
    Promise.resolve(limiter.take('redirect-miss', addressKey(req.ip))).then(verdict => {
      const error = verdict.allowed ? LinkError.LINK_NOT_FOUND() : LinkError.TOO_MANY_MISSES().with({ headers: { 'retry-after': String(verdict.reset) } })
      fail(req, reply, error)
    }, (error: unknown) => { reply.send(error) })
  }

  function fail (req: FastifyRequest, reply: FastifyReply, error: ServiceError): void {
    reply.header('cache-control', 'no-store').header('x-robots-tag', 'noindex')
    if (prefersHtml(req)) reply.code(error.status).headers({ ...error.headers }).type('text/html; charset=utf-8').send(missingPage(error.message))
    else sendFailure(req, reply, error)
  }

  app.get<{ Params: { code: string } }>('/:code', { schema: shortLinkRedirect, config: CONFIG }, (req, reply) => {
    const { code } = req.params
    if (!isLookable(code)) return missing(req, reply)
    const key = codeKey(code)
    if (reserved.has(key)) return missing(req, reply)
    const cut = req.url.indexOf('?')
    const query = cut === -1 ? '' : req.url.slice(cut + 1)
    const link = cache.get(key)
    if (!(link instanceof Promise)) return answer(req, reply, link, query)
    link.then(found => answer(req, reply, found, query), (error: unknown) => { reply.send(error) })
  })
}

const prefersHtml = ({ headers: { accept } }: FastifyRequest): boolean => {
  if (accept === undefined) return false
  const html = accept.indexOf('text/html')
  const json = accept.indexOf('application/json')
  return html !== -1 && (json === -1 || html < json)
}
