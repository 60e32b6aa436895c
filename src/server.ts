import closeWithGrace from 'close-with-grace'
import { setTimeout as wait } from 'node:timers/promises'
import { pino } from 'pino'
import { buildApp } from './app.js'
import { ConfigError, loadConfig, type Config } from './config.js'
import { REDACT } from './plugins/request-log.js'
import { seedDemo } from './services/demo.js'

/** Close takes at most this long after the drain time. */
const CLOSE_MS = 15_000

function readConfig (): Config {
  try {
    return loadConfig()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  }
}

/** An orchestrator that asks twice must not cut what is being finished; close-with-grace would exit at once. */
function ignoreFurtherSignals (): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.removeAllListeners(signal).on(signal, () => {})
}

const config = readConfig()
// Lines are written in blocks; whatever ends the process flushes them.
const destination = pino.destination({ sync: false, minLength: config.production ? 4_096 : 0 })
const app = await buildApp(config, {
  loggerInstance: pino({ level: config.LOG_LEVEL, base: undefined, redact: { paths: REDACT, censor: '[redacted]' } }, destination) as never
})

closeWithGrace({ delay: config.DRAIN_MS + CLOSE_MS, logger: app.log as never }, async ({ signal, err }) => {
  ignoreFurtherSignals()
  if (err !== undefined) app.log.fatal({ err }, 'the process ends after an unforeseen error')
  app.drain()
  if (signal !== undefined && config.DRAIN_MS > 0) await wait(config.DRAIN_MS)
  await app.close()
  destination.flushSync()
})

await app.listen({ host: config.HOST, port: config.PORT })
if (!config.production && config.PROCESS_ROLE !== 'worker') {
  const demo = config.DEMO_SEED ? await seedDemo(app) : null
  process.stdout.write(`\n  API            ${config.publicUrl}\n  Documentation  ${config.publicUrl}/documentation\n`)
  if (demo !== null) process.stdout.write(`  Demo login     ${demo.email} / ${demo.password}  (made once, on the first start)\n`)
  process.stdout.write('\n')
}
