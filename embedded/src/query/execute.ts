import { recordBefore } from '../catalog/keys.js'
import { encodeKey, fitKey } from '../keys/key.js'
import { ENTRY_LIMIT, entryPrefix } from '../indexes/entries.js'
import type { IdLookup, Or, PlanNode } from '../planner/index.js'
import type { Env, Row } from './env.js'
import { collectionScan, fetch, readDocument } from './fetch.js'
import { indexScan, isDuplicate } from './index-scan.js'
import { sort, sortMerge } from './sort.js'
import { textScan } from './text-scan.js'

/** The rows of a plan, one by one as they are asked for. */
export function execute (node: PlanNode, env: Env): Iterable<Row> {
  switch (node.stage) {
    case 'EOF': return []
    case 'COLLSCAN': return collectionScan(node, env)
    case 'IDHACK': return idLookup(node, env)
    case 'IXSCAN': return indexScan(node, env)
    case 'TEXT_MATCH': return textScan(node, env)
    case 'FETCH': return fetch(node, execute(node.child, env), env)
    case 'SORT': return sort(node, execute(node.child, env), env)
    case 'SORT_MERGE': return sortMerge(node, node.children.map(child => execute(child, env)), env)
    case 'OR': return either(node, env)
  }
}

function * idLookup (node: IdLookup, env: Env): IterableIterator<Row> {
  const stats = env.stats(node)
  const key = fitKey(encodeKey([node.id], [1], node.index.collation), ENTRY_LIMIT)
  const entry = env.reader.get(Buffer.concat([entryPrefix(node.index), key]))
  if (entry === undefined) return
  stats.keysExamined++
  const record = recordBefore(entry, 6)
  const doc = readDocument(env, record)
  if (doc === undefined) return
  stats.docsExamined++
  env.examine()
  stats.advanced++
  yield { record, doc }
}

/** The rows of all children, each record once. */
function * either (node: Or, env: Env): IterableIterator<Row> {
  const stats = env.stats(node)
  const seen = new Set<number>()
  for (const child of node.children) {
    for (const row of execute(child, env)) {
      if (isDuplicate(seen, row.record, stats)) continue
      stats.advanced++
      yield row
    }
  }
}
