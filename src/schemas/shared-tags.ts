import { Type, type Static } from '@sinclair/typebox'
import { Change, DateTime, Entity, Id, ListQuery, Nullable, Ok, Page, READ_FAILS, Strict, StringEnum, WRITE_FAILS, fails, wire } from './kit.js'
import { BulkResult } from './standard.js'
import type { Operation } from './operation.js'

export const TAG_KINDS = ['file', 'template', 'project', 'conversation', 'review', 'instasite', 'site'] as const
const TagKind = StringEnum(TAG_KINDS, { title: 'TagKind' })

export const SharedTag = Entity('SharedTag', {
  id: Id('shared.tags'),
  account_id: Id('_accounts'),
  kind: TagKind,
  name: Type.String({ minLength: 1, maxLength: 50, examples: ['VIP'] }),
  color: Type.String({ pattern: '^#[0-9a-f]{6}$', examples: ['#2f80ed'] }),
  usage_count: Type.Integer({ description: 'Records that carry it.' }),
  created_by: Nullable(Id('_users')),
  created_at: DateTime(),
  updated_at: DateTime()
}, 'A tag of one kind of record.')
export type SharedTag = Static<typeof SharedTag>
export const toSharedTag = wire(SharedTag)

const TagParams = Strict({ id: Id('shared.tags') })
const Query = ListQuery({ sort: ['name', 'created_at'], filters: { kind: TagKind, expand: Type.Optional(StringEnum(['usage'])) } })
export type TagQuery = Static<typeof Query>
const NewTag = Strict({ kind: TagKind, name: SharedTag.properties.name, color: Type.Optional(SharedTag.properties.color) })
export type NewTag = Static<typeof NewTag>
const TagChange = Change(SharedTag, 'name', 'color')
export type TagChange = Static<typeof TagChange>

export const listSharedTags = {
  operationId: 'listSharedTags', tags: ['shared'], summary: 'List the tags of a kind', querystring: Query, response: { 200: Page(SharedTag), ...fails(...READ_FAILS) }
} as const satisfies Operation
export const getSharedTag = {
  operationId: 'getSharedTag', tags: ['shared'], summary: 'Read a tag', params: TagParams, response: { 200: Ok(SharedTag), ...fails(...READ_FAILS) }
} as const satisfies Operation
export const createSharedTag = {
  operationId: 'createSharedTag', tags: ['shared'], summary: 'Make a tag', body: NewTag, response: { 201: Ok(SharedTag), ...fails(...WRITE_FAILS) }
} as const satisfies Operation
export const updateSharedTag = {
  operationId: 'updateSharedTag',
  tags: ['shared'],
  summary: 'Rename or recolour a tag',
  params: TagParams,
  body: TagChange,
  response: { 200: Ok(SharedTag), ...fails(...WRITE_FAILS) }
} as const satisfies Operation
export const deleteSharedTag = {
  operationId: 'deleteSharedTag',
  tags: ['shared'],
  summary: 'Delete a tag, also from the records that carry it',
  params: TagParams,
  response: { 200: Ok(SharedTag), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

const branch = <T extends ReturnType<typeof Strict>>(operation: string, item: T) => Strict({
  operation: Type.Unsafe({ type: 'string', const: operation }), items: Type.Array(item, { minItems: 1, maxItems: 500 })
})
export type TagBulk =
  | { operation: 'create', items: NewTag[] }
  | { operation: 'update', items: ({ id: string } & TagChange)[] }
  | { operation: 'delete', items: { id: string }[] }
export const bulkSharedTags = {
  operationId: 'bulkSharedTags',
  tags: ['shared'],
  summary: 'Make, change or delete up to 500 tags',
  body: Type.Unsafe<TagBulk>({
    type: 'object',
    required: ['operation', 'items'],
    discriminator: { propertyName: 'operation' },
    oneOf: [branch('create', NewTag), branch('update', Strict({ id: Id('items'), ...TagChange.properties }, { minProperties: 2 })), branch('delete', Strict({ id: Id('items') }))]
  }),
  response: { 200: Ok(BulkResult), 207: Ok(BulkResult), ...fails(...WRITE_FAILS) }
} as const satisfies Operation
export const mergeSharedTags = {
  operationId: 'mergeSharedTags',
  tags: ['shared'],
  summary: 'Merge up to 20 tags into one',
  body: Strict({ kind: TagKind, into: Id('tags'), from: Type.Array(Id('tags'), { minItems: 1, maxItems: 20 }) }),
  response: { 200: Ok(SharedTag), ...fails(...WRITE_FAILS) }
} as const satisfies Operation
