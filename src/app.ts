import Fastify, { LogController, type FastifyInstance, type FastifyServerOptions, type RouteOptions } from 'fastify'
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import multipart from '@fastify/multipart'
import rateLimit from '@fastify/rate-limit'
import underPressure from '@fastify/under-pressure'
import type { Config } from './config.js'
import { buildIndexes } from './models/build-indexes.js'
import { createCompilers } from './plugins/compilers.js'
import { answerHeaders, context, requestHeaders, requestId, requestLog } from './plugins/context.js'
import { door } from './plugins/door.js'
import { envelope } from './plugins/envelope.js'
import { errors } from './plugins/errors.js'
import { createFastLane, probeLane } from './plugins/fast-lane.js'
import { idempotency } from './plugins/idempotency.js'
import { metrics, requestDurations } from './plugins/metrics.js'
import { mongo } from './plugins/mongo.js'
import { openapi } from './plugins/openapi.js'
import { redis } from './plugins/redis.js'
import { REDACT, requestLogs } from './plugins/request-log.js'
import { unknownRoutes } from './plugins/unknown-routes.js'
import { watchVersion } from './plugins/version.js'
import { doors, modules } from './routes/index.js'
import { createServices, type Services } from './services/index.js'
import { createPlatform, type Overrides } from './services/platform.js'
import { jwtSecret } from './services/auth/secret.js'

declare module 'fastify' {
  interface FastifyInstance {
    services: Services
    /** readiness fails from now on; serving goes on */
    drain (): void
    /** every route in the order of its registration */
    routeList: readonly RouteOptions[]
    /** compiles every schema now: a bad one fails */
    compileAll (): number
  }
}

export type { Overrides } from './services/platform.js'
type Options = Overrides & { logger?: FastifyServerOptions['logger'], loggerInstance?: FastifyServerOptions['loggerInstance'] }

const logger = (config: Config): FastifyServerOptions['logger'] => ({ level: config.LOG_LEVEL, redact: { paths: REDACT, censor: '[redacted]' } })

/** The whole service as an app: the server, the tests and the OpenAPI generator build it here, with the same limits and compilers. */
export async function buildApp (config: Config, { logger: log, loggerInstance, clock, ids }: Options = {}): Promise<FastifyInstance> {
  const compilers = createCompilers()
  const lane = createFastLane({ requestTimeout: config.REQUEST_TIMEOUT_MS, connectionTimeout: 60_000, keepAliveTimeout: 72_000 })
  const app = Fastify({
    ...(loggerInstance ? { loggerInstance } : { logger: log ?? logger(config) }),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    childLoggerFactory: (parent, bindings) => requestLog(parent, bindings),
    genReqId: requestId,
    requestIdHeader: false,
    trustProxy: config.TRUST_PROXY_HOPS === 0 ? false : (_address: string, hop: number) => hop < config.TRUST_PROXY_HOPS,
    bodyLimit: config.BODY_LIMIT,
    serverFactory: lane.serverFactory,
    // a start on a busy machine is slow, not broken
    pluginTimeout: 60_000,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    routerOptions: { maxParamLength: 512, ignoreTrailingSlash: true },
    schemaController: { compilersFactory: compilers.factory }
  })
  let draining = false
  app.decorate('drain', () => { draining = true })
  app.decorate('compileAll', compilers.compileAll)

  const routeList: RouteOptions[] = []
  app.decorate('routeList', routeList)
  app.addHook('onRoute', route => { for (const method of [route.method].flat()) routeList.push({ ...route, method }) })

  await app.register(context)
  await app.register(errors, { development: config.NODE_ENV === 'development' })
  lane.add(probeLane(req => answerHeaders(requestId(req), app.dashboardVersion.current)))
  await app.register(metrics, { port: config.METRICS_PORT, host: config.HOST })
  await app.register(mongo, { config })
  await app.register(redis, { config })
  await buildIndexes(app.mongo, app.log)

  const platform = createPlatform({
    config, mongo: app.mongo, redis: app.redis, redisSubscriber: app.redisSubscriber, transactions: app.transactions, log: app.log, clock, ids
  })
  const secret = await jwtSecret(config)
  const services = createServices({ app, platform, secret, draining: () => draining })
  app.decorate('services', services)

  await app.register(multipart, { limits: { fileSize: 26_214_400, files: 1, fields: 20, fieldSize: 65_536, fieldNameSize: 100, parts: 21, headerPairs: 50 } })
  await app.register(rateLimit, { global: false })
  await app.register(unknownRoutes, { limiter: platform.limiter })
  await app.register(openapi, { publicUrl: config.publicUrl, pages: config.DOCS_ENABLED })
  await app.register(idempotency, { service: platform.idempotency })
  await app.register(envelope)
  await app.register(door, { config, secret, access: services.auth.access, limiter: platform.limiter, clock: platform.clock })
  await app.register(watchVersion)

  await app.register(doors, { services, pages: config.DOCS_ENABLED, lane })
  if (config.PROCESS_ROLE !== 'worker') await app.register(guarded)

  /** Where people work: browsers' rules, and refusing work in time when there is too much. */
  async function guarded (scope: FastifyInstance) {
    await scope.register(requestHeaders)
    await scope.register(requestLogs)
    await scope.register(requestDurations)
    await scope.register(helmet, { contentSecurityPolicy: { directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] }, useDefaults: false } })
    await scope.register(cors, { origin: true, methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'], exposedHeaders: EXPOSED, maxAge: 600 })
    await scope.register(underPressure, { maxEventLoopDelay: config.MAX_EVENT_LOOP_DELAY_MS, retryAfter: 5 })
    await scope.register(modules, { services })
  }

  app.addHook('onReady', async () => {
    services.clicks.start()
    await platform.start()
  })
  // Runs when the last request has been answered, and before the databases are closed.
  app.addHook('onClose', async () => {
    draining = true
    await platform.stop()
    await services.clicks.stop()
    services.health.stop()
    await services.outside.close()
  })
  return app
}

const EXPOSED = ['Location', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'Idempotency-Replayed', 'X-Request-Id', 'X-Dashboard-Version', 'Content-Disposition']
