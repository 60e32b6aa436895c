import { Types, type ClientSession } from 'mongoose'
import type { FileModel, FileRow, FolderModel } from '../../models/shared.js'
import type { FileChange, FileQuery, NewUpload } from '../../schemas/shared.js'
import { compileQ, searchTerms } from '../filters/terms.js'
import { CommonError, type Actor } from '../kit.js'
import type { Platform } from '../platform.js'
import { createLister } from '../resource/list.js'
import type { StorageProvider } from '../storage/index.js'
import { SharedError } from './errors.js'
import { checkDeclared, judgeBytes, keyName, mayBeShown, safeName } from './purposes.js'
import type { SharedTagsService } from './tags.js'
import type { StorageUsage } from './usage.js'

export type FileDeps = { platform: Platform, files: FileModel, folders: FolderModel, storage: StorageProvider, usage: StorageUsage, tags: Pick<SharedTagsService, 'count' | 'known'> }

export const HIDDEN = { bucket: 0, purge_at: 0, search_terms: 0 } as const
const UPLOAD_SECONDS = 900
const DOWNLOAD_SECONDS = 300
const KEPT_MS = 30 * 86_400_000
export const HEAD_BYTES = 262_144

/** The part of a key under which an upload arrives: what is ready lies elsewhere, so that an address that is still good changes nothing. */
export const incomingKey = (key: string): string => key.slice(0, key.lastIndexOf('/')) + '/incoming'

export function createFilesService ({ platform, files, folders, storage, usage, tags }: FileDeps) {
  const { clock, ids, transactions, events, outbox, config } = platform
  const lister = createLister<FileRow>({ model: files as never, sortable: { created_at: 'created_at', name: 'name', size: 'size' }, defaultSort: '-created_at', projection: HIDDEN })
  const account = (actor: Actor) => new Types.ObjectId(actor.accountId)

  const list = (actor: Actor, { page, limit, cursor, sort, fields: _fields, ...query }: FileQuery) =>
    lister.list(toFilter(actor, query), { ...(page !== undefined && { page }), ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }), ...(sort !== undefined && { sort }) })

  function toFilter (actor: Actor, { q, deleted = false, folder_id: folder, created_by: creator, tag, ...same }: Partial<FileQuery>): Record<string, unknown> {
    return {
      account_id: account(actor),
      deleted_at: deleted ? { $ne: null } : null,
      ...same,
      ...(folder !== undefined && { folder_id: new Types.ObjectId(folder) }),
      ...(creator !== undefined && { created_by: new Types.ObjectId(creator) }),
      ...(tag !== undefined && { tags: new Types.ObjectId(tag) }),
      ...(q !== undefined && { $and: compileQ(q) })
    }
  }

  /** @throws FILE_NOT_FOUND, also for another account's file and, unless `deleted`, for a deleted one */
  async function get (actor: Actor, id: string, { deleted = false }: { deleted?: boolean } = {}): Promise<FileRow> {
    const row = await files.findOne({ account_id: account(actor), _id: new Types.ObjectId(id), ...(deleted ? {} : { deleted_at: null }) }).lean()
    if (row === null) throw SharedError.FILE_NOT_FOUND()
    return row as unknown as FileRow
  }

  /** @throws FILE_NOT_FOUND, FILE_NOT_READY */
  async function ready (actor: Actor, id: string): Promise<FileRow> {
    const row = await get(actor, id)
    if (row.status !== 'ready') throw SharedError.FILE_NOT_READY()
    return row
  }

  async function checkFolder (actor: Actor, id: string | null | undefined): Promise<Types.ObjectId | null> {
    if (id === null || id === undefined) return null
    const folder = await folders.exists({ account_id: account(actor), _id: new Types.ObjectId(id) })
    if (folder === null) throw CommonError.INVALID_REFERENCE('folder_id')
    return new Types.ObjectId(id)
  }

  const event = (type: string, actor: Actor | 'system', row: Pick<FileRow, '_id' | 'account_id' | 'name' | 'purpose' | 'size'>, session: ClientSession) => events.emit({
    type, actor, accountId: row.account_id.toHexString(), resource: { type: 'file', id: row._id.toHexString() }, data: { name: row.name, purpose: row.purpose, size: row.size }
  }, session)

  // ---------------------------------------------------------------- uploads

  type Draft = { purpose: FileRow['purpose'] } & Pick<NewUpload, 'visibility' | 'folder_id' | 'name'> & { type: string, kind: FileRow['kind'], size: number, checksum: string | null }

  async function draft (actor: Actor, input: Draft, id = ids.objectId()) {
    const now = clock.now()
    const name = safeName(input.name)
    const month = String(now.getUTCMonth() + 1).padStart(2, '0')
    return {
      _id: id,
      account_id: account(actor),
      created_by: new Types.ObjectId(actor.userId),
      name,
      mime_type: input.type,
      kind: input.kind,
      size: input.size,
      checksum_sha256: input.checksum,
      purpose: input.purpose,
      visibility: input.visibility ?? 'private' as const,
      status: 'uploading' as FileRow['status'],
      storage: storage.kind,
      bucket: storage.bucket,
      key: `${actor.accountId}/${now.getUTCFullYear()}/${month}/${id.toHexString()}/${keyName(name)}`,
      width: null as number | null,
      height: null as number | null,
      alt: null,
      tags: [] as Types.ObjectId[],
      folder_id: await checkFolder(actor, input.folder_id),
      refs: [],
      reject_reason: null,
      deleted_at: null,
      purge_at: null,
      search_terms: searchTerms({ name }),
      created_at: now,
      updated_at: now
    }
  }

  /** @throws FILE_TOO_LARGE, FILE_TYPE_NOT_ALLOWED, STORAGE_QUOTA_EXCEEDED, INVALID_REFERENCE */
  async function start (actor: Actor, input: NewUpload) {
    const { type, kind } = checkDeclared(input.purpose, input.mime_type, input.size, input.visibility ?? 'private')
    const row = await draft(actor, { ...input, type, kind, checksum: input.checksum_sha256 ?? null })
    const signed = await storage.presignPut({
      key: incomingKey(row.key), contentType: type, size: input.size, expiresIn: UPLOAD_SECONDS, ...(input.checksum_sha256 !== undefined && { sha256: input.checksum_sha256 })
    })
    await usage.ensure(actor.accountId)
    await transactions.run(async session => {
      await usage.reserve(actor.accountId, input.size, session)
      await files.create([row], { session })
    })
    return { file: row as unknown as FileRow, upload: { method: signed.method, url: signed.url, headers: signed.headers, expires_at: signed.expiresAt.toISOString() } }
  }

  async function readHead (key: string, size: number): Promise<Buffer> {
    const object = await storage.read(key, { start: 0, end: Math.min(HEAD_BYTES, size) - 1 })
    if (object === null) return Buffer.alloc(0)
    const chunks: Buffer[] = []
    for await (const chunk of object.body as AsyncIterable<Buffer>) chunks.push(chunk)
    return Buffer.concat(chunks)
  }

  /**
   * The bytes are taken to their own key first, then judged: nobody can change them after.
   * @throws FILE_NOT_FOUND, UPLOAD_MISSING, FILE_MISMATCH, FILE_TYPE_NOT_ALLOWED
   */
  async function complete (actor: Actor, id: string): Promise<FileRow> {
    const row = await get(actor, id)
    if (row.status === 'ready') return row
    if (row.status === 'rejected') throw SharedError.FILE_MISMATCH().with({ ...(row.reject_reason !== null && { info: row.reject_reason }) })
    if (!await storage.copy(incomingKey(row.key), row.key)) throw SharedError.UPLOAD_MISSING()
    try {
      const seen = await judge(row)
      return await settle(actor, row, seen)
    } catch (error) {
      if ((error as { status?: number }).status === 422 || (error as { status?: number }).status === 415) await reject(actor, row, error as Error)
      throw error
    }
  }

  async function judge (row: FileRow) {
    const head = await storage.head(row.key)
    if (head === null) throw SharedError.UPLOAD_MISSING()
    if (head.size !== row.size) throw SharedError.FILE_MISMATCH().with({ info: 'The size differs.' })
    if (row.checksum_sha256 !== null && head.sha256 !== null && head.sha256 !== row.checksum_sha256) throw SharedError.FILE_MISMATCH().with({ info: 'The checksum differs.' })
    return { ...judgeBytes(row.purpose, await readHead(row.key, head.size), row.mime_type), sha256: row.checksum_sha256 ?? head.sha256 }
  }

  async function settle (actor: Actor, row: FileRow, seen: Awaited<ReturnType<typeof judge>>): Promise<FileRow> {
    const done = await transactions.run(async session => {
      const after = await files.findOneAndUpdate(
        { account_id: row.account_id, _id: row._id, status: 'uploading' },
        { $set: { status: 'ready', mime_type: seen.type, kind: seen.kind, width: seen.width, height: seen.height, checksum_sha256: seen.sha256, updated_at: clock.now() } },
        { session, returnDocument: 'after' }
      ).lean()
      if (after === null) return null
      await announce(actor, after as unknown as FileRow, session)
      return after as unknown as FileRow
    })
    await storage.remove(incomingKey(row.key))
    return done ?? get(actor, row._id.toHexString())
  }

  async function announce (actor: Actor, row: FileRow, session: ClientSession): Promise<void> {
    await event('file.uploaded', actor, row, session)
    await outbox.add([{
      topic: 'socket',
      key: actor.accountId,
      accountId: actor.accountId,
      dedupeId: `file_ready:${row._id.toHexString()}`,
      expiresAt: new Date(clock.now().getTime() + 3_600_000),
      payload: { event: 'file_ready', accountId: actor.accountId, userIds: [actor.userId], data: { id: row._id.toHexString(), name: row.name } }
    }], session)
  }

  async function reject (actor: Actor | 'system', row: FileRow, error: Error): Promise<void> {
    await storage.remove(row.key)
    await storage.remove(incomingKey(row.key))
    await transactions.run(async session => {
      const { matchedCount } = await files.updateOne(
        { account_id: row.account_id, _id: row._id, status: 'uploading' }, { $set: { status: 'rejected', reject_reason: error.message, updated_at: clock.now() } }, { session }
      )
      if (matchedCount === 0) return
      await usage.giveBack(row.account_id, row.size, session)
      await event('file.rejected', actor, row, session)
    })
  }

  /** Puts a row beside bytes that are stored and judged already. @throws STORAGE_QUOTA_EXCEEDED */
  async function insertReady (actor: Actor, row: Awaited<ReturnType<typeof draft>>): Promise<FileRow> {
    await usage.ensure(actor.accountId)
    await transactions.run(async session => {
      await usage.reserve(actor.accountId, row.size, session)
      await files.create([row], { session })
      await announce(actor, row as unknown as FileRow, session)
    })
    return row as unknown as FileRow
  }

  // ---------------------------------------------------------------- changes

  /** @throws FILE_NOT_FOUND, INVALID_REFERENCE */
  async function update (actor: Actor, id: string, change: FileChange): Promise<FileRow> {
    const before = await get(actor, id)
    const next = {
      ...(change.name !== undefined && { name: safeName(change.name), search_terms: searchTerms({ name: safeName(change.name) }) }),
      ...(change.alt !== undefined && { alt: change.alt }),
      ...(change.folder_id !== undefined && { folder_id: await checkFolder(actor, change.folder_id) }),
      ...(change.tags !== undefined && { tags: await tags.known(actor, 'file', change.tags) })
    }
    return transactions.run(async session => {
      const after = await files.findOneAndUpdate(
        { account_id: before.account_id, _id: before._id, deleted_at: null }, { $set: { ...next, updated_at: clock.now() } as never }, { session, returnDocument: 'after' }
      ).lean() as unknown as FileRow | null
      if (after === null) throw SharedError.FILE_NOT_FOUND()
      if (next.tags !== undefined) await tags.count(before.account_id, before.tags, next.tags, session)
      await event('file.updated', actor, after, session)
      return after
    })
  }

  /** @throws FILE_NOT_FOUND, FILE_IN_USE with its places unless forced */
  async function remove (actor: Actor, id: string, force: boolean): Promise<FileRow> {
    const now = clock.now()
    await get(actor, id)
    return transactions.run(async session => {
      const row = await files.findOne({ account_id: account(actor), _id: new Types.ObjectId(id), deleted_at: null }, null, { session }).lean() as unknown as FileRow | null
      if (row === null) throw SharedError.FILE_NOT_FOUND()
      if (row.refs.length > 0 && !force) throw SharedError.FILE_IN_USE().with({ data: { places: row.refs } })
      const after = await files.findOneAndUpdate(
        { account_id: row.account_id, _id: row._id }, { $set: { deleted_at: now, purge_at: new Date(now.getTime() + KEPT_MS), updated_at: now } }, { session, returnDocument: 'after' }
      ).lean()
      await event('file.deleted', actor, row, session)
      return after as unknown as FileRow
    })
  }

  /** @throws FILE_NOT_FOUND unless it is deleted and still kept */
  async function restore (actor: Actor, id: string): Promise<FileRow> {
    return transactions.run(async session => {
      const row = await files.findOneAndUpdate(
        { account_id: account(actor), _id: new Types.ObjectId(id), deleted_at: { $ne: null }, purge_at: { $gt: clock.now() } },
        { $set: { deleted_at: null, purge_at: null, updated_at: clock.now() } }, { session, returnDocument: 'after' }
      ).lean() as unknown as FileRow | null
      if (row === null) throw SharedError.FILE_NOT_FOUND()
      await event('file.restored', actor, row, session)
      return row
    })
  }

  // ---------------------------------------------------------------- reading the bytes

  const signed = (row: FileRow, expiresIn: number, inline: boolean) => storage.presignGet({
    key: row.key, expiresIn, filename: row.name, contentType: row.mime_type, inline: inline && mayBeShown(row.mime_type)
  })

  return {
    list,
    get,
    start,
    complete,
    draft,
    insertReady,
    update,
    remove,
    restore,
    reject,
    download: async (actor: Actor, id: string, inline: boolean) => signed(await ready(actor, id), DOWNLOAD_SECONDS, inline),
    async share (actor: Actor, id: string, expiresIn = 3_600) {
      const { url, expiresAt } = await signed(await ready(actor, id), expiresIn, false)
      return { url, expires_at: expiresAt.toISOString() }
    },
    async usageOf (actor: Actor) {
      const [total, kinds] = await Promise.all([
        usage.read(actor.accountId),
        files.aggregate<{ _id: FileRow['kind'], bytes: number, files: number }>([
          { $match: { account_id: account(actor), status: { $ne: 'rejected' } } }, { $group: { _id: '$kind', bytes: { $sum: '$size' }, files: { $sum: 1 } } }, { $sort: { _id: 1 } }
        ])
      ])
      return { ...total, by_kind: kinds.map(({ _id: kind, ...rest }) => ({ kind, ...rest })) }
    },
    /** The row of a public file that may be sent. @throws FILE_NOT_FOUND */
    async publicFile (id: string): Promise<FileRow> {
      const row = await files.findOne({ _id: new Types.ObjectId(id), visibility: 'public', status: 'ready', deleted_at: null }, HIDDEN, { crossTenant: 'a public file is read by its id' }).lean()
      if (row === null) throw SharedError.FILE_NOT_FOUND()
      return row as unknown as FileRow
    },
    publicUrl: (row: FileRow): string | null => row.visibility === 'public' && row.status === 'ready'
      ? `${config.publicUrl}/v1/shared/public-files/${row._id.toHexString()}/${encodeURIComponent(row.name)}`
      : null,
    /** May bytes still arrive under this key? Only while its row waits for them. */
    async awaits (key: string): Promise<boolean> {
      const [owner = '', , , id = '', last] = key.split('/')
      if (!Types.ObjectId.isValid(owner) || !Types.ObjectId.isValid(id) || last !== 'incoming') return false
      return await files.exists({ account_id: new Types.ObjectId(owner), _id: new Types.ObjectId(id), status: 'uploading' }) !== null
    }
  }
}
export type FilesService = ReturnType<typeof createFilesService>
