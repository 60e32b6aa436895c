import { createHash, randomBytes } from 'node:crypto'
import { constants, createWriteStream } from 'node:fs'
import { copyFile, mkdir, open, readFile, realpath, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Clock } from '../kit.js'
import { StorageError } from './errors.js'
import { checkKey, dispositionOf } from './keys.js'
import { signStorageUrl } from './sign.js'
import type { ByteRange, ObjectBody, ObjectInfo, StorageClient, WriteOptions, Written } from './types.js'

export type FolderOptions = {
  folder: string
  /** address of the route that serves signed addresses, such as https://api.example/v1/shared/storage */
  baseUrl: string
  /** signs the addresses */
  secret: string
  clock: Clock
}

type Meta = { content_type: string, sha256: string, size: number, at: string }

const isMissing = (error: unknown) => ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')

/** Files in a folder, with the answers of S3: for development and single machines. */
export function createFolder (options: FolderOptions): StorageClient {
  const root = resolve(options.folder)
  const temporary = () => join(root, 'tmp', randomBytes(12).toString('hex'))

  /** Where a key's file or description lies. */
  const place = (kind: 'objects' | 'meta', key: string) => join(root, kind, ...checkKey(key).split('/')) + (kind === 'meta' ? '.json' : '')

  /** Makes the folder of a file; a link that leads elsewhere is refused. */
  async function prepare (file: string): Promise<void> {
    const parent = dirname(file)
    await mkdir(parent, { recursive: true })
    const real = await realpath(parent)
    if (!(real + sep).startsWith(await realpath(root) + sep)) throw StorageError.STORAGE_KEY_INVALID().because(`${real} lies outside`)
  }

  async function info (key: string): Promise<ObjectInfo | null> {
    try {
      const meta = JSON.parse(await readFile(place('meta', key), 'utf8')) as Meta
      return { size: meta.size, contentType: meta.content_type, sha256: meta.sha256, etag: etagOf(meta.sha256), lastModified: new Date(meta.at) }
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  }

  /** Puts a finished temporary file and its description in place. */
  async function settle (source: string, key: string, meta: Meta): Promise<void> {
    const description = temporary()
    await writeFile(description, JSON.stringify(meta))
    await prepare(place('objects', key))
    await prepare(place('meta', key))
    await rename(source, place('objects', key))
    await rename(description, place('meta', key))
  }

  async function write (key: string, body: Uint8Array | Readable, { contentType, maxBytes = Infinity }: WriteOptions): Promise<Written> {
    checkKey(key)
    const file = temporary()
    await mkdir(dirname(file), { recursive: true })
    const meter = createMeter(maxBytes)
    try {
      await pipeline(body instanceof Readable ? body : Readable.from([Buffer.from(body)]), meter.stream, createWriteStream(file, { flags: 'wx' }))
      const { size, sha256 } = meter.result()
      await settle(file, key, { content_type: contentType, sha256, size, at: options.clock.now().toISOString() })
      return { size, sha256, etag: etagOf(sha256) }
    } finally {
      await rm(file, { force: true })
    }
  }

  async function read (key: string, range?: ByteRange): Promise<ObjectBody | null> {
    const about = await info(key)
    if (about === null) return null
    const part = partOf(about.size, range)
    try {
      const handle = await open(place('objects', key), constants.O_RDONLY | constants.O_NOFOLLOW)
      const body = about.size === 0 ? Readable.from([]).once('close', () => { handle.close().catch(() => {}) }) : handle.createReadStream(part ?? {})
      return { ...about, body, range: part, length: part === null ? about.size : part.end - part.start + 1 }
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  }

  async function copy (from: string, to: string): Promise<boolean> {
    const about = await info(from)
    if (about === null) return false
    const file = temporary()
    await mkdir(dirname(file), { recursive: true })
    await copyFile(place('objects', from), file, constants.COPYFILE_FICLONE)
    await settle(file, to, { content_type: about.contentType, sha256: about.sha256 ?? '', size: about.size, at: options.clock.now().toISOString() })
    return true
  }

  async function remove (key: string): Promise<void> {
    for (const kind of ['meta', 'objects'] as const) {
      const file = place(kind, key)
      await rm(file, { force: true })
      await prune(dirname(file), join(root, kind))
    }
  }

  /** Removes folders that have become empty. */
  async function prune (folder: string, top: string): Promise<void> {
    for (let at = folder; at !== top; at = dirname(at)) {
      try {
        await rmdir(at)
      } catch {
        return
      }
    }
  }

  const seconds = () => Math.floor(options.clock.now().getTime() / 1_000)

  return {
    async presignPut ({ key, contentType, size, sha256, expiresIn }) {
      const expires = seconds() + expiresIn
      const url = signStorageUrl(options.baseUrl, { method: 'PUT', key: checkKey(key), expires, size, type: contentType, sha256 }, options.secret)
      return { method: 'PUT', url, headers: { 'content-type': contentType }, expiresAt: new Date(expires * 1_000) }
    },
    async presignGet ({ key, expiresIn, filename, inline, contentType }) {
      const expires = seconds() + expiresIn
      const disposition = dispositionOf(filename, inline)
      const url = signStorageUrl(options.baseUrl, { method: 'GET', key: checkKey(key), expires, type: contentType, disposition }, options.secret)
      return { url, expiresAt: new Date(expires * 1_000) }
    },
    head: info,
    read,
    write,
    copy,
    remove
  }
}

const etagOf = (sha256: string) => `"${sha256.slice(0, 32)}"`

/** The part that is asked for. @throws RANGE_NOT_SATISFIABLE */
function partOf (size: number, range: ByteRange | undefined): { start: number, end: number } | null {
  if (range === undefined) return null
  const end = Math.min(range.end ?? size - 1, size - 1)
  if (range.start < 0 || range.start > end) throw StorageError.RANGE_NOT_SATISFIABLE()
  return { start: range.start, end }
}

/** Counts and hashes what flows through; past `maxBytes` it fails. */
export function createMeter (maxBytes: number) {
  const hash = createHash('sha256')
  let size = 0
  const stream = new Transform({
    transform (chunk: Buffer, _encoding, done) {
      size += chunk.length
      hash.update(chunk)
      if (size > maxBytes) done(StorageError.FILE_TOO_LARGE())
      else done(null, chunk)
    }
  })
  return { stream, result: () => ({ size, sha256: hash.digest('hex') }) }
}
