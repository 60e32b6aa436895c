import type { Static } from '@sinclair/typebox'
import type { urlBulk } from '../../schemas/url.js'
import type { Actor } from '../kit.js'
import { runBulk, type BulkResult } from '../resource/bulk.js'
import type { LinksService } from './index.js'

type Body = Static<typeof urlBulk.body>

/** Rows of `POST /v1/url/bulk`: each is its own call of the service, with the same checks and events. */
export const createLinkBulk = (links: LinksService) => (actor: Actor, body: Body): Promise<BulkResult> => {
  switch (body.operation) {
    case 'create': return runBulk(body.items, async item => made(await links.create(actor, item)))
    case 'upsert': return runBulk(body.items, async item => made(await links.upsert(actor, item)))
    case 'update': return runBulk(body.items, async ({ id, ...change }) => ({ status: 'updated', id: hex(await links.update(actor, id, change)) }))
    case 'delete': return runBulk(body.items, async ({ id }) => ({ status: 'deleted', id: hex(await links.archive(actor, id)) }))
  }
}

type WithId = { _id: { toHexString (): string } }
const hex = (row: WithId): string => row._id.toHexString()
const made = ({ link, created }: { link: WithId, created: boolean }) => ({ status: created ? 'created' as const : 'updated' as const, id: hex(link) })
