import { Type, type Static } from '@sinclair/typebox'
import {
  Change, DateTime, Entity, Id, ListQuery, Nullable, Ok, Page, READ_FAILS, Strict, StringEnum, WRITE_FAILS, fails, wire
} from './kit.js'
import { BulkResult } from './standard.js'
import type { Operation } from './operation.js'

/** Purposes that a caller may upload for. */
export const UPLOAD_PURPOSES = ['avatar', 'logo', 'attachment', 'message_media', 'project_file', 'form_upload', 'csv_import', 'site_asset'] as const
export const PURPOSES = [...UPLOAD_PURPOSES, 'export', 'report'] as const
export const FILE_KINDS = ['image', 'video', 'audio', 'document', 'archive', 'other'] as const
const Purpose = StringEnum(PURPOSES, { title: 'FilePurpose' })
const UploadPurpose = StringEnum(UPLOAD_PURPOSES, { title: 'UploadPurpose' })
const Kind = StringEnum(FILE_KINDS, { title: 'FileKind' })
const Visibility = StringEnum(['private', 'public'], { title: 'FileVisibility' })
const FileStatus = StringEnum(['uploading', 'ready', 'rejected'], { title: 'FileStatus' })
const FileName = Type.String({ minLength: 1, maxLength: 255, examples: ['spring-flyer.png'] })
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$', examples: ['9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'] })
const TagIds = Type.Array(Id('shared.tags'), { maxItems: 20, description: 'Tags of kind file.' })

export const FileRecord = Entity('File', {
  id: Id('shared.files'),
  account_id: Id('_accounts'),
  created_by: Nullable(Id('_users')),
  name: FileName,
  mime_type: Type.String({ description: 'What the bytes say; while uploading, what was declared.', examples: ['image/png'] }),
  kind: Kind,
  size: Type.Integer({ minimum: 0 }),
  checksum_sha256: Nullable(Sha256),
  purpose: Purpose,
  visibility: Visibility,
  status: FileStatus,
  storage: StringEnum(['s3', 'folder']),
  width: Nullable(Type.Integer()),
  height: Nullable(Type.Integer()),
  alt: Nullable(Type.String({ maxLength: 500 })),
  tags: TagIds,
  folder_id: Nullable(Id('shared.folders')),
  refs: Type.Array(Type.Object({ resource: Type.String(), id: Type.String() }), { description: 'Records that use the file.' }),
  reject_reason: Nullable(Type.String()),
  public_url: Nullable(Type.String({ description: 'Address without login of a ready public file.' })),
  deleted_at: Nullable(DateTime()),
  created_at: DateTime(),
  updated_at: DateTime()
}, 'A file of the account.')
export type FileRecord = Static<typeof FileRecord>
export const toFile = wire(FileRecord)

const FileParams = Strict({ id: Id('shared.files') })
const fileFilters = {
  purpose: Type.Optional(Purpose),
  folder_id: Type.Optional(Id('shared.folders')),
  kind: Type.Optional(Kind),
  created_by: Type.Optional(Id('_users')),
  status: Type.Optional(FileStatus),
  tag: Type.Optional(Id('shared.tags')),
  deleted: Type.Optional(Type.Boolean({ description: 'Default false.' }))
}
export const FILE_SORT = ['created_at', 'name', 'size'] as const
const FileQuery = ListQuery({ sort: FILE_SORT, filters: fileFilters })
export type FileQuery = Static<typeof FileQuery>

export const NewUpload = Strict({
  name: FileName,
  mime_type: Type.String({ minLength: 3, maxLength: 127, pattern: '^[a-z0-9.+-]+/[a-z0-9.+-]+$', examples: ['image/png'] }),
  size: Type.Integer({ minimum: 1, maximum: 5_368_709_120, description: 'Exact number of bytes.' }),
  purpose: UploadPurpose,
  folder_id: Type.Optional(Nullable(Id('shared.folders'))),
  checksum_sha256: Type.Optional(Sha256),
  visibility: Type.Optional(Visibility)
})
export type NewUpload = Static<typeof NewUpload>

export const FileChange = Change(FileRecord, 'name', 'folder_id', 'alt', 'tags')
export type FileChange = Static<typeof FileChange>

const SignedUpload = Type.Object({
  method: StringEnum(['PUT']),
  url: Type.String(),
  headers: Type.Record(Type.String(), Type.String(), { description: 'To be sent as they are.' }),
  expires_at: DateTime()
})
const SignedLink = Type.Object({ url: Type.String(), expires_at: DateTime() })

export const startUpload = {
  operationId: 'startUpload',
  tags: ['shared'],
  summary: 'Begin an upload that goes straight to storage',
  description: 'PUT the bytes to `upload.url` with `upload.headers`, then call complete. The address is good for 15 minutes and this size and type only.',
  body: NewUpload,
  response: { 201: Ok(Type.Object({ file: FileRecord, upload: SignedUpload })), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const completeUpload = {
  operationId: 'completeUpload',
  tags: ['shared'],
  summary: 'Check an upload and make the file ready; may be repeated',
  params: FileParams,
  response: { 200: Ok(FileRecord), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const uploadFile = {
  operationId: 'uploadFile',
  tags: ['shared'],
  summary: 'Upload a file of up to 25 MB in one request',
  description: 'Multipart: the fields purpose, folder_id, name and visibility first, then one part `file`.',
  consumes: ['multipart/form-data'],
  response: { 201: Ok(FileRecord), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const listFiles = {
  operationId: 'listFiles',
  tags: ['shared'],
  summary: 'List files',
  querystring: FileQuery,
  response: { 200: Page(FileRecord), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const searchFiles = {
  operationId: 'searchFiles',
  tags: ['shared'],
  summary: 'Search files by name',
  querystring: FileQuery,
  response: { 200: Page(FileRecord), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const getFile = {
  operationId: 'getFile',
  tags: ['shared'],
  summary: 'Read a file\'s record',
  params: FileParams,
  response: { 200: Ok(FileRecord), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const updateFile = {
  operationId: 'updateFile',
  tags: ['shared'],
  summary: 'Change name, folder, alt text or tags',
  params: FileParams,
  body: FileChange,
  response: { 200: Ok(FileRecord), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const deleteFile = {
  operationId: 'deleteFile',
  tags: ['shared'],
  summary: 'Delete a file; it can be restored for 30 days',
  params: FileParams,
  querystring: Strict({ force: Type.Optional(Type.Boolean({ description: 'Admins only: although records use it.' })) }),
  response: { 200: Ok(FileRecord), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const restoreFile = {
  operationId: 'restoreFile',
  tags: ['shared'],
  summary: 'Restore a deleted file',
  params: FileParams,
  response: { 200: Ok(FileRecord), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

const branch = <T extends ReturnType<typeof Strict>>(operation: string, item: T) => Strict({
  operation: Type.Unsafe({ type: 'string', const: operation }), items: Type.Array(item, { minItems: 1, maxItems: 500 })
})
export type FileBulkBody =
  | { operation: 'update', items: { id: string, folder_id?: string | null, tags?: string[] }[] }
  | { operation: 'delete', items: { id: string }[] }

export const bulkFiles = {
  operationId: 'bulkFiles',
  tags: ['shared'],
  summary: 'Move, tag or delete up to 500 files',
  body: Type.Unsafe<FileBulkBody>({
    type: 'object',
    required: ['operation', 'items'],
    discriminator: { propertyName: 'operation' },
    oneOf: [
      branch('update', Strict({ id: Id('items'), folder_id: Type.Optional(FileRecord.properties.folder_id), tags: Type.Optional(TagIds) }, { minProperties: 2 })),
      branch('delete', Strict({ id: Id('items') }))
    ]
  }),
  response: { 200: Ok(BulkResult), 207: Ok(BulkResult), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const downloadFile = {
  operationId: 'downloadFile',
  tags: ['shared'],
  summary: 'Download a file: leads to an address that is good for 5 minutes',
  params: FileParams,
  querystring: Strict({ inline: Type.Optional(Type.Boolean({ description: 'Shown instead of saved; for types that cannot run script.' })) }),
  response: { 302: Type.Null({ description: 'To the signed address.' }), ...fails(...READ_FAILS, 409) }
} as const satisfies Operation

export const createFileLink = {
  operationId: 'createFileLink',
  tags: ['shared'],
  summary: 'Make an address that needs no login',
  params: FileParams,
  body: Strict({ expires_in: Type.Optional(Type.Integer({ minimum: 60, maximum: 604_800, description: 'Seconds, default 3600.' })) }),
  response: { 200: Ok(SignedLink), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const fileUsage = {
  operationId: 'fileUsage',
  tags: ['shared'],
  summary: 'Bytes and files by kind, and the quota',
  response: {
    200: Ok(Type.Object({
      bytes: Type.Integer({ description: 'Reserved and used.' }),
      files: Type.Integer(),
      quota: Type.Integer(),
      by_kind: Type.Array(Type.Object({ kind: Kind, bytes: Type.Integer(), files: Type.Integer() }))
    })),
    ...fails(...READ_FAILS)
  }
} as const satisfies Operation

const Binary = Type.Unsafe<NodeJS.ReadableStream>(Type.String({ description: 'The bytes.' }))
const SignedQuery = Type.Object({
  expires: Type.Optional(Type.String()),
  size: Type.Optional(Type.String()),
  type: Type.Optional(Type.String()),
  sha256: Type.Optional(Type.String()),
  disposition: Type.Optional(Type.String()),
  signature: Type.Optional(Type.String())
})
const KeyParams = Type.Object({ key: Type.String({ description: 'Key of the object, its slashes encoded.' }) })

export const putObject = {
  operationId: 'putObject',
  tags: ['shared'],
  summary: 'Send the bytes of an upload (storage in a folder)',
  params: KeyParams,
  querystring: SignedQuery,
  consumes: ['application/octet-stream'],
  response: { 200: Ok(Type.Object({ size: Type.Integer(), checksum_sha256: Sha256 })), ...fails(400, 403, 404, 413, 422, 503) }
} as const satisfies Operation

export const getObject = {
  operationId: 'getObject',
  tags: ['shared'],
  summary: 'Read a signed address (storage in a folder); serves ranges',
  params: KeyParams,
  querystring: SignedQuery,
  response: { 200: Binary, 206: Binary, ...fails(400, 403, 404, 416, 503) }
} as const satisfies Operation

export const getPublicFile = {
  operationId: 'getPublicFile',
  tags: ['shared'],
  summary: 'Read a public file',
  params: Strict({ id: Id('shared.files'), name: Type.String({ maxLength: 400 }) }),
  response: { 200: Binary, 206: Binary, 304: Type.Null({ description: 'Not changed.' }), ...fails(400, 404, 416, 429, 503) }
} as const satisfies Operation

// ---------------------------------------------------------------- folders

export const Folder = Entity('Folder', {
  id: Id('shared.folders'),
  account_id: Id('_accounts'),
  created_by: Nullable(Id('_users')),
  name: Type.String({ minLength: 1, maxLength: 100, examples: ['Logos'] }),
  parent_id: Nullable(Id('shared.folders')),
  created_at: DateTime(),
  updated_at: DateTime()
}, 'A folder of files, up to 8 deep.')
export type Folder = Static<typeof Folder>
export const toFolder = wire(Folder)
const FolderParams = Strict({ id: Id('shared.folders') })
const FolderQuery = ListQuery({ sort: ['name', 'created_at'], filters: { parent_id: Type.Optional(Id('shared.folders')), root: Type.Optional(Type.Boolean({ description: 'Only those at the top.' })) } })
export type FolderQuery = Static<typeof FolderQuery>
const NewFolder = Strict({ name: Folder.properties.name, parent_id: Type.Optional(Folder.properties.parent_id) })
export type NewFolder = Static<typeof NewFolder>
const FolderChange = Change(Folder, 'name', 'parent_id')
export type FolderChange = Static<typeof FolderChange>

export const listFolders = {
  operationId: 'listFolders', tags: ['shared'], summary: 'List folders', querystring: FolderQuery, response: { 200: Page(Folder), ...fails(...READ_FAILS) }
} as const satisfies Operation
export const createFolder = {
  operationId: 'createFolder', tags: ['shared'], summary: 'Make a folder', body: NewFolder, response: { 201: Ok(Folder), ...fails(...WRITE_FAILS) }
} as const satisfies Operation
export const getFolder = {
  operationId: 'getFolder', tags: ['shared'], summary: 'Read a folder', params: FolderParams, response: { 200: Ok(Folder), ...fails(...READ_FAILS) }
} as const satisfies Operation
export const updateFolder = {
  operationId: 'updateFolder',
  tags: ['shared'],
  summary: 'Rename or move a folder',
  params: FolderParams,
  body: FolderChange,
  response: { 200: Ok(Folder), ...fails(...WRITE_FAILS) }
} as const satisfies Operation
export const deleteFolder = {
  operationId: 'deleteFolder',
  tags: ['shared'],
  summary: 'Delete an empty folder, or move what it holds first',
  params: FolderParams,
  querystring: Strict({ move_to: Type.Optional(Id('shared.folders')) }),
  response: { 200: Ok(Folder), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

// ---------------------------------------------------------------- work in the background

const JobStatus = StringEnum(['pending', 'processing', 'completed', 'partial', 'failed', 'cancelled'], { title: 'JobStatus' })
export const Job = Entity('Job', {
  id: Id('queues'),
  source: Type.String({ examples: ['url-import'] }),
  label: Type.String({ examples: ['Import of short links'] }),
  status: JobStatus,
  progress: Type.Object({
    total: Nullable(Type.Integer()),
    done: Type.Integer(),
    added: Type.Integer(),
    updated: Type.Integer(),
    skipped: Type.Integer(),
    errors: Type.Integer(),
    percent: Nullable(Type.Integer({ description: 'Null while the total is not known.' }))
  }),
  result: Nullable(Type.Object({ file_id: Type.Optional(Type.String()), ids: Type.Optional(Type.Array(Type.String())) })),
  error: Nullable(Type.String()),
  cancellable: Type.Boolean(),
  retryable: Type.Boolean(),
  started_by: Nullable(Id('_users')),
  created_at: DateTime(),
  started_at: Nullable(DateTime()),
  finished_at: Nullable(DateTime())
}, 'Work in the background.')
export type Job = Static<typeof Job>
const JobParams = Strict({ id: Id('queues') })
const JobQuery = ListQuery({
  sort: ['created_at'],
  filters: {
    source: Type.Optional(Type.String({ maxLength: 100 })),
    status: Type.Optional(JobStatus),
    from: Type.Optional(Type.String({ format: 'date-time' })),
    to: Type.Optional(Type.String({ format: 'date-time' }))
  }
})
export type JobQuery = Static<typeof JobQuery>

export const JobRowError = Entity('JobRowError', {
  id: Id('queue-row-errors'), row: Type.Integer(), code: Type.String(), message: Type.String(), values: Type.Unsafe<unknown>({ description: 'The row as it came.' })
})
export const toJobRowError = wire(JobRowError)

export const listJobs = {
  operationId: 'listJobs',
  tags: ['shared'],
  summary: 'List work in the background: one\'s own, for admins the account\'s',
  querystring: JobQuery,
  response: { 200: Page(Job), ...fails(...READ_FAILS) }
} as const satisfies Operation
export const getJob = {
  operationId: 'getJob', tags: ['shared'], summary: 'Read the progress of a job', params: JobParams, response: { 200: Ok(Job), ...fails(...READ_FAILS) }
} as const satisfies Operation
export const listJobErrors = {
  operationId: 'listJobErrors',
  tags: ['shared'],
  summary: 'Rows that a job could not take',
  description: '`format=csv` streams them with their own columns and three of the error, which an import passes over: correct the rows and import the file again.',
  params: JobParams,
  querystring: Strict({ ...ListQuery({ sort: ['row'] }).properties, format: Type.Optional(StringEnum(['json', 'csv'])) }),
  response: { 200: Type.Unsafe<never>({ ...Page(JobRowError), description: 'A page of rows, or the CSV file.' }), ...fails(...READ_FAILS) }
} as const satisfies Operation
export const cancelJob = {
  operationId: 'cancelJob',
  tags: ['shared'],
  summary: 'Stop a job after its running batch; what is done stays',
  params: JobParams,
  response: { 200: Ok(Job), ...fails(...WRITE_FAILS) }
} as const satisfies Operation
export const retryJob = {
  operationId: 'retryJob', tags: ['shared'], summary: 'Go on with the unfinished rows of a job', params: JobParams, response: { 202: Ok(Job), ...fails(...WRITE_FAILS) }
} as const satisfies Operation
