import { rangeOf, recordBefore, recordKey } from '../catalog/keys.js'
import type { FilterNode } from '../matcher/ast.js'
import { compileMatch } from '../matcher/match.js'
import type { CollectionScan, Fetch } from '../planner/index.js'
import { KEYSPACE, copyOf, openCursor } from '../storage/index.js'
import { Doc } from '../values/types.js'
import type { Env, Row } from './env.js'

/** The document of a record; undefined when it is gone, as after a cursor's pause. */
export function readDocument (env: Env, record: number): Doc | undefined {
  const bytes = env.reader.get(recordKey(env.collection.id, record))
  return bytes === undefined ? undefined : Doc.raw(bytes)
}

export function * fetch (node: Fetch, rows: Iterable<Row>, env: Env): IterableIterator<Row> {
  const stats = env.stats(node)
  const match = node.filter === undefined ? undefined : compileMatch(node.filter, env.ctx)
  for (const row of rows) {
    if (row.doc === undefined) {
      row.doc = readDocument(env, row.record)
      if (row.doc === undefined) continue
      stats.docsExamined++
      env.examine()
    }
    if (match !== undefined && !match.test(row.doc, env.ctx.variables)) continue
    stats.advanced++
    yield row
  }
}

/** All documents in their order; only those that match are copied out of the storage. */
export function * collectionScan (node: CollectionScan, env: Env): IterableIterator<Row> {
  const stats = env.stats(node)
  const { filter } = node
  const match = filter === undefined ? undefined : compileMatch(filter, env.ctx)
  const mayLook = filter !== undefined && !holdsExpression(filter)
  const cursor = openCursor(env.reader, { ...rangeOf(KEYSPACE.records, env.collection.id), reverse: node.direction === -1 })
  try {
    while (cursor.next()) {
      stats.docsExamined++
      env.examine()
      if (match !== undefined && mayLook && !match.test(Doc.raw(cursor.value), env.ctx.variables)) continue
      const record = recordBefore(cursor.key, cursor.keyEnd)
      const doc = Doc.raw(copyOf(cursor.value, 0, cursor.size))
      if (match !== undefined && !mayLook && !match.test(doc, env.ctx.variables)) continue
      stats.advanced++
      yield { record, doc }
    }
  } finally {
    cursor.close()
  }
}

/** `$expr` may ask for the size of the document, which the storage's buffer does not have. */
function holdsExpression (node: FilterNode): boolean {
  switch (node.kind) {
    case 'expr': return true
    case 'and': case 'or': case 'nor': case 'elemMatchValue': return node.children.some(holdsExpression)
    case 'not': case 'elemMatchObject': return holdsExpression(node.child)
    default: return false
  }
}
