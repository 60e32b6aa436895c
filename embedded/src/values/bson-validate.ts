import { int32At } from './bson-read.js'
import { MongoError } from './errors.js'

export const MAX_DOCUMENT = 16 * 1024 * 1024
export const MAX_DEPTH = 200

/** Sizes of the values by type, 255 where it depends on the value or the type does not exist. */
const SIZES = new Uint8Array(256).fill(255)
for (const [type, size] of [
  [0x01, 8], [0x06, 0], [0x07, 12], [0x08, 1], [0x09, 8], [0x0a, 0], [0x10, 4], [0x11, 8], [0x12, 8], [0x13, 16], [0x7f, 0], [0xff, 0]
] as const) SIZES[type] = size

const invalid = (why: string): MongoError => new MongoError(22, `Invalid BSON: ${why}`)

/** @throws MongoError 22 unless these bytes are exactly one well-formed BSON document whose every length holds */
export function validateDocument (bytes: Uint8Array): void {
  if (bytes.length < 5) throw invalid('a document has at least 5 bytes')
  if (int32At(bytes, 0) !== bytes.length) throw invalid(`length ${int32At(bytes, 0)} does not match ${bytes.length} bytes`)
  validateFields(bytes, 0, bytes.length, 1)
}

/** The fields of the document in [start, limit); its length must be at least 5 and end within limit. */
function validateFields (b: Uint8Array, start: number, limit: number, depth: number): number {
  if (depth > MAX_DEPTH) throw new MongoError(15, 'BSONObj exceeds maximum nested object depth')
  if (start + 5 > limit) throw invalid('a document is cut short')
  const length = int32At(b, start)
  const last = start + length - 1
  if (length < 5 || last >= limit) throw invalid(`a document states the length ${length}`)
  let at = start + 4
  for (let type = b[at]; type !== 0; type = b[at]) {
    at = validateValue(b, type, endOfText(b, at + 1, last), last, depth)
    if (at > last) throw invalid('a field reaches beyond its document')
  }
  if (at !== last) throw invalid('a document ends before its stated length')
  return last + 1
}

/** Behind the NUL that ends the text at `at`. */
function endOfText (b: Uint8Array, at: number, limit: number): number {
  while (at < limit && b[at] !== 0) at++
  if (at >= limit) throw invalid('a text is not terminated')
  return at + 1
}

function validateValue (b: Uint8Array, type: number, at: number, limit: number, depth: number): number {
  const size = SIZES[type]
  if (size !== 255) return type === 0x08 ? endOfBool(b, at, limit) : at + size
  switch (type) {
    case 0x02: case 0x0d: case 0x0e: return endOfString(b, at, limit)
    case 0x03: case 0x04: return validateFields(b, at, limit, depth + 1)
    case 0x05: return endOfBinary(b, at, limit)
    case 0x0b: return endOfText(b, endOfText(b, at, limit), limit)
    case 0x0c: return endOfString(b, at, limit) + 12
    case 0x0f: return endOfScopedCode(b, at, limit, depth)
    default: throw invalid(`unknown type ${type}`)
  }
}

function endOfBool (b: Uint8Array, at: number, limit: number): number {
  if (at < limit && b[at] > 1) throw invalid(`a boolean is ${b[at]}`)
  return at + 1
}

function endOfString (b: Uint8Array, at: number, limit: number): number {
  const length = at + 4 <= limit ? int32At(b, at) : 0
  const end = at + 4 + length
  if (length < 1 || end > limit || b[end - 1] !== 0) throw invalid(`a string states the length ${length}`)
  return end
}

function endOfBinary (b: Uint8Array, at: number, limit: number): number {
  const length = at + 5 <= limit ? int32At(b, at) : -1
  if (length < 0 || at + 5 + length > limit) throw invalid(`binary data states the length ${length}`)
  return at + 5 + length
}

function endOfScopedCode (b: Uint8Array, at: number, limit: number, depth: number): number {
  const length = at + 4 <= limit ? int32At(b, at) : 0
  const end = at + length
  if (length < 14 || end > limit) throw invalid(`code with scope states the length ${length}`)
  if (validateFields(b, endOfString(b, at + 4, end), end, depth + 1) !== end) throw invalid('code with scope has a wrong length')
  return end
}
