import type { TObject, TSchema, Static } from '@sinclair/typebox'
import { Schema, type Connection, type IndexDefinition, type IndexOptions, type Model, type SchemaDefinition } from 'mongoose'
import type { Row } from '../schemas/kit.js'

export type Index = [IndexDefinition, IndexOptions?]

type Options<S> = {
  collection: string
  /** a query without account_id throws */
  tenant: boolean
  /** fields that never leave the service */
  stored?: SchemaDefinition<S>
  indexes?: Index[]
}

/** Query option that lets one operation on a tenant's collection leave the tenant; every reason is on the reviewed list of test/tenancy.test.ts. */
export const crossTenant = (reason: string) => ({ crossTenant: reason })
/** Reasons seen so far, for the review test. */
export const crossTenantReasons = new Set<string>()

export class TenancyError extends Error {}

/** TypeBox -> one path of a mongoose schema. */
function toPath (schema: TSchema): Record<string, unknown> {
  if (schema.ref !== undefined) return { type: Schema.Types.ObjectId }
  if (schema.format === 'date-time') return { type: Date }
  switch (schema.type) {
    case 'string': return { type: String, ...(Array.isArray(schema.enum) && { enum: schema.enum }) }
    case 'integer':
    case 'number': return { type: Number }
    case 'boolean': return { type: Boolean }
    case 'array': return { type: [toPath(schema.items as TSchema)], default: undefined }
    case 'object':
      if (schema.properties !== undefined) return { type: new Schema(toDefinition(schema as TObject), { _id: false, id: false, strict: 'throw', minimize: false, suppressReservedKeysWarning: true }) }
      return { type: Schema.Types.Mixed }
    default: return { type: Schema.Types.Mixed }
  }
}

function toDefinition (object: TObject): SchemaDefinition {
  return Object.fromEntries(Object.entries(object.properties)
    .map(([key, property]) => [key, toPath(property)])) as SchemaDefinition
}

const QUERIES = [
  'find', 'findOne', 'findOneAndUpdate', 'findOneAndDelete', 'findOneAndReplace', 'countDocuments', 'distinct',
  'updateOne', 'updateMany', 'replaceOne', 'deleteOne', 'deleteMany'
] as const

type TenantQuery = { getFilter (): Record<string, unknown>, getOptions (): { crossTenant?: string }, model: { modelName: string } }
type TenantAggregate = { pipeline (): Record<string, Record<string, unknown>>[], options: { crossTenant?: string } }

/** account_id must be pinned to one value, or to a list of values, at the top of the filter. */
const pinned = (filter: Record<string, unknown> | undefined): boolean => {
  const id = filter?.account_id
  return id !== undefined && id !== null && (typeof id !== 'object' || '_bsontype' in id || '$in' in id || '$eq' in id)
}

function refuse (what: string, reason: string | undefined): void {
  if (reason === undefined) throw new TenancyError(`${what} reached the database without account_id in its filter`)
  crossTenantReasons.add(reason)
}

function enforceTenancy (schema: Schema, name: string): void {
  // Middleware typings differ per operation; the hook only needs what TenantQuery names.
  const pre = schema.pre.bind(schema) as unknown as (op: readonly string[] | string, options: object, fn: (this: unknown, ...args: never[]) => void) => void
  pre(QUERIES, { query: true, document: false }, function (this: unknown) {
    const query = this as TenantQuery
    if (!pinned(query.getFilter())) refuse(`${name}: a query`, query.getOptions().crossTenant)
  })
  pre('estimatedDocumentCount', { query: true, document: false }, function (this: unknown) {
    refuse(`${name}: estimatedDocumentCount`, (this as TenantQuery).getOptions().crossTenant)
  })
  pre('aggregate', {}, function (this: unknown) {
    const aggregate = this as TenantAggregate
    if (!pinned(aggregate.pipeline()[0]?.$match)) refuse(`${name}: an aggregate`, aggregate.options.crossTenant)
  })
  pre('bulkWrite', {}, ((operations: Record<string, { filter?: Record<string, unknown>, document?: Record<string, unknown> }>[], options?: { crossTenant?: string }) => {
    for (const operation of operations) {
      for (const { filter, document } of Object.values(operation)) {
        if (!pinned(filter ?? document)) refuse(`${name}: a bulk write`, options?.crossTenant)
      }
    }
  }) as never)
}

/**
 * A collection of the service: declared once from its entity, bound to a connection by `on`.
 * Ids become ObjectIds, times Dates, `stored` fields are kept beside the entity's own. Writing an undeclared field throws.
 */
export function defineModel<T extends TObject, S = Record<never, never>> (entity: T, { collection, tenant, stored, indexes = [] }: Options<S>) {
  const { id: _asObjectId, ...paths } = toDefinition(entity)
  const schema = new Schema({ ...paths, ...(stored as SchemaDefinition | undefined) }, {
    collection, strict: 'throw', strictQuery: 'throw', minimize: false, versionKey: false, id: false, suppressReservedKeysWarning: true, autoIndex: false, autoCreate: false
  })
  for (const [fields, options] of indexes) schema.index(fields, options)
  if (tenant) enforceTenancy(schema, collection)
  const definition = {
    collection,
    tenant,
    indexes,
    entity,
    /** The model on one connection; the same object on every call. */
    on (connection: Connection): Model<RowOf<T, S>> {
      const known = connection.models[collection]
      return (known ?? connection.model(collection, schema)) as unknown as Model<RowOf<T, S>>
    }
  }
  definitions.set(collection, definition)
  return definition
}

/** Lean rows of a model: the entity's own fields and the stored-only ones. */
export type RowOf<T extends TObject, S = Record<never, never>> = Omit<Row<Static<T>>, keyof S> & S

export type ModelDefinition = { collection: string, tenant: boolean, indexes: Index[], entity: TObject, on (connection: Connection): unknown }
/** Every model of the service by collection; the generated tests and the index builder read it. */
export const definitions = new Map<string, ModelDefinition>()
export type ModelOf<D> = D extends { on (connection: Connection): infer M } ? M : never
