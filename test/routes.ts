import type { FastifyInstance, RouteOptions } from 'fastify'
import type { TObject, TSchema } from '@sinclair/typebox'

export type Listed = { method: string, url: string, schema: { operationId: string, params?: TObject, body?: TSchema, response: Record<string, TSchema> }, config: RouteOptions['config'] & object }

/** Every route of the app, HEAD twins and what plugins add by themselves aside: the generated tables are made from it, so that a new route is covered or its table fails. */
export const routesOf = (app: FastifyInstance): Listed[] => app.routeList
  .filter(route => route.method !== 'HEAD' && route.config?.access !== undefined)
  .map(route => route as unknown as Listed)

const sampleOf = (schema: TSchema): string => String((schema.examples as unknown[] | undefined)?.[0] ?? (Array.isArray(schema.enum) ? schema.enum[0] : 'sample'))

/** The route's address with the given id in every place that takes one. */
export function fill ({ url, schema }: Listed, id: string): string {
  return url.replace(/:([a-z_]+)/gi, (_, name: string) => {
    const param = schema.params?.properties[name]
    return param?.ref !== undefined ? id : param === undefined ? id : encodeURIComponent(sampleOf(param))
  })
}

export const takesId = ({ url, schema }: Listed): boolean => /:/.test(url) && Object.values(schema.params?.properties ?? {}).some(param => param.ref !== undefined)
export const isOpen = ({ config }: Listed): boolean => config.access === 'public' || config.access === 'signature'
export const isMutating = ({ method, config }: Listed): boolean => method !== 'GET' && config.reads !== true

/** The smallest body that the schema accepts. */
export function sampleBody (schema: TSchema | undefined): unknown {
  if (schema === undefined) return undefined
  if (Array.isArray(schema.oneOf)) return sampleBody(schema.oneOf[0] as TSchema)
  if (Array.isArray(schema.anyOf)) return sampleBody(schema.anyOf[0] as TSchema)
  if (schema.const !== undefined) return schema.const
  if (Array.isArray(schema.enum)) return schema.enum.find(value => value !== null)
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0]
  switch (schema.type) {
    case 'object': return sampleObject(schema as TObject)
    case 'array': return Array.from({ length: (schema.minItems as number | undefined) ?? 0 }, () => sampleBody(schema.items as TSchema))
    case 'integer': case 'number': return (schema.minimum as number | undefined) ?? 1
    case 'boolean': return true
    case 'string': return sampleText(schema)
    default: return null
  }
}

function sampleObject (schema: TObject): Record<string, unknown> {
  const required = schema.required ?? []
  const names = required.length > 0 || (schema.minProperties ?? 0) === 0 ? required : Object.keys(schema.properties ?? {}).slice(0, schema.minProperties)
  return Object.fromEntries(names.map(name => [name, sampleBody(schema.properties[name])]))
}

function sampleText (schema: TSchema): string {
  if (schema.format === 'date-time') return '2026-01-31T09:30:00.000Z'
  if (schema.format === 'email') return 'someone@example.test'
  if (schema.format === 'uri') return 'https://example.com/'
  return 'x'.repeat(Math.max(1, (schema.minLength as number | undefined) ?? 1))
}
