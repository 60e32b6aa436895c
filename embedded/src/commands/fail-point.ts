import { numeric } from '../values/build.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import { MongoError, notSupported } from '../values/errors.js'
import { checkFields, Fields, fieldTable } from './fields.js'

export type Failure = {
  readonly closeConnection: boolean
  readonly blockMs: number
  readonly errorCode: number | undefined
  readonly errorLabels: readonly string[] | undefined
  readonly writeConcernError: Doc | undefined
}

type FailPoint = { commands: ReadonlySet<string>, appName: string | undefined, namespace: string | undefined, failure: Failure, skip: number, times: number }

const DATA = fieldTable({
  failCommands: 'array',
  closeConnection: 'bool',
  errorCode: 'number',
  errorLabels: 'array',
  writeConcernError: 'object',
  blockConnection: 'bool',
  blockTimeMS: 'number',
  appName: 'string',
  failInternalCommands: 'bool',
  namespace: 'string',
  threadName: 'unsupported',
  extraInfo: 'unsupported',
  errorExtraInfo: 'unsupported',
  failLocalClients: 'bool'
})

/** The server's `failCommand` fail point, for tests of clients. */
export class FailPoints {
  #point: FailPoint | undefined

  configure (name: string, mode: Value, data: Doc | undefined): void {
    if (name !== 'failCommand') throw notSupported(`fail point ${name}`)
    if (mode === 'off') {
      this.#point = undefined
      return
    }
    const { skip, times } = parseMode(mode)
    const fields = new Fields(data ?? Doc.of(), 'data')
    checkFields(fields.doc, DATA, 'data')
    this.#point = {
      commands: new Set((fields.strings('failCommands') ?? []).map(c => c.toLowerCase())),
      appName: fields.string('appName'),
      namespace: fields.string('namespace'),
      failure: {
        closeConnection: fields.flag('closeConnection'),
        blockMs: fields.flag('blockConnection') ? fields.integer('blockTimeMS') ?? 0 : 0,
        errorCode: fields.integer('errorCode'),
        errorLabels: fields.strings('errorLabels'),
        writeConcernError: fields.object('writeConcernError')
      },
      skip,
      times
    }
  }

  /** The failure that a command meets, counted as used. */
  take (command: string, namespace: string, appName: string | undefined): Failure | undefined {
    const point = this.#point
    if (point === undefined || !point.commands.has(command.toLowerCase())) return undefined
    if (point.appName !== undefined && point.appName !== appName) return undefined
    if (point.namespace !== undefined && point.namespace !== namespace) return undefined
    if (point.skip > 0) {
      point.skip--
      return undefined
    }
    if (point.times <= 0) return undefined
    point.times--
    return point.failure
  }

  clear (): void {
    this.#point = undefined
  }
}

function parseMode (mode: Value): { skip: number, times: number } {
  if (mode === 'alwaysOn') return { skip: 0, times: Infinity }
  if (mode instanceof Doc) {
    const times = mode.get('times')
    const skip = mode.get('skip')
    if (times !== undefined) return { skip: 0, times: numeric(times) }
    if (skip !== undefined) return { skip: numeric(skip), times: Infinity }
    if (mode.get('activationProbability') !== undefined) throw notSupported('mode.activationProbability')
  }
  throw new MongoError(2, "'mode' must be one of 'off', 'alwaysOn', 'times', and 'skip'")
}
