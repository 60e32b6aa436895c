export type EngineOptions = {
  /** the data folder; made when it is not there */
  readonly dir?: string
  /** no folder: the data vanish with the engine */
  readonly memory?: boolean
  /** a unix socket (default, not on Windows) or a port of the loopback interface */
  readonly listen?: 'unix' | 'tcp'
  /** with `tcp`; 0 (default) takes any free one */
  readonly port?: number
  /** run in a worker thread (default), so that a long scan never blocks the caller */
  readonly worker?: boolean
  /** the database that the connect string names */
  readonly database?: string
  /** without it `NODE_ENV=production` is refused */
  readonly allowProduction?: boolean
  /** seconds between two sweeps of TTL indexes, 30 by default */
  readonly ttlSeconds?: number
  readonly transactionLifetimeSeconds?: number
  readonly cursorTimeoutSeconds?: number
  /** bytes of history for change streams */
  readonly changeLogBytes?: number
  /** where notices go; standard error by default, nowhere for an engine in memory */
  readonly log?: (line: string) => void
}

/** What can be sent to a worker. */
export type PlainOptions = Omit<EngineOptions, 'log' | 'worker'>

export type RunningEngine = {
  /** the connect string */
  readonly url: string
  /** Ends the commands under way, drops cursors and transactions, flushes and closes. */
  stop (): Promise<void>
}

export class EngineRefused extends Error {}

export function checkOptions (options: EngineOptions): void {
  if (process.env['NODE_ENV'] === 'production' && options.allowProduction !== true) {
    throw new EngineRefused('the embedded engine is for development and tests: with NODE_ENV=production set MONGO_DB_URL, or say allowProduction')
  }
  if ((options.dir === undefined) === (options.memory !== true)) throw new EngineRefused('the engine needs either `dir` or `memory: true`')
  if (options.listen === 'unix' && process.platform === 'win32') throw new EngineRefused("on Windows the engine listens with `listen: 'tcp'`")
}

export const logOf = (options: EngineOptions): (line: string) => void =>
  options.log ?? (options.memory === true ? () => {} : line => { process.stderr.write(`embedded-mongo: ${line}\n`) })
