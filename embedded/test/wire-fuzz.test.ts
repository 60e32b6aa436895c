// FUZZ_SEED=<n> repeats a run, FUZZ_FRAMES=<n> sends more frames.
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import t from 'tap'
import { startEngine } from '../src/index.js'
import { encodeArray, encodeDocument } from '../src/values/bson-write.js'
import { docOf, int } from '../src/values/build.js'
import { BsonDate, Doc, Double, ObjectId, Regex } from '../src/values/types.js'
import type { Int32, Value } from '../src/values/types.js'
import { decimal } from './fixtures/arbitraries.js'

const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const FRAMES = Number(process.env['FUZZ_FRAMES'] ?? 1500)
const PATIENCE = 10000

/** mulberry32: the same numbers for the same seed. */
function randomOf (seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) % below
  }
}

type Fields = Record<string, Value>
const list = (...docs: Fields[]): Value[] => docs.map(docOf)

const COMMANDS: readonly Fields[] = [
  { hello: int(1), helloOk: true },
  { insert: 'c', documents: list({ _id: int(1), a: 'x', b: [int(1), docOf({ c: new Double(2) })] }, { _id: new ObjectId(new Uint8Array(12)), d: decimal('1.5') }), ordered: true },
  { find: 'c', filter: docOf({ a: docOf({ $gte: 'a', $in: ['x', new Regex('^y', 'i')] }) }), sort: docOf({ a: int(1) }), limit: int(5), projection: docOf({ a: int(1) }) },
  { update: 'c', updates: list({ q: docOf({ a: 'x' }), u: docOf({ $inc: docOf({ n: int(1) }), $push: docOf({ b: int(3) }) }), upsert: true, multi: false }) },
  { delete: 'c', deletes: list({ q: docOf({ a: 'x' }), limit: int(1) }) },
  { findAndModify: 'c', query: docOf({ a: 'x' }), update: docOf({ $set: docOf({ 'b.0': new BsonDate(1) }) }), new: true },
  {
    aggregate: 'c',
    pipeline: list({ $match: docOf({ a: 'x' }) }, { $group: docOf({ _id: '$a', n: docOf({ $sum: int(1) }) }) }, { $project: docOf({ n: docOf({ $add: ['$n', int(1)] }) }) }),
    cursor: docOf({ batchSize: int(2) })
  },
  { createIndexes: 'c', indexes: list({ key: docOf({ a: int(1), b: int(-1) }), name: 'a_1_b_-1', unique: false, partialFilterExpression: docOf({ a: docOf({ $exists: true }) }) }) },
  { count: 'c', query: docOf({ a: 'x' }) },
  { distinct: 'c', key: 'a', query: docOf({}) },
  { getMore: 5n, collection: 'c', batchSize: int(2) },
  { listCollections: int(1), filter: docOf({ name: 'c' }), cursor: docOf({}) },
  { listIndexes: 'c', cursor: docOf({}) },
  { explain: docOf({ find: 'c', filter: docOf({ a: 'x' }) }), verbosity: 'executionStats' },
  { create: 'd', validator: docOf({ $jsonSchema: docOf({ required: ['a'], properties: docOf({ a: docOf({ bsonType: 'string' }) }) }) }) }
]

function frame (sections: readonly Buffer[], opCode = 2013): Buffer {
  const content = Buffer.concat(sections)
  const head = Buffer.alloc(20)
  head.writeInt32LE(20 + content.length, 0)
  head.writeInt32LE(7, 4)
  head.writeInt32LE(opCode, 12)
  return Buffer.concat([head, content])
}

const message = (fields: Fields): Buffer => frame([Buffer.from([0]), encodeDocument(docOf({ ...fields, $db: 'fuzz' }))])

function sequenceMessage (docs: readonly Doc[]): Buffer {
  const name = Buffer.from('documents\0')
  const body = Buffer.concat(docs.map(doc => encodeDocument(doc)))
  const size = Buffer.alloc(5)
  size[0] = 1
  size.writeInt32LE(4 + name.length + body.length, 1)
  return frame([Buffer.from([0]), encodeDocument(docOf({ insert: 'c', $db: 'fuzz' })), size, name, body])
}

const VALID: readonly Buffer[] = [...COMMANDS.map(message), sequenceMessage([docOf({ a: int(1) }), docOf({ a: int(2) })])]
const NASTY = [0, 1, 2, 3, 4, 5, 7, 0x10, 0x12, 0x13, 0x24, 0x2e, 0x7f, 0x80, 0xff]

/** Changes a few bytes, cuts, repeats or swaps pieces; mostly the length in front stays right, so that the frame is read. */
function mutate (valid: Buffer, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(valid)
  const changes = 1 + random(4)
  for (let i = 0; i < changes; i++) {
    const at = random(bytes.length)
    const kind = random(8)
    if (kind < 4) bytes[at] = kind === 0 ? random(256) : NASTY[random(NASTY.length)]
    else if (kind === 4) bytes[at] ^= 1 << random(8)
    else if (kind === 5) bytes = bytes.subarray(0, Math.max(1, at))
    else if (kind === 6) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + random(32)), bytes.subarray(at)])
    else if (at + 4 <= bytes.length) bytes.writeInt32LE([0, -1, 0x7fffffff, -0x80000000, 1e6][random(5)], at)
    bytes = Buffer.from(bytes)
  }
  if (bytes.length >= 4 && random(8) !== 0) bytes.writeInt32LE(bytes.length, 0)
  return bytes
}

const addressOf = (url: string): { host: string, port: number } => {
  const { hostname: host, port } = new URL(url)
  return { host, port: Number(port) }
}

/** Sends, and resolves when the server has answered or closed; what arrives is not looked at. */
function provoke (url: string, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(addressOf(url))
    const timer = setTimeout(() => {
      reject(new Error(`neither an answer nor an end for ${bytes.toString('base64')}`))
      socket.destroy()
    }, PATIENCE)
    const done = (how: string): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(how)
    }
    socket.on('data', () => done('answered'))
    socket.on('error', () => done('closed'))
    socket.on('close', () => done('closed'))
    // The end of the stream is what a server sees that waits for the rest of a frame.
    socket.end(bytes)
  })
}

class Client {
  readonly #socket: Socket
  #waiting: ((reply: Buffer) => void) | undefined
  #received = Buffer.alloc(0)

  constructor (url: string) {
    this.#socket = connect(addressOf(url))
    this.#socket.on('data', chunk => {
      this.#received = Buffer.concat([this.#received, chunk])
      if (this.#received.length < 4 || this.#received.length < this.#received.readInt32LE(0)) return
      this.#waiting?.(this.#received)
      this.#received = Buffer.alloc(0)
    })
  }

  async send (fields: Fields): Promise<Doc> {
    const reply = await new Promise<Buffer>((resolve, reject) => {
      this.#waiting = resolve
      this.#socket.once('close', () => reject(new Error('the engine closed a sane connection')))
      this.#socket.write(message(fields))
    })
    return Doc.raw(reply.subarray(21))
  }

  close (): void {
    this.#socket.removeAllListeners('close')
    this.#socket.destroy()
  }
}

await t.test(`mutated frames, FUZZ_SEED=${SEED}`, { timeout: 300000 }, async t => {
  const faults: string[] = []
  const engine = await startEngine({ memory: true, listen: 'tcp', worker: false, log: line => faults.push(line) })
  faults.length = 0
  const random = randomOf(SEED)
  const sane = new Client(engine.url)
  const outcomes = new Map<string, number>()
  for (let sent = 0; sent < FRAMES; sent += 25) {
    const frames = Array.from({ length: 25 }, () => mutate(VALID[random(VALID.length)], random))
    for (const outcome of await Promise.all(frames.map(bytes => provoke(engine.url, bytes)))) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    if (faults.length > 0) break
  }
  t.comment(`outcomes: ${JSON.stringify(Object.fromEntries(outcomes))}`)
  t.ok((outcomes.get('answered') ?? 0) > FRAMES / 20, 'part of the frames reach the commands')
  const ping = await sane.send({ ping: int(1) })
  t.equal((ping.get('ok') as Double).value, 1, 'the engine still serves')
  sane.close()
  await engine.stop()
  t.same(faults, [], 'no internal error')
})

await t.test(`noise, FUZZ_SEED=${SEED}`, async t => {
  const engine = await startEngine({ memory: true, listen: 'tcp', worker: false })
  const random = randomOf(SEED)
  const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random(256)))
  const framed = (length: number): Buffer => {
    const bytes = noise(length)
    bytes.writeInt32LE(length, 0)
    bytes.writeInt32LE([2013, 2004, 2012, 1][random(4)], 12)
    return bytes
  }
  for (let i = 0; i < 100; i++) await provoke(engine.url, i % 2 === 0 ? noise(1 + random(200)) : framed(16 + random(200)))
  const sane = new Client(engine.url)
  t.equal(((await sane.send({ ping: int(1) })).get('ok') as Double).value, 1)
  sane.close()
  await engine.stop()
})

function nested (depth: number): Value {
  let bytes = encodeDocument(docOf({ a: int(1) }))
  for (let i = 0; i < depth; i++) {
    const inner = bytes
    bytes = encodeDocument(docOf({ $and: [Doc.raw(inner)] }))
  }
  return Doc.raw(bytes)
}

await t.test('deep, large and odd commands are answered', async t => {
  const engine = await startEngine({ memory: true, listen: 'tcp', worker: false })
  const sane = new Client(engine.url)
  const codeOf = async (fields: Fields): Promise<number> => {
    const reply = await sane.send(fields)
    const [first] = (reply.get('writeErrors') ?? []) as Doc[]
    return ((first ?? reply).get('code') as Int32 | undefined)?.value ?? 0
  }
  t.equal(await codeOf({ find: 'c', filter: nested(150) }), 15, 'too deep')
  t.equal(await codeOf({ find: 'c', filter: nested(50) }), 0)
  t.equal(await codeOf({ nonsense: int(1) }), 59)
  t.equal(await codeOf({ insert: 'c', documents: [docOf({ x: 'x'.repeat(16 * 1024 * 1024) })] }), 10334, 'too large')
  t.equal(await codeOf({ __proto__: int(1), constructor: int(1) }), 59)
  t.equal(encodeArray([]).length, 5)
  sane.close()
  await engine.stop()
})
