import { encodeDocument, encodedSize } from '../values/bson-write.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import type { Changes } from './change-log.js'
import { identical } from './identical.js'

/** What an oplog entry needs besides the difference itself. */
const OVERHEAD = 15
const EMPTY_DOCUMENT = 5

/** One level of the difference of two documents, and how many bytes MongoDB's form of it takes. */
type Diff = Changes & { size: number }

/**
 * How a pipeline changed a document. As MongoDB does, a difference that takes more bytes than the document makes the
 * update a replacement: then there is nothing to tell. A nested difference gives way to the nested value alike.
 */
export function describeChanges (before: Doc, after: Doc): Changes | undefined {
  const { size, ...changes } = documentDiff(before, after, '')
  return size + OVERHEAD > encodedSize(after) ? undefined : changes
}

const newDiff = (size: number): Diff => ({ updated: [], removed: [], truncated: [], size })

/** Type byte, name and its NUL, value. */
const fieldSize = (name: string, value: Value): number => encodeDocument(Doc.of([[name, value]])).length - EMPTY_DOCUMENT

function documentDiff (before: Doc, after: Doc, prefix: string): Diff {
  const diff = newDiff(EMPTY_DOCUMENT)
  const sections = new Set<string>()
  const kept = keptInOrder(before, after)
  for (const name of before.keys()) {
    if (after.has(name)) continue
    diff.removed.push(prefix + name)
    diff.size += name.length + 3 + section(sections, 'd')
  }
  for (const [name, value] of after) {
    const old = kept.has(name) ? before.get(name) : undefined
    if (old !== undefined && identical(old, value)) continue
    const inner = old === undefined ? undefined : innerDiff(old, value, `${prefix}${name}.`)
    const size = fieldSize(name, value)
    if (inner !== undefined && inner.size <= size - name.length - 2) add(diff, inner, inner.size + name.length + 3)
    else {
      diff.updated.push([prefix + name, value])
      diff.size += size + section(sections, old === undefined ? 'i' : 'u')
    }
  }
  return diff
}

/** The first entry of a section brings the section's own bytes. */
function section (sections: Set<string>, name: string): number {
  if (sections.has(name)) return 0
  sections.add(name)
  return EMPTY_DOCUMENT + 3
}

function add (diff: Diff, inner: Diff, size: number): void {
  diff.updated.push(...inner.updated)
  diff.removed.push(...inner.removed)
  diff.truncated.push(...inner.truncated)
  diff.size += size
}

/** The fields that both have, as far as their order allows; one that moved back counts as inserted anew. */
function keptInOrder (before: Doc, after: Doc): Set<string> {
  const kept = new Set<string>()
  const names = [...after.keys()]
  let at = 0
  for (const name of before.keys()) {
    if (names[at] !== name) continue
    kept.add(name)
    at++
  }
  return kept
}

function innerDiff (before: Value, after: Value, prefix: string): Diff | undefined {
  if (before instanceof Doc && after instanceof Doc) return documentDiff(before, after, prefix)
  return Array.isArray(before) && Array.isArray(after) ? arrayDiff(before, after, prefix) : undefined
}

function arrayDiff (before: readonly Value[], after: readonly Value[], prefix: string): Diff {
  const diff = newDiff(EMPTY_DOCUMENT + 4)
  if (after.length < before.length) {
    diff.truncated.push({ field: prefix.slice(0, -1), newSize: after.length })
    diff.size += 7
  }
  after.forEach((value, i) => {
    const old = before[i]
    if (old !== undefined && identical(old, value)) return
    const name = `u${i}`
    const inner = old === undefined ? undefined : innerDiff(old, value, `${prefix}${i}.`)
    const size = fieldSize(name, value)
    if (inner !== undefined && inner.size <= size - name.length - 2) add(diff, inner, inner.size + name.length + 2)
    else {
      diff.updated.push([`${prefix}${i}`, value])
      diff.size += size
    }
  })
  return diff
}
