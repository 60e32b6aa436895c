import { setTimeout as sleep } from 'node:timers/promises'
import { CODE_NAMES } from '../values/error-codes.js'
import { docOf, int } from '../values/build.js'
import { MongoError } from '../values/errors.js'
import { Binary, Doc, Double } from '../values/types.js'
import type { Value } from '../values/types.js'
import { checkApi } from './api.js'
import type { Command } from './command.js'
import { parseReadConcern, parseWriteConcern } from './concerns.js'
import type { Engine } from './engine.js'
import type { Failure } from './fail-point.js'
import { checkFields, Fields, fieldTable, requireFields } from './fields.js'
import { errorLabels } from './labels.js'
import { Operation } from './operation.js'
import type { Client } from './operation.js'
import { COMMANDS } from './registry.js'
import { openOperation, settleTransaction } from './transactions.js'

export type Answer = Doc | 'close'

const OK = new Double(1)
const NOT_OK = new Double(0)
const SIGNATURE = docOf({ hash: new Binary(Buffer.alloc(20), 0), keyId: 0n })

/** Fields that any command may carry. */
const GENERIC = fieldTable({
  $db: 'string',
  lsid: 'object',
  txnNumber: 'number',
  autocommit: 'bool',
  startTransaction: 'bool',
  $clusterTime: 'object',
  $readPreference: 'object',
  readConcern: 'any',
  writeConcern: 'any',
  maxTimeMS: 'number',
  comment: 'any',
  apiVersion: 'string',
  apiStrict: 'bool',
  apiDeprecationErrors: 'bool',
  $audit: 'any',
  $client: 'any',
  $configServerState: 'any',
  maxTimeMSOpOnly: 'number',
  help: 'unsupported'
})

/** Runs one command; every error becomes a reply. */
export async function dispatch (engine: Engine, client: Client, db: string, body: Doc): Promise<Answer> {
  const name = body.firstKey() ?? ''
  let failure: Failure | undefined
  try {
    if (name !== 'configureFailPoint') failure = engine.failPoints.take(name, `${db}.${String(body.get(name))}`, client.appName)
    if (failure !== undefined) {
      if (failure.blockMs > 0) await sleep(failure.blockMs)
      if (failure.closeConnection) return 'close'
      if (failure.errorCode !== undefined) {
        throw new MongoError(failure.errorCode, "Failing command via 'failCommand' failpoint", { labels: failure.errorLabels })
      }
    }
    const reply = await run(engine, client, name, db, body)
    return finish(engine, failure?.writeConcernError === undefined ? reply : withConcernError(engine, reply, failure, body))
  } catch (error) {
    return errorReply(engine, error, name, body, failure)
  }
}

async function run (engine: Engine, client: Client, name: string, db: string, body: Doc): Promise<Doc> {
  const command = COMMANDS.get(name)
  if (command === undefined) throw new MongoError(59, `no such command: '${name}'`)
  const title = command.title ?? command.name
  checkCommand(command, title, name, body, db)
  const fields = new Fields(body, title)
  if (command.counts !== undefined) engine.counters[command.counts]++
  else engine.counters.command++
  const concernError = checkConcerns(command, body)
  const setup = openOperation(engine, command, name, db, fields)
  try {
    const op = new Operation({ ...setup, engine, client, name: command.name, db, fields })
    const reply = await command.run(op)
    settleTransaction(setup.transaction, reply)
    return concernError === undefined ? reply : reply.set('writeConcernError', concernError)
  } catch (error) {
    settleTransaction(setup.transaction, error)
    throw error
  }
}

function checkCommand (command: Command, title: string, name: string, body: Doc, db: string): void {
  checkFields(body, command.fields, title, field => field === name || GENERIC.has(field) || command.takesAnyField === true)
  checkGeneric(body, title)
  requireFields(body, command.required ?? [], title)
  if (command.adminOnly === true && db !== 'admin') throw new MongoError(13, `${name} may only be run against the admin database.`)
}

function checkGeneric (body: Doc, title: string): void {
  checkFields(body, GENERIC, title, () => true)
  checkApi(body)
}

function checkConcerns (command: Command, body: Doc): Doc | undefined {
  const level = parseReadConcern(body.get('readConcern'))
  if (level !== undefined && level !== 'local' && !accepts(command, level) && body.get('startTransaction') !== true) {
    throw new MongoError(72, `Command ${command.name} does not support { readConcern: { level: "${level}" } }`)
  }
  const spec = body.get('writeConcern')
  if (spec !== undefined && spec !== null && command.writeConcern !== true) {
    throw new MongoError(72, 'Command does not support writeConcern')
  }
  return parseWriteConcern(spec)
}

const accepts = ({ readConcern }: Command, level: string): boolean =>
  readConcern === 'snapshot' || (readConcern === 'committed' && level !== 'snapshot')

function clusterTime (engine: Engine): [string, Value][] {
  const time = engine.clock.last()
  return [['$clusterTime', docOf({ clusterTime: time, signature: SIGNATURE })], ['operationTime', time]]
}

function finish (engine: Engine, reply: Doc): Doc {
  reply.set('ok', OK)
  for (const [key, value] of clusterTime(engine)) reply.set(key, value)
  return reply
}

function withConcernError (engine: Engine, reply: Doc, failure: Failure, body: Doc): Doc {
  reply.set('writeConcernError', failure.writeConcernError!)
  const code = failure.writeConcernError!.get('code')
  const labels = failure.errorLabels ?? errorLabels(engine, codeOf(code), body)
  return labels.length === 0 ? reply : reply.set('errorLabels', [...labels])
}

const codeOf = (code: unknown): number => typeof code === 'object' && code !== null && 'value' in code ? Number(code.value) : 0

function errorReply (engine: Engine, error: unknown, name: string, body: Doc, failure: Failure | undefined): Doc {
  const known = error instanceof MongoError ? error : unexpected(engine, error, name)
  const labels = new Set(failure?.errorLabels ?? [...known.labels, ...errorLabels(engine, known.code, body)])
  const reply = Doc.of()
  if (labels.size > 0) reply.set('errorLabels', [...labels])
  reply.set('ok', NOT_OK).set('errmsg', known.message).set('code', int(known.code)).set('codeName', CODE_NAMES.get(known.code) ?? known.codeName)
  for (const [key, value] of Object.entries(known.fields)) reply.set(key, value)
  for (const [key, value] of clusterTime(engine)) reply.set(key, value)
  return reply
}

/** A fault of the engine: the client learns that much, the log the rest. */
function unexpected (engine: Engine, error: unknown, name: string): MongoError {
  if (error instanceof RangeError && /call stack/i.test(error.message)) return new MongoError(2, 'the command is nested too deeply')
  engine.settings.log(`${name}: ${error instanceof Error ? error.stack : String(error)}`)
  return new MongoError(8, error instanceof Error ? error.message : String(error))
}
