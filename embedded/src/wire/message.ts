import { validateDocument } from '../values/bson-validate.js'
import { MongoError } from '../values/errors.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import { crc32c } from './crc32c.js'

const OP_REPLY = 1
const OP_QUERY = 2004
const OP_MSG = 2013
export const HEADER_LENGTH = 16
export const MAX_MESSAGE = 48_000_000

const CHECKSUM_PRESENT = 1
const MORE_TO_COME = 2
const REQUIRED_BITS = 0xffff

/** The bytes break the protocol itself: no reply can be addressed, the connection is closed. */
export class ProtocolFault extends Error {}

export type Request = {
  id: number
  legacy: boolean
  /** the sender wants no reply */
  silent: boolean
  db: string
  body: Doc
}

/** A request that is framed well but whose BSON is not: it is answered with the error. */
export class BadRequest extends Error {
  constructor (readonly request: Pick<Request, 'id' | 'legacy' | 'silent'>, readonly reason: MongoError) {
    super(reason.message)
  }
}

export function parseMessage (bytes: Buffer): Request {
  const opCode = bytes.readInt32LE(12)
  const id = bytes.readInt32LE(4)
  if (opCode === OP_MSG) return parseMsg(bytes, id)
  if (opCode === OP_QUERY) return parseQuery(bytes, id)
  throw new ProtocolFault(`opcode ${opCode}`)
}

type Sections = { body: Doc | undefined, sequences: Map<string, Value[]> }

function parseMsg (bytes: Buffer, id: number): Request {
  if (bytes.length < HEADER_LENGTH + 5) throw new ProtocolFault('short OP_MSG')
  const flags = bytes.readUInt32LE(16)
  if (flags & REQUIRED_BITS & ~(CHECKSUM_PRESENT | MORE_TO_COME)) throw new ProtocolFault('unknown required flag')
  const address = { id, legacy: false, silent: (flags & MORE_TO_COME) !== 0 }
  const end = flags & CHECKSUM_PRESENT ? checkedEnd(bytes) : bytes.length
  const sections: Sections = { body: undefined, sequences: new Map() }
  let at = 20
  try {
    while (at < end) at = readSection(bytes, at, end, sections)
  } catch (error) {
    if (error instanceof MongoError) throw new BadRequest(address, error)
    throw error
  }
  if (sections.body === undefined) throw new ProtocolFault('OP_MSG without a body')
  const body = withSequences(sections.body, sections.sequences, address)
  const db = body.get('$db')
  if (typeof db !== 'string') throw new BadRequest(address, new MongoError(40571, 'OP_MSG requests require a $db argument'))
  return { ...address, db, body }
}

function checkedEnd (bytes: Buffer): number {
  const end = bytes.length - 4
  if (end < 21 || crc32c(bytes.subarray(0, end)) !== bytes.readUInt32LE(end)) throw new ProtocolFault('wrong checksum')
  return end
}

function readSection (bytes: Buffer, start: number, end: number, sections: Sections): number {
  const kind = bytes[start]
  const at = start + 1
  if (at + 4 > end) throw new ProtocolFault('cut section')
  const size = bytes.readInt32LE(at)
  const stop = at + size
  if (size < 5 || stop > end) throw new ProtocolFault('section length')
  if (kind === 0) {
    if (sections.body !== undefined) throw new ProtocolFault('two bodies')
    sections.body = readDoc(bytes.subarray(at, stop))
  } else if (kind === 1) readSequence(bytes, at, stop, sections.sequences)
  else throw new ProtocolFault(`section kind ${kind}`)
  return stop
}

function readSequence (bytes: Buffer, start: number, stop: number, sequences: Map<string, Value[]>): void {
  const zero = bytes.indexOf(0, start + 4)
  if (zero < 0 || zero >= stop) throw new ProtocolFault('sequence name')
  const name = bytes.toString('utf8', start + 4, zero)
  if (sequences.has(name)) throw new ProtocolFault('sequence given twice')
  const docs: Value[] = []
  let at = zero + 1
  while (at < stop) {
    const size = at + 4 <= stop ? bytes.readInt32LE(at) : 0
    if (size < 5 || at + size > stop) throw new ProtocolFault('document length in a sequence')
    docs.push(readDoc(bytes.subarray(at, at + size)))
    at += size
  }
  sequences.set(name, docs)
}

function readDoc (bytes: Buffer): Doc {
  validateDocument(bytes)
  return Doc.raw(bytes)
}

function withSequences (body: Doc, sequences: Map<string, Value[]>, address: Pick<Request, 'id' | 'legacy' | 'silent'>): Doc {
  if (sequences.size === 0) return body
  const whole = body.copy()
  for (const [name, docs] of sequences) {
    if (whole.has(name)) throw new BadRequest(address, new MongoError(9, `Duplicate field between body and document sequence ${name}`))
    whole.set(name, docs)
  }
  return whole
}

/** OP_QUERY survives only as the driver's first hello (`{ isMaster: 1, helloOk: true }` on `admin.$cmd`). */
function parseQuery (bytes: Buffer, id: number): Request {
  const address = { id, legacy: true, silent: false }
  const zero = bytes.indexOf(0, 20)
  if (zero < 0 || zero + 13 > bytes.length) throw new ProtocolFault('cut OP_QUERY')
  const namespace = bytes.toString('utf8', 20, zero)
  const at = zero + 9
  const size = bytes.readInt32LE(at)
  if (size < 5 || at + size > bytes.length) throw new ProtocolFault('OP_QUERY document length')
  let body: Doc
  try {
    body = readDoc(bytes.subarray(at, at + size))
  } catch (error) {
    if (error instanceof MongoError) throw new BadRequest(address, error)
    throw error
  }
  const inner = body.get('$query')
  if (!namespace.endsWith('.$cmd')) {
    throw new BadRequest(address, new MongoError(5739101, 'OP_QUERY is no longer supported. The client driver may require an upgrade.'))
  }
  return { ...address, db: namespace.slice(0, -5), body: inner instanceof Doc ? inner : body }
}

let lastReplyId = 0

/** @returns the header to send before the encoded document */
export function replyHeader (request: Pick<Request, 'id' | 'legacy'>, bodyLength: number): Buffer {
  const length = request.legacy ? 36 : 21
  const header = Buffer.alloc(length)
  header.writeInt32LE(length + bodyLength, 0)
  lastReplyId = (lastReplyId + 1) & 0x7fffffff
  header.writeInt32LE(lastReplyId, 4)
  header.writeInt32LE(request.id, 8)
  header.writeInt32LE(request.legacy ? OP_REPLY : OP_MSG, 12)
  if (request.legacy) {
    header.writeInt32LE(8, 16) // AwaitCapable
    header.writeInt32LE(1, 32)
  }
  return header
}
