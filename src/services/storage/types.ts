import type { Readable } from 'node:stream'
import type { ProviderMode, ProviderState } from '../provider.js'
import type { Twin } from '../twin.js'
import type { Verdict } from './sign.js'

export type UploadTerms = {
  key: string
  contentType: string
  /** exact number of bytes */
  size: number
  /** hex */
  sha256?: string
  /** seconds */
  expiresIn: number
}

export type DownloadTerms = {
  key: string
  /** seconds */
  expiresIn: number
  /** name under which the file is saved */
  filename?: string
  /** shown in the browser instead of saved; for safe types only */
  inline?: boolean
  /** type that the answer names; default: the stored one */
  contentType?: string
}

/** A request that somebody else may make until `expiresAt`; the headers must be sent as they are. */
export type SignedUpload = { method: 'PUT', url: string, headers: Record<string, string>, expiresAt: Date }
export type SignedDownload = { url: string, expiresAt: Date }

export type ObjectInfo = {
  size: number
  contentType: string
  /** hex; null when the storage does not know it */
  sha256: string | null
  /** with its quotes */
  etag: string
  lastModified: Date
}

/** Both ends included; without `end` to the last byte. */
export type ByteRange = { start: number, end?: number }

export type ObjectBody = ObjectInfo & {
  body: Readable
  /** what of the object the body holds, null for all of it */
  range: { start: number, end: number } | null
  /** bytes in the body */
  length: number
}

export type WriteOptions = {
  contentType: string
  /** @default no limit */
  maxBytes?: number
}

export type Written = { size: number, /** hex */ sha256: string, etag: string }

export type StorageClient = {
  presignPut (terms: UploadTerms): Promise<SignedUpload>
  presignGet (terms: DownloadTerms): Promise<SignedDownload>
  /** null when there is no such object */
  head (key: string): Promise<ObjectInfo | null>
  /** null when there is no such object. @throws RANGE_NOT_SATISFIABLE */
  read (key: string, range?: ByteRange): Promise<ObjectBody | null>
  /** Whole or not at all. @throws FILE_TOO_LARGE */
  write (key: string, body: Uint8Array | Readable, options: WriteOptions): Promise<Written>
  /** false when there is no such object */
  copy (from: string, to: string): Promise<boolean>
  /** Removing what is not there is fine. */
  remove (key: string): Promise<void>
}

/** All methods throw STORAGE_KEY_INVALID for keys that could leave the storage. */
export type StorageProvider = StorageClient & {
  mode: ProviderMode
  kind: 's3' | 'folder'
  /** name of the bucket, null for the folder */
  bucket: string | null
  twin?: Twin
  state (): ProviderState
  /** Is this a signed address of the folder, and what was promised for it? Absent with S3, which checks its own. */
  verifyUrl? (method: string, key: string, query: Readonly<Record<string, unknown>>): Verdict
}
