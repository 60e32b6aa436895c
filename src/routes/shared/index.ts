import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import * as operations from '../../schemas/shared.js'
import * as tagOperations from '../../schemas/shared-tags.js'
import { toFolder, toJobRowError } from '../../schemas/shared.js'
import { toSharedTag } from '../../schemas/shared-tags.js'
import type { Platform } from '../../services/platform.js'
import { AuthError } from '../../services/auth/errors.js'
import { bulkStatus } from '../../services/resource/bulk.js'
import { exportHeaders, exportStream } from '../../services/resource/export.js'
import { pickFields } from '../../services/resource/list.js'
import type { SharedService } from '../../services/shared/index.js'
import { createLookups } from '../../services/shared/lookups.js'
import { files } from './files.js'
import { lookups } from './lookups.js'
import { objects } from './objects.js'

type Options = { platform: Platform, shared: SharedService }
const scoped = (scope: string) => ({ access: 'account', scopes: [scope] } as const)
const JOBS_READ = scoped('shared.jobs.read')
const JOBS_UPDATE = scoped('shared.jobs.update')
const FOLDER_FIELDS = new Set(Object.keys(operations.Folder.properties))
const TAG_FIELDS = new Set(Object.keys(tagOperations.SharedTag.properties))
const TAG_VERBS = { create: 'shared.tags.create', update: 'shared.tags.update', delete: 'shared.tags.delete' } as const

export const shared: FastifyPluginAsyncTypebox<Options> = async (app, { platform, shared }) => {
  await app.register(files, { prefix: '/files', shared })
  await app.register(objects, { shared })
  await app.register(lookups, { lookups: createLookups(platform.clock), shared })
  await app.register(folders, { prefix: '/folders' })
  await app.register(jobs, { prefix: '/jobs' })
  await app.register(tags, { prefix: '/tags' })

  async function folders (scope: typeof app) {
    const { folders } = shared
    scope.get('/', { schema: operations.listFolders, config: scoped('shared.folders.read') }, async req => {
      const { rows, pagination } = await folders.list(req.actor, req.query)
      return { data: pickFields(rows.map(toFolder), req.query.fields, FOLDER_FIELDS), pagination }
    })
    scope.post('/', { schema: operations.createFolder, config: scoped('shared.folders.create') }, async (req, reply) => {
      const row = await folders.create(req.actor, req.body)
      reply.code(201).header('location', `/v1/shared/folders/${row._id.toHexString()}`)
      return { data: toFolder(row), message: 'Folder created.' }
    })
    scope.get('/:id', { schema: operations.getFolder, config: scoped('shared.folders.read') }, async req => ({ data: toFolder(await folders.get(req.actor, req.params.id)) }))
    scope.put('/:id', { schema: operations.updateFolder, config: scoped('shared.folders.update') }, async req => ({
      data: toFolder(await folders.update(req.actor, req.params.id, req.body)), message: 'Folder updated.'
    }))
    scope.delete('/:id', { schema: operations.deleteFolder, config: scoped('shared.folders.delete') }, async req => ({
      data: toFolder(await folders.remove(req.actor, req.params.id, req.query.move_to)), message: 'Folder deleted.'
    }))
  }

  async function jobs (scope: typeof app) {
    const { jobs } = shared
    scope.get('/', { schema: operations.listJobs, config: JOBS_READ }, async req => {
      const { rows, pagination } = await jobs.list(req.actor, req.query)
      return { data: rows, pagination }
    })
    scope.get('/:id', { schema: operations.getJob, config: JOBS_READ }, async req => ({ data: await jobs.get(req.actor, req.params.id) }))
    scope.get('/:id/errors', { schema: operations.listJobErrors, config: JOBS_READ }, async (req, reply) => {
      const { format, ...page } = req.query
      if (format === 'csv') {
        const { columns, rows } = await jobs.failureTable(req.actor, req.params.id)
        reply.headers(exportHeaders('errors', 'csv', platform.clock.now()))
        return reply.send(exportStream(rows, 'csv', columns) as never) as never
      }
      const { rows, pagination } = await jobs.failures(req.actor, req.params.id, page)
      return { data: rows.map(toJobRowError), pagination } as never
    })
    scope.post('/:id/cancel', { schema: operations.cancelJob, config: JOBS_UPDATE }, async req => ({ data: await jobs.cancel(req.actor, req.params.id), message: 'Job cancelled.' }))
    scope.post('/:id/retry', { schema: operations.retryJob, config: JOBS_UPDATE }, async (req, reply) => {
      const data = await jobs.retry(req.actor, req.params.id)
      reply.code(202)
      return { data, message: 'The job goes on.' }
    })
  }

  async function tags (scope: typeof app) {
    const { tags } = shared
    scope.get('/', { schema: tagOperations.listSharedTags, config: scoped('shared.tags.read') }, async req => {
      const { rows, pagination } = await tags.list(req.actor, req.query)
      return { data: pickFields(rows.map(toSharedTag), req.query.fields, TAG_FIELDS), pagination }
    })
    scope.get('/:id', { schema: tagOperations.getSharedTag, config: scoped('shared.tags.read') }, async req => ({ data: toSharedTag(await tags.get(req.actor, req.params.id)) }))
    scope.post('/', { schema: tagOperations.createSharedTag, config: scoped('shared.tags.create') }, async (req, reply) => {
      const row = await tags.create(req.actor, req.body)
      reply.code(201).header('location', `/v1/shared/tags/${row._id.toHexString()}`)
      return { data: toSharedTag(row), message: 'Tag created.' }
    })
    scope.put('/:id', { schema: tagOperations.updateSharedTag, config: scoped('shared.tags.update') }, async req => ({
      data: toSharedTag(await tags.update(req.actor, req.params.id, req.body)), message: 'Tag updated.'
    }))
    scope.delete('/:id', { schema: tagOperations.deleteSharedTag, config: scoped('shared.tags.delete') }, async req => ({
      data: toSharedTag(await tags.remove(req.actor, req.params.id)), message: 'Tag deleted.'
    }))
    scope.post('/bulk', { schema: tagOperations.bulkSharedTags, config: { access: 'account', scopes: Object.values(TAG_VERBS), limit: 'heavy' } }, async (req, reply) => {
      if (!req.actor.can(TAG_VERBS[req.body.operation], 'POST')) throw AuthError.SCOPE_REQUIRED()
      const result = await tags.bulk(req.actor, req.body)
      reply.code(bulkStatus(result))
      return { data: result, message: `${result.counts.succeeded} of ${result.counts.total} rows done.` }
    })
    scope.post('/merge', { schema: tagOperations.mergeSharedTags, config: scoped('shared.tags.update') }, async req => ({
      data: toSharedTag(await tags.merge(req.actor, req.body)), message: 'Tags merged.'
    }))
  }
}
