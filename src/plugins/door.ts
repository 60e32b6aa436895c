import fp from 'fastify-plugin'
import jwt from '@fastify/jwt'
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction, RouteOptions } from 'fastify'
import type { Access as AccessKind } from './context.js'
import type { Config } from '../config.js'
import { isScope, neededScope } from '../schemas/scopes.js'
import { addressKey } from '../services/address.js'
import { AuthError } from '../services/auth/errors.js'
import type { Access } from '../services/auth/access.js'
import { asApp } from '../services/auth/app-actor.js'
import type { AccessClaims } from '../services/auth/tokens.js'
import { CommonError, type Actor, type Clock } from '../services/kit.js'
import { RATE_CLASSES, type RateClassName } from '../services/limits/classes.js'
import type { Limiter, Verdict } from '../services/limits/limiter.js'

/** Finds who holds an API key or an OAuth token; registered by the module that owns them. */
export type ResolveKey = (token: string, requestId: string, now: number, ip: string) => Promise<Actor>
/** Told of every answered call of a key, also of those that were refused after it was recognised. */
export type KeyAnswered = (actor: Actor, status: number, ip: string) => void

declare module 'fastify' {
  interface FastifyInstance {
    /** verifies an access token's signature, time and kind */
    verifyAccessToken (token: string): AccessClaims
    /** lets one module answer for bearers that begin with `dck_` */
    acceptKeys (resolve: ResolveKey, answered?: KeyAnswered): void
  }
}

declare module '@fastify/jwt' {
  interface FastifyJWT { payload: object, user: object }
}

type Policy = {
  access: Exclude<AccessKind, 'public' | 'signature'>
  permission: 'read' | 'write'
  scopes: readonly string[]
  limit: RateClassName
  mainOnly: boolean
  stepUp: boolean
  notImpersonated: boolean
  /** open to those who must set up a second factor first */
  enrolment: boolean
  method: string
}

type Deps = { config: Config, secret: string, access: Access, limiter: Limiter, clock: Clock }

/** Sessions of our own dashboards are people's, whatever client their tokens name. */
const FIRST_PARTY = 'first_party'
const READING = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Routes that plugins add by themselves: the documentation's assets and the answer to CORS preflights. */
const isPluginRoute = ({ url, method }: RouteOptions): boolean => url.startsWith('/documentation') || (method === 'OPTIONS' && url === '*')

/**
 * The door of every route that is not public, in this order: refused calls of this address, verifyAuthorization, verifyAccessAndStatus,
 * scopes, validateLimit. A route without `access`, or with a scope that is not in the catalogue, stops the boot.
 */
export const door = fp<Deps>(async (app, { config, secret, access, limiter, clock }) => {
  await app.register(jwt, {
    secret,
    sign: { algorithm: 'HS256', expiresIn: config.JWT_EXPIRES_IN },
    verify: { algorithms: ['HS256'], cache: false, requiredClaims: ['exp'] }
  })
  let keyAnswered: KeyAnswered | undefined
  let resolveKey: ResolveKey = () => { throw AuthError.TOKEN_INVALID() }
  app.decorate('acceptKeys', (resolve: ResolveKey, answered?: KeyAnswered) => {
    resolveKey = resolve
    keyAnswered = answered
  })
  app.addHook('onResponse', (req, reply, done) => {
    if (req.actor?.key !== undefined) keyAnswered?.(req.actor, reply.statusCode, req.ip)
    done()
  })

  const previous = config.JWT_SECRET_PREVIOUS
  function verifyAccessToken (token: string): AccessClaims {
    const claims = verifySignature(token)
    if (claims.typ !== undefined && claims.typ !== 'access') throw AuthError.TOKEN_INVALID()
    if (typeof claims.userId !== 'string' || !Array.isArray(claims.permissions)) throw AuthError.TOKEN_INVALID()
    const { iss, aud } = claims as { iss?: unknown, aud?: unknown }
    if (iss !== undefined && config.JWT_ISSUER !== undefined && iss !== config.JWT_ISSUER) throw AuthError.TOKEN_INVALID()
    if (aud !== undefined && config.JWT_AUDIENCE !== undefined && aud !== config.JWT_AUDIENCE) throw AuthError.TOKEN_INVALID()
    return claims
  }

  function verifySignature (token: string): AccessClaims {
    try {
      return app.jwt.verify<AccessClaims>(token)
    } catch (error) {
      const code = (error as { code?: string }).code
      if (code === 'FAST_JWT_EXPIRED') throw AuthError.TOKEN_EXPIRED()
      if (code !== 'FAST_JWT_INVALID_SIGNATURE' || previous === undefined) throw AuthError.TOKEN_INVALID().because(error)
    }
    try {
      return app.jwt.verify<AccessClaims>(token, { key: previous })
    } catch (error) {
      throw AuthError.TOKEN_INVALID().because(error)
    }
  }
  app.decorate('verifyAccessToken', verifyAccessToken)

  function verifyAuthorization (req: FastifyRequest, now: number): Actor | Promise<Actor> {
    const header = req.headers.authorization
    if (header === undefined || !/^bearer /i.test(header)) throw AuthError.UNAUTHENTICATED().with({ headers: { 'www-authenticate': 'Bearer' } })
    const token = header.slice(7)
    if (token.startsWith('dck_')) return resolveKey(token, req.id, now, req.ip)
    const claims = verifyAccessToken(token)
    const actor = access.resolve(claims, req.id, now)
    const { client_id: clientId } = claims
    if (clientId === undefined || clientId === FIRST_PARTY) return actor
    return actor instanceof Promise ? actor.then(person => asApp(person, clientId)) : asApp(actor, clientId)
  }

  function limitHeaders (reply: FastifyReply, name: RateClassName, { limit, remaining, reset }: Verdict): void {
    reply.raw.setHeader('RateLimit-Policy', `"${name}";q=${limit};w=${RATE_CLASSES[name].window}`)
    reply.raw.setHeader('RateLimit', `"${name}";r=${remaining};t=${reset}`)
  }

  function pass (reply: FastifyReply, name: RateClassName, verdict: Verdict): void {
    limitHeaders(reply, name, verdict)
    if (!verdict.allowed) throw CommonError.RATE_LIMITED().with({ headers: { 'retry-after': String(verdict.reset) } })
  }

  function refused (req: FastifyRequest, reply: FastifyReply, error: unknown, done: HookHandlerDoneFunction): void {
    if ((error as { status?: number }).status !== 401) return done(error as Error)
    // What the door refuses counts against the address, so that guessing tokens is slow; good tokens from there still pass.
    Promise.resolve(limiter.take('anonymous', addressKey(req.ip))).then(verdict => pass(reply, 'anonymous', verdict)).then(() => done(error as Error), done)
  }

  function checkPolicy (actor: Actor, policy: Policy): void {
    if (policy.access !== 'user' && actor.accountId === '') throw AuthError.ACCOUNT_REQUIRED()
    if (policy.mainOnly && actor.parentAccount !== null) throw AuthError.MAIN_ACCOUNT_ONLY()
    const permission = policy.access === 'superAdmin' ? 'super_admin' : policy.access === 'admin' ? 'admin' : policy.permission
    if (!actor.permissions.has(permission)) throw AuthError.PERMISSION_DENIED()
    if (policy.scopes.length > 0 && !policy.scopes.some(scope => actor.can(scope, policy.method))) {
      throw AuthError.SCOPE_REQUIRED().with({ data: { required: policy.scopes } })
    }
  }

  /** What a person must have proved besides holding a token. */
  function checkProof (req: FastifyRequest, actor: Actor, { stepUp, notImpersonated, enrolment }: Policy): void {
    if (actor.mfaMissing === true && !enrolment) throw AuthError.MFA_ENROLMENT_REQUIRED()
    if (notImpersonated && actor.impersonatorId !== undefined) throw AuthError.IMPERSONATION_FORBIDDEN()
    if (stepUp) access.demandStepUp(actor, req.headers['x-step-up'], clock.now().getTime())
  }

  function limitKey (actor: Actor, name: RateClassName, req: FastifyRequest): string {
    switch (RATE_CLASSES[name].per) {
      case 'account': return actor.accountId
      case 'principal': return actor.userId
      case 'address': return addressKey(req.ip)
      default: return `${actor.accountId}:${actor.userId}`
    }
  }

  /** Synchronous as long as everything is in memory: no promise is made for the usual request. */
  const guard = (policy: Policy) => (req: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    /** A key's calls all count together; a class of its own that a route has counts besides. */
    const enterKey = async (actor: Actor, key: NonNullable<Actor['key']>) => {
      req.actor = actor
      pass(reply, 'key', await limiter.take('key', key.keyId, key.ratePerMinute))
      checkPolicy(actor, policy)
      if (policy.limit !== 'read' && policy.limit !== 'write') pass(reply, policy.limit, await limiter.take(policy.limit, limitKey(actor, policy.limit, req)))
    }
    const enter = (actor: Actor) => {
      if (actor.key !== undefined) return enterKey(actor, actor.key)
      checkPolicy(actor, policy)
      checkProof(req, actor, policy)
      req.actor = actor
      const verdict = limiter.take(policy.limit, limitKey(actor, policy.limit, req))
      if (verdict instanceof Promise) return verdict.then(late => pass(reply, policy.limit, late))
      pass(reply, policy.limit, verdict)
    }
    try {
      const actor = verifyAuthorization(req, clock.now().getTime())
      const late = actor instanceof Promise ? actor.then(enter) : enter(actor)
      if (late === undefined) return done()
      late.then(() => done(), error => refused(req, reply, error, done))
    } catch (error) {
      refused(req, reply, error, done)
    }
  }

  /** Public routes count by address. */
  const turnstile = (name: RateClassName) => (req: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    Promise.resolve(limiter.take(name, addressKey(req.ip))).then(verdict => pass(reply, name, verdict)).then(() => done(), done)
  }

  app.addHook('onRoute', (route: RouteOptions) => {
    if (isPluginRoute(route)) return
    const { access: kind, scopes = [], limit, reads, mainOnly, stepUp = false, notImpersonated = false } = route.config ?? {}
    if (kind === undefined) throw new Error(`${String(route.method)} ${route.url} does not say who may call it (config.access)`)
    const method = [route.method].flat()[0]!
    const reading = READING.has(method) || reads === true
    const needed = scopes.map(scope => neededScope(scope, reading))
    for (const scope of needed) if (!isScope(scope)) throw new Error(`${method} ${route.url} names the scope ${scope}, which is not in the catalogue`)
    const hook = kind === 'public' || kind === 'signature'
      ? limit && turnstile(limit)
      : guard({ access: kind, permission: reading ? 'read' : 'write', scopes: needed, limit: limit ?? (reading ? 'read' : 'write'), mainOnly: mainOnly === true, stepUp, notImpersonated, enrolment: route.url.startsWith('/v1/auth/'), method })
    if (hook) route.onRequest = [hook, ...[route.onRequest ?? []].flat()]
  })
}, { name: 'door', dependencies: ['context'] })
