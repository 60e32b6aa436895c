import mongoose from 'mongoose'
import type { LinkRow } from './dataset.js'

const { ObjectId } = mongoose.Types

const iso = (date: Date | null) => date === null ? null : date.toISOString()

/** The link as JSON, in the order of the published entity: what a floor sends and what Express must equal. */
export function toWire (row: LinkRow, shortUrl: string) {
  return {
    id: row._id.toHexString(),
    account_id: row.account_id.toHexString(),
    created_by: row.created_by.toHexString(),
    domain_id: row.domain_id,
    code: row.code,
    short_url: shortUrl + row.code,
    url: row.url,
    custom: row.custom,
    active: row.active,
    archived_at: iso(row.archived_at),
    visits: row.visits,
    unique_visits: row.unique_visits,
    bot_visits: row.bot_visits,
    last_visit_at: iso(row.last_visit_at),
    title: row.title,
    description: row.description,
    comments: row.comments,
    tags: row.tags,
    folder: row.folder,
    external_id: row.external_id,
    origin: row.origin,
    redirect_type: row.redirect_type,
    forward_query: row.forward_query,
    crawlable: row.crawlable,
    valid_since: iso(row.valid_since),
    valid_until: iso(row.valid_until),
    expired_url: row.expired_url,
    utm: row.utm,
    blocked_at: iso(row.blocked_at),
    block_reason: row.block_reason,
    version: row.version,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString()
  }
}

/** What is read of a row: everything but what never leaves the service. */
export const PROJECTION = { code_keys: 0, search_terms: 0 } as const
export const NEWEST_FIRST = { created_at: -1, _id: -1 } as const

type Position = Pick<LinkRow, '_id' | 'created_at'>

/** The service's cursor behind a row of the default sort. */
export const cursorAfter = ({ _id, created_at: at }: Position) =>
  Buffer.from(JSON.stringify({ s: '-created_at,-_id', v: [{ d: at.getTime() }, { o: _id.toHexString() }] })).toString('base64url')

/** The service's filter of a list, from the start or from a cursor. */
export function listFilter (accountId: string, cursor: string | undefined): object {
  const account = new ObjectId(accountId)
  if (cursor === undefined) return { account_id: account, archived_at: null }
  const { v: [{ d }, { o }] } = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as { v: [{ d: number }, { o: string }] }
  const [at, id] = [new Date(d), new ObjectId(o)]
  const beyond = {
    $or: [
      { $and: [{ $or: [{ created_at: { $lt: at } }, { created_at: null }] }] },
      { $and: [{ created_at: at }, { $or: [{ _id: { $lt: id } }, { _id: null }] }] }
    ]
  }
  return { account_id: account, $and: [{ archived_at: null }, beyond] }
}

interface Pagination { limit: number, page?: number, total?: number, totalPages?: number, next_cursor: string | null }

/** `total` is absent on the pages of a cursor. */
export function paginationOf (found: Position[], limit: number, total: number | undefined): Pagination {
  const last = found[limit - 1]
  const next = found.length > limit && last !== undefined ? cursorAfter(last) : null
  return total === undefined ? { limit, next_cursor: next } : { limit, page: 1, total, totalPages: Math.ceil(total / limit), next_cursor: next }
}
