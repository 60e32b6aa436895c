import { notSupported } from '../values/errors.js'
import type { Doc } from '../values/types.js'
import type { ParseContext } from '../expressions/context.js'
import type { JsonSchema } from './ast.js'

export function parseJsonSchema (_schema: Doc, _ctx: ParseContext): JsonSchema {
  throw notSupported('$jsonSchema')
}
