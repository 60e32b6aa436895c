import { arch, platform, totalmem } from 'node:os'
import { docOf, EMPTY, int } from '../values/build.js'
import { BsonDate, Doc, Double, ObjectId } from '../values/types.js'
import type { Value } from '../values/types.js'
import { SESSION_TIMEOUT_MINUTES } from '../sessions/sessions.js'
import { MAX_DOCUMENT } from '../values/bson-validate.js'
import type { Command } from './command.js'
import { fieldTable } from './fields.js'
import type { Operation } from './operation.js'
import { notSupported } from '../values/errors.js'

const SET_NAME = 'rs0'
/** the version whose behaviour is the model */
export const VERSION = '7.0.11'
const MAX_MESSAGE = 48_000_000
const MAX_WRITE_BATCH = 100_000
const ELECTION = new ObjectId(Buffer.from('7fffffff0000000000000001', 'hex'))

const HELLO_FIELDS = fieldTable({
  hello: 'any',
  isMaster: 'any',
  ismaster: 'any',
  helloOk: 'bool',
  client: 'object',
  hostInfo: 'any',
  topologyVersion: 'unsupported',
  maxAwaitTimeMS: 'unsupported',
  saslSupportedMechs: 'any',
  speculativeAuthenticate: 'unsupported',
  compression: 'array',
  loadBalanced: 'unsupported',
  internalClient: 'unsupported',
  backpressure: 'any'
})

/** A set of one node. Without `topologyVersion` the driver polls instead of streaming, which a small server need not offer. */
function hello (op: Operation, primary: 'isWritablePrimary' | 'ismaster'): Doc {
  const { engine, client } = op
  const application = op.fields.object('client')?.get('application')
  if (application instanceof Doc) client.appName = application.get('name') as string | undefined
  const written = new BsonDate(Date.now())
  const opTime = docOf({ ts: engine.clock.last(), t: 1n })
  return docOf({
    helloOk: op.fields.flag('helloOk') ? true : undefined,
    [primary]: true,
    secondary: false,
    hosts: [engine.address],
    setName: SET_NAME,
    setVersion: int(1),
    primary: engine.address,
    me: engine.address,
    electionId: ELECTION,
    lastWrite: docOf({ opTime, lastWriteDate: written, majorityOpTime: opTime, majorityWriteDate: written }),
    maxBsonObjectSize: int(MAX_DOCUMENT),
    maxMessageSizeBytes: int(MAX_MESSAGE),
    maxWriteBatchSize: int(MAX_WRITE_BATCH),
    localTime: written,
    logicalSessionTimeoutMinutes: int(SESSION_TIMEOUT_MINUTES),
    connectionId: int(client.id),
    minWireVersion: int(0),
    maxWireVersion: int(21),
    readOnly: false
  })
}

export const helloCommand: Command = { name: 'hello', fields: HELLO_FIELDS, run: op => hello(op, 'isWritablePrimary') }
export const isMasterCommand: Command = { name: 'isMaster', aliases: ['ismaster'], fields: HELLO_FIELDS, run: op => hello(op, 'ismaster') }

export const pingCommand: Command = { name: 'ping', fields: fieldTable({}), run: () => docOf({}) }

export const buildInfoCommand: Command = {
  name: 'buildInfo',
  aliases: ['buildinfo'],
  fields: fieldTable({ buildinfo: 'any' }),
  run: () => docOf({
    version: VERSION,
    gitVersion: 'embedded',
    modules: ['embedded'],
    allocator: 'system',
    javascriptEngine: 'none',
    sysInfo: 'deprecated',
    versionArray: VERSION.split('.').map(part => int(Number(part))).concat(int(0)),
    bits: int(64),
    debug: false,
    maxBsonObjectSize: int(MAX_DOCUMENT),
    storageEngines: ['lmdb'],
    openssl: docOf({ running: 'none' })
  })
}

export const serverStatusCommand: Command = {
  name: 'serverStatus',
  // sections may be switched on and off by name
  fields: fieldTable({
    repl: 'any', metrics: 'any', locks: 'any', tcmalloc: 'any', latchAnalysis: 'any', mirroredReads: 'any', wiredTiger: 'any', network: 'any', opcounters: 'any'
  }),
  run (op) {
    const { engine } = op
    const uptime = (Date.now() - engine.startedAt) / 1000
    const { rss } = process.memoryUsage()
    return docOf({
      host: engine.address,
      version: VERSION,
      process: 'embedded-mongo',
      service: [],
      pid: BigInt(process.pid),
      uptime: new Double(Math.floor(uptime)),
      uptimeMillis: BigInt(Date.now() - engine.startedAt),
      uptimeEstimate: BigInt(Math.floor(uptime)),
      localTime: new BsonDate(Date.now()),
      connections: docOf({ current: int(engine.connections), available: int(65536), active: int(1) }),
      logicalSessionRecordCache: docOf({ activeSessionsCount: int(engine.sessions.size) }),
      mem: docOf({ bits: int(64), resident: int(Math.round(rss / 1048576)), supported: true }),
      metrics: docOf({ cursor: docOf({ open: docOf({ total: BigInt(engine.cursors.size) }) }) }),
      opcounters: Doc.of(Object.entries(engine.counters).map(([name, n]) => [name, BigInt(n)])),
      repl: docOf({ setName: SET_NAME, isWritablePrimary: true, secondary: false, hosts: [engine.address], primary: engine.address, me: engine.address }),
      storageEngine: docOf({ name: 'lmdb', supportsCommittedReads: true, persistent: 'dir' in engine.settings.where })
    })
  }
}

export const connectionStatusCommand: Command = {
  name: 'connectionStatus',
  fields: fieldTable({ showPrivileges: 'bool' }),
  run: () => docOf({ authInfo: docOf({ authenticatedUsers: [], authenticatedUserRoles: [] }) })
}

const PARAMETERS: ReadonlyMap<string, (op: Operation) => Value> = new Map<string, (op: Operation) => Value>([
  ['featureCompatibilityVersion', () => docOf({ version: '7.0' })],
  ['ttlMonitorEnabled', () => true],
  ['ttlMonitorSleepSecs', op => int(op.engine.settings.ttlSeconds)],
  ['transactionLifetimeLimitSeconds', op => int(op.engine.settings.transactionLifetimeSeconds)],
  ['cursorTimeoutMillis', op => int(op.engine.settings.cursorTimeoutSeconds * 1000)],
  ['localLogicalSessionTimeoutMinutes', () => int(SESSION_TIMEOUT_MINUTES)],
  ['enableTestCommands', () => true],
  ['authenticationMechanisms', () => []],
  ['requireApiVersion', () => false]
])

export const getParameterCommand: Command = {
  name: 'getParameter',
  adminOnly: true,
  fields: new Map([...fieldTable({ allParameters: 'bool' }), ...[...PARAMETERS.keys()].map(name => [name, 'any'] as const)]),
  run (op) {
    const target = op.body.get('getParameter')
    const all = target === '*' || (target instanceof Doc && target.get('allParameters') === true)
    const names = [...PARAMETERS.keys()].filter(name => all || op.body.has(name))
    if (names.length === 0) throw notSupported('a parameter of this name')
    return Doc.of(names.map(name => [name, PARAMETERS.get(name)!(op)]))
  }
}

export const hostInfoCommand: Command = {
  name: 'hostInfo',
  fields: fieldTable({}),
  run: op => docOf({
    system: docOf({ currentTime: new BsonDate(Date.now()), hostname: op.engine.address, cpuArch: arch(), memSizeMB: BigInt(Math.round(totalmem() / 1048576)) }),
    os: docOf({ type: platform() }),
    extra: EMPTY
  })
}

export const replSetGetStatusCommand: Command = {
  name: 'replSetGetStatus',
  adminOnly: true,
  fields: fieldTable({ initialSync: 'any' }),
  run (op) {
    const self = docOf({ _id: int(0), name: op.engine.address, health: new Double(1), state: int(1), stateStr: 'PRIMARY', self: true })
    return docOf({ set: SET_NAME, date: new BsonDate(Date.now()), myState: int(1), term: 1n, members: [self] })
  }
}

export const configureFailPointCommand: Command = {
  name: 'configureFailPoint',
  adminOnly: true,
  fields: fieldTable({ mode: 'any', data: 'object' }),
  required: ['mode'],
  run (op) {
    op.engine.failPoints.configure(String(op.body.get('configureFailPoint')), op.body.get('mode')!, op.fields.object('data'))
    return docOf({ count: int(0) })
  }
}
