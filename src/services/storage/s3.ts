import { Readable } from 'node:stream'
import type { CompletedPart, S3Client } from '@aws-sdk/client-s3'
import { UpstreamError, answeredWith, timedOut, unreachable, type HttpClient, type Method } from '../http/index.js'
import type { Clock } from '../kit.js'
import { StorageError } from './errors.js'
import { createMeter } from './folder.js'
import { checkKey, dispositionOf } from './keys.js'
import type { ByteRange, ObjectBody, ObjectInfo, StorageClient, UploadTerms, WriteOptions, Written } from './types.js'

export type S3Options = {
  bucket: string
  region: string
  /** other address than Amazon's; the bucket then stands in the path */
  endpoint?: string
  accessKeyId: string
  secretAccessKey: string
  http: HttpClient
  clock: Clock
  /** milliseconds without a byte after which a call fails (default 10 000) */
  timeoutMs?: number
}

/** Larger bodies go in parts of this size. */
const PART_BYTES = 8 * 1_048_576

export const s3Address = (options: Pick<S3Options, 'endpoint' | 'region'>) => options.endpoint ?? `https://s3.${options.region}.amazonaws.com`

type Problem = { name?: string, code?: string, $metadata?: { httpStatusCode?: number } }

const statusOf = (error: unknown): number | undefined => (error as Problem).$metadata?.httpStatusCode

/** Files in S3 or what speaks its language. */
export function createS3 (options: S3Options): StorageClient {
  const { bucket: Bucket, http } = options
  const load = memo(() => import('@aws-sdk/client-s3'))
  const connect = memo(async () => {
    const { S3Client } = await load()
    return new S3Client({
      region: options.region,
      endpoint: options.endpoint,
      forcePathStyle: options.endpoint !== undefined,
      credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
      maxAttempts: 3,
      // checksums of their own would become part of every signed address
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: {
        connectionTimeout: 3_000,
        requestTimeout: options.timeoutMs ?? 10_000,
        throwOnRequestTimeout: true,
        httpsAgent: { maxSockets: 64 },
        httpAgent: { maxSockets: 64 }
      }
    })
  })

  /** One call under the breaker; `absent` is the answer when there is no such object. */
  async function run<T, A> (method: Method, key: string, work: (client: S3Client) => Promise<T>, absent: A): Promise<T | A> {
    checkKey(key)
    const client = await connect()
    try {
      return await http.guard({ upstream: 's3', url: s3Address(options), method }, () => work(client), error => (statusOf(error) ?? 500) >= 500)
    } catch (error) {
      if (statusOf(error) === 404 && (error as Problem).name !== 'NoSuchBucket') return absent
      throw translate(error)
    }
  }

  const missing = (key: string) => answeredWith(404, { upstream: 's3', body: { code: 'NoSuchKey' }, cause: key })

  async function must<T> (method: 'PUT' | 'POST' | 'DELETE', key: string, work: (client: S3Client) => Promise<T>): Promise<T> {
    const result = await run(method, key, work, null)
    if (result === null) throw missing(key)
    return result
  }

  async function head (key: string): Promise<ObjectInfo | null> {
    const { HeadObjectCommand } = await load()
    const found = await run('HEAD', key, client => client.send(new HeadObjectCommand({ Bucket, Key: key, ChecksumMode: 'ENABLED' })), null)
    return found === null ? null : infoOf(found, found.ContentLength ?? 0)
  }

  async function read (key: string, range?: ByteRange): Promise<ObjectBody | null> {
    const { GetObjectCommand } = await load()
    const Range = range === undefined ? undefined : `bytes=${range.start}-${range.end ?? ''}`
    const found = await run('GET', key, client => client.send(new GetObjectCommand({ Bucket, Key: key, Range })), null)
    if (found === null) return null
    const part = partOf(found.ContentRange)
    const length = found.ContentLength ?? 0
    return { ...infoOf(found, part?.size ?? length), body: found.Body as Readable, range: part === null ? null : { start: part.start, end: part.end }, length }
  }

  async function putWhole (key: string, bytes: Buffer, contentType: string, sha256: string): Promise<string> {
    const { PutObjectCommand } = await load()
    const command = new PutObjectCommand({ Bucket, Key: key, Body: bytes, ContentType: contentType, ChecksumSHA256: toBase64(sha256) })
    return (await must('PUT', key, client => client.send(command))).ETag ?? ''
  }

  async function putParts (key: string, parts: AsyncIterable<Buffer>, contentType: string): Promise<string> {
    const s3 = await load()
    const { UploadId } = await must('POST', key, client => client.send(new s3.CreateMultipartUploadCommand({ Bucket, Key: key, ContentType: contentType })))
    const done: CompletedPart[] = []
    try {
      for await (const Body of parts) {
        const PartNumber = done.length + 1
        const { ETag } = await must('PUT', key, client => client.send(new s3.UploadPartCommand({ Bucket, Key: key, UploadId, PartNumber, Body })))
        done.push({ ETag, PartNumber })
      }
      const complete = new s3.CompleteMultipartUploadCommand({ Bucket, Key: key, UploadId, MultipartUpload: { Parts: done } })
      return (await must('POST', key, client => client.send(complete))).ETag ?? ''
    } catch (error) {
      await run('DELETE', key, client => client.send(new s3.AbortMultipartUploadCommand({ Bucket, Key: key, UploadId })), null).catch(() => {})
      throw error
    }
  }

  async function write (key: string, body: Uint8Array | Readable, { contentType, maxBytes = Infinity }: WriteOptions): Promise<Written> {
    checkKey(key)
    const meter = createMeter(maxBytes)
    const source = body instanceof Readable ? body : Readable.from([Buffer.from(body)])
    source.once('error', error => { meter.stream.destroy(error) })
    const chunks = inParts(source.pipe(meter.stream))
    try {
      const first = await chunks.next()
      const second = first.done === true ? first : await chunks.next()
      if (second.done === true) {
        const bytes = first.done === true ? Buffer.alloc(0) : first.value
        const result = meter.result()
        return { ...result, etag: await putWhole(key, bytes, contentType, result.sha256) }
      }
      const etag = await putParts(key, joined([first.value as Buffer, second.value], chunks), contentType)
      return { ...meter.result(), etag }
    } finally {
      source.destroy()
    }
  }

  async function presignPut ({ key, contentType, size, sha256, expiresIn }: UploadTerms) {
    const [{ PutObjectCommand }, { getSignedUrl }] = await Promise.all([load(), import('@aws-sdk/s3-request-presigner')])
    const checksum = sha256 === undefined ? undefined : toBase64(sha256)
    const command = new PutObjectCommand({ Bucket, Key: checkKey(key), ContentType: contentType, ContentLength: size, ChecksumSHA256: checksum })
    const url = await getSignedUrl(await connect(), command, {
      expiresIn,
      signingDate: options.clock.now(),
      // what stands in a signed header binds the upload; in the query it would only decorate it
      signableHeaders: new Set(['host', 'content-type', 'content-length', 'x-amz-checksum-sha256']),
      unhoistableHeaders: new Set(['x-amz-checksum-sha256'])
    })
    const headers = { 'content-type': contentType, ...(checksum === undefined ? {} : { 'x-amz-checksum-sha256': checksum }) }
    return { method: 'PUT' as const, url, headers, expiresAt: later(expiresIn) }
  }

  const later = (seconds: number) => new Date(Math.floor(options.clock.now().getTime() / 1_000 + seconds) * 1_000)

  return {
    presignPut,
    async presignGet ({ key, expiresIn, filename, inline, contentType }) {
      const [{ GetObjectCommand }, { getSignedUrl }] = await Promise.all([load(), import('@aws-sdk/s3-request-presigner')])
      const command = new GetObjectCommand({
        Bucket, Key: checkKey(key), ResponseContentDisposition: dispositionOf(filename, inline), ResponseContentType: contentType
      })
      return { url: await getSignedUrl(await connect(), command, { expiresIn, signingDate: options.clock.now() }), expiresAt: later(expiresIn) }
    },
    head,
    read,
    write,
    async copy (from, to) {
      const { CopyObjectCommand } = await load()
      const CopySource = [Bucket, ...checkKey(from).split('/')].map(encodeURIComponent).join('/')
      const done = await run('PUT', to, client => client.send(new CopyObjectCommand({ Bucket, Key: to, CopySource })), null)
      return done !== null
    },
    async remove (key) {
      const { DeleteObjectCommand } = await load()
      await run('DELETE', key, client => client.send(new DeleteObjectCommand({ Bucket, Key: key })), null)
    }
  }
}

const toBase64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64')

function memo<T> (make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}

type Found = { ContentType?: string, ChecksumSHA256?: string, ETag?: string, LastModified?: Date }

const infoOf = (found: Found, size: number): ObjectInfo => ({
  size,
  contentType: found.ContentType ?? 'application/octet-stream',
  // the sum of a file in parts is a sum of sums, marked with their number
  sha256: found.ChecksumSHA256 === undefined || found.ChecksumSHA256.includes('-') ? null : Buffer.from(found.ChecksumSHA256, 'base64').toString('hex'),
  etag: found.ETag ?? '',
  lastModified: found.LastModified ?? new Date(0)
})

function partOf (header: string | undefined): { start: number, end: number, size: number } | null {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header ?? '')
  return match === null ? null : { start: Number(match[1]), end: Number(match[2]), size: Number(match[3]) }
}

/** The stream cut into buffers of one part's size; the last one may be smaller. */
async function * inParts (stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer, undefined> {
  let chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    size += chunk.length
    while (size >= PART_BYTES) {
      const all = Buffer.concat(chunks)
      yield all.subarray(0, PART_BYTES)
      chunks = [all.subarray(PART_BYTES)]
      size -= PART_BYTES
    }
  }
  if (size > 0) yield Buffer.concat(chunks)
}

async function * joined (first: readonly Buffer[], rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield * first
  yield * rest
}

const TIMEOUTS = new Set(['TimeoutError', 'RequestTimeout', 'ETIMEDOUT'])

function translate (error: unknown): unknown {
  if (error instanceof UpstreamError || error === null || typeof error !== 'object') return error
  const { name = '', code = '' } = error as Problem
  const status = statusOf(error)
  if (status === 416) return StorageError.RANGE_NOT_SATISFIABLE()
  if (status !== undefined && status >= 400) return answeredWith(status, { upstream: 's3', body: { code: name }, cause: error })
  if (TIMEOUTS.has(name) || TIMEOUTS.has(code)) return timedOut('s3', error)
  if (code.startsWith('E') || status !== undefined) return unreachable('s3', error, code === 'ECONNREFUSED' ? 'not_sent' : 'unknown')
  return error
}
