#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { startEngine } from './index.js'
import type { EngineOptions } from './index.js'

const USAGE = `usage: embedded-mongo --dir <folder> | --memory  [options]
  --port <n>             a loopback port (0: any free one) instead of a unix socket
  --database <name>      the database of the connect string (app)
  --ttl-seconds <n>      seconds between two sweeps of TTL indexes (30)
  --allow-production     run with NODE_ENV=production
The connect string is the first line of the output.`

function optionsOf (args: string[]): EngineOptions | undefined {
  const { values } = parseArgs({
    args,
    options: {
      dir: { type: 'string' },
      memory: { type: 'boolean' },
      port: { type: 'string' },
      database: { type: 'string' },
      'ttl-seconds': { type: 'string' },
      'allow-production': { type: 'boolean' },
      help: { type: 'boolean' }
    }
  })
  if (values.help === true) return undefined
  return {
    dir: values.dir,
    memory: values.memory,
    listen: values.port === undefined ? undefined : 'tcp',
    port: numberOf(values.port, '--port'),
    database: values.database,
    ttlSeconds: numberOf(values['ttl-seconds'], '--ttl-seconds'),
    allowProduction: values['allow-production'],
    worker: false,
    log: line => { process.stderr.write(`embedded-mongo: ${line}\n`) }
  }
}

function numberOf (text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined
  const n = Number(text)
  if (!Number.isFinite(n) || n < 0 || text.trim() === '') throw new Error(`${option} takes a number`)
  return n
}

async function main (): Promise<void> {
  const options = optionsOf(process.argv.slice(2))
  if (options === undefined) {
    console.log(USAGE)
    return
  }
  const engine = await startEngine(options)
  console.log(engine.url)
  const stop = (): void => {
    engine.stop().then(() => process.exit(0), error => fail(error))
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}

function fail (error: unknown): never {
  console.error(`embedded-mongo: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}

main().catch(fail)
