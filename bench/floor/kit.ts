import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import http, { type RequestListener, type ServerResponse } from 'node:http'
import mongoose from 'mongoose'
import type { LinkRow } from '../dataset.js'

const { MongoClient, ObjectId } = mongoose.mongo
export { ObjectId }

const { PORT = '0', MONGO_URL = '', SECRET = '', POOL = '50' } = process.env

/** Waits as long for the next request as the service does, which also shows in a header. */
const KEEP_ALIVE_MS = 72_000

export function serve (listener: RequestListener): void {
  const server = http.createServer(listener)
  server.keepAliveTimeout = KEEP_ALIVE_MS
  server.listen(Number(PORT), '127.0.0.1')
}

/** What the service sends on every answer, values as there. */
const COMMON = ['X-Dashboard-Version', '0', 'X-Content-Type-Options', 'nosniff'] as const

/** And on every answer of a guarded route. */
const GUARDED = [
  ...COMMON,
  'Content-Security-Policy', "default-src 'none';frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy', 'same-origin',
  'Cross-Origin-Resource-Policy', 'same-origin',
  'Origin-Agent-Cluster', '?1',
  'Referrer-Policy', 'no-referrer',
  'Strict-Transport-Security', 'max-age=31536000; includeSubDomains',
  'X-DNS-Prefetch-Control', 'off',
  'X-Download-Options', 'noopen',
  'X-Frame-Options', 'SAMEORIGIN',
  'X-Permitted-Cross-Domain-Policies', 'none',
  'X-XSS-Protection', '0',
  'RateLimit-Policy', '"read";q=600;w=60',
  'RateLimit', '"read";r=599;t=60',
  'vary', 'Origin',
  'access-control-expose-headers',
  'Location, RateLimit, RateLimit-Policy, Retry-After, Idempotency-Replayed, X-Request-Id, X-Dashboard-Version, Content-Disposition'
] as const

const PREFIX = randomBytes(6).toString('base64url')
let counter = 0
/** As cheap as the service's own. */
export const newRequestId = () => `${PREFIX}-${(++counter).toString(36).padStart(6, '0')}`

type Headers = readonly string[]

export function answer (response: ServerResponse, status: number, requestId: string, own: Headers, body: string, common: Headers = COMMON): void {
  response.writeHead(status, [...common, 'X-Request-Id', requestId, ...own, 'Content-Length', String(Buffer.byteLength(body))])
  response.end(body)
}

/** The answer of a guarded route. */
export const answerGuarded = (response: ServerResponse, requestId: string, value: object) =>
  answer(response, 200, requestId, JSON_TYPE, JSON.stringify({ success: true, ...value, meta: meta(requestId) }), GUARDED)

export const JSON_TYPE = ['content-type', 'application/json; charset=utf-8'] as const

export interface Claims { accountId: string, exp: number }

const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')
const FROM = 'Bearer '.length

/** Signature and expiry, nothing else. */
export function verify (authorization: string | undefined): Claims | undefined {
  if (authorization === undefined) return undefined
  const dot = authorization.lastIndexOf('.')
  const signed = authorization.slice(FROM, dot)
  if (!signed.startsWith(HEADER)) return undefined
  const given = Buffer.from(authorization.slice(dot + 1), 'base64url')
  const right = createHmac('sha256', SECRET).update(signed).digest()
  if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
  const claims = JSON.parse(Buffer.from(signed.slice(HEADER.length + 1), 'base64url').toString()) as Claims
  return claims.exp * 1_000 > Date.now() ? claims : undefined
}

export async function links () {
  const client = await MongoClient.connect(MONGO_URL, { maxPoolSize: Number(POOL) })
  return client.db().collection<LinkRow>('short-urls')
}

const meta = (requestId: string) => ({ timestamp: new Date().toISOString(), version: 'v1', request_id: requestId })
