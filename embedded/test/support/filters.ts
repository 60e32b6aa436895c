import { compileMatch } from '../../src/matcher/match.js'
import type { Match } from '../../src/matcher/match.js'
import { parseFilter } from '../../src/matcher/parse.js'
import type { ParseContext } from '../../src/expressions/index.js'
import { encodeDocument } from '../../src/values/bson-write.js'
import { MongoError } from '../../src/values/errors.js'
import { Doc, Regex } from '../../src/values/types.js'
import type { Value } from '../../src/values/types.js'
import { CONTEXT, bson } from './expressions.js'

/** As bson(), with JavaScript's regular expressions (flags i, m and s). */
export function doc (x: object): Doc {
  return convert(x) as Doc
}

function convert (x: unknown): Value {
  if (x instanceof RegExp) return new Regex(x.source, x.flags)
  if (Array.isArray(x)) return x.map(convert)
  if (x !== null && typeof x === 'object' && Object.getPrototypeOf(x) === Object.prototype) return Doc.of(Object.entries(x).map(([k, v]) => [k, convert(v)]))
  return bson(x)
}

/** The document as it is stored. */
export const stored = (x: object | Doc): Doc => Doc.raw(encodeDocument(x instanceof Doc ? x : doc(x)))

/** The same, decoded all the way down. */
export function opened (x: Doc): Doc {
  const open = (v: Value): Value => v instanceof Doc ? opened(v) : Array.isArray(v) ? v.map(open) : v
  return Doc.of(Array.from(x, ([key, value]): [string, Value] => [key, open(value)]))
}

export const matcher = (filter: object | Doc, ctx: ParseContext = CONTEXT): Match =>
  compileMatch(parseFilter(filter instanceof Doc ? filter : doc(filter), ctx), ctx)

/** The code of the error that something throws, 0 when it throws none. */
export function codeOf (run: () => unknown): number {
  try {
    run()
    return 0
  } catch (e) {
    if (e instanceof MongoError) return e.code
    throw e
  }
}
