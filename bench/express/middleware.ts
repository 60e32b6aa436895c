import { randomUUID } from 'node:crypto'
import type { ErrorHandler, Handler, Request } from 'express'
import Joi from 'joi'
import jwt from 'jsonwebtoken'
import { pino } from 'pino'
import { Account, User } from './models.js'

const { SECRET = '' } = process.env
const log = pino({ level: 'info' }, pino.destination({ sync: false }))

export class HttpError extends Error {
  constructor (readonly status: number, message: string) { super(message) }
}

/** Forwards a rejected promise to the error handler, which Express 4 does not. */
export const wrap = (handler: (...args: Parameters<Handler>) => Promise<unknown>): Handler => (req, res, next) => {
  handler(req, res, next).catch(next)
}

export const requestId: Handler = (req, res, next) => {
  req.id = req.get('x-request-id') ?? randomUUID()
  res.set('X-Request-Id', req.id)
  res.set('X-Dashboard-Version', '0')
  next()
}

export const accessLog: Handler = (req, res, next) => {
  const began = process.hrtime.bigint()
  res.on('finish', () => {
    const ms = Number(process.hrtime.bigint() - began) / 1e6
    log.info({ id: req.id, method: req.method, url: req.originalUrl, status: res.statusCode, ms, user: req.claims?.userId }, 'request')
  })
  next()
}

export const securityHeaders: Handler = (_req, res, next) => {
  res.set('X-Content-Type-Options', 'nosniff')
  res.set('X-Frame-Options', 'SAMEORIGIN')
  res.set('Strict-Transport-Security', 'max-age=15552000; includeSubDomains')
  res.set('Referrer-Policy', 'no-referrer')
  next()
}

const bearer = Joi.object({ authorization: Joi.string().pattern(/^Bearer [\w-]+\.[\w-]+\.[\w-]+$/).required() }).unknown(true)
const claims = Joi.object<NonNullable<Request['claims']> & { exp: number }>({
  userId: Joi.string().hex().length(24).required(),
  accountId: Joi.string().hex().length(24).required(),
  permissions: Joi.array().items(Joi.string()).required(),
  exp: Joi.number().required()
}).unknown(true)

export const verifyAuthorization: Handler = (req, _res, next) => {
  const { error } = bearer.validate(req.headers)
  if (error !== undefined) throw new HttpError(401, 'Unauthorized.')
  try {
    const token = (req.headers.authorization ?? '').slice('Bearer '.length)
    req.claims = Joi.attempt(jwt.verify(token, SECRET, { algorithms: ['HS256'] }), claims)
  } catch {
    throw new HttpError(401, 'Unauthorized.')
  }
  next()
}

const ACCESS_TTL_MS = 3_000
const known = new Map<string, { until: number, allowed: boolean }>()

/** Kept for as long as ours keeps it, so that the baseline does not pay two database reads per request that ours saves. */
export const verifyAccessAndStatus = wrap(async (req, _res, next) => {
  const { userId = '', accountId = '' } = req.claims ?? {}
  let entry = known.get(userId)
  if (entry === undefined || entry.until < Date.now()) {
    const [user, account] = await Promise.all([User.findById(userId), Account.findById(accountId)])
    entry = { until: Date.now() + ACCESS_TTL_MS, allowed: user?.status === 'active' && account?.status === 'active' && account.banned !== true }
    known.set(userId, entry)
  }
  if (!entry.allowed) throw new HttpError(403, 'Forbidden.')
  next()
})

const LIMIT = 600
const WINDOW_MS = 60_000
const windows = new Map<string, { used: number, ends: number }>()

export const validateLimit: Handler = (req, res, next) => {
  const key = req.claims?.userId ?? req.ip
  const now = Date.now()
  let window = windows.get(key)
  if (window === undefined || window.ends < now) windows.set(key, window = { used: 0, ends: now + WINDOW_MS })
  window.used++
  res.set('RateLimit-Policy', `"read";q=${LIMIT};w=${WINDOW_MS / 1_000}`)
  res.set('RateLimit', `"read";r=${Math.max(0, LIMIT - window.used)};t=${Math.ceil((window.ends - now) / 1_000)}`)
  if (window.used > LIMIT) throw new HttpError(429, 'Too many requests.')
  next()
}

export const validate = (part: 'params' | 'query', schema: Joi.ObjectSchema): Handler => (req, _res, next) => {
  const { error, value } = schema.validate(req[part], { abortEarly: false })
  if (error !== undefined) throw new HttpError(400, error.message)
  Object.assign(req[part], value)
  next()
}

export const onError: ErrorHandler = (error, _req, res, _next) => {
  const status = error.status ?? 500
  if (status >= 500) log.error(error)
  res.status(status).json({ success: false, errno: status, message: status < 500 ? error.message : 'Internal error.' })
}
