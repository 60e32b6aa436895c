import { createHash } from 'node:crypto'
import type { Connection } from 'mongoose'
import type { FastifyBaseLogger } from 'fastify'
import { definitions, type ModelDefinition } from './define.js'
import { DashboardMetaModel } from './platform.js'

const KEY = 'indexes'
/** More at once would only queue for connections. */
const AT_ONCE = 4

const fingerprint = (): string => createHash('sha256')
  .update(JSON.stringify([...definitions.values()].map(({ collection, indexes }) => [collection, indexes]))).digest('base64url')

async function create (connection: Connection, { collection, indexes }: ModelDefinition): Promise<void> {
  const native = connection.collection(collection)
  if (indexes.length === 0) {
    await connection.createCollection(collection).catch(ignoreExisting)
    return
  }
  await native.createIndexes(indexes.map(([key, options]) => ({ key, ...options })) as never)
}

const ignoreExisting = (error: unknown) => {
  if ((error as { code?: number }).code !== 48) throw error
}

/**
 * Makes every collection with its indexes before the first request: uniqueness is an index, and inside a transaction a collection should not have
 * to be made. Skipped when the same set was made by an earlier start.
 */
export async function buildIndexes (connection: Connection, log: FastifyBaseLogger): Promise<void> {
  const meta = DashboardMetaModel.on(connection)
  const wanted = fingerprint()
  const known = await meta.findOne({ type: KEY }).lean()
  if (known?.value === wanted) return
  const started = performance.now()
  const waiting = [...definitions.values()]
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let definition = waiting.pop(); definition !== undefined; definition = waiting.pop()) await create(connection, definition)
  }))
  await meta.updateOne({ type: KEY }, { $set: { value: wanted } }, { upsert: true })
  log.info({ collections: definitions.size, ms: Math.round(performance.now() - started) }, 'indexes are in place')
}
