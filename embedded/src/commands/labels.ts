import type { Doc } from '../values/types.js'

/** Codes of a server that steps down or stops: the same command may be sent again. */
const RETRYABLE: ReadonlySet<number> = new Set([6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436])

/** The labels that a reply with this error code carries. */
export function errorLabels (code: number, body: Doc): string[] {
  const name = body.firstKey()
  const ends = name === 'commitTransaction' || name === 'abortTransaction'
  const inTransaction = body.get('autocommit') === false
  if (inTransaction && !ends) return RETRYABLE.has(code) || code === 112 || code === 251 || code === 246 ? ['TransientTransactionError'] : []
  if (ends && code === 251) return ['TransientTransactionError']
  return RETRYABLE.has(code) && (ends || body.get('txnNumber') !== undefined) ? ['RetryableWriteError'] : []
}
