import type { Changes } from '../update/update.js'
import { equal } from '../values/order.js'
import { encodeDocument, encodedSize } from '../values/bson-write.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'

/** What an update did, found by comparison: for pipeline updates, as MongoDB's delta entries describe them. */
export function describeChanges (before: Doc, after: Doc): Changes {
  const changes: Changes = { updated: [], removed: [], truncated: [] }
  compareDocs(before, after, '', changes)
  return changes
}

/** About as many bytes as MongoDB's delta entry has. */
export function deltaSize ({ updated, removed, truncated }: Changes): number {
  const names = removed.reduce((sum, path) => sum + Buffer.byteLength(path) + 3, 0)
  return encodedSize(Doc.of(updated)) + names + truncated.length * 12
}

function compareDocs (before: Doc, after: Doc, prefix: string, changes: Changes): void {
  for (const key of before.keys()) if (!after.has(key)) changes.removed.push(prefix + key)
  for (const [key, value] of after) {
    const old = before.get(key)
    if (old === undefined) changes.updated.push([prefix + key, value])
    else if (!identical(old, value)) compareValues(old, value, prefix + key, changes)
  }
}

function compareValues (old: Value, value: Value, path: string, changes: Changes): void {
  if (old instanceof Doc && value instanceof Doc && value.size > 0) return compareDocs(old, value, `${path}.`, changes)
  if (Array.isArray(old) && Array.isArray(value) && value.length > 0 && old.length > 0) return compareArrays(old, value, path, changes)
  changes.updated.push([path, value])
}

function compareArrays (old: readonly Value[], value: readonly Value[], path: string, changes: Changes): void {
  if (value.length < old.length) changes.truncated.push({ field: path, newSize: value.length })
  value.forEach((element, i) => {
    if (i >= old.length) changes.updated.push([`${path}.${i}`, element])
    else if (!identical(old[i]!, element)) compareValues(old[i]!, element, `${path}.${i}`, changes)
  })
}

/** Equal in type too: Int32 1 and Double 1 are a change. */
function identical (a: Value, b: Value): boolean {
  return a === b || (equal(a, b) && encodeDocument(Doc.of([['', a]])).equals(encodeDocument(Doc.of([['', b]]))))
}
