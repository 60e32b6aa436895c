import fp from 'fastify-plugin'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { operationOf } from './errors.js'

declare module 'fastify' {
  interface FastifyInstance { metrics: Registry, metricsOn: boolean }
}

/** Prometheus metrics of this copy on their own port, so that the router in front never publishes them. */
export const metrics = fp<{ port: number, host: string }>(async (app, { port, host }) => {
  const registry = new Registry()
  app.decorate('metrics', registry)
  app.decorate('metricsOn', port !== 0)
  if (port === 0) return
  collectDefaultMetrics({ register: registry })
  const server = createServer((_req, res) => {
    registry.metrics().then(text => res.setHeader('content-type', registry.contentType).end(text), () => res.writeHead(500).end())
  })
  app.addHook('onListen', async () => { await once(server.listen(port, host), 'listening') })
  app.addHook('onClose', async () => {
    server.closeAllConnections()
    server.close()
  })
}, { name: 'metrics' })

/** Durations of the scope's answered requests by operation and status. */
export const requestDurations = fp(async app => {
  if (!app.metricsOn) return
  const durations = new Histogram({
    name: 'http_request_duration_seconds', help: 'Duration of answered requests.', labelNames: ['operation', 'status'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5], registers: [app.metrics]
  })
  app.addHook('onResponse', (req: FastifyRequest, reply: FastifyReply, done) => {
    durations.observe({ operation: operationOf(req) ?? 'unknown', status: String(reply.statusCode) }, reply.elapsedTime / 1_000)
    done()
  })
}, { name: 'request-durations', dependencies: ['metrics'] })
