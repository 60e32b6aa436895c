import { splitPath } from '../../expressions/index.js'
import { MongoError, badValue, typeMismatch } from '../../values/errors.js'
import { typeName } from '../../values/order.js'
import { isDoc } from '../../values/types.js'
import type { Doc, Value } from '../../values/types.js'
import { parseFields, pipelineOf } from '../specs.js'
import type { Namespace } from '../types.js'

export type WhenMatched = 'fail' | 'keepExisting' | 'merge' | 'pipeline' | 'replace'
export type WhenNotMatched = 'discard' | 'fail' | 'insert'
export type MergeSpec = {
  readonly into: Namespace
  /** undefined: `_id` */
  readonly on: readonly string[] | undefined
  readonly whenMatched: WhenMatched
  readonly pipeline: readonly Doc[]
  readonly whenNotMatched: WhenNotMatched
  readonly let: Doc | undefined
}

const RULES = new Map([
  ['into', { required: true }], ['on', {}], ['let', { types: ['object'] }], ['whenMatched', {}], ['whenNotMatched', { types: ['string'] }]
])
const INTO_RULES = new Map([['db', { types: ['string'] }], ['coll', { types: ['string'] }]])
const MATCHED: readonly string[] = ['fail', 'keepExisting', 'merge', 'replace']
const NOT_MATCHED: readonly string[] = ['discard', 'fail', 'insert']
const INTERNAL = new Set(['admin', 'config', 'local'])

export function readMerge (spec: Value, db: string): MergeSpec {
  const merge = typeof spec === 'string' ? { ...DEFAULTS, into: { db, coll: spec } } : readFields(spec, db)
  const { into, whenMatched, whenNotMatched } = merge
  if (into.db === '' || into.coll === '') throw new MongoError(73, `Invalid $merge target namespace: '${into.db}.${into.coll}'`)
  if (!isSupported(whenMatched, whenNotMatched)) {
    throw new MongoError(51181, `Combination of $merge modes 'whenMatched: ${whenMatched}' and 'whenNotMatched: ${whenNotMatched}' is not supported`)
  }
  if (into.coll.startsWith('system.')) throw new MongoError(31319, `Cannot $merge to special collection: ${into.coll}`)
  if (INTERNAL.has(into.db)) throw new MongoError(31320, `Cannot $merge to internal database: ${into.db}`)
  checkLet(merge)
  return merge
}

const DEFAULTS = { on: undefined, whenMatched: 'merge', pipeline: [], whenNotMatched: 'insert', let: undefined } as const

function readFields (spec: Value, db: string): MergeSpec {
  if (!isDoc(spec)) throw typeMismatch(`$merge requires a string or object argument, but found ${typeName(spec)}`)
  const fields = parseFields('$merge', spec, RULES)
  const matched = fields.get('whenMatched') ?? 'merge'
  return {
    into: readInto(fields.get('into')!, db),
    on: readOn(fields.get('on')),
    whenMatched: readMatched(matched),
    pipeline: Array.isArray(matched) ? pipelineOf(matched) : [],
    whenNotMatched: oneOf<WhenNotMatched>(fields.get('whenNotMatched') as string | undefined ?? 'insert', NOT_MATCHED, 'whenNotMatched'),
    let: fields.get('let') as Doc | undefined
  }
}

function readInto (value: Value, db: string): Namespace {
  if (value === '') throw new MongoError(5786800, "$merge 'into' field cannot be an empty string")
  if (typeof value === 'string') return { db, coll: value }
  if (!isDoc(value)) throw new MongoError(51178, `$merge 'into' field  must be either a string or an object, but found ${typeName(value)}`)
  const fields = parseFields('into', value, INTO_RULES)
  const coll = fields.get('coll') as string | undefined
  if (coll === undefined || coll === '') throw new MongoError(5786801, "$merge 'into' field must specify a 'coll' that is not empty, null or undefined")
  return { db: fields.get('db') as string | undefined ?? db, coll }
}

function readOn (value: Value | undefined): string[] | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' && !Array.isArray(value)) {
    throw new MongoError(51186, `$merge 'on' field  must be either a string or an array of strings, but found ${typeName(value)}`)
  }
  const fields = (typeof value === 'string' ? [value] : value).map(field => {
    if (typeof field === 'string') return field
    throw new MongoError(51134, `$merge 'on' array elements must be strings, but found ${typeName(field)}`)
  })
  if (fields.length === 0) throw new MongoError(51187, "If explicitly specifying $merge 'on', must include at least one field")
  return checkedOn(fields)
}

function checkedOn (fields: readonly string[]): string[] {
  const seen = new Set<string>()
  for (const field of fields) {
    splitPath(field)
    if (seen.has(field)) throw new MongoError(31465, `Found a duplicate field '${field}'`)
    seen.add(field)
  }
  return [...seen].sort()
}

function readMatched (value: Value): WhenMatched {
  if (Array.isArray(value)) return 'pipeline'
  if (typeof value !== 'string') throw new MongoError(51191, `$merge 'whenMatched' field  must be either a string or an array, but found ${typeName(value)}`)
  return oneOf<WhenMatched>(value, MATCHED, 'whenMatched')
}

function oneOf<T extends string> (value: string, allowed: readonly string[], field: string): T {
  if (allowed.includes(value)) return value as T
  throw badValue(`Enumeration value '${value}' for field '${field}' is not a valid value.`)
}

const isSupported = (matched: WhenMatched, notMatched: WhenNotMatched): boolean =>
  notMatched === 'insert' || (matched !== 'fail' && matched !== 'keepExisting')

function checkLet ({ whenMatched, let: variables }: MergeSpec): void {
  if (variables === undefined) return
  if (whenMatched !== 'pipeline') throw new MongoError(51199, `Cannot use 'let' variables with 'whenMatched: ${whenMatched}' mode`)
  const reserved = variables.get('new')
  if (reserved === undefined || reserved === '$$ROOT') return
  throw new MongoError(51273, "'let' may not define a value for the reserved 'new' variable other than '$$ROOT'")
}
