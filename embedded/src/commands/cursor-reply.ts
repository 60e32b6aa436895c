import type { Batch, CursorOwner, Source } from '../cursors/cursors.js'
import { docOf } from '../values/build.js'
import type { Doc, Timestamp } from '../values/types.js'
import type { Operation } from './operation.js'

const FIRST_BATCH = 101

export function cursorReply (id: bigint, namespace: string, batch: Batch, kind: 'firstBatch' | 'nextBatch', atClusterTime?: Timestamp): Doc {
  return docOf({ cursor: docOf({ [kind]: batch.docs, postBatchResumeToken: batch.resumeToken, id, ns: namespace, atClusterTime }) })
}

export type Opening = {
  readonly namespace: string
  readonly batchSize: number | undefined
  readonly singleBatch?: boolean
  readonly noTimeout?: boolean
  /** the state that a snapshot read saw */
  readonly atClusterTime?: Timestamp
}

/** Answers with the first batch; what is left stays open as a cursor. */
export async function openCursor (op: Operation, source: Source, { namespace, batchSize, singleBatch, noTimeout, atClusterTime }: Opening): Promise<Doc> {
  let batch: Batch
  try {
    batch = await source.next(batchSize ?? FIRST_BATCH, { milliseconds: 0, signal: op.client.closed })
  } catch (error) {
    source.close()
    throw error
  }
  if (!batch.more || singleBatch === true) {
    source.close()
    return cursorReply(0n, namespace, batch, 'firstBatch', atClusterTime)
  }
  const owner: CursorOwner = { db: op.db, namespace, session: op.session, transaction: op.transaction, noTimeout }
  return cursorReply(op.engine.cursors.open(owner, source).id, namespace, batch, 'firstBatch', atClusterTime)
}
