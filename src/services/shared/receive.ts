import { Readable } from 'node:stream'
import type { MultipartFile } from '@fastify/multipart'
import { UPLOAD_PURPOSES } from '../../schemas/shared.js'
import { CommonError, type Actor } from '../kit.js'
import type { StorageProvider } from '../storage/index.js'
import { SharedError } from './errors.js'
import { HEAD_BYTES, type FilesService } from './files.js'
import { judgeBytes, maxBytesOf, mayBePublic } from './purposes.js'
import type { StorageUsage } from './usage.js'

type Fields = { purpose?: string, folder_id?: string, name?: string, visibility?: string }
type Part = MultipartFile | { type: 'field', fieldname: string, value: unknown }
export type Received = Awaited<ReturnType<FilesService['draft']>>

/** Of one multipart file. */
export const MULTIPART_MAX = 26_214_400

const isPurpose = (text: string | undefined): text is typeof UPLOAD_PURPOSES[number] => UPLOAD_PURPOSES.includes(text as 'avatar')
const malformed = (path: string, message: string, code = 'malformed') => CommonError.VALIDATION_FAILED().with({ errors: [{ path: `body.${path}`, message, code }] })

/** Takes one multipart file to storage without holding it: judged by its first bytes before any of it is stored, cut at the limit of its purpose. */
export function createReceiver (storage: StorageProvider, files: Pick<FilesService, 'draft'>, usage: Pick<StorageUsage, 'check'>) {
  /** @throws VALIDATION_FAILED, FILE_TOO_LARGE, FILE_TYPE_NOT_ALLOWED, STORAGE_QUOTA_EXCEEDED */
  async function receive (actor: Actor, parts: AsyncIterable<Part>): Promise<Received> {
    const fields: Fields = {}
    let stored: Received | null = null
    try {
      for await (const part of parts) {
        if (part.type === 'field') readField(fields, part, stored !== null)
        else if (stored !== null) throw malformed('file', 'only one file at a time', 'maxItems')
        else stored = await take(actor, fields, part)
      }
    } catch (error) {
      if (stored !== null) await storage.remove(stored.key)
      throw error
    }
    if (stored === null) throw malformed('file', 'is missing', 'required')
    return stored
  }

  function readField (fields: Fields, { fieldname, value }: { fieldname: string, value: unknown }, late: boolean): void {
    if (!(fieldname in { purpose: 1, folder_id: 1, name: 1, visibility: 1 }) || typeof value !== 'string') throw malformed(fieldname, 'is not expected', 'additionalProperties')
    if (late) throw malformed(fieldname, 'must come before the file')
    fields[fieldname as keyof Fields] = value
  }

  async function take (actor: Actor, fields: Fields, part: MultipartFile): Promise<Received> {
    const { purpose, visibility = 'private', name = part.filename, folder_id: folderId } = fields
    if (!isPurpose(purpose)) throw malformed('purpose', 'must come before the file and name a purpose', 'enum')
    if (visibility !== 'private' && visibility !== 'public') throw malformed('visibility', 'must be private or public', 'enum')
    if (folderId !== undefined && !/^[0-9a-f]{24}$/.test(folderId)) throw malformed('folder_id', 'is not an id', 'pattern')
    if (visibility === 'public' && !mayBePublic(purpose)) throw SharedError.FILE_TYPE_NOT_ALLOWED().with({ info: 'Files of this purpose are private.' })
    const maxBytes = Math.min(maxBytesOf(purpose), MULTIPART_MAX)
    const { head, rest } = await peek(part.file)
    if (head.length === 0) throw malformed('file', 'is empty', 'minLength')
    const judged = judgeBytes(purpose, head, null)
    const type = judged.type === 'text/plain' && /\.csv$/i.test(part.filename) ? 'text/csv' : judged.type
    await usage.check(actor.accountId, head.length)
    const row = await files.draft(actor, { purpose, visibility, name, folder_id: folderId, type, kind: judged.kind, size: 0, checksum: null })
    const { size, sha256 } = await storage.write(row.key, rest, { contentType: type, maxBytes })
    return { ...row, status: 'ready', size, checksum_sha256: sha256, width: judged.width, height: judged.height }
  }

  return receive
}

/** The beginning of a stream, and a stream of all of it. */
async function peek (source: Readable): Promise<{ head: Buffer, rest: Readable }> {
  const iterator = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const chunks: Buffer[] = []
  let length = 0
  while (length < HEAD_BYTES) {
    const { done, value } = await iterator.next()
    if (done === true) break
    chunks.push(value)
    length += value.length
  }
  async function * all () {
    yield * chunks
    for (;;) {
      const { done, value } = await iterator.next()
      if (done === true) return
      yield value
    }
  }
  return { head: Buffer.concat(chunks), rest: Readable.from(all(), { objectMode: false }) }
}
