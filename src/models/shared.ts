import { Type } from '@sinclair/typebox'
import type { Types } from 'mongoose'
import { DateTime, Id } from '../schemas/kit.js'
import { FileRecord, Folder } from '../schemas/shared.js'
import { SharedTag } from '../schemas/shared-tags.js'
import { defineModel, type ModelOf, type RowOf } from './define.js'

type StoredFile = { bucket: string | null, key: string, purge_at: Date | null, search_terms: string[] }
const { public_url: _derived, ...fileFields } = FileRecord.properties
const StoredFileEntity = Type.Object(fileFields)

export const FileModel = defineModel<typeof StoredFileEntity, StoredFile>(StoredFileEntity, {
  collection: 'shared.files',
  tenant: true,
  stored: { bucket: String, key: String, purge_at: Date, search_terms: [String] } as never,
  indexes: [
    [{ account_id: 1, deleted_at: 1, created_at: -1, _id: -1 }],
    [{ account_id: 1, folder_id: 1, created_at: -1 }],
    [{ account_id: 1, purpose: 1, created_at: -1 }],
    [{ account_id: 1, deleted_at: 1, name: 1, _id: 1 }],
    [{ account_id: 1, deleted_at: 1, size: 1, _id: 1 }],
    [{ account_id: 1, 'refs.resource': 1, 'refs.id': 1 }],
    [{ account_id: 1, search_terms: 1 }],
    [{ account_id: 1, tags: 1 }],
    [{ key: 1 }, { unique: true }],
    [{ status: 1, created_at: 1 }],
    [{ purge_at: 1 }]
  ]
})
export type FileModel = ModelOf<typeof FileModel>
export type FileRow = RowOf<typeof StoredFileEntity, StoredFile>

type StoredFolder = { name_key: string, path: Types.ObjectId[], rev: number }
export const FolderModel = defineModel<typeof Folder, StoredFolder>(Folder, {
  collection: 'shared.folders',
  tenant: true,
  stored: { name_key: String, path: ['ObjectId'], rev: Number } as never,
  indexes: [
    [{ account_id: 1, parent_id: 1, name_key: 1 }, { unique: true }],
    [{ account_id: 1, path: 1 }],
    [{ account_id: 1, created_at: -1, _id: -1 }],
    [{ account_id: 1, name: 1, _id: 1 }]
  ]
})
export type FolderModel = ModelOf<typeof FolderModel>
export type FolderRow = RowOf<typeof Folder, StoredFolder>

const StorageUsage = Type.Object({ account_id: Id('_accounts'), bytes: Type.Integer(), files: Type.Integer() })
export const StorageUsageModel = defineModel(StorageUsage, { collection: 'shared.storage-usage', tenant: true, indexes: [[{ account_id: 1 }, { unique: true }]] })
export type StorageUsageModel = ModelOf<typeof StorageUsageModel>

export const SharedTagModel = defineModel<typeof SharedTag, { name_key: string }>(SharedTag, {
  collection: 'shared.tags',
  tenant: true,
  stored: { name_key: String } as never,
  indexes: [
    [{ account_id: 1, kind: 1, name_key: 1 }, { unique: true }],
    [{ account_id: 1, kind: 1, name: 1, _id: 1 }],
    [{ account_id: 1, kind: 1, created_at: -1, _id: -1 }]
  ]
})
export type SharedTagModel = ModelOf<typeof SharedTagModel>
export type SharedTagRow = RowOf<typeof SharedTag, { name_key: string }>

const CurrencyRates = Type.Object({ base: Type.String(), rates: Type.Unknown(), as_of: DateTime(), fetched_at: DateTime() })
/** The last rates that the currency service gave, for when it is away. */
export const CurrencyModel = defineModel(CurrencyRates, { collection: 'currency', tenant: false, indexes: [[{ base: 1, as_of: -1 }, { unique: true }]] })
export type CurrencyModel = ModelOf<typeof CurrencyModel>
