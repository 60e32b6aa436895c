import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { operationOf } from './errors.js'

/** Paths of log objects that never show their value. */
export const REDACT = [
  'password', '*.password', 'token', '*.token', 'access_token', '*.access_token', 'refresh_token', '*.refresh_token', 'session_id', '*.session_id', 'secret', '*.secret',
  'authorization', '*.authorization', 'cookie', '*.cookie', 'api_key', '*.api_key', 'headers.authorization', 'headers.cookie', 'err.config', 'err.request', 'err.headers',
  'err.hash', 'err.writeErrors', 'err.keyValue'
]

/** One line per answered request; the query is logged only where the route does not forbid it, bodies never. */
export const requestLogs = fp(async app => {
  app.addHook('onResponse', (req: FastifyRequest, reply: FastifyReply, done) => {
    const { silent, disableLog } = req.routeOptions.config
    if (silent !== true || reply.statusCode >= 500) {
      const url = req.url
      const cut = url.indexOf('?')
      app.log.info({
        request_id: req.id,
        method: req.method,
        path: cut === -1 ? url : url.slice(0, cut),
        ...(cut !== -1 && disableLog !== true && req.actor !== null && { query: url.slice(cut + 1, cut + 501) }),
        operation: operationOf(req),
        account: req.actor?.accountId,
        user: req.actor?.userId,
        status: reply.statusCode,
        duration: Math.round(reply.elapsedTime * 100) / 100
      }, 'request')
    }
    done()
  })
}, { name: 'request-logs' })
