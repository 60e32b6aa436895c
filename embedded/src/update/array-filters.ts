import { MongoError, badValue, failedToParse } from '../values/errors.js'
import { Doc } from '../values/types.js'
import type { ParseContext } from '../expressions/index.js'
import type { FilterNode } from '../matcher/ast.js'
import { compileMatch } from '../matcher/match.js'
import { parseFilter } from '../matcher/parse.js'
import type { ArrayFilters, ElementTest } from './tree.js'

const IDENTIFIER = /^[a-z][a-zA-Z0-9]*$/

/** The conditions of `$[identifier]` by identifier. */
export function parseArrayFilters (specs: readonly Doc[], ctx: ParseContext): ArrayFilters {
  const filters = new Map<string, ElementTest>()
  for (const spec of specs) {
    const node = parseFilter(spec, { ...ctx, allowText: false })
    const name = topLevelName(node)
    if (name === undefined) throw failedToParse('Cannot use an expression without a top-level field name in arrayFilters')
    if (!IDENTIFIER.test(name)) {
      throw wrap(badValue(`The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${name}'`))
    }
    if (filters.has(name)) throw failedToParse(`Found multiple array filters with the same top-level field name ${name}`)
    const match = compileMatch(node, ctx)
    filters.set(name, element => match.test(Doc.of([[name, element]])))
  }
  return filters
}

const wrap = (e: MongoError): MongoError => new MongoError(e.code, `Error parsing array filter :: caused by :: ${e.message}`)

/** The field that all conditions are about. */
function topLevelName (node: FilterNode): string | undefined {
  if ('path' in node) return node.path.split('.')[0]
  if (node.kind === 'expr') throw new MongoError(224, '$expr is not allowed in this context')
  if (node.kind === 'jsonSchema') throw new MongoError(224, '$jsonSchema is not allowed in this context')
  const children = 'children' in node ? node.children : 'child' in node ? [node.child] : []
  return children.map(topLevelName).reduce((known, name) => {
    if (known !== undefined && name !== undefined && known !== name) {
      throw wrap(failedToParse(`Expected a single top-level field name, found '${known}' and '${name}'`))
    }
    return known ?? name
  }, undefined)
}
