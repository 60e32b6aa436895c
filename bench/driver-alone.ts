// Started by run.ts: the driver's own closed loop, no HTTP. Prints one JSON line.
import mongoose from 'mongoose'
import { accountId, atMost, linkId, type LinkRow } from './dataset.js'
import { listFilter, NEWEST_FIRST, PROJECTION } from './link.js'
import { draws } from './stats.js'

const { MONGO_URL = '', POOL = '50', ACCOUNTS = '3', LINKS = '1000', SECONDS = '2', IN_FLIGHT = '50' } = process.env
const accounts = Number(ACCOUNTS)
const client = await mongoose.mongo.MongoClient.connect(MONGO_URL, { maxPoolSize: Number(POOL) })
const links = client.db().collection<LinkRow>('short-urls')
const drawn = draws(1_000, Number(LINKS))

const findOne = (turn: number) => {
  const account = turn % accounts
  const index = atMost(drawn[turn % drawn.length] ?? 0, account, accounts)
  return links.findOne({ account_id: accountId(account), _id: linkId(Math.max(account, index)) }, { projection: PROJECTION })
}
const find = (turn: number) =>
  links.find(listFilter(accountId(turn % accounts).toHexString(), undefined), { projection: PROJECTION, sort: NEWEST_FIRST, limit: 21 }).toArray()

async function loop (call: (turn: number) => Promise<unknown>) {
  const until = performance.now() + Number(SECONDS) * 1_000
  const before = process.cpuUsage()
  const began = performance.now()
  let turn = 0
  await Promise.all(Array.from({ length: Number(IN_FLIGHT) }, async () => {
    while (performance.now() < until) await call(turn++)
  }))
  const { user, system } = process.cpuUsage(before)
  return { rate: turn / (performance.now() - began) * 1_000, costUs: (user + system) / turn }
}

await loop(findOne)
const result = { findOne: await loop(findOne), find: await loop(find) }
await client.close()
process.send?.(result)
process.disconnect?.()
