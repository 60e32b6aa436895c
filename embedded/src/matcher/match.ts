import type { Doc } from '../values/types.js'
import type { DocMeta, ParseContext, Vars } from '../expressions/context.js'
import type { FilterNode } from './ast.js'

export type Match = {
  /** @param vars the values of user variables, for filters that are compiled once and run with many */
  test (doc: Doc, vars?: Vars, meta?: DocMeta): boolean
  /** The index of the array element that matched, for the positional `$`; undefined when no array took part or nothing matched. */
  position (doc: Doc, vars?: Vars): number | undefined
}

export declare function compileMatch (node: FilterNode, ctx: ParseContext): Match
