import { chooseMode, missing, trimmed, unavailable, type ProviderOptions } from '../provider.js'
import { createTwin } from '../twin.js'
import { StorageError } from './errors.js'
import { createFolder, type FolderOptions } from './folder.js'
import { createS3, s3Address } from './s3.js'
import { verifyStorageUrl } from './sign.js'
import type { StorageClient, StorageProvider } from './types.js'

export type {
  ByteRange, DownloadTerms, ObjectBody, ObjectInfo, SignedDownload, SignedUpload, StorageProvider, UploadTerms, WriteOptions, Written
} from './types.js'
export { verifyStorageUrl, type SignedTerms, type Verdict } from './sign.js'
export { checkKey, dispositionOf, rangeOf } from './keys.js'
export { SNIFF_BYTES, sniff, type FileKind, type Sniffed } from './sniff.js'

export type StorageOptions = ProviderOptions & {
  /** S3_BUCKET */
  bucket?: string
  region?: string
  /** S3_ENDPOINT */
  endpoint?: string
  accessKeyId?: string
  secretAccessKey?: string
  /** milliseconds without a byte after which a call to S3 fails (default 10 000) */
  timeoutMs?: number
  /** where the files lie without S3, `data/files` */
  folder: string
  /** address of the route that serves the folder's signed addresses, such as https://api.example/v1/shared/storage */
  baseUrl: string
  /** signs the folder's addresses */
  secret: string
}

const METHODS = ['presignPut', 'presignGet', 'head', 'read', 'write', 'copy', 'remove'] as const

/** Files in S3, or in a folder when there is no bucket outside production. */
export function createStorage (options: StorageOptions): StorageProvider {
  const { bucket, accessKeyId, secretAccessKey, region = 'us-east-1', http, clock } = options
  const absent = bucket === undefined ? 'S3_BUCKET' : accessKeyId === undefined ? 'AWS_ACCESS_KEY_ID' : 'AWS_SECRET_ACCESS_KEY'
  if (bucket !== undefined && accessKeyId !== undefined && secretAccessKey !== undefined) {
    const client = createS3({ ...options, bucket, region, accessKeyId, secretAccessKey })
    return { ...client, mode: 'real', kind: 's3', bucket, state: () => http.state(s3Address({ ...options, region })) }
  }
  if (chooseMode(false, options.production) === 'off') {
    const refuse = unavailable<StorageClient, keyof StorageClient>(METHODS, () => missing(StorageError.STORAGE_NOT_CONFIGURED(), absent))
    return { ...refuse, mode: 'off', kind: 's3', bucket: null, state: () => 'not_configured' }
  }
  const twin = createTwin({ ...options, name: 'storage', dir: options.twinDir })
  const folder: FolderOptions = { ...options, baseUrl: trimmed(options.baseUrl) }
  return {
    ...recorded(createFolder(folder), twin),
    mode: 'twin',
    kind: 'folder',
    bucket: null,
    twin,
    state: () => 'ok',
    verifyUrl: (method, key, query) => verifyStorageUrl(method, key, query, options.secret, clock.now())
  }
}

/** The folder with the faults and the record of a twin. */
function recorded (client: StorageClient, twin: ReturnType<typeof createTwin>): StorageClient {
  const act = <T>(kind: string, key: string, work: () => Promise<T>) => twin.act({ kind, data: { key } }, work)
  return {
    presignPut: client.presignPut,
    presignGet: client.presignGet,
    head: key => act('head', key, () => client.head(key)),
    read: (key, range) => act('read', key, () => client.read(key, range)),
    write: (key, body, terms) => act('write', key, () => client.write(key, body, terms)),
    copy: (from, to) => act('copy', `${from} -> ${to}`, () => client.copy(from, to)),
    remove: key => act('remove', key, () => client.remove(key))
  }
}
