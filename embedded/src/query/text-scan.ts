import { recordBefore } from '../catalog/keys.js'
import { keyPrefixEnd } from '../keys/key.js'
import { entryPrefix, textKey } from '../indexes/entries.js'
import type { TextMatch } from '../planner/index.js'
import { copyOf, openCursor } from '../storage/index.js'
import { parseTextQuery } from '../text/query.js'
import type { Env, Row } from './env.js'
import { readDocument } from './fetch.js'

/** The documents that hold one of the terms, with the sum of what the terms weigh in them. */
export function * textScan (node: TextMatch, env: Env): IterableIterator<Row> {
  const stats = env.stats(node)
  const query = parseTextQuery(node.node, node.index.text!)
  const scores = new Map<number, number>()
  for (const term of query.terms) {
    for (const [record, score] of termEntries(node, term, env)) scores.set(record, (scores.get(record) ?? 0) + score)
  }
  for (const [record, score] of scores) {
    const doc = readDocument(env, record)
    if (doc === undefined) continue
    stats.docsExamined++
    env.examine()
    if (!query.exact && !query.matches(doc)) continue
    stats.advanced++
    yield { record, doc, score }
  }
}

function termEntries (node: TextMatch, term: string, env: Env): [record: number, score: number][] {
  const { index, prefix } = node
  const stats = env.stats(node)
  const start = Buffer.concat([entryPrefix(index), textKey(prefix, term)])
  const found: [number, number][] = []
  const cursor = openCursor(env.reader, { start, end: keyPrefixEnd(start)! })
  try {
    while (cursor.next()) {
      stats.keysExamined++
      env.examine()
      found.push([recordBefore(cursor.key, cursor.keyEnd), copyOf(cursor.value, 0, 8).readDoubleLE(0)])
    }
  } finally {
    cursor.close()
  }
  return found
}
