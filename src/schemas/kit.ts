import { Type, type Static, type TObject, type TOptional, type TProperties, type TSchema } from '@sinclair/typebox'
import type { Types } from 'mongoose'

/**
 * The house dialect over TypeBox. Keywords of our own (`component`, `ref`) are registered with AJV in app.ts and taken out of
 * openapi.json by plugins/openapi.ts, where every schema with `component` becomes a named component.
 */

declare const brand: unique symbol
/** 24 hex digits on the wire, an ObjectId in the database. */
export type IdText = string & { readonly [brand]?: 'id' }
/** ISO 8601 in UTC on the wire, a Date in the database. */
export type DateText = string & { readonly [brand]?: 'date' }

/** The row of a wire type as lean reads give it: `id` is `_id`, ids are ObjectIds, times are Dates. */
export type Row<T> = Omit<Stored<T>, 'id'> & { _id: Types.ObjectId }
export type Stored<T> =
  T extends (infer U)[] ? Stored<U>[]
    : T extends string ? (typeof brand extends keyof T ? Branded<T> : T)
      : T extends object ? { [K in keyof T]: Stored<T[K]> }
        : T
type Branded<T> = T extends { readonly [brand]?: 'id' } ? Types.ObjectId : Date

export const Id = (ref: string) => Type.Unsafe<IdText>({
  type: 'string', pattern: '^[0-9a-f]{24}$', ref, examples: ['6650f1c2a4b3d2e1f0a9b8c7']
})

export const DateTime = (description?: string) => Type.Unsafe<DateText>({
  type: 'string', format: 'date-time', ...(description && { description }), examples: ['2026-01-31T09:30:00.000Z']
})

/** Integer minor units (cents); the currency stands beside it. */
export const Money = (description = 'Minor units of the currency beside it.') => Type.Integer({ description, examples: [1999] })

export const Currency = () => Type.String({ pattern: '^[A-Z]{3}$', examples: ['USD'] })

type EnumOptions = { title?: string, description?: string }
/** Unions of literals publish `anyOf` of constants; this is a plain enum. With a title it becomes a named component. */
export const StringEnum = <const T extends readonly string[]> (values: T, { title, description }: EnumOptions = {}) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...(title && { title, component: title }), ...(description && { description }) })

export const Nullable = <T extends TSchema> (schema: T) =>
  Type.Unsafe<Static<T> | null>({ ...schema, nullable: true, ...(Array.isArray(schema.enum) && { enum: [...schema.enum, null] }) })

/** An object of the service: published by name. Open, as responses must be: what is undeclared is dropped when it is sent. */
export const Entity = <P extends TProperties> (name: string, properties: P, description?: string): TObject<P> =>
  Type.Object(properties, { title: name, component: name, ...(description && { description }) })

/** Some fields of an entity, as an object of its own without a name. */
export const Part = <P extends TProperties, K extends keyof P> (entity: TObject<P>, ...keys: K[]) =>
  Type.Object(Object.fromEntries(keys.map(key => [key, entity.properties[key]!])) as Pick<P, K>)

/** A closed object for params, query strings and bodies: an unknown field is a 400. */
export const Strict = <P extends TProperties> (properties: P, options: { minProperties?: number, description?: string } = {}): TObject<P> =>
  Type.Object(properties, { additionalProperties: false, ...options })

type OptionalOf<P extends TProperties, K extends keyof P> = { [F in K]: TOptional<P[F]> }
const optional = <P extends TProperties, K extends keyof P> (entity: TObject<P>, keys: readonly K[]) =>
  Object.fromEntries(keys.map(key => [key, Type.Optional(entity.properties[key]!)])) as unknown as OptionalOf<P, K>

/** Body of a change: the named fields, all optional, at least one; fields that it does not carry stay as they are. */
export const Change = <P extends TProperties, K extends keyof P> (entity: TObject<P>, ...keys: K[]) =>
  Strict(optional(entity, keys), { minProperties: 1 })

/** Body of a creation: `required` and `optional` fields of the entity, and `extra` ones that are not stored. */
export const Create = <P extends TProperties, R extends keyof P, O extends keyof P, X extends TProperties = Record<never, never>> (
  entity: TObject<P>, required: readonly R[], optionals: readonly O[], extra: X = {} as X
) => Strict({
    ...Object.fromEntries(required.map(key => [key, entity.properties[key]!])) as Pick<P, R>,
    ...optional(entity, optionals),
    ...extra
  })

// ---------------------------------------------------------------- envelopes

const Meta = Type.Object({
  timestamp: Type.String({ format: 'date-time' }),
  version: Type.String({ examples: ['v1'] }),
  request_id: Type.String(),
  counts: Type.Optional(Type.Record(Type.String(), Type.Integer()))
}, { title: 'Meta', component: 'Meta' })

const Pagination = Type.Object({
  page: Type.Optional(Type.Integer()),
  limit: Type.Integer(),
  total: Type.Optional(Type.Integer()),
  totalPages: Type.Optional(Type.Integer()),
  next_cursor: Type.Optional(Nullable(Type.String()))
}, { title: 'Pagination', component: 'Pagination' })
export type Pagination = Static<typeof Pagination>

/** What a handler returns; plugins/envelope.ts adds `success` and `meta`. */
export type Reply<T> = { data: T, message?: string, meta?: { counts?: Record<string, number> } }
export type PageReply<T> = Reply<T[]> & { pagination: Pagination }

const envelope = (properties: TProperties) => Type.Object({
  success: Type.Boolean({ const: true }), ...properties, message: Type.Optional(Type.String()), meta: Meta
})

export const Ok = <T extends TSchema> (data: T) => Type.Unsafe<Reply<Static<T>>>(envelope({ data }))
export const Page = <T extends TObject> (item: T) => Type.Unsafe<PageReply<Static<T>>>(envelope({ data: Type.Array(listed(item)), pagination: Pagination }))

/** A row of a list: `fields` may have left all but its id out. */
const listed = (item: TObject): TSchema => ({
  ...item,
  required: (item.required ?? []).filter(key => key === 'id'),
  ...(typeof item.component === 'string' && { title: `${item.component}Row`, component: `${item.component}Row` })
})

const Failure = Type.Object({
  success: Type.Boolean({ const: false }),
  errno: Type.Integer({ description: 'The HTTP status.' }),
  message: Type.String({ description: 'For people.' }),
  additional_info: Type.Optional(Type.String()),
  data: Type.Object({
    code: Type.String({ description: 'Stable machine code.', examples: ['LINK_NOT_FOUND'] }),
    errors: Type.Array(Type.Object({ path: Type.String(), message: Type.String(), code: Type.String() })),
    request_id: Type.String()
  }, { additionalProperties: true })
}, { title: 'Failure', component: 'Failure' })

const REASONS: Record<number, string> = {
  400: 'The request is not valid.', 401: 'Not signed in.', 402: 'Not enough credit.', 403: 'Not allowed.', 404: 'Not found.', 405: 'Method not allowed.',
  409: 'In conflict with the present state.', 410: 'Gone.', 413: 'Body too large.', 415: 'Media type not supported.',
  422: 'Understood, but against a rule.', 429: 'Too many requests.', 502: 'An upstream service failed.', 503: 'Try again shortly.', 504: 'An upstream service was too slow.'
}

/** Error responses of an operation by status; 500 is declared for every operation by plugins/openapi.ts. */
export const fails = <const S extends readonly number[]> (...statuses: S) => Object.fromEntries(
  statuses.map(status => [status, { ...Failure, description: REASONS[status] }])) as unknown as { [K in S[number]]: typeof Failure }

/** The refusals that the door and the body parser can send on any reading or writing route of an account. */
export const READ_FAILS = [400, 401, 403, 404, 429, 503] as const
export const WRITE_FAILS = [400, 401, 403, 404, 409, 413, 415, 422, 429, 503] as const

// ---------------------------------------------------------------- lists

type ListOptions<S extends readonly string[], F extends TProperties> = { sort: S, filters?: F }

/** Query string of a list: page or cursor, sort over an allow-list (comma-separated, `-` descends), typed filters, `q`, `fields`. */
export const ListQuery = <const S extends readonly string[], F extends TProperties = Record<never, never>> ({ sort, filters }: ListOptions<S, F>) => Strict({
  page: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: 'next_cursor of the page before; excludes page.' })),
  sort: Type.Optional(Type.String({ maxLength: 200, pattern: sortPattern(sort), examples: [sort[0]] })),
  fields: Type.Optional(Type.String({ maxLength: 500, pattern: '^[a-z_0-9]+(,[a-z_0-9]+)*$', description: 'Only these fields, comma-separated; id is always there.' })),
  q: Type.Optional(Type.String({ minLength: 2, maxLength: 100 })),
  ...(filters ?? {} as F)
})
export type ListQuery = { page?: number, limit?: number, cursor?: string, sort?: string, fields?: string, q?: string }

const sortPattern = (fields: readonly string[]) => {
  const one = `-?(${fields.join('|')})`
  return `^${one}(,${one}){0,3}$`
}

export const CommaList = (description: string, options: { pattern?: string } = {}) => Type.String({ minLength: 1, maxLength: 2_000, description, ...options })

// ---------------------------------------------------------------- row -> wire

type Convert = (value: unknown) => unknown

const identity: Convert = value => value
const toText: Convert = value => value instanceof Date ? value.toISOString() : typeof value === 'object' && value !== null ? String(value) : value

function converter (schema: TSchema): Convert {
  if (schema.type === 'object' && schema.properties !== undefined) return objectConverter(schema as TObject)
  if (schema.type === 'array') {
    const item = converter(schema.items as TSchema)
    return value => Array.isArray(value) ? value.map(item) : value
  }
  if (schema.ref !== undefined || schema.format === 'date-time') return toText
  return identity
}

function objectConverter (schema: TObject): Convert {
  const required = new Set(schema.required ?? [])
  const plan = Object.entries(schema.properties).map(([key, property]) => ({
    key, from: key === 'id' ? '_id' : key, convert: converter(property), absent: required.has(key) && property.nullable === true ? null : undefined
  }))
  return value => {
    if (value === null || typeof value !== 'object') return value
    const row = value as Record<string, unknown>
    const out: Record<string, unknown> = {}
    for (const { key, from, convert, absent } of plan) {
      const stored = row[from] ?? (from === '_id' ? row.id : undefined)
      if (stored === undefined || stored === null) {
        if (absent === null || stored === null) out[key] = null
      } else out[key] = convert(stored)
    }
    return out
  }
}

/** Makes the function that turns a lean row into the entity's JSON: `_id` to `id`, Date to ISO, ids to text, the undeclared dropped. */
export function wire<T extends TObject> (entity: T): (row: object) => Static<T> {
  const convert = objectConverter(entity)
  return row => convert(row) as Static<T>
}
