import type { Catalog } from '../catalog/index.js'
import type { Collection, Namespace } from '../catalog/types.js'
import type { ParseContext, Vars } from '../expressions/context.js'
import type { Writer } from '../storage/types.js'
import type { Changes } from '../update/update.js'
import type { Collation } from '../values/collation.js'
import type { BsonDate, Doc, Timestamp, Value } from '../values/types.js'

/** One thing that a change stream may tell; it is logged in the same storage transaction as its effect. */
export type ChangeEvent =
  | { readonly type: 'insert', readonly collection: Collection, readonly doc: Doc }
  | { readonly type: 'replace', readonly collection: Collection, readonly id: Value, readonly doc: Doc }
  | { readonly type: 'update', readonly collection: Collection, readonly id: Value, readonly changes: Changes }
  | { readonly type: 'delete', readonly collection: Collection, readonly id: Value }
  | { readonly type: 'drop', readonly collection: Collection }
  | { readonly type: 'rename', readonly collection: Collection, readonly to: Namespace, readonly dropTarget: boolean }
  | { readonly type: 'dropDatabase', readonly db: string }

/** The surroundings of one attempt at a write: inside a storage write, or inside an open transaction. */
export type WriteContext = {
  readonly writer: Writer
  readonly catalog: Catalog
  readonly now: BsonDate
  readonly clusterTime: Timestamp
  record (event: ChangeEvent): void
  readonly checkInterrupt?: () => void
  /** for collections that a write creates by itself */
  readonly inTransaction: boolean
}

export const parseContext = (w: WriteContext, collation: Collation | undefined, variables: Vars | undefined): ParseContext =>
  ({ now: w.now, clusterTime: w.clusterTime, collation, variables, allowText: true })
