import { endOfName, endOfValue, int32At, nameAt } from '../values/bson-read.js'

const DOCUMENT = 0x03
const ARRAY = 0x04

/** Which fields a projection of flags keeps (inclusion) or drops (exclusion), level by level. */
export type Flags = {
  readonly keep: boolean
  /** an inclusion with computed fields below: they take the place of scalars, which therefore stay for now */
  readonly computed: boolean
  readonly named: ReadonlySet<string>
  readonly children: ReadonlyMap<string, Flags>
}

// One growing buffer for all projections: nothing here gives control away before it is done.
let out = Buffer.allocUnsafeSlow(16 * 1024)
let at = 0

function reserve (bytes: number): void {
  if (at + bytes <= out.length) return
  const grown = Buffer.allocUnsafeSlow(Math.max(out.length * 2, at + bytes))
  out.copy(grown, 0, 0, at)
  out = grown
}

function put (b: Uint8Array, start: number, end: number): void {
  const length = end - start
  reserve(length)
  if (length > 32) out.set(b.subarray(start, end), at)
  else for (let i = 0; i < length; i++) out[at + i] = b[start + i]
  at += length
}

/** The document without what the flags leave out, copied field by field as bytes. */
export function projectRaw (b: Uint8Array, flags: Flags): Buffer {
  at = 0
  putDocument(b, 0, flags)
  const bytes = Buffer.allocUnsafe(at)
  out.copy(bytes, 0, 0, at)
  if (out.length > 1024 * 1024) out = Buffer.allocUnsafeSlow(16 * 1024)
  return bytes
}

function open (): number {
  reserve(4)
  at += 4
  return at - 4
}

function close (start: number): void {
  reserve(1)
  out[at++] = 0
  out.writeInt32LE(at - start, start)
}

function putDocument (b: Uint8Array, start: number, flags: Flags): void {
  const opened = open()
  let left = flags.keep ? flags.named.size + flags.children.size : Infinity
  let from = start + 4
  for (let type = b[from]; type !== 0 && left > 0; type = b[from]) {
    const nameEnd = endOfName(b, from + 1)
    const end = endOfValue(b, type, nameEnd + 1)
    const name = nameAt(b, from + 1, nameEnd)
    const child = flags.children.get(name)
    if (child !== undefined || flags.named.has(name)) left--
    if (child !== undefined) putChild(b, from, nameEnd + 1, type, end, child)
    else if (flags.named.has(name) === flags.keep) put(b, from, end)
    from = end
  }
  close(opened)
}

/** A field whose value is projected itself: a scalar has nothing to keep. */
function putChild (b: Uint8Array, from: number, value: number, type: number, end: number, flags: Flags): void {
  if (type !== DOCUMENT && type !== ARRAY) {
    if (!flags.keep || flags.computed) put(b, from, end)
    return
  }
  put(b, from, value)
  putValue(b, type, value, end, flags)
}

function putValue (b: Uint8Array, type: number, start: number, end: number, flags: Flags): void {
  if (type === DOCUMENT) putDocument(b, start, flags)
  else if (type === ARRAY) putArray(b, start, flags)
  else put(b, start, end)
}

/** Every document in it, also in arrays of arrays; an inclusion leaves scalars out and numbers the rest anew. */
function putArray (b: Uint8Array, start: number, flags: Flags): void {
  const opened = open()
  let index = 0
  let from = start + 4
  for (let type = b[from]; type !== 0; type = b[from]) {
    const value = endOfName(b, from + 1) + 1
    const end = endOfValue(b, type, value)
    if (type === DOCUMENT || type === ARRAY || !flags.keep || flags.computed) {
      const key = Buffer.from(String(index++))
      reserve(key.length + 2)
      out[at++] = type
      put(key, 0, key.length)
      out[at++] = 0
      putValue(b, type, value, end, flags)
    }
    from = end
  }
  close(opened)
}

/** Whether the bytes hold a field that an exclusion would change; if not the document passes through untouched. */
export function touches (b: Uint8Array, flags: Flags): boolean {
  let from = 4
  const end = int32At(b, 0) - 1
  while (from < end) {
    const nameEnd = endOfName(b, from + 1)
    const name = nameAt(b, from + 1, nameEnd)
    if (flags.named.has(name) || flags.children.has(name)) return true
    from = endOfValue(b, b[from], nameEnd + 1)
  }
  return false
}
