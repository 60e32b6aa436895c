import { AccountModel } from '../../models/accounts.js'
import { ActivityModel, AuditAnchorModel, AuditModel, CommentModel } from '../../models/activities.js'
import { UserModel } from '../../models/users.js'
import type { Platform } from '../platform.js'
import type { Retention } from '../retention.js'
import type { EventRecord } from '../runtime/fan-out.js'
import type { FileRefs } from '../shared/index.js'
import type { StorageProvider } from '../storage/index.js'
import { createAudit, isAudited } from './audit.js'
import { createAuditRetention } from './audit-retention.js'
import { createComments } from './comments.js'
import { createFigures } from './figures.js'
import { recordsOf, type CrmRecords } from './records.js'
import { createTimeline } from './timeline.js'

export type { AuditInput } from './audit.js'
export type { CrmRecords } from './records.js'
export type { Mirror } from './timeline.js'

type Deps = { platform: Platform, storage: StorageProvider, files: FileRefs, retention: Retention, records?: CrmRecords }

export function createActivities ({ platform, storage, files, retention, records = recordsOf(platform.mongo) }: Deps) {
  const { mongo, jobs, fanOut, transactions } = platform
  const activities = ActivityModel.on(mongo)
  const chain = { platform, audit: AuditModel.on(mongo), anchors: AuditAnchorModel.on(mongo) }
  const audit = createAudit(chain)
  const timeline = createTimeline({ platform, activities, records, files, audit })

  jobs.register({ name: 'audit-sealer', family: null, kind: 'tick', everyMs: 5_000, run: async ({ signal }) => ({ sealed: await audit.seal(signal) }) })
  retention.add({ name: 'audit', run: createAuditRetention({ ...chain, storage }) })

  // Events are written with their change; their row in the log follows from them, under the event's own id.
  platform.topic('audit', { ordered: false, deliver: row => transactions.run(session => audit.write(audit.fromEvent(revive(row.payload)), session)) })
  fanOut.listen({
    name: 'audit',
    rows: async event => isAudited(event.type)
      ? [{ topic: 'audit', key: event.account_id?.toHexString() ?? 'platform', accountId: event.account_id?.toHexString() ?? null, requestId: event.request_id, payload: event }]
      : []
  })

  return {
    ...timeline,
    comments: createComments({ platform, comments: CommentModel.on(mongo), activities, users: UserModel.on(mongo), timeline }),
    figures: createFigures({ platform, activities, accounts: AccountModel.on(mongo), timeline }),
    log: audit,
    /** Modules mirror what happened to a contact or deal, in the transaction of their change. */
    record: timeline.record,
    removeMirrors: timeline.removeMirror,
    /** A row of the audit log, in the transaction of its cause. */
    audit: audit.write
  }
}
export type ActivitiesService = ReturnType<typeof createActivities>

const revive = (payload: unknown) => payload as EventRecord
