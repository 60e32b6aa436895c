import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { addressKey } from '../../services/address.js'
import type { Cache } from '../../services/cache.js'
import type { Clicks } from '../../services/clicks/index.js'
import { isLookable } from '../../services/links/codes.js'
import { LinkError } from '../../services/links/errors.js'
import { codeKey, decide, type Decision, type LiveLink } from '../../services/links/resolver.js'
import type { Platform } from '../../services/platform.js'
import { answerHeaders, requestId } from '../../plugins/context.js'
import { sendFailure } from '../../plugins/errors.js'
import type { FastLane } from '../../plugins/fast-lane.js'
import { shortLinkRedirect } from '../../schemas/url.js'
import type { ServiceError } from '../../services/kit.js'
import { missingPage } from './pages.js'

type Options = { platform: Platform, cache: Cache<LiveLink | null>, clicks: Clicks, reserved: ReadonlySet<string>, lane: FastLane }
/** What the redirect reads of a request, whoever took it in. */
type Visitor = { url: string, method?: string, ip: string, headers: IncomingHttpHeaders }

const CONFIG = { access: 'public', silent: true, raw: true } as const

/**
 * `GET /:code`: from memory to the answer without a promise, a schema or a log line. The click is in the journal before the answer leaves.
 * Links that are in memory are answered beside the framework (plugins/fast-lane.ts); all else comes through the route.
 */
export const redirects: FastifyPluginAsync<Options> = async (app, { platform, cache, clicks, reserved, lane }) => {
  const { config, clock, limiter } = platform
  const countryHeader = config.COUNTRY_HEADER?.toLowerCase()

  lane.add((req, res) => {
    const url = req.url!
    const cut = url.indexOf('?')
    const code = cut === -1 ? url.slice(1) : url.slice(1, cut)
    if (config.TRUST_PROXY_HOPS > 0 || !isLookable(code)) return false
    const key = codeKey(code)
    const link = reserved.has(key) ? undefined : cache.peek(key)
    if (link === undefined || link === null) return false
    const query = cut === -1 ? '' : url.slice(cut + 1)
    const decision = decide(link, query, clock.now().getTime())
    if (decision.kind !== 'redirect') return false
    record(decision.link, { url, ip: req.socket.remoteAddress ?? '', headers: req.headers }, query, () => send(res, requestId(req), decision.link.status, decision.location, decision.link.crawlable))
    return true
  })

  function answer (req: FastifyRequest, reply: FastifyReply, link: LiveLink | null, query: string): void {
    const decision = decide(link, query, clock.now().getTime())
    if (decision.kind !== 'redirect') return refuse(req, reply, decision)
    const go = () => {
      reply.hijack()
      send(reply.raw, req.id, decision.link.status, decision.location, decision.link.crawlable)
    }
    if (req.method === 'HEAD') go()
    else record(decision.link, req, query, go)
  }

  function record (link: LiveLink, { ip, headers }: Visitor, query: string, written: () => void): void {
    clicks.record({
      linkId: link.id,
      accountId: link.accountId,
      at: clock.now().getTime(),
      ip,
      userAgent: headers['user-agent'],
      referrer: headers.referer,
      language: headers['accept-language'],
      country: countryHeader === undefined ? undefined : String(headers[countryHeader] ?? ''),
      query,
      prefetch: headers.purpose === 'prefetch' || headers['sec-purpose'] !== undefined
    }, written)
  }

  function send (raw: ServerResponse, id: string, status: number, location: string, crawlable: boolean): void {
    const headers = answerHeaders(id, app.dashboardVersion.current)
    headers.push('Location', location, 'Cache-Control', 'no-store', 'Referrer-Policy', 'no-referrer-when-downgrade', 'Content-Length', '0')
    if (!crawlable) headers.push('X-Robots-Tag', 'noindex')
    raw.writeHead(status, headers)
    raw.end()
  }

  function refuse (req: FastifyRequest, reply: FastifyReply, decision: Exclude<Decision, { kind: 'redirect' }>): void {
    switch (decision.kind) {
      case 'fallback': {
        reply.hijack()
        return send(reply.raw, req.id, 302, decision.location, false)
      }
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
    if (prefersHtml(req)) reply.header('x-request-id', req.id).code(error.status).headers({ ...error.headers }).type('text/html; charset=utf-8').send(missingPage(error.message))
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
