import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'

type Body = { success?: boolean, meta?: object }

function wrap (req: FastifyRequest, _reply: FastifyReply, payload: unknown, done: (error: null, payload: unknown) => void): void {
  const body = payload as Body
  body.success = true
  body.meta = { timestamp: new Date().toISOString(), version: 'v1', request_id: req.id, ...body.meta }
  done(null, body)
}

/** Adds `success` and `meta` to what the handlers of /v1 return; `raw` routes send what they send. */
export const envelope = fp(async app => {
  app.addHook('onRoute', (route: RouteOptions) => {
    if (!route.url.startsWith('/v1/') || route.config?.raw === true) return
    route.preSerialization = [...[route.preSerialization ?? []].flat(), wrap]
  })
}, { name: 'envelope' })
