import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { Entity, Id, Strict, StringEnum } from './kit.js'

/** Schemas that every module's bulk, export and import share. */

export const BulkResult = Entity('BulkResult', {
  results: Type.Array(Type.Object({
    index: Type.Integer(),
    status: StringEnum(['created', 'updated', 'deleted', 'unchanged', 'failed']),
    id: Type.Optional(Type.String()),
    error: Type.Optional(Type.Object({
      code: Type.String(), message: Type.String(),
      errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String(), code: Type.String() })))
    }))
  })),
  counts: Type.Object({ total: Type.Integer(), succeeded: Type.Integer(), failed: Type.Integer() })
}, 'One result per row, in the order of the rows.')

const MAX_ROWS = 500
type Bulk = { create: TSchema, update: TSchema, upsert: TSchema }

/** `{operation, items[1..500]}` (or fewer): the rows have the shape of their operation, so that a bad field names its row. */
export const bulkBody = <B extends Bulk> ({ create, update, upsert }: B, maxItems = MAX_ROWS) => {
  const branch = (operation: string, item: TSchema) => Strict({
    operation: Type.Unsafe({ type: 'string', const: operation }), items: Type.Array(item, { minItems: 1, maxItems })
  })
  return Type.Unsafe<
    | { operation: 'create', items: Static<B['create']>[] } | { operation: 'update', items: Static<B['update']>[] }
    | { operation: 'upsert', items: Static<B['upsert']>[] } | { operation: 'delete', items: { id: string }[] }
  >({
    type: 'object',
    required: ['operation', 'items'],
    discriminator: { propertyName: 'operation' },
    oneOf: [branch('create', create), branch('update', update), branch('upsert', upsert), branch('delete', Strict({ id: Id('items') }))]
  })
}

export const ExportFile = Type.Unsafe<NodeJS.ReadableStream>(Type.String({ description: 'The file, streamed.' }))

export const JobAccepted = Entity('JobAccepted', {
  job_id: Id('queues'), status: StringEnum(['pending']), status_url: Type.String({ examples: ['/v1/shared/jobs/6650f1c2a4b3d2e1f0a9b8c7'] })
}, 'Work that goes on in the background.')
