import { docOf } from '../../values/build.js'
import { typeMismatch } from '../../values/errors.js'
import { Doc } from '../../values/types.js'
import type { Maybe, Value } from '../../values/types.js'

/** One keyword of a schema with its argument. */
export type Keyword = {
  test (value: Value): boolean
  /** What errInfo says of a value that failed the test; nothing when another keyword tells it. */
  explain (value: Value): readonly Value[]
}

/** A schema is the conjunction of its keywords. */
export class Schema {
  constructor (readonly keywords: readonly Keyword[], readonly annotations: Annotations) {}

  test (value: Value): boolean {
    for (const keyword of this.keywords) if (!keyword.test(value)) return false
    return true
  }

  explain (value: Value): Value[] {
    return this.keywords.filter(keyword => !keyword.test(value)).flatMap(keyword => keyword.explain(value))
  }
}

/** The title and description, which errors repeat. */
export type Annotations = { readonly title?: Maybe, readonly description?: Maybe }

/** The arguments of a schema's keywords, and how nested schemas are parsed. */
export class KeywordReader {
  constructor (
    readonly keywords: ReadonlyMap<string, Value>,
    /** the schema of whole documents, which are always objects */
    readonly isRoot: boolean,
    readonly nested: (schema: Doc, isRoot: boolean) => Schema
  ) {}

  get (keyword: string): Maybe {
    return this.keywords.get(keyword)
  }

  /** The `{ keyword: argument }` that errors quote. */
  specifiedAs (...keywords: readonly string[]): Doc {
    return Doc.of(keywords.flatMap((keyword): [string, Value][] => {
      const value = this.keywords.get(keyword)
      return value === undefined ? [] : [[keyword, value]]
    }))
  }

  object (keyword: string): Doc | undefined {
    const value = this.keywords.get(keyword)
    if (value === undefined || value instanceof Doc) return value
    throw typeMismatch(`$jsonSchema keyword '${keyword}' must be an object`)
  }
}

/** An entry of errInfo that names a keyword, what it says and why it failed. */
export const failure = (operatorName: string, specifiedAs: Doc, reason: string, rest: Readonly<Record<string, Maybe>>): Doc =>
  docOf({ operatorName, specifiedAs, reason, ...rest })
