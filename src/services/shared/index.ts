import type { Readable } from 'node:stream'
import { WorkRowErrorModel, WorkRowModel } from '../../models/platform.js'
import { CurrencyModel, FileModel, FolderModel, SharedTagModel, StorageUsageModel, type FileRow } from '../../models/shared.js'
import type { FileBulkBody } from '../../schemas/shared.js'
import type { Actor } from '../kit.js'
import type { Outside } from '../outside.js'
import type { Platform } from '../platform.js'
import { runBulk } from '../resource/bulk.js'
import type { Retention } from '../retention.js'
import { createFilesService } from './files.js'
import { createFoldersService } from './folders.js'
import { createJobsView } from './jobs-view.js'
import { createMoney } from './money.js'
import { createReceiver } from './receive.js'
import { createFileRefs } from './refs.js'
import { registerFileSweeps } from './sweeps.js'
import { createSharedTags } from './tags.js'
import { DEFAULT_QUOTA, createStorageUsage, type QuotaOf } from './usage.js'

export type { FileRefs } from './refs.js'

type Deps = { platform: Platform, outside: Pick<Outside, 'storage' | 'currency'>, retention: Retention, /** bytes that an account may store, by its plan */ quotaOf?: QuotaOf }
type Made = { name: string, purpose: 'export' | 'report', contentType: string, body: Readable | Uint8Array }

const WEEK = 7 * 86_400_000

export function createShared ({ platform, outside: { storage, currency }, retention, quotaOf = () => DEFAULT_QUOTA }: Deps) {
  const { mongo, clock } = platform
  const model = FileModel.on(mongo)
  const tags = createSharedTags({ platform, tags: SharedTagModel.on(mongo) })
  const usage = createStorageUsage(StorageUsageModel.on(mongo), quotaOf)
  const folders = FolderModel.on(mongo)
  const files = createFilesService({ platform, files: model, folders, storage, usage, tags })
  registerFileSweeps({ platform, files: model, storage, usage, retention })

  tags.carry('file', {
    async retag (accountId, from, into, session) {
      const own = { account_id: accountId, tags: { $in: from } }
      if (into !== null) await model.updateMany(own as never, { $addToSet: { tags: into } } as never, { session })
      await model.updateMany({ account_id: accountId, tags: { $in: from } } as never, { $pull: { tags: { $in: from } } } as never, { session })
    },
    count: (accountId, tag, session) => model.countDocuments({ account_id: accountId, tags: tag } as never).session(session ?? null).exec()
  })

  /** A file that the service itself makes, such as an export; kept for 7 days. @throws STORAGE_QUOTA_EXCEEDED */
  async function store (actor: Actor, { name, purpose, contentType, body }: Made): Promise<FileRow> {
    const row = await files.draft(actor, { name, purpose, type: contentType, kind: 'document', size: 0, checksum: null, visibility: 'private' })
    const { size, sha256 } = await storage.write(row.key, body, { contentType })
    return keep(actor, { ...row, status: 'ready', size, checksum_sha256: sha256, purge_at: new Date(clock.now().getTime() + WEEK) as never })
  }

  /** Counts and announces bytes that were received; without room for them they go again. @throws STORAGE_QUOTA_EXCEEDED */
  async function keep (actor: Actor, row: Parameters<typeof files.insertReady>[1]): Promise<FileRow> {
    try {
      return await files.insertReady(actor, row)
    } catch (error) {
      if ((error as { code?: string }).code === 'STORAGE_QUOTA_EXCEEDED') await storage.remove(row.key)
      throw error
    }
  }

  const bulkFiles = (actor: Actor, body: FileBulkBody) => body.operation === 'update'
    ? runBulk(body.items, async ({ id, ...change }) => ({ status: 'updated', id: (await files.update(actor, id, change))._id.toHexString() }))
    : runBulk(body.items, async ({ id }) => ({ status: 'deleted', id: (await files.remove(actor, id, false))._id.toHexString() }))

  return {
    storage,
    files: { ...files, ...createFileRefs(model), store, keep, bulk: bulkFiles, receive: createReceiver(storage, files, usage) },
    folders: createFoldersService({ platform, folders, files: model }),
    tags,
    jobs: createJobsView({ platform, rows: WorkRowModel.on(mongo), errors: WorkRowErrorModel.on(mongo) }),
    rates: createMoney({ currency, saved: CurrencyModel.on(mongo), platform })
  }
}
export type SharedService = ReturnType<typeof createShared>
