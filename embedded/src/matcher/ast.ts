import type { Doc, Maybe, Value } from '../values/types.js'
import type { Expression } from '../expressions/index.js'

/** A compiled regular expression of a filter. */
export type RegexTest = {
  readonly pattern: string
  readonly options: string
  test (text: string): boolean
}

export type CompareOp = 'eq' | 'lt' | 'lte' | 'gt' | 'gte'
export type BitsMode = 'allSet' | 'anySet' | 'allClear' | 'anyClear'

/**
 * A parsed filter. A leaf's `path` is dotted; inside elemMatchValue it is '' (the array element itself), inside
 * elemMatchObject it is relative to the element.
 * `$ne` is not(compare eq), `$nin` not(in), `$exists: false` not(exists), `$all` an `and` of compare, regex and $elemMatch nodes.
 */
export type FilterNode =
  | { readonly kind: 'and' | 'or' | 'nor', readonly children: readonly FilterNode[] }
  | { readonly kind: 'not', readonly child: FilterNode }
  | CompareNode
  | InNode
  | { readonly kind: 'exists', readonly path: string }
  | { readonly kind: 'type', readonly path: string, readonly types: ReadonlySet<string> }
  | { readonly kind: 'mod', readonly path: string, readonly divisor: bigint, readonly remainder: bigint }
  | RegexNode
  | { readonly kind: 'size', readonly path: string, readonly size: number }
  | { readonly kind: 'elemMatchObject', readonly path: string, readonly child: FilterNode, readonly spec?: Doc }
  | { readonly kind: 'elemMatchValue', readonly path: string, readonly children: readonly FilterNode[], readonly spec?: Doc }
  | BitsNode
  | { readonly kind: 'expr', readonly expression: Expression, readonly spec: Value }
  | { readonly kind: 'jsonSchema', readonly schema: JsonSchema, readonly spec: Doc }
  | TextNode
  | { readonly kind: 'true' }
  | { readonly kind: 'false' }

export type CompareNode = { readonly kind: 'compare', readonly op: CompareOp, readonly path: string, readonly value: Value }
export type InNode = { readonly kind: 'in', readonly path: string, readonly values: readonly Value[], readonly regexes: readonly RegexTest[] }
/** Matches strings and symbols by the pattern, and a stored regex that is the same. */
export type RegexNode = { readonly kind: 'regex', readonly path: string, readonly pattern: string, readonly options: string, readonly regex: RegexTest }
export type BitsNode = {
  readonly kind: 'bits', readonly path: string, readonly mode: BitsMode, readonly positions: readonly number[], readonly mask: bigint
}
export type TextNode = {
  readonly kind: 'text',
  readonly search: string,
  readonly language: string | undefined
  readonly caseSensitive: boolean,
  readonly diacriticSensitive: boolean
}

/** Compiled by schema/parse.ts. */
export type JsonSchema = {
  test (doc: Doc): boolean
  /** The `schemaRulesNotSatisfied` array of the 121 error's errInfo, empty when the document is valid. */
  explain (doc: Doc): Value[]
  readonly annotations: { readonly title?: Maybe, readonly description?: Maybe }
}
