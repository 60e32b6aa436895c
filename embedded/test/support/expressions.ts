import { compileExpression, scopeOf } from '../../src/expressions/index.js'
import type { DocMeta, ParseContext } from '../../src/expressions/index.js'
import { encodeDocument } from '../../src/values/bson-write.js'
import { MongoError } from '../../src/values/errors.js'
import { display } from '../../src/values/format.js'
import { typeName } from '../../src/values/order.js'
import { BsonDate, Doc, Double, Int32 } from '../../src/values/types.js'
import type { Maybe, Value } from '../../src/values/types.js'
import { decimal } from '../fixtures/arbitraries.js'

export const dbl = (x: number): Double => new Double(x)
export const dec = decimal
export const date = (iso: string): BsonDate => new BsonDate(Date.parse(iso))

/** JavaScript to BSON: an integer is an int, a fraction a double, a Date a date, a plain object a document. */
export function bson (x: unknown): Value {
  if (typeof x === 'number') return x === (x | 0) && !Object.is(x, -0) ? new Int32(x) : new Double(x)
  if (Array.isArray(x)) return x.map(bson)
  if (x instanceof Date) return new BsonDate(x.getTime())
  if (x !== null && typeof x === 'object' && Object.getPrototypeOf(x) === Object.prototype) return Doc.of(Object.entries(x).map(([k, v]) => [k, bson(v)]))
  return x as Value
}

/** Type and value in one text, so that 1, 1.0 and a long 1 differ. */
export function told (v: Maybe): string {
  if (v === undefined) return 'missing'
  if (Array.isArray(v)) return `[${v.map(told).join(', ')}]`
  if (v instanceof Doc) return `{${Array.from(v, ([k, x]) => `${k}: ${told(x)}`).join(', ')}}`
  if (v instanceof BsonDate) return new Date(v.ms).toISOString()
  if (v instanceof Double) return Number.isInteger(v.value) ? `${Object.is(v.value, -0) ? '-0' : v.value}.` : String(v.value)
  return typeof v === 'string' || typeof v === 'boolean' || v === null || v instanceof Int32 ? display(v) : `${typeName(v)} ${display(v)}`
}

type Surroundings = Partial<ParseContext> & { readonly meta?: DocMeta }

export const CONTEXT: ParseContext = { now: date('2025-01-02T03:04:05.678Z') }

/** The value of an expression for a stored document, or the code of its error. */
export function evaluated (spec: unknown, root: unknown = {}, { meta, ...given }: Surroundings = {}): string | number {
  const ctx = { ...CONTEXT, ...given }
  try {
    const doc = Doc.raw(encodeDocument(bson(root) as Doc))
    return told(compileExpression(bson(spec), ctx).evaluate(scopeOf(doc, ctx, meta)))
  } catch (e) {
    if (e instanceof MongoError) return e.code
    throw e
  }
}

export type Case = readonly [spec: unknown, expected: string | number, root?: unknown]

type Equals = { equal (found: unknown, wanted: unknown, message: string): unknown }

export function check (t: Equals, cases: readonly Case[]): void {
  for (const [spec, expected, root] of cases) t.equal(evaluated(spec, root), expected, told(bson(spec)))
}
