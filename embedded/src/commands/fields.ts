import { numeric } from '../values/build.js'
import { MongoError } from '../values/errors.js'
import { typeName } from '../values/order.js'
import { Doc, isNumber } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'

/** What a field of a command may hold. `flag` also takes numbers, as the server's lenient booleans do. */
export type Kind = 'any' | 'string' | 'object' | 'array' | 'bool' | 'flag' | 'number' | 'hint' | 'update' | 'collection' | 'unsupported'

export type FieldTable = ReadonlyMap<string, Kind>

export const fieldTable = (fields: Readonly<Record<string, Kind>>): FieldTable => new Map(Object.entries(fields))

const isString = (v: Value): boolean => typeof v === 'string'
const isObject = (v: Value): boolean => v instanceof Doc
const isBool = (v: Value): boolean => typeof v === 'boolean'

const ACCEPTS: ReadonlyMap<Kind, { test: (v: Value) => boolean, expected: string }> = new Map([
  ['any', { test: () => true, expected: '' }],
  ['string', { test: isString, expected: "type 'string'" }],
  ['collection', { test: () => true, expected: '' }],
  ['object', { test: isObject, expected: "type 'object'" }],
  ['array', { test: v => Array.isArray(v), expected: "type 'array'" }],
  ['bool', { test: isBool, expected: "type 'bool'" }],
  ['flag', { test: v => isBool(v) || isNumber(v), expected: "types '[bool, long, int, decimal, double]'" }],
  ['number', { test: isNumber, expected: "types '[long, int, decimal, double]'" }],
  ['hint', { test: v => isString(v) || isObject(v), expected: "types '[string, object]'" }],
  ['update', { test: v => isObject(v) || Array.isArray(v), expected: "types '[array, object]'" }],
  ['unsupported', { test: () => true, expected: '' }]
] as const)

/** Checks every field of `doc` against the table. The server takes a null as "not given". @param title how its errors name the structure */
export function checkFields (doc: Doc, table: FieldTable, title: string, isGeneric: (name: string) => boolean = () => false): void {
  for (const [name, value] of doc) {
    const kind = table.get(name)
    if (kind === undefined) {
      if (isGeneric(name)) continue
      throw new MongoError(40415, `BSON field '${title}.${name}' is an unknown field.`)
    }
    if (kind === 'unsupported') throw new MongoError(115, `${title}.${name} is not supported by the embedded engine`)
    const { test, expected } = ACCEPTS.get(kind)!
    if (value !== null && !test(value)) {
      throw new MongoError(14, `BSON field '${title}.${name}' is the wrong type '${typeName(value)}', expected ${expected}`)
    }
  }
}

export function requireFields (doc: Doc, names: readonly string[], title: string): void {
  for (const name of names) {
    if (doc.get(name) === undefined) throw new MongoError(40414, `BSON field '${title}.${name}' is missing but a required field`)
  }
}

/** Typed access to the fields of a structure that `checkFields` has passed. */
export class Fields {
  constructor (readonly doc: Doc, readonly title: string) {}

  raw (name: string): Maybe {
    const value = this.doc.get(name)
    return value === null ? undefined : value
  }

  string (name: string): string | undefined {
    return this.raw(name) as string | undefined
  }

  object (name: string): Doc | undefined {
    return this.raw(name) as Doc | undefined
  }

  array (name: string): Value[] | undefined {
    return this.raw(name) as Value[] | undefined
  }

  /** An array of documents. */
  docs (name: string): Doc[] | undefined {
    const values = this.array(name)
    values?.forEach((value, i) => {
      if (!(value instanceof Doc)) {
        throw new MongoError(14, `BSON field '${this.title}.${name}.${i}' is the wrong type '${typeName(value)}', expected type 'object'`)
      }
    })
    return values as Doc[] | undefined
  }

  strings (name: string): string[] | undefined {
    const values = this.array(name)
    values?.forEach((value, i) => {
      if (typeof value !== 'string') {
        throw new MongoError(14, `BSON field '${this.title}.${name}.${i}' is the wrong type '${typeName(value)}', expected type 'string'`)
      }
    })
    return values as string[] | undefined
  }

  flag (name: string, byDefault = false): boolean {
    const value = this.raw(name)
    if (value === undefined) return byDefault
    return typeof value === 'boolean' ? value : numeric(value) !== 0
  }

  hint (name = 'hint'): string | Doc | undefined {
    const value = this.raw(name) as string | Doc | undefined
    return value instanceof Doc && value.size === 0 ? undefined : value
  }

  /** A number as the server's safe integers read it: towards zero, within 64 bits. */
  integer (name: string): number | undefined {
    const value = this.raw(name)
    if (value === undefined) return undefined
    const n = numeric(value)
    if (Number.isNaN(n)) return 0
    return Math.trunc(Math.max(-9.2e18, Math.min(9.2e18, n)))
  }

  /** An integer that must not be negative. */
  natural (name: string): number | undefined {
    const n = this.integer(name)
    if (n !== undefined && n < 0) throw new MongoError(51024, `BSON field '${name}' value must be >= 0, actual value '${n}'`)
    return n
  }
}
