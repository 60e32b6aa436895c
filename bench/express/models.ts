import mongoose, { Schema } from 'mongoose'

const { ObjectId, Mixed } = Schema.Types
const timestamps = { createdAt: 'created_at', updatedAt: 'updated_at' } as const

const linkSchema = new Schema({
  account_id: { type: ObjectId, required: true },
  created_by: { type: ObjectId, required: true },
  domain_id: { type: ObjectId, default: null },
  code: { type: String, required: true },
  code_keys: { type: [String], select: false },
  search_terms: { type: [String], select: false },
  url: { type: String, required: true },
  custom: { type: Boolean, default: false },
  active: { type: Boolean, default: true },
  archived_at: { type: Date, default: null },
  visits: { type: Number, default: 0 },
  unique_visits: { type: Number, default: 0 },
  bot_visits: { type: Number, default: 0 },
  last_visit_at: { type: Date, default: null },
  title: { type: String, default: null },
  description: { type: String, default: null },
  comments: { type: String, default: null },
  tags: [String],
  folder: { type: String, default: null },
  external_id: { type: String, default: null },
  origin: { type: String, default: 'user' },
  redirect_type: { type: Number, default: 302 },
  forward_query: { type: Boolean, default: true },
  crawlable: { type: Boolean, default: false },
  valid_since: { type: Date, default: null },
  valid_until: { type: Date, default: null },
  expired_url: { type: String, default: null },
  utm: { type: Mixed, default: null },
  blocked_at: { type: Date, default: null },
  block_reason: { type: String, default: null },
  version: { type: Number, default: 1 }
}, { collection: 'short-urls', timestamps, versionKey: false, minimize: false })

export const Link = mongoose.model('Link', linkSchema)
export type LinkDocument = InstanceType<typeof Link>

const clickSchema = new Schema({
  account_id: ObjectId,
  link_id: ObjectId,
  at: { type: Date, default: Date.now },
  user_agent: String,
  referrer: String,
  language: String
}, { collection: 'express-clicks', versionKey: false })

export const Click = mongoose.model('Click', clickSchema)

export const User = mongoose.model('User', new Schema({ account_id: ObjectId, status: String }, { collection: '_users', strict: true }))
export const Account = mongoose.model('Account', new Schema({ status: String, banned: Boolean }, { collection: '_accounts', strict: true }))
