import { compileExpression, splitPath } from '../../expressions/index.js'
import type { Expression } from '../../expressions/index.js'
import type { FilterNode } from '../../matcher/ast.js'
import { parseFilter } from '../../matcher/parse.js'
import { MongoError, failedToParse } from '../../values/errors.js'
import { hashKey, typeName } from '../../values/order.js'
import { toDouble } from '../../values/numbers.js'
import { Doc, Undefined, isDoc, isNumber } from '../../values/types.js'
import type { Maybe, Value } from '../../values/types.js'
import type { Vars } from '../../expressions/context.js'
import { Foreign } from '../foreign.js'
import { Memory, approximateSize } from '../memory.js'
import { setNested, topField, visitValues } from '../paths.js'
import { wholeNumber } from '../specs.js'
import { enter, explained, scopeFor } from '../stage.js'
import type { Stage, StageParser, StageScope } from '../stage.js'

type Options = {
  from?: string,
  as?: string,
  connectFromField?: string,
  connectToField?: string,
  depthField?: string
  startWith?: Expression,
  maxDepth?: number,
  restrict?: FilterNode
}
type Search = {
  readonly foreign: Foreign,
  readonly from: readonly string[],
  readonly to: string,
  readonly depth: readonly string[] | undefined
  readonly maxDepth: number,
  readonly restrict: FilterNode | undefined,
  readonly scope: StageScope,
  readonly coll: string
}

export const parseGraphLookup: StageParser = (spec, scope) => {
  if (!isDoc(spec)) throw failedToParse(`the $graphLookup stage specification must be an object, but found ${typeName(spec)}`)
  if (!spec.has('from')) throw failedToParse("missing 'from' option to $graphLookup stage specification")
  const options: Options = {}
  for (const [option, value] of spec) readOption(options, option, value, scope)
  return graphLookupStage(options, scope, explained('$graphLookup', spec))
}

function readOption (options: Options, option: string, value: Value, scope: StageScope): void {
  switch (option) {
    case 'startWith': options.startWith = compileExpression(value, scope.ctx); return
    case 'maxDepth': options.maxDepth = parseMaxDepth(value); return
    case 'restrictSearchWithMatch':
      if (!isDoc(value)) throw new MongoError(40185, `restrictSearchWithMatch must be an object, found ${typeName(value)}`)
      options.restrict = parseFilter(value, scope.ctx)
      return
    case 'from': case 'as': case 'connectFromField': case 'connectToField': case 'depthField':
      options[option] = stringOf(option, value)
      return
    default: throw new MongoError(40104, `Unknown argument to $graphLookup: ${option}`)
  }
}

function stringOf (option: string, value: Value): string {
  if (typeof value === 'string') return value
  if (option === 'from') throw failedToParse(`$graphLookup 'from' field must be a string, but found ${typeName(value)}`)
  throw new MongoError(40103, `expected string as argument for ${option}, found: ${typeName(value)}`)
}

function parseMaxDepth (value: Value): number {
  if (!isNumber(value)) throw new MongoError(40100, `maxDepth must be numeric, found type: ${typeName(value)}`)
  const depth = wholeNumber(value)!
  if (depth < 0) throw new MongoError(40101, `maxDepth requires a nonnegative argument, found: ${depth}`)
  if (depth !== toDouble(value)) throw new MongoError(40102, `maxDepth could not be represented as a long long: ${depth}`)
  return depth
}

function graphLookupStage (options: Options, scope: StageScope, shown: Doc): Stage {
  const { from = '', as = '', connectFromField = '', connectToField = '', depthField, startWith, maxDepth = Infinity, restrict } = options
  if (startWith === undefined || [from, as, connectFromField, connectToField].includes('')) {
    throw new MongoError(40105, "$graphLookup requires 'from', 'as', 'startWith', 'connectFromField', and 'connectToField' to be specified.")
  }
  const asParts = splitPath(as)
  splitPath(connectToField)
  const search: Search = {
    foreign: new Foreign({ db: scope.ns.db, coll: from }, [], scope, '$lookup', scope.ctx.variables, true),
    from: splitPath(connectFromField),
    to: connectToField,
    depth: depthField === undefined ? undefined : splitPath(depthField),
    maxDepth,
    restrict,
    scope,
    coll: `${scope.ns.db}.${from}`
  }
  return {
    name: '$graphLookup',
    reads: startWith.dependencies,
    closes: false,
    makes: asParts.length === 1 ? asParts : undefined,
    passes: path => topField(path) !== asParts[0],
    * run (source, vars) {
      const at = scopeFor(scope, vars)
      for (const doc of source) {
        const start = startWith.evaluate(enter(at, doc, scope.metas))
        yield scope.metas.carry(doc, setNested(doc, asParts, breadthFirst(search, start, vars)))
      }
    },
    explain: () => shown
  }
}

/** Each document once, with the least depth at which it was reached. */
function breadthFirst (search: Search, start: Maybe, vars: Vars): Doc[] {
  const visited = new Map<string, Doc>()
  const memory = new Memory(() => new MongoError(40099, '$graphLookup reached maximum memory consumption'))
  const asked = new Set<string>()
  let frontier = Array.isArray(start) ? start : start === undefined ? [] : [start]
  for (let depth = 0; depth <= search.maxDepth; depth++) {
    search.scope.context.checkInterrupt()
    frontier = unasked(frontier, asked, search)
    if (frontier.length === 0) break
    const next: Value[] = []
    for (const doc of search.foreign.run(filterFor(search, frontier), vars)) {
      visit(doc, depth, search, visited, memory, next)
    }
    frontier = next
  }
  return [...visited.values()]
}

function visit (doc: Doc, depth: number, search: Search, visited: Map<string, Doc>, memory: Memory, next: Value[]): void {
  const id = doc.get('_id')
  if (id === undefined) {
    throw new MongoError(40271, `Documents in the '${search.coll}' namespace must contain an _id for de-duplication in $graphLookup`)
  }
  const key = hashKey(id)
  if (visited.has(key)) return
  memory.grow(approximateSize(doc) + key.length)
  visited.set(key, search.depth === undefined ? doc : setNested(doc, search.depth, BigInt(depth)))
  visitValues(doc, search.from, value => next.push(value))
}

/** Values that were looked for before bring nothing new. */
function unasked (values: readonly Value[], asked: Set<string>, { scope }: Search): Value[] {
  return values.filter(value => {
    const key = hashKey(value, scope.ctx.collation)
    if (asked.has(key)) return false
    asked.add(key)
    return true
  })
}

function filterFor ({ to, restrict }: Search, frontier: readonly Value[]): FilterNode {
  const conditions: FilterNode[] = restrict === undefined ? [] : [restrict]
  conditions.push({ kind: 'in', path: to, values: frontier, regexes: [] })
  // unlike a find, a null joins neither missing nor undefined values
  if (frontier.some(value => value === null || value instanceof Undefined)) conditions.push({ kind: 'exists', path: to })
  if (frontier.includes(null)) conditions.push({ kind: 'not', child: { kind: 'type', path: to, types: new Set(['undefined']) } })
  return { kind: 'and', children: conditions }
}
