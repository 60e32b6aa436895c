import type { RetryAttempt } from '../sessions/retry.js'
import { LockWait } from '../sessions/locks.js'
import { docOf, int, numeric } from '../values/build.js'
import { MongoError, typeMismatch } from '../values/errors.js'
import { typeName } from '../values/order.js'
import { Doc, isNumber } from '../values/types.js'
import type { Value } from '../values/types.js'
import type { Operation } from './operation.js'

const MAX_BATCH = 100_000

/** The statements of a write command. */
export function statementsOf (op: Operation, field: string): Doc[] {
  const statements = op.fields.docs(field) ?? []
  if (statements.length === 0 || statements.length > MAX_BATCH) {
    throw new MongoError(16, `Write batch sizes must be between 1 and ${MAX_BATCH}. Got ${statements.length} operations.`)
  }
  return statements
}

type Batch = { readonly errors: Value[], readonly retried: readonly number[] }

/**
 * Runs each statement; an error stops an ordered batch and is noted in an unordered one. What an earlier try of the
 * same retryable write did is taken from its record.
 */
export function runBatch<S> (
  op: Operation, retry: RetryAttempt | undefined, statements: readonly S[],
  run: (statement: S) => Doc, use: (outcome: Doc, index: number) => void
): Batch {
  const ordered = op.fields.flag('ordered', true)
  const ids = statementIds(op, statements.length)
  const errors: Value[] = []
  for (const [i, statement] of statements.entries()) {
    try {
      const known = retry?.outcome(ids(i))
      const outcome = known ?? run(statement)
      if (known === undefined) retry?.note(ids(i), outcome)
      use(outcome, i)
    } catch (error) {
      if (error instanceof LockWait || endsBatch(error)) throw error
      errors.push(writeError(error as MongoError, i))
      if (ordered || op.transaction !== undefined) break
    }
  }
  return { errors, retried: retry?.retried ?? [] }
}

/** Errors of the whole command rather than of one statement. */
function endsBatch (error: unknown): boolean {
  if (!(error instanceof MongoError)) return true
  return error.code === 50 || error.code === 112 || error.code === 11601 || error.code === 246
}

function writeError (error: MongoError, index: number): Doc {
  const doc = docOf({ index: int(index), code: int(error.code) })
  for (const [key, value] of Object.entries(error.fields)) doc.set(key, value)
  return doc.set('errmsg', error.message)
}

function statementIds (op: Operation, length: number): (i: number) => number {
  const single = op.fields.integer('stmtId')
  const many = op.fields.array('stmtIds')
  if (many === undefined) return i => (single ?? 0) + i
  if (many.length !== length) throw new MongoError(72, 'Number of statement ids must match the number of statements in the batch')
  const numbers = many.map(id => {
    if (!isNumber(id)) throw typeMismatch(`BSON field '${op.name}.stmtIds' is the wrong type '${typeName(id)}', expected type 'int'`)
    return numeric(id)
  })
  return i => numbers[i]!
}

/** The parts that all write replies share, in the server's order. */
export const batchReply = (n: number, { errors, retried }: Batch, more: Readonly<Record<string, Value | undefined>> = {}): Doc => docOf({
  n: int(n),
  retriedStmtIds: retried.length === 0 ? undefined : retried.map(int),
  writeErrors: errors.length === 0 ? undefined : errors,
  ...more
})
