import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import * as operations from '../../schemas/root.js'
import type { Flags } from '../../services/flags.js'
import type { HealthService } from '../../services/health.js'
import { CommonError } from '../../services/kit.js'
import { requestHeaders } from '../../plugins/context.js'
import { sendFailure } from '../../plugins/errors.js'

const OK = '{"status":"ok"}'
const JSON_TYPE = 'application/json; charset=utf-8'
const ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#2b50c8"/><circle cx="8" cy="8" r="3" fill="#fff"/></svg>'
const DAY = 'public, max-age=86400'


/** Probes and static answers under `/`: they touch nothing, so that they answer in the middle of any overload. */
export const rootRoutes: FastifyPluginAsyncTypebox<{ pages: boolean }> = async (app, { pages }) => {
  await app.register(requestHeaders)
  const probe = { access: 'public', silent: true, raw: true } as const
  for (const [url, schema] of [['/', operations.root], ['/status', operations.status]] as const) {
    app.get(url, { schema, config: probe }, (_req, reply) => { (reply as FastifyReply).header('content-type', JSON_TYPE).serializer(String).send(OK) })
  }
  app.get('/robots.txt', { schema: operations.robots, config: probe }, (_req, reply) => {
    reply.header('cache-control', DAY).type('text/plain; charset=utf-8').send('User-agent: *\nDisallow: /\n')
  })
  app.get('/favicon.ico', { schema: operations.favicon, config: probe }, (_req, reply) => {
    reply.header('cache-control', DAY).type('image/svg+xml').send(ICON)
  })
  if (!pages) return
  app.get('/docs', { schema: operations.docsRedirect, config: probe }, (_req, reply) => { reply.redirect('/documentation') })
  app.get('/openapi.json', { schema: operations.openapiDocument, config: probe }, (_req, reply) => {
    reply.type(JSON_TYPE).serializer(String).send(JSON.stringify(app.swagger()))
  })
}

/** `GET /v1/features`. */
export const features: FastifyPluginAsyncTypebox<{ flags: Flags }> = async (app, { flags }) => {
  app.get('/features', { schema: operations.listFeatures, config: { access: 'user' } }, async ({ actor }) => ({
    data: await flags.all({ account_id: actor.accountId, user_id: actor.userId })
  }))
}

/** `GET /v1/health`. */
export const platformRoutes: FastifyPluginAsyncTypebox<{ health: HealthService }> = async (app, { health }) => {
  await app.register(requestHeaders)
  app.get('/health', { schema: operations.health, config: { access: 'public', silent: true } }, async (req, reply) => {
    const found = await health.get()
    const failing = req.query.probe === 'live' ? false : req.query.probe === 'ready' ? found.draining || found.status === 'down' : found.status === 'down'
    if (!failing) return { data: found }
    const error = found.draining ? CommonError.SERVICE_DRAINING() : CommonError.DATABASE_UNAVAILABLE()
    return sendFailure(req, reply, error.with({ data: { health: found }, headers: { 'retry-after': '5' } }))
  })
}
