import type { LinkRow } from './dataset.js'

/** The link as JSON, in the order of the published entity; what a floor sends and what Express must equal. */
export function toWire (row: LinkRow, shortUrl: string) {
  return {
    id: row._id.toHexString(),
    account_id: row.account_id.toHexString(),
    created_by: row.created_by.toHexString(),
    domain_id: row.domain_id,
    code: row.code,
    url: row.url,
    short_url: shortUrl + row.code,
    custom: row.custom,
    active: row.active,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString()
  }
}

/** What is read of a row: everything but what never leaves the service. */
export const PROJECTION = { code_keys: 0, used: 0, password_hash: 0 } as const
export const NEWEST_FIRST = { created_at: -1, _id: -1 } as const
export const FILTER = { archived_at: null } as const
