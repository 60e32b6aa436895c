import { Type } from '@sinclair/typebox'
import { DateTime, Entity, Id, Nullable } from '../schemas/kit.js'
import { Link } from '../schemas/url.js'
import { defineModel, type ModelOf, type RowOf } from './define.js'

type StoredLink = {
  /** the code and kept old ones, as they are compared */
  code_keys: string[]
  search_terms: string[]
}

const { short_url: _derived, ...linkFields } = Link.properties
const StoredLinkEntity = Type.Object(linkFields)

export const LinkModel = defineModel<typeof StoredLinkEntity, StoredLink>(StoredLinkEntity, {
  collection: 'short-urls',
  tenant: true,
  stored: { code_keys: [String], search_terms: [String] } as never,
  indexes: [
    [{ domain_id: 1, code_keys: 1 }, { unique: true }],
    [{ account_id: 1, external_id: 1 }, { unique: true, partialFilterExpression: { external_id: { $type: 'string' } } }],
    [{ account_id: 1, archived_at: 1, created_at: -1, _id: -1 }],
    [{ account_id: 1, archived_at: 1, visits: -1, _id: -1 }],
    [{ account_id: 1, archived_at: 1, last_visit_at: -1, _id: -1 }],
    [{ account_id: 1, archived_at: 1, title: 1, _id: 1 }],
    [{ account_id: 1, archived_at: 1, code: 1, _id: 1 }],
    [{ account_id: 1, tags: 1 }],
    [{ account_id: 1, folder: 1 }],
    [{ account_id: 1, search_terms: 1 }]
  ]
})
export type LinkModel = ModelOf<typeof LinkModel>
/** A link as the service reads it, without the companions that only searching needs. */
export type LinkRow = RowOf<typeof StoredLinkEntity>

export const Click = Entity('Click', {
  id: Type.String(),
  account_id: Id('_accounts'),
  link_id: Id('short-urls'),
  at: DateTime(),
  bot: Type.Boolean(),
  unique: Type.Boolean(),
  country: Type.String(),
  region: Nullable(Type.String()),
  city: Nullable(Type.String()),
  device: Type.String(),
  browser: Type.String(),
  os: Type.String(),
  referrer: Type.String(),
  language: Type.String(),
  utm: Nullable(Type.Object({ source: Nullable(Type.String()), medium: Nullable(Type.String()), campaign: Nullable(Type.String()) })),
  rule: Nullable(Type.String()),
  variant: Nullable(Type.String()),
  qr: Type.Boolean()
})

export const ClickModel = defineModel<typeof Click, { _id: string, expires_at: Date }>(Click, {
  collection: 'short-urls.clicks', tenant: true, stored: { _id: String, expires_at: Date } as never,
  indexes: [[{ account_id: 1, link_id: 1, at: -1, _id: -1 }], [{ expires_at: 1 }, { expireAfterSeconds: 0 }]]
})
export type ClickModel = ModelOf<typeof ClickModel>

const ClickStat = Type.Object({
  account_id: Id('_accounts'), link_id: Id('short-urls'), hour: DateTime(), dim: Type.String(), value: Type.String(),
  clicks: Type.Integer(), uniques: Type.Integer(), bots: Type.Integer()
})

/** Counts per link, hour and dimension, kept for ever; `dim: total` sums to the link's own counters. */
export const ClickStatModel = defineModel(ClickStat, {
  collection: 'short-urls.stats', tenant: true,
  indexes: [[{ link_id: 1, hour: 1, dim: 1, value: 1 }, { unique: true }], [{ account_id: 1, hour: 1, dim: 1 }]]
})
export type ClickStatModel = ModelOf<typeof ClickStatModel>

/** Who was here today, as a keyed hash under a salt that is thrown away daily. */
export const VisitorModel = defineModel(Type.Object({ link_id: Id('short-urls'), day: Type.String(), visitor: Type.String(), expires_at: DateTime() }), {
  collection: 'short-urls.visitors', tenant: false,
  indexes: [[{ link_id: 1, day: 1, visitor: 1 }, { unique: true }], [{ expires_at: 1 }, { expireAfterSeconds: 0 }]]
})

export const VisitorSaltModel = defineModel<ReturnType<typeof saltEntity>, { _id: string }>(saltEntity(), {
  collection: 'short-urls.salts', tenant: false, stored: { _id: String } as never, indexes: [[{ expires_at: 1 }, { expireAfterSeconds: 0 }]]
})
function saltEntity () { return Type.Object({ salt: Type.String(), expires_at: DateTime() }) }

/** Batches of clicks that have been counted: one seen twice changes nothing. */
export const ClickBatchModel = defineModel<ReturnType<typeof batchEntity>, { _id: string }>(batchEntity(), {
  collection: 'short-urls.batches', tenant: false, stored: { _id: String } as never, indexes: [[{ at: 1 }, { expireAfterSeconds: 7 * 86_400 }]]
})
function batchEntity () { return Type.Object({ clicks: Type.Integer(), at: DateTime() }) }

