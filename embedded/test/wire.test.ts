import t from 'tap'
import { crc32c } from '../src/wire/crc32c.js'
import { FrameReader } from '../src/wire/frames.js'
import { BadRequest, parseMessage, ProtocolFault, replyHeader } from '../src/wire/message.js'
import { encodeDocument } from '../src/values/bson-write.js'
import { docOf, int } from '../src/values/build.js'
import type { Doc } from '../src/values/types.js'

const body = (doc: Doc): Buffer => Buffer.concat([Buffer.from([0]), encodeDocument(doc)])

function sequence (name: string, docs: readonly Doc[]): Buffer {
  const content = Buffer.concat([Buffer.from(`${name}\0`), ...docs.map(doc => encodeDocument(doc))])
  const head = Buffer.alloc(5)
  head[0] = 1
  head.writeInt32LE(content.length + 4, 1)
  return Buffer.concat([head, content])
}

function message (sections: readonly Buffer[], flags = 0): Buffer {
  const head = Buffer.alloc(20)
  const content = Buffer.concat(sections)
  head.writeInt32LE(20 + content.length + (flags & 1 ? 4 : 0), 0)
  head.writeInt32LE(7, 4)
  head.writeInt32LE(2013, 12)
  head.writeUInt32LE(flags, 16)
  const whole = Buffer.concat([head, content])
  if (!(flags & 1)) return whole
  const sum = Buffer.alloc(4)
  sum.writeUInt32LE(crc32c(whole), 0)
  return Buffer.concat([whole, sum])
}

function thrown (fn: () => unknown): unknown {
  try {
    fn()
  } catch (error) {
    return error
  }
  return undefined
}

const PING = docOf({ ping: int(1), $db: 'admin' })

t.test('crc32c', async t => {
  t.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
})

t.test('OP_MSG: body, sequences, flags, checksum', async t => {
  const request = parseMessage(message([body(PING)]))
  t.match(request, { id: 7, legacy: false, silent: false, db: 'admin' })
  t.equal(parseMessage(message([body(PING)], 2)).silent, true)
  t.equal(parseMessage(message([body(PING)], 1)).db, 'admin')

  const insert = message([sequence('documents', [docOf({ a: int(1) }), docOf({ a: int(2) })]), body(docOf({ insert: 'c', $db: 'x' }))])
  t.equal((parseMessage(insert).body.get('documents') as Doc[]).length, 2)
})

t.test('what breaks the protocol', async t => {
  const wrongSum = message([body(PING)], 1)
  wrongSum[wrongSum.length - 1]! ^= 1
  for (const [name, bytes] of Object.entries({
    'a wrong checksum': wrongSum,
    'an unknown required flag': message([body(PING)], 4),
    'two bodies': message([body(PING), body(PING)]),
    'no body': message([sequence('documents', [])]),
    'an unknown section': message([Buffer.concat([Buffer.from([9]), encodeDocument(PING)])]),
    'a section that is too long': message([body(PING).subarray(0, 8)])
  })) t.ok(thrown(() => parseMessage(bytes)) instanceof ProtocolFault, name)
})

t.test('bad BSON in a good frame is answered', async t => {
  const broken = body(docOf({ ping: 'text', $db: 'x' }))
  broken[5] = 0x55
  t.ok(thrown(() => parseMessage(message([broken]))) instanceof BadRequest)
  t.ok(thrown(() => parseMessage(message([body(docOf({ ping: int(1) }))]))) instanceof BadRequest, '$db is missing')
  const twice = message([body(docOf({ insert: 'c', documents: [], $db: 'x' })), sequence('documents', [])])
  t.ok(thrown(() => parseMessage(twice)) instanceof BadRequest, 'a field and a sequence of one name')
})

t.test('frames: any cut of the stream gives the same messages', async t => {
  const all = [message([body(PING)]), message([body(docOf({ find: 'c', pad: 'x'.repeat(5000), $db: 'x' }))]), message([body(PING)], 2)]
  const stream = Buffer.concat(all)
  for (const size of [1, 3, 15, 16, 17, 40, 1000, stream.length]) {
    const reader = new FrameReader()
    const got: Buffer[] = []
    for (let at = 0; at < stream.length; at += size) for (const whole of reader.push(stream.subarray(at, at + size))) got.push(Buffer.from(whole))
    t.same(got, all, `in pieces of ${size}`)
  }
})

t.test('frames: an impossible length ends the connection', async t => {
  for (const length of [0, -1, 20, 48_000_001, 0x7fffffff]) {
    const head = Buffer.alloc(16)
    head.writeInt32LE(length, 0)
    t.ok(thrown(() => [...new FrameReader().push(head)]) instanceof ProtocolFault, String(length))
  }
})

t.test('the header of a reply', async t => {
  const header = replyHeader({ id: 7, legacy: false }, 100)
  t.equal(header.readInt32LE(0), 121)
  t.equal(header.readInt32LE(8), 7)
  t.equal(header.readInt32LE(12), 2013)
  t.equal(replyHeader({ id: 7, legacy: true }, 100).readInt32LE(12), 1)
})
