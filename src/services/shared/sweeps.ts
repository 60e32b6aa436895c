import type { FileModel, FileRow } from '../../models/shared.js'
import { crossTenant } from '../../models/define.js'
import type { Platform } from '../platform.js'
import type { Retention } from '../retention.js'
import type { JobRun } from '../runtime/jobs.js'
import type { StorageProvider } from '../storage/index.js'
import { incomingKey } from './files.js'
import type { StorageUsage } from './usage.js'

type Deps = { platform: Platform, files: FileModel, storage: StorageProvider, usage: StorageUsage, retention: Retention }

const DAY = 86_400_000
const BATCH = 100
const SWEPT = ['form_upload', 'csv_import', 'export'] as const
const ALL = crossTenant('the sweeps of files serve all accounts')

/** Removes what never became a file, what nobody uses, and what was deleted long enough ago. */
export function registerFileSweeps ({ platform, files, storage, usage, retention }: Deps): void {
  const { clock, transactions, jobs } = platform

  /** The bytes go first: a crash in between is repeated, and the quota comes back once with the row. */
  async function erase (row: FileRow, still: object): Promise<boolean> {
    await storage.remove(row.key)
    await storage.remove(incomingKey(row.key))
    return transactions.run(async session => {
      const { deletedCount } = await files.deleteOne({ account_id: row.account_id, _id: row._id, ...still } as never, { session })
      if (deletedCount === 1 && row.status !== 'rejected') await usage.giveBack(row.account_id, row.size, session)
      return deletedCount === 1
    })
  }

  async function eraseAll (run: JobRun, filter: object): Promise<number> {
    let erased = 0
    while (await run.stillMine()) {
      const found = await files.find(filter as never, null, ALL).limit(BATCH).lean() as unknown as FileRow[]
      let gone = 0
      for (const row of found) if (await erase(row, filter)) gone++
      erased += gone
      if (found.length < BATCH || gone === 0) break
    }
    return erased
  }

  jobs.register({
    name: 'upload-sweep',
    family: 'QM_RETENTION',
    kind: 'sweep',
    everyMs: 3_600_000,
    async run (run) {
      const before = new Date(clock.now().getTime() - DAY)
      return {
        unfinished: await eraseAll(run, { status: { $in: ['uploading', 'rejected'] }, created_at: { $lt: before } }),
        unused: await eraseAll(run, { status: 'ready', purpose: { $in: SWEPT }, refs: { $size: 0 }, purge_at: null, created_at: { $lt: before } })
      }
    }
  })
  retention.add({ name: 'files', run: run => eraseAll(run, { purge_at: { $ne: null, $lte: clock.now() } }) })
}
