import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { addressKey } from '../services/address.js'
import { CommonError } from '../services/kit.js'
import type { Limiter } from '../services/limits/limiter.js'
import { sendFailure } from './errors.js'

type Node = { fixed: Map<string, Node>, any: Node | undefined, methods: Set<string> }
const node = (): Node => ({ fixed: new Map(), any: undefined, methods: new Set() })

/** Which methods a path knows: Fastify's router answers only for one method at a time. */
class Paths {
  readonly #root = node()

  add (url: string, methods: readonly string[]): void {
    let at = this.#root
    for (const segment of url.split('/').slice(1)) {
      if (segment === '*') break
      if (segment.startsWith(':')) at = at.any ??= node()
      else {
        const next = at.fixed.get(segment) ?? node()
        at.fixed.set(segment, next)
        at = next
      }
    }
    for (const method of methods) at.methods.add(method)
  }

  methods (path: string): ReadonlySet<string> {
    return find(this.#root, path.split('/').slice(1), 0)?.methods ?? new Set()
  }
}

function find (at: Node, segments: string[], depth: number): Node | undefined {
  if (depth === segments.length) return at.methods.size > 0 ? at : undefined
  const fixed = at.fixed.get(segments[depth]!)
  const hit = fixed && find(fixed, segments, depth + 1)
  if (hit !== undefined) return hit
  return at.any !== undefined && segments[depth] !== '' ? find(at.any, segments, depth + 1) : undefined
}

/** 405 with Allow for a known path, 404 for the rest; unknown addresses count against the caller's address. */
export const unknownRoutes = fp<{ limiter: Limiter }>(async (app, { limiter }) => {
  const paths = new Paths()
  app.addHook('onRoute', (route: RouteOptions) => {
    if (route.url !== '*') paths.add(route.url, [route.method].flat())
  })

  app.setNotFoundHandler(async (req: FastifyRequest, reply: FastifyReply) => {
    const known = paths.methods(req.url.split('?', 1)[0]!)
    if (known.size > 0) {
      return sendFailure(req, reply, CommonError.METHOD_NOT_ALLOWED().with({ headers: { allow: [...known].sort().join(', ') } }))
    }
    const verdict = await limiter.take('unknown', addressKey(req.ip))
    if (!verdict.allowed) return sendFailure(req, reply, CommonError.RATE_LIMITED().with({ headers: { 'retry-after': String(verdict.reset) } }))
    return sendFailure(req, reply, CommonError.ROUTE_NOT_FOUND())
  })
}, { name: 'unknown-routes', dependencies: ['errors'] })
