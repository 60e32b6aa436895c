import { Type, type Static } from '@sinclair/typebox'
import {
  Change, Create, DateTime, Entity, Id, ListQuery, Nullable, Ok, Page, READ_FAILS, Strict, StringEnum, WRITE_FAILS, fails, wire
} from './kit.js'
import { BulkResult, ExportFile, JobAccepted, bulkBody } from './standard.js'
import type { Operation } from './operation.js'

const Target = Type.String({ minLength: 1, maxLength: 2_048, examples: ['https://example.com/spring?ref=mail'] })
const UtmValue = Type.Optional(Nullable(Type.String({ maxLength: 200 })))
const Code = Type.String({ minLength: 3, maxLength: 64, examples: ['spring-sale'] })

export const Link = Entity('Link', {
  id: Id('short-urls'),
  account_id: Id('_accounts'),
  created_by: Id('_users'),
  domain_id: Nullable(Id('short-urls.domains')),
  code: Code,
  short_url: Type.String({ examples: ['http://localhost:5002/spring-sale'] }),
  url: Target,
  custom: Type.Boolean({ description: 'The code was chosen, not generated.' }),
  active: Type.Boolean(),
  archived_at: Nullable(DateTime()),
  visits: Type.Integer({ description: 'Answered redirects of people.' }),
  unique_visits: Type.Integer({ description: 'Sum of the daily different visitors.' }),
  bot_visits: Type.Integer(),
  last_visit_at: Nullable(DateTime()),
  title: Nullable(Type.String({ maxLength: 200 })),
  description: Nullable(Type.String({ maxLength: 500 })),
  comments: Nullable(Type.String({ maxLength: 2_000 })),
  tags: Type.Array(Type.String({ minLength: 1, maxLength: 50 }), { maxItems: 20 }),
  folder: Nullable(Type.String({ maxLength: 100 })),
  external_id: Nullable(Type.String({ minLength: 1, maxLength: 200 })),
  origin: StringEnum(['user', 'billing', 'forms', 'funnels', 'conversations', 'instasites', 'instareports', 'reviews', 'accounts'], { title: 'LinkOrigin' }),
  redirect_type: Type.Unsafe<301 | 302 | 307 | 308>({ type: 'integer', enum: [301, 302, 307, 308] }),
  forward_query: Type.Boolean({ description: 'The visitor\'s parameters are added to the target; those that it has win.' }),
  crawlable: Type.Boolean(),
  valid_since: Nullable(DateTime()),
  valid_until: Nullable(DateTime()),
  expired_url: Nullable(Target),
  utm: Nullable(Type.Object({ source: UtmValue, medium: UtmValue, campaign: UtmValue, term: UtmValue, content: UtmValue }, { additionalProperties: false })),
  blocked_at: Nullable(DateTime()),
  block_reason: Nullable(Type.String()),
  version: Type.Integer(),
  created_at: DateTime(),
  updated_at: DateTime()
}, 'A short link: GET /<code> answers with a redirect to its url.')
export type Link = Static<typeof Link>
export const toLink = wire(Link)

/** What a caller may set. */
const SETTABLE = [
  'title', 'description', 'comments', 'tags', 'folder', 'external_id', 'active', 'redirect_type', 'forward_query', 'crawlable', 'valid_since', 'valid_until', 'expired_url', 'utm'
] as const

export const NewLink = Create(Link, ['url'], SETTABLE, {
  custom_code: Type.Optional(Code),
  on_conflict: Type.Optional(StringEnum(['error', 'generate'])),
  reuse: Type.Optional(Type.Boolean({ description: 'Answer with a plain active link to the same url when there is one.' }))
})
export type NewLink = Static<typeof NewLink>
export const LinkChange = Change(Link, 'url', 'code', ...SETTABLE)
export type LinkChange = Static<typeof LinkChange>

const Params = Strict({ id: Id('short-urls') })
const filters = {
  active: Type.Optional(Type.Boolean()),
  archived: Type.Optional(Type.Boolean({ description: 'Default false.' })),
  custom: Type.Optional(Type.Boolean()),
  tag: Type.Optional(Type.String({ maxLength: 50 })),
  folder: Type.Optional(Type.String({ maxLength: 100 })),
  created_by: Type.Optional(Id('_users')),
  external_id: Type.Optional(Type.String({ maxLength: 200 })),
  origin: Type.Optional(Link.properties.origin),
  expired: Type.Optional(Type.Boolean()),
  created_at_gte: Type.Optional(Type.String({ format: 'date-time' })),
  created_at_lt: Type.Optional(Type.String({ format: 'date-time' }))
}
export const LINK_SORT = ['created_at', 'visits', 'last_visit_at', 'title', 'code'] as const
const Query = ListQuery({ sort: LINK_SORT, filters })
export type LinkQuery = Static<typeof Query>

export const urlCreate = {
  operationId: 'urlCreate', tags: ['url'], summary: 'Make a short link',
  body: NewLink,
  response: { 200: Ok(Link), 201: Ok(Link), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const urlList = {
  operationId: 'urlList', tags: ['url'], summary: 'List short links',
  querystring: Query,
  response: { 200: Page(Link), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const urlSearch = {
  operationId: 'urlSearch', tags: ['url'], summary: 'Search short links by code, url and title',
  querystring: Query,
  response: { 200: Page(Link), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const urlExport = {
  operationId: 'urlExport', tags: ['url'], summary: 'Export short links as CSV or JSON',
  querystring: Strict({ ...filters, q: Query.properties.q, sort: Query.properties.sort, format: Type.Optional(StringEnum(['csv', 'json'])) }),
  response: { 200: ExportFile, ...fails(...READ_FAILS) }
} as const satisfies Operation

export const urlGet = {
  operationId: 'urlGet', tags: ['url'], summary: 'Read a short link',
  params: Params,
  response: { 200: Ok(Link), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const urlUpdate = {
  operationId: 'urlUpdate', tags: ['url'], summary: 'Change a short link',
  description: 'Fields that the body does not carry stay as they are. The change is in force here at once, in other processes within seconds.',
  params: Params,
  querystring: Strict({ version: Type.Optional(Type.Integer({ minimum: 1, description: 'Refuse the change (409) when the link has another version.' })) }),
  body: LinkChange,
  response: { 200: Ok(Link), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const urlDelete = {
  operationId: 'urlDelete', tags: ['url'], summary: 'Archive a short link, or blank it for ever',
  params: Params,
  querystring: Strict({ permanent: Type.Optional(Type.Boolean({ description: 'Admins only: the target is blanked and the code stays taken for ever.' })) }),
  response: { 200: Ok(Link), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const urlBulk = {
  operationId: 'urlBulk', tags: ['url'], summary: 'Create, change, upsert or archive up to 500 short links',
  body: bulkBody({ create: NewLink, update: Strict({ id: Id('short-urls'), ...LinkChange.properties }), upsert: NewLink }),
  response: { 200: Ok(BulkResult), 207: Ok(BulkResult), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const urlImport = {
  operationId: 'urlImport', tags: ['url'], summary: 'Import short links from CSV or JSON',
  description: 'Multipart with one file (CSV with a header row, or a JSON array), or a JSON body {rows}. Columns: url, custom_code, title, tags (separated by |), folder, external_id.',
  consumes: ['multipart/form-data', 'application/json'],
  response: { 202: Ok(JobAccepted), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const urlLookup = {
  operationId: 'urlLookup', tags: ['url'], summary: 'Find a short link by its code or external id',
  querystring: Strict({ code: Type.Optional(Code), external_id: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) }, { minProperties: 1 }),
  response: { 200: Ok(Link), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const urlTags = {
  operationId: 'urlTags', tags: ['url'], summary: 'Tags and folders in use, with counts',
  response: { 200: Ok(Type.Object({
    tags: Type.Array(Type.Object({ name: Type.String(), count: Type.Integer() })), folders: Type.Array(Type.Object({ name: Type.String(), count: Type.Integer() }))
  })), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const shortLinkRedirect = {
  operationId: 'shortLinkRedirect', tags: ['url'], summary: 'Follow a short link',
  params: Type.Object({ code: Type.String({ description: 'The code of the link.' }) }),
  response: { 302: Type.Null({ description: 'To the target of the link; 301, 307 or 308 when the link says so.' }), ...fails(404, 410, 429, 503) }
} as const satisfies Operation
