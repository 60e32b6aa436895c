import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest, RouteHandlerMethod, RouteOptions } from 'fastify'
import type { Idempotency, Stored } from '../services/idempotency.js'
import { CommonError, ServiceError } from '../services/kit.js'
import { failureBody } from './errors.js'

const MUTATING = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** Refusals that a repeat of the request would get again; being limited or broken is not one of them. */
function refusal (error: unknown, requestId: string): Stored | null {
  if (!(error instanceof ServiceError) || error.status >= 500 || error.status === 429) return null
  const { status, code, message, info, data, errors } = error
  return { status, body: JSON.stringify(failureBody({ status, code, message, info, data, errors }, requestId)), location: null }
}

/** Lets every mutating route of an account take an Idempotency-Key; routes without one run as they are. */
export const idempotency = fp<{ service: Idempotency }>(async (app, { service }) => {
  const wrap = (handler: RouteHandlerMethod): RouteHandlerMethod => async function (req, reply) {
    const key = req.headers['idempotency-key']
    if (key === undefined) return handler.call(this, req, reply)
    if (typeof key !== 'string' || key.length < 1 || key.length > 255) throw CommonError.IDEMPOTENCY_KEY_INVALID()
    const { actor } = req
    const outcome = await service.run(
      { key, accountId: actor.accountId, principal: actor.userId, method: req.method, route: req.routeOptions.url ?? '', body: req.body, url: req.url },
      async () => serialised(req, reply, await handler.call(this, req, reply)),
      error => refusal(error, req.id)
    )
    return answer(reply, outcome)
  }

  app.addHook('onRoute', (route: RouteOptions) => {
    const { access, reads, raw, secretAnswer } = route.config ?? {}
    const method = [route.method].flat()[0]!
    if (!MUTATING.has(method) || !route.url.startsWith('/v1/') || reads === true || raw === true || secretAnswer === true || access === 'public' || access === 'signature') return
    route.handler = wrap(route.handler)
  })
}, { name: 'idempotency' })

function serialised (req: FastifyRequest, reply: FastifyReply, payload: unknown): Stored {
  const meta = { timestamp: new Date().toISOString(), version: 'v1', request_id: req.id, ...(payload as { meta?: object }).meta }
  const location = reply.getHeader('location')
  return {
    status: reply.statusCode,
    body: String(reply.serialize({ ...payload as object, success: true, meta })),
    location: typeof location === 'string' ? location : null
  }
}

function answer (reply: FastifyReply, { status, body, location, replayed }: Stored & { replayed: boolean }): FastifyReply {
  if (replayed) reply.header('Idempotency-Replayed', 'true')
  if (location !== null) reply.header('Location', location)
  return reply.code(status).type('application/json; charset=utf-8').serializer(String).send(body)
}
