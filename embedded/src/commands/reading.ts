import type { QuerySetup } from '../cursors/cursors.js'
import { ParkableReader } from '../storage/index.js'
import type { Reader } from '../storage/index.js'
import { Doc } from '../values/types.js'
import type { Timestamp } from '../values/types.js'
import type { Operation } from './operation.js'

/** What a query reads from, for as long as its cursor lives. */
export type Reading = {
  readonly reader: Reader
  /** the part of a QuerySource that says how to let go of it */
  readonly hold: Pick<QuerySetup, 'reader' | 'snapshot' | 'onClose'>
  /** for when no source was made of it */
  readonly close: () => void
  /** the state that a snapshot read saw, for the reply */
  readonly atClusterTime: Timestamp | undefined
}

/** The transaction's view, the state that `readConcern: snapshot` asks for, or the newest state. */
export function openReading (op: Operation): Reading {
  const snapshot = (): ReturnType<typeof op.engine.storage.snapshot> => op.engine.storage.snapshot()
  if (op.transaction !== undefined) {
    return { reader: op.transaction.view, hold: { snapshot }, close: () => {}, atClusterTime: undefined }
  }
  const concern = op.body.get('readConcern')
  if (concern instanceof Doc && concern.get('level') === 'snapshot') {
    const held = op.engine.snapshots.take(concern.get('atClusterTime') as Timestamp | undefined)
    const close = (): void => op.engine.snapshots.leave(held)
    return { reader: held.snapshot, hold: { snapshot, onClose: close }, close, atClusterTime: held.time }
  }
  const reader = new ParkableReader(snapshot())
  return { reader, hold: { reader, snapshot }, close: () => reader.release(), atClusterTime: undefined }
}

/** Runs `fn` on what the operation reads, which lives only as long. */
export function reading<T> (op: Operation, fn: (reader: Reader, atClusterTime: Timestamp | undefined) => T): T {
  const { reader, close, atClusterTime } = openReading(op)
  try {
    return fn(reader, atClusterTime)
  } finally {
    close()
  }
}
