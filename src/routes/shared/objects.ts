import type { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import * as operations from '../../schemas/shared.js'
import { SharedError } from '../../services/shared/errors.js'
import type { SharedService } from '../../services/shared/index.js'
import { mayBeShown } from '../../services/shared/purposes.js'
import { dispositionOf, rangeOf, type ObjectBody } from '../../services/storage/index.js'

const SIGNED = { access: 'signature', disableLog: true } as const
/** No script runs on the service's origin, whatever is in a file. */
const SANDBOX = { 'content-security-policy': 'sandbox', 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'cross-origin', 'accept-ranges': 'bytes' }

/** Signed addresses of the folder, and public files. */
export const objects: FastifyPluginAsyncTypebox<{ shared: SharedService }> = async (app, { shared: { files, storage } }) => {
  await app.register(signed)
  await app.register(anyone)

  function terms (method: 'PUT' | 'GET', key: string, query: Readonly<Record<string, unknown>>) {
    const verdict = storage.verifyUrl?.(method, key, query)
    if (verdict === undefined || !verdict.ok) throw SharedError.SIGNATURE_INVALID()
    return verdict.terms
  }

  /** @throws RANGE_NOT_SATISFIABLE */
  async function object (key: string, header: string | undefined): Promise<ObjectBody | null> {
    const about = await storage.head(key)
    if (about === null) return null
    const range = rangeOf(header, about.size)
    return storage.read(key, range === null ? undefined : range === 'unsatisfiable' ? { start: about.size } : range)
  }

  function send (reply: FastifyReply, { body, range, length, size, etag }: ObjectBody, type: string, disposition: string) {
    if (range !== null) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${size}`)
    return reply.headers({ ...SANDBOX, 'content-type': type, 'content-length': String(length), 'content-disposition': disposition, etag }).send(body)
  }

  async function signed (scope: typeof app) {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_req, body, done) => { done(null, body) })

    scope.put('/storage/:key', { schema: operations.putObject, config: SIGNED }, async req => {
      const { key } = req.params
      const { size = 0, type = '', sha256 } = terms('PUT', key, req.query)
      const declared = req.headers['content-length']
      if (req.headers['content-type'] !== type || !await files.awaits(key)) throw SharedError.SIGNATURE_INVALID()
      if (declared !== undefined && Number(declared) > size) throw SharedError.FILE_TOO_LARGE()
      const body = req.body as unknown as Readable | undefined
      if (body === undefined || body === null) throw SharedError.UPLOAD_MISSING()
      const written = await storage.write(key, body, { contentType: type, maxBytes: size })
      if (written.size === size && (sha256 === undefined || written.sha256 === sha256)) return { data: { size, checksum_sha256: written.sha256 } }
      await storage.remove(key)
      throw SharedError.FILE_MISMATCH()
    })

    scope.get('/storage/:key', { schema: operations.getObject, config: { ...SIGNED, raw: true } }, async (req, reply) => {
      const { key } = req.params
      const { type, disposition = 'attachment' } = terms('GET', key, req.query)
      const found = await object(key, req.headers.range)
      if (found === null) throw SharedError.FILE_NOT_FOUND()
      reply.header('cache-control', 'private, no-store')
      return send(reply, found, type ?? 'application/octet-stream', disposition) as never
    })
  }

  async function anyone (scope: typeof app) {
    scope.get('/public-files/:id/:name', { schema: operations.getPublicFile, config: { access: 'public', limit: 'page', raw: true } }, async (req, reply) => {
      const row = await files.publicFile(req.params.id)
      const etag = `"${row.checksum_sha256 ?? row._id.toHexString()}"`
      reply.headers({ ...SANDBOX, etag, 'cache-control': 'public, max-age=31536000, immutable' })
      if (req.headers['if-none-match'] === etag) return reply.code(304).send(null) as never
      const found = await object(row.key, req.headers.range)
      if (found === null) throw SharedError.FILE_NOT_FOUND()
      return send(reply, { ...found, etag }, row.mime_type, dispositionOf(row.name, mayBeShown(row.mime_type))) as never
    })
  }
}
