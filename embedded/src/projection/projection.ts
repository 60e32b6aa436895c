import type { Doc } from '../values/types.js'
import type { DocMeta, ParseContext, Vars } from '../expressions/context.js'
import type { Match } from '../matcher/match.js'

export type ProjectionOptions = {
  ctx: ParseContext
  /** find and findAndModify: $slice, $elemMatch and positional `$` of old, literals need no $literal */
  forFind: boolean
  /** the command's filter, for positional `$` */
  match?: Match
}

export type Projection = {
  apply (doc: Doc, meta?: DocMeta, vars?: Vars): Doc
  /** top-level fields that must be there; 'all' when the whole document is needed */
  readonly needs: 'all' | readonly string[]
}

export declare function compileProjection (spec: Doc, options: ProjectionOptions): Projection
/** `$addFields` / `$set` */
export declare function compileAddFields (spec: Doc, ctx: ParseContext): Projection
/** `$unset` with a field name or an array of them */
export declare function compileUnset (fields: readonly string[], ctx: ParseContext): Projection
