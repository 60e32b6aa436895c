import { Type } from '@sinclair/typebox'
import { Entity, Ok, Strict, StringEnum, fails } from './kit.js'
import type { Operation } from './operation.js'

const Alive = Type.Object({ status: StringEnum(['ok']) })
const Check = Type.Object({ status: StringEnum(['ok', 'down', 'not_configured']), ms: Type.Integer() })

export const Health = Entity('Health', {
  status: StringEnum(['ok', 'degraded', 'down']),
  role: Type.String(),
  uptime_s: Type.Integer(),
  draining: Type.Boolean(),
  checks: Type.Object({
    mongo: Check,
    redis: Check,
    outbox: Type.Object({ oldest_s: Type.Integer(), ready: Type.Integer(), dead: Type.Integer() }),
    jobs: Type.Object({ late: Type.Array(Type.String()), off: Type.Array(Type.String()) }),
    clicks: Type.Object({ status: Type.String(), pending: Type.Integer() }),
    event_loop: Type.Object({ p99_ms: Type.Integer() }),
    memory: Type.Object({ rss: Type.Integer(), heap: Type.Integer() }),
    cpu: Type.Object({ percent: Type.Integer() }),
    siblings: Type.Record(Type.String(), StringEnum(['ok', 'open', 'not_configured']))
  })
})

export const root = {
  operationId: 'root', tags: ['platform'], summary: 'Is the process there?', response: { 200: Alive }
} as const satisfies Operation

export const status = {
  operationId: 'status', tags: ['platform'], summary: 'Is the process there?', response: { 200: Alive }
} as const satisfies Operation

export const health = {
  operationId: 'health', tags: ['platform'], summary: 'How is this copy?',
  description: 'probe=live: the process answers. probe=ready: it may take traffic (503 while it shuts down).',
  querystring: Strict({ probe: Type.Optional(StringEnum(['live', 'ready'])) }),
  response: { 200: Ok(Health), ...fails(400, 503) }
} as const satisfies Operation

export const listFeatures = {
  operationId: 'listFeatures', tags: ['platform'], summary: 'Feature flags of the caller',
  response: { 200: Ok(Type.Record(Type.String(), Type.Unknown())), ...fails(401, 403, 429, 503) }
} as const satisfies Operation

export const docsRedirect = {
  operationId: 'docsRedirect', tags: ['platform'], summary: 'To the documentation', response: { 302: Type.Null({ description: 'To /documentation.' }) }
} as const satisfies Operation

export const openapiDocument = {
  operationId: 'openapiDocument', tags: ['platform'], summary: 'This document', response: { 200: Type.Unknown() }
} as const satisfies Operation

export const documentation = {
  operationId: 'documentation', tags: ['platform'], summary: 'The documentation page', response: { 200: Type.String({ description: 'HTML.' }) }
} as const satisfies Operation

export const robots = {
  operationId: 'urlRobots', tags: ['url'], summary: 'Nothing here is for crawlers', response: { 200: Type.String({ description: 'Text.' }) }
} as const satisfies Operation

export const favicon = {
  operationId: 'urlFavicon', tags: ['url'], summary: 'An icon for browsers that ask', response: { 200: Type.String({ description: 'SVG.' }) }
} as const satisfies Operation

