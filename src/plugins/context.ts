import fp from 'fastify-plugin'
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import type { Actor } from '../services/kit.js'
import type { RateClassName } from '../services/limits/classes.js'

export type Access = 'public' | 'user' | 'account' | 'admin' | 'superAdmin' | 'signature'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** who may call; a route without it stops the boot */
    access?: Access
    /** one of them is enough */
    scopes?: readonly string[]
    /** rate class; default `read` or `write` by the method, none on public routes */
    limit?: RateClassName
    /** a POST that writes nothing: opens with `read`, stores no idempotency record */
    reads?: boolean
    /** neither query nor body may be logged */
    disableLog?: boolean
    /** the answer is sent as it is, without the envelope */
    raw?: boolean
    /** only for main accounts */
    mainOnly?: boolean
    /** the password must have been proved in the last ten minutes, or by the header X-Step-Up; never while impersonating */
    stepUp?: boolean
    /** refused while acting as somebody else */
    notImpersonated?: boolean
    /** the answer holds a secret that is shown once: it is never stored for an Idempotency-Key */
    secretAnswer?: boolean
    /** answered without a line in the log */
    silent?: boolean
  }
  interface FastifyRequest {
    /** who is calling; set by the door on every route that is not public */
    actor: Actor
  }
  interface FastifyInstance {
    /** value of X-Dashboard-Version, refreshed in the background */
    dashboardVersion: { current: string }
  }
}

const PREFIX = randomBytes(6).toString('base64url')
let counter = 0
const WELL_FORMED = /^[A-Za-z0-9._-]{8,128}$/

/** The caller's X-Request-Id when it is well-formed, else a new one: unique to this process and cheap. */
export function requestId (raw: IncomingMessage): string {
  const given = raw.headers['x-request-id']
  if (typeof given === 'string' && WELL_FORMED.test(given)) return given
  counter = (counter + 1) % Number.MAX_SAFE_INTEGER
  return `${PREFIX}-${counter.toString(36).padStart(6, '0')}`
}

type Level = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/** A request's logger that becomes a real child of pino only when somebody logs: most requests never do. */
class RequestLog {
  readonly #parent: FastifyBaseLogger
  readonly #bindings: object
  #child: FastifyBaseLogger | undefined

  constructor (parent: FastifyBaseLogger, bindings: object) {
    this.#parent = parent
    this.#bindings = bindings
  }

  get level () { return this.#parent.level }
  get #log (): FastifyBaseLogger { return this.#child ??= this.#parent.child(this.#bindings) }

  child (bindings: object) { return this.#log.child(bindings) }
  fatal (...args: unknown[]) { this.#write('fatal', args) }
  error (...args: unknown[]) { this.#write('error', args) }
  warn (...args: unknown[]) { this.#write('warn', args) }
  info (...args: unknown[]) { this.#write('info', args) }
  debug (...args: unknown[]) { this.#write('debug', args) }
  trace (...args: unknown[]) { this.#write('trace', args) }
  silent () {}

  #write (level: Level, args: unknown[]): void {
    (this.#log[level] as (...args: unknown[]) => void)(...args)
  }
}

export const requestLog = (parent: FastifyBaseLogger, bindings: object): FastifyBaseLogger =>
  new RequestLog(parent, bindings) as unknown as FastifyBaseLogger

/** What every answer of the service carries, as Node's flat list of header names and values. */
export const answerHeaders = (id: string, version: string): string[] => ['X-Request-Id', id, 'X-Dashboard-Version', version, 'X-Content-Type-Options', 'nosniff']

function setAnswerHeaders (id: string, version: string, raw: ServerResponse): void {
  raw.setHeader('X-Request-Id', id)
  raw.setHeader('X-Dashboard-Version', version)
  raw.setHeader('X-Content-Type-Options', 'nosniff')
}

/** Who calls, and the dashboard's version. */
export const context = fp(async app => {
  app.decorate('dashboardVersion', { current: '0' })
  app.decorateRequest('actor', null as unknown as Actor)
}, { name: 'context' })

/** Request id and version on every answer of the scope; redirects and probes write theirs themselves. */
export const requestHeaders = fp(async app => {
  app.addHook('onRequest', (req: FastifyRequest, reply: FastifyReply, done) => {
    setAnswerHeaders(req.id, app.dashboardVersion.current, reply.raw)
    done()
  })
}, { name: 'request-headers', dependencies: ['context'] })
