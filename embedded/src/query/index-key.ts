import { extractKeys } from '../indexes/key-values.js'
import type { Plan } from '../planner/index.js'
import { Doc } from '../values/types.js'

/** What `returnKey` gives instead of a document: the fields of the index that found it; nothing when none did. */
export function withIndexKey (plan: Plan, doc: Doc): Doc {
  const [index] = plan.indexes
  if (index === undefined) return Doc.of()
  const { keys: [key] } = extractKeys(doc, index.fields.map(field => field.parts))
  return Doc.of(index.fields.map(({ path }, i) => [path, key[i] ?? null]))
}
