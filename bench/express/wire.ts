import type { Request } from 'express'
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
    url: link.url,
    short_url: SHORT_URL + link.code,
    custom: link.custom,
    active: link.active,
    created_at: link.created_at,
    updated_at: link.updated_at
  }
}

const meta = (req: Request) => ({ timestamp: new Date(), version: 'v1', request_id: req.id })

export const envelope = (req: Request, data: object) => ({ success: true, data, meta: meta(req) })

export const page = (req: Request, data: object[], limit: number, more: boolean) => ({ success: true, data, pagination: { limit, more }, meta: meta(req) })
