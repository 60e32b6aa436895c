import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
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

/** What the service sends on every answer, values as in the service. */
const COMMON = [
  'x-dashboard-version', '0'
] as const

const LIMITED = [...COMMON, 'ratelimit-policy', '"read";q=600;w=60', 'ratelimit', '"read";r=599;t=60'] as const

export const newRequestId = randomUUID

/** @param limited whether the route counts calls and says so */
export function answer (response: ServerResponse, status: number, requestId: string, own: readonly string[], body: string, limited = false): void {
  response.writeHead(status, [...(limited ? LIMITED : COMMON), 'x-request-id', requestId, ...own, 'content-length', String(Buffer.byteLength(body))])
  response.end(body)
}

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

export const meta = (requestId: string) => ({ timestamp: new Date().toISOString(), version: 'v1', request_id: requestId })
