import { Transform, pipeline, type Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { TargetError } from './errors.js'

export type BodyLimits = {
  /** bytes, on the wire and unpacked alike */
  maxBytes: number
  /** unpacked bytes per byte on the wire */
  maxRatio: number
}

/** Below this many unpacked bytes the ratio does not matter. */
const RATIO_FLOOR = 65_536

const unpackers: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate, br: createBrotliDecompress
}

/** Can a body with this `content-encoding` be unpacked? */
export const isKnownEncoding = (encoding: string): boolean => encoding === 'identity' || Object.hasOwn(unpackers, encoding)

export type Moved = { wire: number, unpacked: number }

/**
 * The body unpacked and held to its limits while it streams: past one of them the stream fails with
 * TARGET_TOO_LARGE, so that a cut body never looks complete.
 * @param explain turns errors of the transport into ours
 */
export function limitedBody (source: Readable, encoding: string, limits: BodyLimits, moved: Moved, explain: (error: unknown) => Error): Readable {
  const unpack = unpackers[encoding]
  const wire = counter(size => {
    moved.wire += size
    return moved.wire <= limits.maxBytes
  })
  const unpacked = counter(size => {
    moved.unpacked += size
    const ratioHolds = moved.unpacked <= RATIO_FLOOR || moved.unpacked <= moved.wire * limits.maxRatio
    return moved.unpacked <= limits.maxBytes && ratioHolds
  }, explain)
  const stages = unpack === undefined ? [source, wire, unpacked] : [source, wire, unpack(), unpacked]
  pipeline(stages, () => {})
  return unpacked
}

function counter (fits: (size: number) => boolean, explain?: (error: unknown) => Error): Transform {
  return new Transform({
    transform (chunk: Buffer, _encoding, done) {
      if (fits(chunk.length)) done(null, chunk)
      else done(TargetError.TARGET_TOO_LARGE())
    },
    destroy (error, done) { done(error === null || explain === undefined ? error : explain(error)) }
  })
}

/** All bytes of a stream. */
export async function collect (stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** At most the first `max` bytes; the rest is not read. */
export async function collectStart (stream: Readable, max: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= max) break
  }
  return Buffer.concat(chunks).subarray(0, max)
}
