import type { Collection, Index } from '../catalog/types.js'
import { encodeKey } from '../keys/key.js'
import { endOfKeyValue, readKeyValue, UNKNOWN } from '../keys/read.js'
import { extractKeys } from '../indexes/key-values.js'
import { forEachValue, parsePath } from '../matcher/paths.js'
import type { FilterNode } from '../matcher/ast.js'
import type { IndexScan, Plan, PlanNode } from '../planner/index.js'
import { ALL_VALUES } from '../planner/intervals.js'
import type { Reader } from '../storage/index.js'
import { compare, hashKey } from '../values/order.js'
import { Undefined } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import type { Env } from './env.js'
import { execute } from './execute.js'
import { readDocument } from './fetch.js'
import { envOf, isTrue, parsed, prepare } from './find.js'
import type { FindRequest } from './find.js'
import { scanKeys } from './index-scan.js'
import type { EntryBytes } from './index-scan.js'

/** The values of a path, arrays opened, each once. */
export function distinct (reader: Reader, collection: Collection | undefined, key: string, request: FindRequest): Value[] {
  const filter = parsed(request)
  if (collection === undefined) return []
  const { plan, scan } = distinctPlan(reader, collection, key, { ...request, parsed: filter })
  const env = envOf(reader, { plan }, request, needsOf(key))
  const values = new Values(request)
  if (scan !== undefined) distinctScan(scan, key, env, values)
  else collect(plan.root, key, env, values)
  return values.all
}

const needsOf = (key: string): string[] => [key.split('.')[0]]

export type DistinctPlan = { readonly plan: Plan, readonly scan: IndexScan | undefined }

/** @returns also the scan of an index whose keys alone tell the values */
export function distinctPlan (reader: Reader, collection: Collection, key: string, request: FindRequest): DistinctPlan {
  const { plan, filter } = prepare(reader, collection, request, needsOf(key))
  const scan = plan.root.stage === 'COLLSCAN' ? wholeScan(collection, key, filter, request) : scanOf(plan.root, key, request)
  return { plan: scan === undefined ? plan : { ...plan, root: scan, indexes: [scan.index] }, scan }
}

function scanOf (root: PlanNode, key: string, request: FindRequest): IndexScan | undefined {
  const scan = root.stage === 'FETCH' && root.filter === undefined ? root.child : root
  return scan.stage === 'IXSCAN' && scan.keyRange === undefined && tells(scan.index, key, request) ? scan : undefined
}

/** As MongoDB: without a filter an index that begins with the field. */
function wholeScan (collection: Collection, key: string, filter: FilterNode, request: FindRequest): IndexScan | undefined {
  if (!isTrue(filter) || request.hint !== undefined) return undefined
  const [index] = collection.indexes
    .filter(known => !known.hidden && !known.sparse && known.partialFilter === undefined && known.fields[0].path === key && tells(known, key, request))
    .sort((a, b) => a.fields.length - b.fields.length)
  return index === undefined ? undefined : { stage: 'IXSCAN', index, bounds: index.fields.map(() => ALL_VALUES), direction: 1 }
}

/** Whether the keys of an index tell the values of a field: arrays may only stand at the end of its path. */
function tells (index: Index, key: string, { ctx }: FindRequest): boolean {
  const i = index.fields.findIndex(field => field.path === key)
  if (i < 0 || index.fields[i].hashed || index.text !== undefined || index.flags.truncated) return false
  const last = index.fields[i].parts.length - 1
  const arrays = index.flags.parts[i] ?? 0
  const sameCollation = index.collation === undefined ? ctx.collation === undefined : index.collation.equals(ctx.collation)
  return sameCollation && (arrays & ~(1 << last)) === 0
}

class Values {
  readonly #values = new Map<string, Value>()

  constructor (private readonly request: FindRequest) {}

  add (value: Value): void {
    const hash = hashKey(value, this.request.ctx.collation)
    if (!this.#values.has(hash)) this.#values.set(hash, value)
  }

  /** MongoDB gives them in order, with or without an index. */
  get all (): Value[] {
    const { collation } = this.request.ctx
    return [...this.#values.values()].sort((a, b) => compare(a, b, collation))
  }
}

function collect (root: PlanNode, key: string, env: Env, values: Values): void {
  const path = parsePath(key)
  for (const { doc } of execute(root, env)) {
    if (doc === undefined) continue
    forEachValue(doc, path, 'array', value => {
      if (Array.isArray(value)) for (const element of value) values.add(element)
      else if (value !== undefined) values.add(value)
    })
  }
}

/** The server's short way, which shows what indexes hold: null for a missing field, undefined for an empty array. */
function distinctScan (scan: IndexScan, key: string, env: Env, values: Values): void {
  const { index } = scan
  const field = index.fields.findIndex(({ path }) => path === key)
  const seen = new Set<string>()
  for (const { record, entry } of scanKeys(scan, env)) {
    const { start, end } = placeOf(index, field, entry)
    const bytes = Buffer.from(entry.key.subarray(start, end))
    const name = bytes.toString('latin1')
    if (seen.has(name)) continue
    seen.add(name)
    const value = valueOf(index, field, bytes, record, env)
    if (value !== undefined) values.add(value)
  }
}

const maskOf = (index: Index, field: number): number => index.fields[field].direction === 1 ? 0 : 255

function placeOf (index: Index, field: number, { key, keyStart }: EntryBytes): { start: number, end: number } {
  let start = keyStart + 5
  for (let i = 0; i < field; i++) start = endOfKeyValue(key, start, maskOf(index, i))
  return { start, end: endOfKeyValue(key, start, maskOf(index, field)) }
}

const NULL_KEY = encodeKey([null], [1])
const UNDEFINED_KEY = encodeKey([Undefined.instance], [1])

function valueOf (index: Index, field: number, bytes: Buffer, record: number, env: Env): Maybe {
  const mask = maskOf(index, field)
  const plain = mask === 0 ? bytes : Buffer.from(bytes.map(byte => byte ^ mask))
  if (plain.equals(NULL_KEY)) return null
  if (plain.equals(UNDEFINED_KEY)) return Undefined.instance
  // A number may be of any type and a text of a collation is not kept: the document tells.
  const read = readKeyValue(plain, 0, 0, 'other')
  if (read !== UNKNOWN && (typeof read !== 'string' || index.collation === undefined)) return read
  const doc = readDocument(env, record)
  if (doc === undefined) return undefined
  const { parts, direction } = index.fields[field]
  return extractKeys(doc, [parts]).keys.map(([value]) => value).find(value => encodeKey([value], [direction], index.collation).equals(bytes))
}
