import { MongoError } from '../values/errors.js'
import { display } from '../values/format.js'
import { int32Of } from './numbers.js'
import { typeName } from '../values/order.js'
import { Doc, isNumber } from '../values/types.js'
import type { Value } from '../values/types.js'
import { compileExpression, isExpressionOperator, splitPath } from '../expressions/index.js'
import type { Expression, ParseContext } from '../expressions/index.js'
import { compileMatch } from '../matcher/match.js'
import { trueValue } from '../matcher/operators.js'
import { parseFilter } from '../matcher/parse.js'
import { newTree } from './tree.js'
import type { Leaf, Slice, Tree } from './tree.js'

export type ProjectionType = 'inclusion' | 'exclusion'

export type SpecOptions = {
  readonly ctx: ParseContext
  readonly forFind: boolean
  /** whether there is a filter for the positional `$` */
  readonly hasMatch: boolean
}

const error = (code: number, message: string): MongoError => new MongoError(code, message)

/** Reads a specification, from its fields downwards; what is seen decides what kind of projection it is. */
export class SpecParser {
  readonly tree = newTree()
  readonly #ctx: ParseContext
  readonly #forFind: boolean
  readonly #hasMatch: boolean
  #type: ProjectionType | undefined
  #id: 'included' | 'excluded' | undefined
  #namesId = false
  #hasPositional = false
  #hasElemMatch = false
  #hasSlice = false
  #hasMeta = false

  constructor ({ ctx, forFind, hasMatch }: SpecOptions) {
    this.#ctx = ctx
    this.#forFind = forFind
    this.#hasMatch = hasMatch
  }

  parse (spec: Doc): ProjectionType {
    for (const [name, value] of spec) {
      if (name === '_id' || name.startsWith('_id.')) this.#namesId = true
      this.#element(name, value, [], this.tree)
    }
    const type = this.#type ?? this.#defaultType()
    if (type === 'inclusion' && !this.#namesId) addAt(this.tree, ['_id'], { kind: 'flag', value: true })
    if (type === 'exclusion' && this.#id === 'included') this.tree.children.delete('_id')
    return type
  }

  /** What a projection is that names only _id and find's own operators. */
  #defaultType (): ProjectionType {
    const byId = this.#id === 'included' ? 'inclusion' : 'exclusion'
    if (this.#hasSlice) return byId
    if (this.#hasElemMatch) return 'inclusion'
    return this.#hasMeta && !this.#forFind ? 'inclusion' : byId
  }

  #element (name: string, value: Value, parent: readonly string[], tree: Tree): void {
    const positional = name.endsWith('.$')
    if (positional && !this.#forFind) throw error(31324, 'Cannot use positional projection in aggregation projection')
    if (name.includes('.$.')) throw error(31394, MIDDLE)
    if (value instanceof Doc) {
      if (positional) throw error(31271, 'positional projection cannot be used with an expression or sub object')
      this.#document(name, value, parent, tree)
    } else if (typeof value === 'boolean' || isNumber(value)) {
      if (trueValue(value)) this.#inclusion(name, parent, tree, positional)
      else this.#exclusion(name, parent, tree, positional)
    } else {
      if (positional) throw error(31308, 'positional projection cannot be used with a literal')
      this.#literal(name, value, tree)
    }
  }

  #inclusion (name: string, parent: readonly string[], tree: Tree, positional: boolean): void {
    const isId = name === '_id' && parent.length === 0
    if (positional) this.#positional(name, tree)
    else addAt(tree, splitPath(name), { kind: 'flag', value: true })
    if (isId) this.#id = 'included'
    else this.#decide('inclusion', error(31253, `Cannot do inclusion on field ${name} in exclusion projection`))
  }

  #exclusion (name: string, parent: readonly string[], tree: Tree, positional: boolean): void {
    if (positional) throw error(31395, 'positional projection cannot be used with exclusion')
    addAt(tree, splitPath(name), { kind: 'flag', value: false })
    if (name === '_id' && parent.length === 0) this.#id = 'excluded'
    else this.#decide('exclusion', error(31254, `Cannot do exclusion on field ${name} in inclusion projection`))
  }

  #decide (type: ProjectionType, otherwise: MongoError): void {
    if (this.#type !== undefined && this.#type !== type) throw otherwise
    this.#type = type
  }

  #literal (name: string, value: Value, tree: Tree): void {
    addAt(tree, splitPath(name), { kind: 'expression', expression: compileExpression(value, this.#ctx) })
    this.#decide('inclusion', error(31310, `Cannot use an expression ${name}: ${display(value)} in an exclusion projection`))
  }

  #positional (name: string, tree: Tree): void {
    if (this.#hasPositional) throw error(31276, 'Cannot specify more than one positional projection per query.')
    if (this.#hasElemMatch) throw error(31256, 'Cannot specify positional operator and $elemMatch.')
    if (!this.#hasMatch) throw error(51050, 'Projections with a positional operator require a matcher')
    addAt(tree, splitPath(name.slice(0, -2)), { kind: 'positional' })
    this.#hasPositional = true
  }

  #document (name: string, value: Doc, parent: readonly string[], tree: Tree): void {
    const path = splitPath(name)
    const operator = value.firstKey()
    if (operator === undefined) throw error(51270, 'An empty sub-projection is not a valid value. Found empty object at path')
    if (value.size === 1 && operator.startsWith('$')) return this.#operator(operator, path, value, parent, tree)
    const inner = addAt(tree, path, newTree())
    for (const [key, nested] of value) this.#element(key, nested, [...parent, ...path], inner as Tree)
  }

  #operator (operator: string, path: readonly string[], value: Doc, parent: readonly string[], tree: Tree): void {
    if (operator === '$slice' && this.#forFind) return this.#slice(path, value, tree)
    if (operator === '$elemMatch') return this.#elemMatch(path, value, parent, tree)
    this.#expression(operator, path, value, tree)
  }

  #expression (operator: string, path: readonly string[], value: Doc, tree: Tree): void {
    const isMeta = operator === '$meta'
    if (!isMeta && this.#type === 'exclusion') throw error(31252, 'Cannot use expression other than $meta in exclusion projection')
    if (!isMeta) this.#type = 'inclusion'
    addAt(tree, path, { kind: 'expression', expression: isExpressionOperator(operator) ? compileExpression(value, this.#ctx) : this.#unknown(operator, value) })
    this.#hasMeta ||= isMeta
  }

  #unknown (operator: string, value: Doc): Expression {
    try {
      return compileExpression(value, this.#ctx)
    } catch (e) {
      throw e instanceof MongoError && e.code === 168 ? error(31325, `Unknown expression ${operator}`) : e
    }
  }

  #slice (path: readonly string[], value: Doc, tree: Tree): void {
    let slice: Slice
    try {
      slice = parseSlice(value.get('$slice')!)
    } catch (e) {
      return this.#sliceExpression(path, value, tree, e as MongoError)
    }
    addAt(tree, path, slice)
    this.#hasSlice = true
  }

  /** `$slice` with an array in front is the expression of that name. */
  #sliceExpression (path: readonly string[], value: Doc, tree: Tree, why: MongoError): void {
    try {
      this.#expression('$slice', path, value, tree)
    } catch (e) {
      if (!(e instanceof MongoError) || isEvaluationError(e)) throw e
      throw error(e.code, `Invalid $slice syntax. The given syntax ${display(value)} did not match the find() syntax because :: ` +
        `${why.codeName}: ${why.message} :: The given syntax did not match the expression $slice syntax. :: caused by :: ${e.message}`)
    }
  }

  #elemMatch (path: readonly string[], value: Doc, parent: readonly string[], tree: Tree): void {
    if (!this.#forFind) throw error(168, 'Cannot use $elemMatch in this context')
    const filter = value.get('$elemMatch')!
    if (!(filter instanceof Doc)) throw error(31274, `elemMatch: Invalid argument, object required, but got ${typeName(filter)}`)
    if (this.#hasPositional) throw error(31255, 'Cannot specify positional operator and $elemMatch.')
    if (path.length !== 1 || parent.length !== 0) throw error(31275, 'Cannot use $elemMatch projection on a nested field.')
    const match = compileMatch(parseFilter(Doc.of([[path[0], value]]), { ...this.#ctx, allowText: false }), this.#ctx)
    addAt(tree, path, { kind: 'elemMatch', match })
    this.#hasElemMatch = true
  }
}

/** What `$slice` says of constant arguments: its syntax is good. */
const isEvaluationError = (e: MongoError): boolean => e.code >= 28724 && e.code <= 28729

const MIDDLE = "As of 4.4, it's illegal to specify positional operator in the middle of a path.Positional projection may only be used at the end, " +
  'for example: a.b.$. If the query previously used a form like a.b.$.d, remove the parts following the \'$\' and the results will be equivalent.'

function parseSlice (value: Value): Slice {
  if (isNumber(value)) return { kind: 'slice', skip: undefined, limit: int32Of(value) }
  if (!Array.isArray(value)) throw error(31273, '$slice only supports numbers and [skip, limit] arrays')
  const [skip, limit] = value
  if (value.length !== 2) throw error(31272, '$slice array argument should be of form [skip, limit]')
  if (!isNumber(skip)) throw error(31257, `$slice expects the skip argument to be a number, got ${typeName(skip)}`)
  if (!isNumber(limit)) throw error(31258, `$slice expects the limit argument to be a number, got ${typeName(limit)}`)
  if (int32Of(limit) <= 0) throw error(31259, `$slice limit must be positive, got ${int32Of(limit)}`)
  return { kind: 'slice', skip: int32Of(skip), limit: int32Of(limit) }
}

function addAt (tree: Tree, path: readonly string[], branch: Leaf | Tree): Leaf | Tree {
  let at = tree
  for (let i = 0; i < path.length - 1; i++) {
    const next = at.children.get(path[i])
    if (next !== undefined && next.kind !== 'tree') throw error(31249, `Path collision at ${path.slice(i).join('.')} remaining portion ${path.slice(i + 1).join('.')}`)
    const inner = next ?? newTree()
    if (next === undefined) at.children.set(path[i], inner)
    at = inner
  }
  const last = path[path.length - 1]
  if (at.children.has(last)) throw error(31250, `Path collision at ${last}`)
  at.children.set(last, branch)
  return branch
}
