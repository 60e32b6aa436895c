import { Doc } from '../values/types.js'
import type { Engine } from './engine.js'

/** Codes of a server that steps down or stops: the same command may be sent again. */
const RETRYABLE: ReadonlySet<number> = new Set([6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436])

/** Codes after which a change stream may go on with a new cursor. */
const RESUMABLE: ReadonlySet<number> = new Set([6, 7, 63, 89, 91, 133, 150, 189, 234, 262, 9001, 10107, 11600, 11602, 13388, 13435, 13436])

/** The labels that a reply with this error code carries. */
export function errorLabels (engine: Engine, code: number, body: Doc): string[] {
  const labels = writeLabels(code, body)
  return RESUMABLE.has(code) && isOfStream(engine, body) ? [...labels, 'ResumableChangeStreamError'] : labels
}

function isOfStream (engine: Engine, body: Doc): boolean {
  const id = body.get('getMore')
  if (typeof id === 'bigint') return engine.cursors.find(id)?.source.awaits === true
  const pipeline = body.firstKey() === 'aggregate' ? body.get('pipeline') : undefined
  const first = Array.isArray(pipeline) ? pipeline[0] : undefined
  return first instanceof Doc && first.has('$changeStream')
}

function writeLabels (code: number, body: Doc): string[] {
  const name = body.firstKey()
  const ends = name === 'commitTransaction' || name === 'abortTransaction'
  const inTransaction = body.get('autocommit') === false
  if (inTransaction && !ends) return RETRYABLE.has(code) || code === 112 || code === 251 || code === 246 ? ['TransientTransactionError'] : []
  if (ends && code === 251) return ['TransientTransactionError']
  return RETRYABLE.has(code) && (ends || body.get('txnNumber') !== undefined) ? ['RetryableWriteError'] : []
}
