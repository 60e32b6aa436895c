import { MongoError, badValue, failedToParse, notSupported, typeMismatch } from '../values/errors.js'
import { Doc, Regex, Undefined } from '../values/types.js'
import type { Value } from '../values/types.js'
import { compileExpression } from '../expressions/index.js'
import type { ParseContext } from '../expressions/context.js'
import type { FilterNode } from './ast.js'
import { parseLong } from './integers.js'
import { parseJsonSchema } from './schema/parse.js'
import { isOperator, parseOperator } from './operators.js'
import { regexNode } from './regex.js'
import { parseText } from './text.js'

/** Where the parser stands: $expr and $text only go with the whole document. */
export type Level = 'document' | 'element'

type Pathless = (value: Value, ctx: ParseContext, level: Level, name: string) => FilterNode | undefined

const logical = (kind: 'and' | 'or' | 'nor'): Pathless => (value, ctx, level, name) => {
  if (!Array.isArray(value)) throw badValue(`${name} must be an array`)
  if (value.length === 0) throw badValue('$and/$or/$nor must be a nonempty array')
  const children = value.map(entry => {
    if (!(entry instanceof Doc)) throw badValue('$or/$and/$nor entries need to be full objects')
    return parseDocument(entry, ctx, level)
  })
  if (kind === 'and') return conjunction(children)
  return kind === 'or' && children.length === 1 ? children[0] : { kind, children }
}

const always = (kind: 'true' | 'false'): Pathless => (value, _ctx, _level, name) => {
  if (parseLong(name, value) !== 1n) throw failedToParse(`${name} must be an integer value of 1`)
  return { kind }
}

/** The fields of a DBRef below $elemMatch. */
const reference: Pathless = (value, _ctx, _level, name) => ({ kind: 'compare', op: 'eq', path: name, value })

const unsupported: Pathless = (_value, _ctx, _level, name) => { throw notSupported(name) }

const PATHLESS: ReadonlyMap<string, Pathless> = new Map([
  ['$and', logical('and')], ['$or', logical('or')], ['$nor', logical('nor')],
  ['$alwaysTrue', always('true')], ['$alwaysFalse', always('false')],
  ['$comment', () => undefined],
  ['$expr', parseExpr], ['$jsonSchema', parseSchema],
  ['$text', (value, ctx, level) => parseText(value, ctx.allowText !== false, level)],
  ['$where', unsupported], ['$sampleRate', unsupported],
  ['$ref', reference], ['$id', reference], ['$db', reference]
])

export const isPathless = (name: string): boolean => PATHLESS.has(name)

function parseExpr (value: Value, ctx: ParseContext, level: Level): FilterNode {
  if (level === 'element') throw badValue('$expr can only be applied to the top-level document')
  return { kind: 'expr', expression: compileExpression(value, ctx), spec: value }
}

function parseSchema (value: Value): FilterNode {
  if (!(value instanceof Doc)) throw typeMismatch('$jsonSchema must be an object')
  return { kind: 'jsonSchema', schema: parseJsonSchema(value), spec: value }
}

/** @throws MongoError on anything that MongoDB refuses in a filter */
export const parseFilter = (filter: Doc, ctx: ParseContext): FilterNode => parseDocument(filter, ctx, 'document')

export function parseDocument (filter: Doc, ctx: ParseContext, level: Level): FilterNode {
  const children: FilterNode[] = []
  for (const [name, value] of filter) {
    if (!name.startsWith('$')) {
      children.push(...parseField(name, value, ctx, level))
      continue
    }
    const parse = PATHLESS.get(name)
    if (parse === undefined) throw unknownTopLevel(name)
    const node = parse(value, ctx, level, name)
    if (node !== undefined) children.push(node)
  }
  return conjunction(children)
}

const unknownTopLevel = (name: string): MongoError =>
  badValue(`unknown top level operator: ${name}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.`)

/** An `and` without `and`s in it; one child stands alone. */
export function conjunction (nodes: readonly FilterNode[]): FilterNode {
  const children = nodes.flatMap(node => node.kind === 'and' ? node.children : [node])
  return children.length === 1 ? children[0] : { kind: 'and', children }
}

function parseField (path: string, value: Value, ctx: ParseContext, level: Level): FilterNode[] {
  if (isOperatorDocument(value)) return parseOperators(path, value, ctx, level)
  if (value instanceof Regex) return [regexNode(path, value.pattern, value.options)]
  return [equality(path, value)]
}

export function equality (path: string, value: Value): FilterNode {
  if (value instanceof Undefined) throw badValue('cannot compare to undefined')
  return { kind: 'compare', op: 'eq', path, value }
}

/** `{ $gt: 5 }` but not `{}`, `{ a: 1 }` or a DBRef. */
export function isOperatorDocument (value: Value, partialReferences = false): value is Doc {
  if (!(value instanceof Doc)) return false
  const first = value.firstKey()
  return first !== undefined && first.startsWith('$') && !isReference(value, partialReferences)
}

function isReference (value: Doc, partial: boolean): boolean {
  const hasRef = value.has('$ref')
  const hasId = value.has('$id')
  return partial ? hasRef || hasId || value.has('$db') : hasRef && hasId
}

/** Every operator of `{ $gt: 1, $lt: 5 }`. */
export function parseOperators (path: string, operators: Doc, ctx: ParseContext, level: Level): FilterNode[] {
  const nodes: FilterNode[] = []
  for (const [name, value] of operators) {
    if (name === '$not') nodes.push(parseNot(path, value, ctx, level))
    else if (isOperator(name)) nodes.push(...parseOperator(name, { path, value, siblings: operators, ctx, level }))
    else throw name === '$where' ? badValue('$where cannot be applied to a field') : badValue(`unknown operator: ${name}`)
  }
  return nodes
}

function parseNot (path: string, value: Value, ctx: ParseContext, level: Level): FilterNode {
  if (value instanceof Regex) return { kind: 'not', child: regexNode(path, value.pattern, value.options) }
  if (!(value instanceof Doc)) throw badValue('$not needs a regex or a document')
  if (value.firstKey() === undefined) throw badValue('$not cannot be empty')
  return { kind: 'not', child: conjunction(parseOperators(path, value, ctx, level)) }
}
