import { docOf } from '../values/build.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import type { LogRecord } from './log.js'
import { encodeToken } from './token.js'
import type { Position } from './token.js'

/** What a stream watches: a collection, a database (no `coll`) or everything (neither). */
export type Scope = { readonly db?: string, readonly coll?: string }

const INTERNAL: ReadonlySet<string> = new Set(['admin', 'config', 'local'])

const text = (doc: Doc, key: string): string | undefined => doc.get(key) as string | undefined

export function inScope (scope: Scope, event: Doc): boolean {
  const db = text(event, 'db')!
  if (scope.db === undefined) return !INTERNAL.has(db)
  const coll = text(event, 'coll')
  if (scope.coll === undefined) return db === scope.db && coll?.startsWith('system.') !== true
  if (db === scope.db && coll === scope.coll) return true
  const to = event.get('to')
  return to instanceof Doc && to.get('db') === scope.db && to.get('coll') === scope.coll
}

/** Whether a stream with this scope has nothing more to say after the event. */
export function invalidates (scope: Scope, event: Doc): boolean {
  const op = event.get('op')
  if (scope.coll !== undefined) return op === 'drop' || op === 'rename' || op === 'dropDatabase'
  return scope.db !== undefined && op === 'dropDatabase'
}

/** @param lookup gives the document as it is now, for `fullDocument: 'updateLookup'` */
export function changeEvent (record: LogRecord, event: Doc, position: Position, lookup: ((event: Doc) => Value) | undefined): Doc {
  const op = text(event, 'op')!
  const doc = head(op, record, position)
  if (record.mark !== undefined) doc.set('txnNumber', record.mark.get('txnNumber')!).set('lsid', record.mark.get('lsid')!)
  const image = op === 'update' ? lookup?.(event) : event.get('doc')
  if (image !== undefined) doc.set('fullDocument', image)
  doc.set('ns', docOf({ db: event.get('db'), coll: event.get('coll') }))
  const to = event.get('to')
  if (to !== undefined) doc.set('to', to)
  const id = event.get('id')
  if (id !== undefined) doc.set('documentKey', docOf({ _id: id }))
  if (op === 'update') {
    doc.set('updateDescription', docOf({ updatedFields: event.get('set'), removedFields: event.get('unset'), truncatedArrays: event.get('cut') }))
  }
  return doc
}

const head = (op: string, record: LogRecord, position: Position): Doc =>
  docOf({ _id: encodeToken(position), operationType: op, clusterTime: record.time, wallTime: record.wall })

export const invalidateEvent = (record: LogRecord, position: Position): Doc => head('invalidate', record, { ...position, invalidates: true })
