import type { DocMeta } from '../expressions/context.js'
import { splitPath } from '../expressions/index.js'
import { arrayIndex } from '../matcher/paths.js'
import type { Collation } from '../values/collation.js'
import { MongoError, badValue } from '../values/errors.js'
import { display } from '../values/format.js'
import { compare } from '../values/order.js'
import { Doc, Double, Undefined, isDoc, isNumber } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import { wholeNumber } from './specs.js'

type PathPart = { readonly path: string, readonly parts: readonly string[], readonly direction: 1 | -1, readonly meta: undefined }
type MetaPart = { readonly path: undefined, readonly direction: 1 | -1, readonly meta: string }
export type SortPart = PathPart | MetaPart

/** One value per part of the pattern. */
export type SortKey = readonly Maybe[]

const MAX_PARTS = 32

/** An ordering of documents such as `{ a: 1, "b.c": -1 }`. */
export class SortPattern {
  /** `_id` alone is compared as it is, arrays too: MongoDB takes the short way of the `_id` index. */
  readonly #byId: boolean

  constructor (readonly parts: readonly SortPart[], readonly collation: Collation | undefined) {
    this.#byId = parts.length === 1 && parts[0].path === '_id'
  }

  static parse (spec: Doc, collation: Collation | undefined): SortPattern {
    const parts = Array.from(spec, ([path, value]) => parsePart(path, value))
    if (parts.length > MAX_PARTS) throw badValue('too many compound keys')
    return new SortPattern(parts, collation)
  }

  get paths (): string[] {
    return this.parts.flatMap(part => part.path ?? [])
  }

  get usesMeta (): boolean {
    return this.parts.some(part => part.meta !== undefined)
  }

  keyOf (doc: Doc, meta: DocMeta | undefined): SortKey {
    if (this.#byId) return [doc.get('_id') ?? null]
    const key: Maybe[] = []
    for (const part of this.parts) {
      const value = part.meta !== undefined ? metaValue(part.meta, meta) : plainValue(doc, part.parts)
      if (Array.isArray(value)) return this.#smallest(doc, meta)
      key.push(value ?? null)
    }
    return key
  }

  compare (a: SortKey, b: SortKey): number {
    for (let i = 0; i < this.parts.length; i++) {
      const order = compare(a[i], b[i], this.collation)
      if (order !== 0) return this.parts[i].direction === 1 ? order : -order
    }
    return 0
  }

  /** Of the keys that the elements of an array give, the one that sorts first. */
  #smallest (doc: Doc, meta: DocMeta | undefined): SortKey {
    let best: SortKey | undefined
    const start = this.parts.map(part => part.meta !== undefined ? metaValue(part.meta, meta) : doc)
    const open = this.parts.map(part => part.meta === undefined)
    expandKeys({ parts: this.parts, values: start, at: this.parts.map(() => 0), open }, key => {
      if (best === undefined || this.compare(key, best) < 0) best = key
    })
    return best!
  }
}

function parsePart (path: string, value: Value): SortPart {
  if (isDoc(value)) return parseMeta(value)
  if (!isNumber(value)) throw new MongoError(15974, "$sort key ordering must be specified using a number or {$meta: 'textScore'}")
  const direction = wholeNumber(value)
  if (direction !== 1 && direction !== -1) throw new MongoError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)')
  return { path, parts: splitPath(path), direction, meta: undefined }
}

function parseMeta (spec: Doc): SortPart {
  const meta: Maybe = spec.get('$meta')
  if (meta === undefined) throw new MongoError(17312, '$meta is the only expression supported by $sort right now')
  if (spec.size !== 1) throw new MongoError(31138, 'Cannot have additional keys in a $meta sort specification')
  if (meta === 'textScore') return { path: undefined, direction: -1, meta: 'textScore' }
  if (meta === 'randVal') return { path: undefined, direction: 1, meta: 'randVal' }
  throw new MongoError(31138, `Illegal $meta sort: $meta: ${display(meta)}`)
}

const metaValue = (name: string, meta: DocMeta | undefined): Maybe => name === 'randVal' ? new Double(Math.random()) : new Double(meta?.textScore ?? 0)

/** The value at the path, or the first array on the way. */
function plainValue (doc: Doc, parts: readonly string[]): Maybe {
  let value: Maybe = doc
  for (const part of parts) {
    if (!isDoc(value)) return Array.isArray(value) ? value : undefined
    value = value.get(part)
  }
  return value
}

type Expansion = {
  readonly parts: readonly SortPart[]
  /** the key so far; for an open part the value from which its path goes on */
  readonly values: readonly Maybe[]
  readonly at: readonly number[]
  readonly open: readonly boolean[]
}

/** Every key of a document whose paths meet arrays, by the rules of index keys: paths through one array go together, two arrays do not. */
function expandKeys (expansion: Expansion, emit: (key: SortKey) => void): void {
  const values = [...expansion.values]
  const at = [...expansion.at]
  const open = [...expansion.open]
  let met: { array: readonly Value[], prefix: string } | undefined
  for (const [i, { parts }] of pathParts(expansion.parts)) {
    if (!open[i]) continue
    [values[i], at[i]] = descend(values[i], parts, at[i])
    const value = values[i]
    if (!Array.isArray(value)) {
      values[i] = value ?? null
      open[i] = false
      continue
    }
    const prefix = parts.slice(0, at[i]).join('.')
    if (met !== undefined && met.prefix !== prefix) throw badValue('cannot sort with keys that are parallel arrays')
    met = { array: value, prefix }
  }
  if (met === undefined) return emit(values)
  const elements = met.array.length === 0 ? [Undefined.instance] : met.array
  for (const element of elements) expandKeys(withElement({ parts: expansion.parts, values, at, open }, element), emit)
}

function * pathParts (parts: readonly SortPart[]): Iterable<[number, PathPart]> {
  for (const [i, part] of parts.entries()) if (part.path !== undefined) yield [i, part]
}

function withElement ({ parts, values, at, open }: Expansion, element: Value): Expansion {
  const next = [...values]
  const still = [...open]
  for (const [i, part] of pathParts(parts)) {
    if (!open[i]) continue
    if (at[i] < part.parts.length) next[i] = isDoc(element) ? element : undefined
    else {
      next[i] = element
      still[i] = false
    }
  }
  return { parts, values: next, at, open: still }
}

/** Follows a path to its end or to an array that must be expanded; a position in an array is taken as such. */
function descend (start: Maybe, parts: readonly string[], from: number): [Maybe, number] {
  let value = start
  let at = from
  while (at < parts.length) {
    if (Array.isArray(value)) {
      const index = arrayIndex(parts[at])
      if (index < 0 || index >= value.length) return [value, at]
      value = value[index]
    } else {
      value = isDoc(value) ? value.get(parts[at]) : undefined
    }
    at++
  }
  return [value, at]
}
