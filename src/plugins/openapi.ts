import fp from 'fastify-plugin'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifySchema, RouteOptions } from 'fastify'
import { fails } from '../schemas/kit.js'
import { documentation } from '../schemas/root.js'
import { TAGS } from '../routes/tags.js'

type Json = Record<string, unknown>
type Document = { components: { schemas: Record<string, Json> }, paths: Record<string, Record<string, Json>> }

/** Keywords that only this service understands; `discriminator` would need named schemas in OpenAPI. */
const OURS = new Set(['component', 'ref', 'discriminator'])

/**
 * Turns a schema of the house into OpenAPI 3.1: keywords of ours leave, `nullable` becomes a type list, and every schema with `component`
 * is published once under its name.
 */
function publish (schema: unknown, components: Record<string, Json>): unknown {
  if (Array.isArray(schema)) return schema.map(item => publish(item, components))
  if (schema === null || typeof schema !== 'object') return schema
  const { nullable, component, ...rest } = schema as Json
  const plain = Object.fromEntries(Object.entries(rest)
    .filter(([key]) => !OURS.has(key))
    .map(([key, value]) => [key, key === 'enum' || key === 'examples' || key === 'default' || key === 'const' ? value : publish(value, components)]))
  if (typeof component === 'string') {
    const { description, ...shared } = plain
    components[component] ??= withoutNull(shared, description)
    const reference = { $ref: `#/components/schemas/${component}` }
    return nullable === true ? { anyOf: [reference, { type: 'null' }] } : reference
  }
  if (nullable === true && typeof plain.type === 'string') plain.type = [plain.type, 'null']
  return plain
}

const withoutNull = (schema: Json, description: unknown): Json => ({
  ...schema,
  ...(Array.isArray(schema.enum) && { enum: schema.enum.filter(value => value !== null) }),
  ...(description !== undefined && { description })
})

/** A response is its description and its schema; the description of a component stays outside of it. */
function publishResponses (responses: Json, components: Record<string, Json>): Json {
  return Object.fromEntries(Object.entries(responses).map(([status, schema]) => {
    const { description, ...rest } = schema as Json
    const published = publish(rest, components) as Json
    return [status, { description: typeof description === 'string' ? description : 'Done.', ...('$ref' in published ? { allOf: [published] } : published) }]
  }))
}

/** The page comes from a plugin, whose own routes stay out of the document. */
const documentationOperation = {
  operationId: documentation.operationId, tags: [...documentation.tags], summary: documentation.summary, security: [], responses: { 200: { description: documentation.response[200].description } }
}

export const OPENAPI_INFO = {
  title: 'Internal API',
  version: '1.0.0',
  description: 'The core business API of a white-label platform for digital-marketing agencies. Every answer under /v1 has the same envelope; errors name a stable code in data.code.'
}

/** Collects the routes into an OpenAPI 3.1 document (`app.swagger()`), made when it is first asked for, and serves the pages. */
export const openapi = fp<{ publicUrl: string, pages: boolean }>(async (app, { publicUrl, pages }) => {
  const components: Record<string, Json> = {}
  app.addHook('onRoute', (route: RouteOptions) => {
    const schema = route.schema as (FastifySchema & { response?: Json, security?: unknown }) | undefined
    if (schema === undefined || schema.hide === true) return
    const access = route.config?.access
    schema.response = { ...schema.response, ...fails(500) }
    schema.security = access === 'public' || access === 'signature' ? [] : [{ bearer: [] }]
  })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: OPENAPI_INFO,
      servers: [{ url: publicUrl }],
      tags: TAGS.map(([name, description]) => ({ name, description })),
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Access token of POST /v1/auth/login, or an API key.' } } }
    },
    transform: ({ schema, url }) => {
      const { response, querystring, params, body, headers, ...rest } = schema as Json & { response?: Json }
      return {
        url,
        schema: {
          ...rest,
          ...(params !== undefined && { params: publish(params, components) }),
          ...(querystring !== undefined && { querystring: publish(querystring, components) }),
          ...(headers !== undefined && { headers: publish(headers, components) }),
          ...(body !== undefined && { body: publish(body, components) }),
          ...(response !== undefined && { response: publishResponses(response, components) })
        }
      }
    },
    transformObject: input => {
      const document = (input as { openapiObject: object }).openapiObject as Document
      if (pages) document.paths['/documentation'] = { get: documentationOperation }
      document.components.schemas = Object.fromEntries(Object.entries(components).sort(([a], [b]) => a < b ? -1 : 1))
      return document as never
    }
  })
  if (!pages) return
  await app.register(swaggerUi, {
    routePrefix: '/documentation', staticCSP: true, theme: { title: OPENAPI_INFO.title }, logo: undefined,
    uiConfig: { docExpansion: 'none', deepLinking: true, persistAuthorization: true, filter: true, displayRequestDuration: true }
  })
}, { name: 'openapi' })
