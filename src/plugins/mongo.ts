import fp from 'fastify-plugin'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import mongoose, { type Connection, type mongo as driver } from 'mongoose'
import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config.js'
import { createTransactions, type Transactions } from '../services/transactions.js'

declare module 'fastify' {
  interface FastifyInstance {
    mongo: Connection
    transactions: Transactions
  }
}

/** What the embedded engine's package offers; it is imported only when no MONGO_DB_URL is given. */
type Engine = { url: string, stop (): Promise<void> }

async function startEmbedded (config: Config): Promise<Engine> {
  const { startEngine } = await import('embedded-mongo')
  if (config.NODE_ENV === 'test') return startEngine({ memory: true })
  const dir = join(config.DATA_DIR, 'mongo')
  await mkdir(dir, { recursive: true })
  return startEngine({ dir })
}

function logSlowCommands (connection: Connection, slowMs: number, log: FastifyBaseLogger): void {
  const client = connection.getClient()
  const ended = ({ commandName, databaseName, duration }: driver.CommandSucceededEvent | driver.CommandFailedEvent) => {
    if (duration >= slowMs) log.warn({ command: commandName, database: databaseName, duration }, 'slow database command')
  }
  client.on('commandSucceeded', ended)
  client.on('commandFailed', ended)
}

/** Decorates `mongo` (a mongoose connection) and `transactions`; the database is MONGO_DB_URL or the embedded engine in DATA_DIR. */
export const mongo = fp<{ config: Config }>(async (app, { config }) => {
  const engine = config.MONGO_DB_URL === undefined ? await startEmbedded(config) : undefined
  const connection = mongoose.createConnection(config.MONGO_DB_URL ?? engine!.url, {
    bufferCommands: false,
    maxPoolSize: config.MONGO_POOL_SIZE,
    serverSelectionTimeoutMS: 2_000,
    connectTimeoutMS: 2_000,
    socketTimeoutMS: 30_000,
    waitQueueTimeoutMS: 2_000,
    monitorCommands: true
  })
  connection.on('error', error => app.log.error({ err: error }, 'database connection'))
  await connection.asPromise()
  logSlowCommands(connection, config.MONGO_SLOW_MS, app.log)

  app.decorate('mongo', connection)
  app.decorate('transactions', createTransactions(connection))
  app.addHook('onClose', async () => {
    await connection.close()
    await engine?.stop()
  })
}, { name: 'mongo' })
