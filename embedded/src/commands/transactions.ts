import { docOf, numeric } from '../values/build.js'
import { MongoError, notSupported } from '../values/errors.js'
import { Doc, isNumber } from '../values/types.js'
import type { Maybe } from '../values/types.js'
import { Transaction } from '../sessions/transaction.js'
import type { Session } from '../sessions/sessions.js'
import type { Command } from './command.js'
import type { Engine } from './engine.js'
import type { Fields } from './fields.js'
import { fieldTable } from './fields.js'
import type { Operation } from './operation.js'
import { commitTransaction } from './run-write.js'

export type SessionSetup = { session?: Session, transaction?: Transaction, retryNumber?: bigint }

const invalid = (message: string): MongoError => new MongoError(72, message)
const noSuchTransaction = (message: string): MongoError => new MongoError(251, message, { labels: ['TransientTransactionError'] })

/** What session, transaction or retryable write a command belongs to; starts the transaction where it asks for one. */
export function openOperation (engine: Engine, command: Command, name: string, db: string, fields: Fields): SessionSetup {
  const { doc } = fields
  const lsid = doc.get('lsid')
  const given = doc.get('txnNumber')
  if (lsid === undefined || lsid === null) {
    if (given !== undefined) throw invalid('Transaction number requires a session ID to also be specified')
    return {}
  }
  const session = engine.sessions.use(lsid)
  const txnNumber = parseNumber(given)
  if (txnNumber === undefined) {
    if (doc.get('autocommit') !== undefined) throw invalid("'autocommit' field requires a transaction number to also be specified")
    return { session }
  }
  if (txnNumber < 0n) throw invalid('Transaction number cannot be negative')
  session.load(engine.storage)
  if (doc.get('autocommit') === undefined) return { session, retryNumber: openRetryable(session, command, txnNumber) }
  if (doc.get('autocommit') !== false) throw invalid('Specifying autocommit=true is not allowed.')
  if (command.name === 'commitTransaction' || command.name === 'abortTransaction') return { session, retryNumber: txnNumber }
  checkAllowed(command, name, db, doc)
  const transaction = doc.get('startTransaction') === true ? begin(engine, session, txnNumber) : current(session, txnNumber)
  return { session, transaction }
}

function parseNumber (value: Maybe): bigint | undefined {
  if (value === undefined || value === null || !isNumber(value)) return undefined
  return typeof value === 'bigint' ? value : BigInt(Math.trunc(numeric(value)))
}

function openRetryable (session: Session, command: Command, txnNumber: bigint): bigint {
  if (command.retryable !== true) {
    throw new MongoError(50768, 'txnNumber may only be provided for multi-document transactions and retryable write commands. ' +
      `autocommit:false was not provided, and ${command.name} is not a retryable write command.`)
  }
  checkNumber(session, txnNumber, 'Retryable write with txnNumber', 'retryable write')
  const { transaction } = session
  if (transaction?.txnNumber === txnNumber) {
    throw new MongoError(50911, `Cannot start a retryable write at given transaction number ${txnNumber}: a transaction with the same number is in progress`)
  }
  abortOpen(session)
  session.txnNumber = txnNumber
  return txnNumber
}

function checkNumber (session: Session, txnNumber: bigint, what: string, noun: string): void {
  if (txnNumber >= session.txnNumber) return
  throw new MongoError(225, `${what} ${txnNumber} is prohibited on session ${session.id} because a newer ${noun} with txnNumber ` +
    `${session.txnNumber} has already started on this session.`)
}

/** A newer number ends what the session had open. */
function abortOpen (session: Session): void {
  session.transaction?.end('aborted')
  session.transaction = undefined
}

function checkAllowed (command: Command, name: string, db: string, doc: Doc): void {
  if (command.name === 'count') {
    throw new MongoError(263, "Cannot run 'count' in a multi-document transaction. " +
      'Please see http://dochub.mongodb.org/core/transaction-count for a recommended alternative.')
  }
  if (command.inTransaction !== true) throw new MongoError(263, `Cannot run '${name}' in a multi-document transaction.`)
  if (db === 'config' || db === 'admin' || db === 'local') {
    throw new MongoError(263, `Cannot run command against the '${db}' database in a transaction.`)
  }
  if (doc.get('writeConcern') !== undefined) throw invalid('writeConcern is not allowed within a multi-statement transaction')
  const readConcern = doc.get('readConcern')
  if (!(readConcern instanceof Doc)) return
  if (doc.get('startTransaction') !== true) throw invalid('Only the first command in a transaction may specify a readConcern')
  if (readConcern.has('atClusterTime')) throw notSupported('readConcern.atClusterTime in a transaction')
  const level = readConcern.get('level')
  if (level === 'linearizable' || level === 'available') {
    throw invalid('The readConcern level must be either \'local\' (default), \'majority\' or \'snapshot\' in order to run in a transaction')
  }
}

function begin (engine: Engine, session: Session, txnNumber: bigint): Transaction {
  checkNumber(session, txnNumber, 'Cannot start transaction: txnNumber', 'transaction')
  if (txnNumber === session.txnNumber && (session.transaction !== undefined || session.record?.txnNumber === txnNumber)) {
    throw new MongoError(50911, `Cannot start a transaction at given transaction number ${txnNumber}: a transaction with the same number is in state ` +
      `${session.transaction?.state ?? 'committed'}`)
  }
  abortOpen(session)
  session.txnNumber = txnNumber
  session.transaction = new Transaction(txnNumber, engine.storage.snapshot(), engine.locks)
  return session.transaction
}

function current (session: Session, txnNumber: bigint): Transaction {
  checkNumber(session, txnNumber, 'Transaction number', 'transaction')
  const { transaction } = session
  if (transaction === undefined || transaction.txnNumber !== txnNumber) {
    throw noSuchTransaction(`Given transaction number ${txnNumber} does not match any in-progress transactions. The active transaction number is ${session.txnNumber}`)
  }
  if (transaction.state === 'aborted') throw noSuchTransaction(`Transaction with { txnNumber: ${txnNumber} } has been aborted.`)
  if (transaction.state === 'committed') throw new MongoError(256, `Transaction with { txnNumber: ${txnNumber} } has been committed.`)
  return transaction
}

/** Any error ends a transaction, write errors of a batch too. */
export function settleTransaction (transaction: Transaction | undefined, outcome: unknown): void {
  if (transaction === undefined) return
  if (!(outcome instanceof Doc) || outcome.get('writeErrors') !== undefined) transaction.end('aborted')
}

const END_FIELDS = fieldTable({ recoveryToken: 'any' })

function ending (op: Operation): { session: Session, txnNumber: bigint } {
  if (op.session === undefined || op.retryNumber === undefined) {
    throw new MongoError(125, `${op.name} must be run within a transaction`)
  }
  return { session: op.session, txnNumber: op.retryNumber }
}

export const commitCommand: Command = {
  name: 'commitTransaction',
  fields: END_FIELDS,
  adminOnly: true,
  writeConcern: true,
  async run (op) {
    const { session, txnNumber } = ending(op)
    checkNumber(session, txnNumber, 'Transaction number', 'transaction')
    if (session.record?.txnNumber === txnNumber && session.record.committed) return docOf({})
    const transaction = matching(session, txnNumber)
    if (transaction.state === 'aborted') throw noSuchTransaction(`Transaction with { txnNumber: ${txnNumber} } has been aborted.`)
    if (transaction.state === 'open') await commitTransaction(op.engine, session, transaction)
    return docOf({})
  }
}

function matching (session: Session, txnNumber: bigint): Transaction {
  if (session.transaction?.txnNumber !== txnNumber) {
    throw noSuchTransaction(`Given transaction number ${txnNumber} does not match any in-progress transactions. The active transaction number is ${session.txnNumber}`)
  }
  return session.transaction
}

export const abortCommand: Command = {
  name: 'abortTransaction',
  fields: END_FIELDS,
  adminOnly: true,
  writeConcern: true,
  run (op) {
    const { session, txnNumber } = ending(op)
    checkNumber(session, txnNumber, 'Transaction number', 'transaction')
    const committed = session.record?.txnNumber === txnNumber && session.record.committed
    if (committed || (session.transaction?.txnNumber === txnNumber && session.transaction.state === 'committed')) {
      throw new MongoError(256, `Transaction with { txnNumber: ${txnNumber} } has been committed.`)
    }
    const transaction = matching(session, txnNumber)
    if (transaction.state === 'aborted') throw noSuchTransaction(`Transaction with { txnNumber: ${txnNumber} } has been aborted.`)
    transaction.end('aborted')
    return docOf({})
  }
}
