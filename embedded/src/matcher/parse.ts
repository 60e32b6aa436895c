import type { Doc } from '../values/types.js'
import type { ParseContext } from '../expressions/context.js'
import type { FilterNode } from './ast.js'

export declare function parseFilter (filter: Doc, ctx: ParseContext): FilterNode
