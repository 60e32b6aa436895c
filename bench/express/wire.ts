import type { Request } from 'express'
import { paginationOf } from '../link.js'
import type { LinkDocument } from './models.js'

const { SHORT_URL = '' } = process.env

/** The hydrated document as the published entity, in its order. */
export function toJson (link: LinkDocument) {
  return {
    id: link.id,
    account_id: link.account_id,
    created_by: link.created_by,
    domain_id: link.domain_id,
    code: link.code,
    short_url: SHORT_URL + link.code,
    url: link.url,
    custom: link.custom,
    active: link.active,
    archived_at: link.archived_at,
    visits: link.visits,
    unique_visits: link.unique_visits,
    bot_visits: link.bot_visits,
    last_visit_at: link.last_visit_at,
    title: link.title,
    description: link.description,
    comments: link.comments,
    tags: link.tags,
    folder: link.folder,
    external_id: link.external_id,
    origin: link.origin,
    redirect_type: link.redirect_type,
    forward_query: link.forward_query,
    crawlable: link.crawlable,
    valid_since: link.valid_since,
    valid_until: link.valid_until,
    expired_url: link.expired_url,
    utm: link.utm,
    blocked_at: link.blocked_at,
    block_reason: link.block_reason,
    version: link.version,
    created_at: link.created_at,
    updated_at: link.updated_at
  }
}

const meta = (req: Request) => ({ timestamp: new Date(), version: 'v1', request_id: req.id })

export const envelope = (req: Request, data: object) => ({ success: true, data, meta: meta(req) })

export const page = (req: Request, found: LinkDocument[], limit: number, total: number | undefined) => ({
  success: true, data: found.slice(0, limit).map(toJson), pagination: paginationOf(found, limit, total), meta: meta(req)
})
