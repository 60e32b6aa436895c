import type { DocMeta } from '../expressions/context.js'
import { splitPath } from '../expressions/index.js'
import { extractKeys } from '../indexes/key-values.js'
import type { Collation } from '../values/collation.js'
import { MongoError, badValue } from '../values/errors.js'
import { display } from '../values/format.js'
import { compare } from '../values/order.js'
import { Doc, Double, isDoc, isNumber } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import { wholeNumber } from './specs.js'

type PathPart = { readonly path: string, readonly parts: readonly string[], readonly direction: 1 | -1, readonly meta: undefined }
type MetaPart = { readonly path: undefined, readonly direction: 1 | -1, readonly meta: string }
export type SortPart = PathPart | MetaPart

/** One value per part of the pattern. */
export type SortKey = readonly Maybe[]

const MAX_PARTS = 32
const PARALLEL_ARRAYS = 171

/** An ordering of documents such as `{ a: 1, "b.c": -1 }`. */
export class SortPattern {
  /** `_id` alone is compared as it is, arrays too: MongoDB takes the short way of the `_id` index. */
  readonly #byId: boolean

  readonly #paths: readonly (readonly string[])[]

  constructor (readonly parts: readonly SortPart[], readonly collation: Collation | undefined) {
    this.#paths = parts.flatMap(part => part.path === undefined ? [] : [part.parts])
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
    const keys = sortKeys(doc, this.#paths).map(key => this.#withMeta(key, meta))
    return keys.reduce((best, key) => this.compare(key, best) < 0 ? key : best)
  }

  #withMeta (values: SortKey, meta: DocMeta | undefined): SortKey {
    let at = 0
    return this.parts.map(part => part.meta !== undefined ? metaValue(part.meta, meta) : values[at++] ?? null)
  }
}

/** Arrays give the keys that an index would have. */
function sortKeys (doc: Doc, paths: readonly (readonly string[])[]): readonly SortKey[] {
  try {
    return extractKeys(doc, paths).keys
  } catch (error) {
    if (error instanceof MongoError && error.code === PARALLEL_ARRAYS) throw badValue('cannot sort with keys that are parallel arrays')
    throw error
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
