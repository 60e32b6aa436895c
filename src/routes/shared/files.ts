import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { FileRow } from '../../models/shared.js'
import * as operations from '../../schemas/shared.js'
import { toFile } from '../../schemas/shared.js'
import { AuthError } from '../../services/auth/errors.js'
import { CommonError } from '../../services/kit.js'
import { bulkStatus } from '../../services/resource/bulk.js'
import { pickFields } from '../../services/resource/list.js'
import type { SharedService } from '../../services/shared/index.js'

const READ = { access: 'account', scopes: ['shared.files.read'] } as const
const CREATE = { access: 'account', scopes: ['shared.files.create'] } as const
const UPDATE = { access: 'account', scopes: ['shared.files.update'] } as const
const DELETE = { access: 'account', scopes: ['shared.files.delete'] } as const
const BULK = { access: 'account', scopes: ['shared.files.update', 'shared.files.delete'], limit: 'heavy' } as const
const FIELDS = new Set(Object.keys(operations.FileRecord.properties))
/** One byte more than the limit: whoever writes it counts, and refuses in its own words. */
const LIMITS = { fileSize: 26_214_401, files: 2, fields: 20, fieldSize: 1_024, parts: 22 }

export const files: FastifyPluginAsyncTypebox<{ shared: SharedService }> = async (app, { shared: { files } }) => {
  const toWire = (row: FileRow) => toFile({ ...row, public_url: files.publicUrl(row) })
  /** A transaction may run a handler again; the body of a request can be read only once. */
  const received = new WeakMap<FastifyRequest, ReturnType<typeof files.receive>>()
  const receive = (req: FastifyRequest) => {
    if (!req.isMultipart()) throw CommonError.UNSUPPORTED_MEDIA_TYPE()
    const known = received.get(req) ?? files.receive(req.actor, req.parts({ limits: LIMITS }))
    received.set(req, known)
    return known
  }
  await app.register(member)

  async function member (scope: typeof app) {
    scope.post('/uploads', { schema: operations.startUpload, config: CREATE }, async (req, reply) => {
      const { file, upload } = await files.start(req.actor, req.body)
      reply.code(201).header('location', `/v1/shared/files/${file._id.toHexString()}`)
      return { data: { file: toWire(file), upload }, message: 'Send the bytes now.' } as never
    })
    scope.post('/:id/complete', { schema: operations.completeUpload, config: CREATE }, async req => ({ data: toWire(await files.complete(req.actor, req.params.id)), message: 'File ready.' }))
    scope.post('/', { schema: operations.uploadFile, config: CREATE }, async (req, reply) => {
      const row = await files.keep(req.actor, await receive(req))
      reply.code(201).header('location', `/v1/shared/files/${row._id.toHexString()}`)
      return { data: toWire(row), message: 'File ready.' }
    })
    for (const [path, schema] of [['/', operations.listFiles], ['/search', operations.searchFiles]] as const) {
      scope.get(path, { schema, config: READ }, async req => {
        const { rows, pagination } = await files.list(req.actor, req.query)
        return { data: pickFields(rows.map(toWire), req.query.fields, FIELDS), pagination }
      })
    }
    scope.get('/usage', { schema: operations.fileUsage, config: READ }, async req => ({ data: await files.usageOf(req.actor) }))
    scope.get('/:id', { schema: operations.getFile, config: READ }, async req => ({ data: toWire(await files.get(req.actor, req.params.id)) }))
    scope.put('/:id', { schema: operations.updateFile, config: UPDATE }, async req => ({ data: toWire(await files.update(req.actor, req.params.id, req.body)), message: 'File updated.' }))
    scope.delete('/:id', { schema: operations.deleteFile, config: DELETE }, async req => {
      const force = req.query.force === true
      if (force && !req.actor.permissions.has('admin')) throw AuthError.PERMISSION_DENIED()
      return { data: toWire(await files.remove(req.actor, req.params.id, force)), message: 'File deleted.' }
    })
    scope.put('/:id/restore', { schema: operations.restoreFile, config: DELETE }, async req => ({ data: toWire(await files.restore(req.actor, req.params.id)), message: 'File restored.' }))
    scope.post('/bulk', { schema: operations.bulkFiles, config: BULK }, async (req, reply) => {
      if (!req.actor.can(req.body.operation === 'update' ? 'shared.files.update' : 'shared.files.delete', 'POST')) throw AuthError.SCOPE_REQUIRED()
      const result = await files.bulk(req.actor, req.body)
      reply.code(bulkStatus(result))
      return { data: result, message: `${result.counts.succeeded} of ${result.counts.total} rows done.` }
    })
    scope.get('/:id/download', { schema: operations.downloadFile, config: { ...READ, raw: true } }, async (req, reply) => {
      const { url } = await files.download(req.actor, req.params.id, req.query.inline === true)
      return reply.header('cache-control', 'no-store').redirect(url, 302) as never
    })
    scope.post('/:id/link', { schema: operations.createFileLink, config: { ...READ, reads: true } }, async req => ({ data: await files.share(req.actor, req.params.id, req.body.expires_in) }))
  }
}
