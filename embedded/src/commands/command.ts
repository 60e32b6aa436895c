import type { Doc } from '../values/types.js'
import type { FieldTable } from './fields.js'
import type { Operation } from './operation.js'

/** What a reply consists of besides `ok` and the cluster time. */
type Reply = Doc

export type Command = {
  readonly name: string
  readonly aliases?: readonly string[]
  /** how error texts call its structure, when it is not the name */
  readonly title?: string
  /** the fields beside the generic ones and the command's own */
  readonly fields: FieldTable
  /** its fields are not looked at, since it is refused anyway */
  readonly takesAnyField?: boolean
  readonly required?: readonly string[]
  readonly adminOnly?: boolean
  /** may run inside a multi-document transaction */
  readonly inTransaction?: boolean
  /** a txnNumber without a transaction makes it a retryable write */
  readonly retryable?: boolean
  /** the read concerns it takes beside `local`: those of committed data, or `snapshot` too */
  readonly readConcern?: 'committed' | 'snapshot'
  readonly writeConcern?: boolean
  /** the counter of serverStatus */
  readonly counts?: 'insert' | 'query' | 'update' | 'delete' | 'getmore'
  run (op: Operation): Reply | Promise<Reply>
}
