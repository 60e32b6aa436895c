import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Platform } from '../../services/platform.js'
import type { LinkRow } from '../../models/url.js'
import * as operations from '../../schemas/url.js'
import { toLink } from '../../schemas/url.js'
import { CommonError } from '../../services/kit.js'
import { AuthError } from '../../services/auth/errors.js'
import { bulkStatus } from '../../services/resource/bulk.js'
import { exportHeaders, exportStream } from '../../services/resource/export.js'
import { pickFields } from '../../services/resource/list.js'
import { createLinkBulk } from '../../services/links/bulk.js'
import type { LinkImport } from '../../services/links/import.js'
import { shortUrlBase, type LinksService } from '../../services/links/index.js'
import { importInput } from '../import-input.js'

type Options = { platform: Platform, links: LinksService, linkImport: LinkImport }

const READ = { access: 'account', scopes: ['url.links'] } as const
const WRITE = { access: 'account', scopes: ['url.links'] } as const
const HEAVY_WRITE = { ...WRITE, limit: 'heavy' } as const
const FIELDS = new Set(Object.keys(operations.Link.properties))
const COLUMNS = Object.keys(operations.Link.properties)

export const url: FastifyPluginAsyncTypebox<Options> = async (app, { platform, links, linkImport }) => {
  const base = shortUrlBase(platform.config)
  const bulk = createLinkBulk(links)
  const toWire = (row: LinkRow) => toLink({ ...row, short_url: `${base}/${row.code}` })
  await app.register(member)

  async function member (scope: typeof app) {
    scope.get('/', { schema: operations.urlList, config: READ }, async req => {
      const { rows, pagination } = await links.list(req.actor, req.query)
      return { data: pickFields(rows.map(toWire), req.query.fields, FIELDS), pagination }
    })

    scope.get('/search', { schema: operations.urlSearch, config: READ }, async req => {
      const { rows, pagination } = await links.list(req.actor, req.query)
      return { data: pickFields(rows.map(toWire), req.query.fields, FIELDS), pagination }
    })

    scope.get('/export', { schema: operations.urlExport, config: { ...READ, limit: 'heavy', raw: true } }, async (req, reply) => {
      const { format = 'csv', ...filters } = req.query
      return reply.headers(exportHeaders('links', format, platform.clock.now()))
        .send(exportStream(mapAsync(links.stream(req.actor, filters), toWire), format, COLUMNS))
    })

    scope.get('/lookup', { schema: operations.urlLookup, config: READ }, async req => ({ data: toWire(await links.lookup(req.actor, req.query)) }))

    scope.get('/tags', { schema: operations.urlTags, config: READ }, async req => ({ data: await links.tags(req.actor) }))

    scope.get('/:id', { schema: operations.urlGet, config: READ }, async req => ({ data: toWire(await links.get(req.actor, req.params.id)) }))

    scope.post('/', { schema: operations.urlCreate, config: WRITE }, async (req, reply) => {
      const { link, created } = await links.create(req.actor, req.body)
      reply.code(created ? 201 : 200).header('location', `/v1/url/${link._id.toHexString()}`)
      return { data: toWire(link), message: created ? 'Link created.' : 'There was one already.' }
    })

    scope.put('/:id', { schema: operations.urlUpdate, config: WRITE }, async req => ({
      data: toWire(await links.update(req.actor, req.params.id, req.body, req.query.version)),
      message: 'Link updated.'
    }))

    scope.delete('/:id', { schema: operations.urlDelete, config: WRITE }, async req => {
      const permanent = req.query.permanent === true
      if (permanent && !req.actor.permissions.has('admin')) throw AuthError.PERMISSION_DENIED()
      return {
        data: toWire(await (permanent ? links.erase : links.archive)(req.actor, req.params.id)),
        message: permanent ? 'Link deleted.' : 'Link archived.'
      }
    })

    scope.post('/bulk', { schema: operations.urlBulk, config: HEAVY_WRITE }, async (req, reply) => {
      const result = await bulk(req.actor, req.body)
      reply.code(bulkStatus(result))
      return { data: result, message: `${result.counts.succeeded} of ${result.counts.total} rows done.` }
    })

    scope.post('/import', { schema: operations.urlImport, config: HEAVY_WRITE }, async (req, reply) => {
      const input = await importInput(req)
      if (input === null) throw CommonError.UNSUPPORTED_MEDIA_TYPE()
      const jobId = await linkImport.start(req.actor, input)
      reply.code(202).header('location', `/v1/shared/jobs/${jobId}`)
      return { data: { job_id: jobId, status: 'pending' as const, status_url: `/v1/shared/jobs/${jobId}` }, message: 'Import started.' }
    })
  }
}

async function * mapAsync<T, U> (items: AsyncIterable<T>, map: (item: T) => U): AsyncGenerator<U> {
  for await (const item of items) yield map(item)
}
