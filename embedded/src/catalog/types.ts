import type { Collation } from '../values/collation.js'
import type { Doc } from '../values/types.js'

/** A document's place in its collection: natural order is the order of these numbers. */
export type RecordId = number

export type Namespace = { readonly db: string, readonly coll: string }

export type IndexField = { readonly path: string, readonly parts: readonly string[], readonly direction: 1 | -1, readonly hashed: boolean }

export type TextSpec = {
  /** equality fields before and further fields behind the text */
  readonly prefix: readonly string[]
  readonly suffix: readonly string[]
  /** path to weight; `$**` for all string fields */
  readonly weights: ReadonlyMap<string, number>
  readonly defaultLanguage: string
  readonly languageOverride: string
}

export interface Index {
  readonly id: number
  readonly name: string
  /** the specification in the order and shape of listIndexes */
  readonly spec: Doc
  /** the key pattern */
  readonly key: Doc
  readonly fields: readonly IndexField[]
  readonly isId: boolean
  readonly unique: boolean
  readonly sparse: boolean
  readonly hidden: boolean
  readonly expireAfterSeconds: number | undefined
  readonly partialFilter: Doc | undefined
  readonly collation: Collation | undefined
  readonly text: TextSpec | undefined
  readonly flags: IndexFlags
}

/** What has ever been put into an index; only grows, so a reader of an older snapshot may trust it. */
export interface IndexFlags {
  /** bit i: field i has met an array */
  readonly multikey: number
  /** for each field the parts of its path, as bits, that led to an array */
  readonly parts: readonly (number | undefined)[]
  /** a key was longer than the storage takes: order beyond the cut is not that of the values */
  readonly truncated: boolean
}

export type ValidationLevel = 'off' | 'moderate' | 'strict'
export type ValidationAction = 'error' | 'warn'

export interface Collection {
  readonly id: number
  readonly ns: Namespace
  /** `db.coll` */
  readonly name: string
  readonly type: 'collection' | 'view'
  readonly uuid: Buffer
  /** as listCollections shows them */
  readonly options: Doc
  readonly indexes: readonly Index[]
  readonly collation: Collation | undefined
  readonly capped: { readonly size: number, readonly max: number | undefined } | undefined
  readonly validator: Doc | undefined
  readonly validationLevel: ValidationLevel
  readonly validationAction: ValidationAction
  readonly view: { readonly on: string, readonly pipeline: readonly Doc[] } | undefined
}
