import mongoose, { type Connection } from 'mongoose'
import { accountRow, linkRow, redirectRow, REDIRECTS, userRow, type Shape } from './dataset.js'

const BATCH = 1_000

type Row = Record<string, unknown>

async function fill (connection: Connection, name: string, from: number, to: number, make: (index: number) => Row): Promise<void> {
  const collection = connection.collection<Row>(name)
  for (let at = from; at < to; at += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, to - at) }, (_, step) => make(at + step))
    await collection.insertMany(rows, { ordered: false })
  }
}

/** Indexes that the workloads need; the service builds the same ones when it starts, so this matters only without it. */
async function index (connection: Connection): Promise<void> {
  await connection.collection('short-urls').createIndexes([
    { key: { domain_id: 1, code_keys: 1 }, unique: true },
    { key: { account_id: 1, archived_at: 1, created_at: -1, _id: -1 } }
  ]).catch(error => { if ((error as { code?: number }).code !== 85 && (error as { code?: number }).code !== 86) throw error })
}

/** Grows the data set from one shape to a larger one of as many accounts. */
export async function seed (url: string, shape: Shape, from: Shape = { accounts: 0, users: 0, links: 0 }): Promise<void> {
  const connection = await mongoose.createConnection(url).asPromise()
  try {
    await index(connection)
    await fill(connection, '_accounts', from.accounts, shape.accounts, accountRow)
    await fill(connection, '_users', from.users, shape.users, at => userRow(at, shape))
    if (from.links === 0) await fill(connection, 'short-urls', 0, REDIRECTS, at => redirectRow(at, shape))
    await fill(connection, 'short-urls', from.links, shape.links, at => linkRow(at, shape))
  } finally {
    await connection.close()
  }
}

export async function drop (url: string): Promise<void> {
  const connection = await mongoose.createConnection(url).asPromise()
  await connection.dropDatabase()
  await connection.close()
}
