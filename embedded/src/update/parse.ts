import { MongoError, badValue, failedToParse } from '../values/errors.js'
import { display } from '../values/format.js'
import { typeName } from '../values/order.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import type { ParseContext } from '../expressions/index.js'
import type { Leaf } from './leaf.js'
import { OPERATORS } from './operators.js'
import { rename, renameSource } from './rename.js'
import { ArrayNode, ObjectNode, identifierOf, isIdentifier } from './tree.js'
import type { ArrayFilters, InnerNode, UpdateNode } from './tree.js'
import { checkDepth } from './validate.js'

export type Parsed = { readonly root: ObjectNode, readonly needsPosition: boolean }

/** `{ $set: { a: 1 }, $inc: { b: 1 } }` as one tree over the document. */
export function parseOperators (update: Doc, filters: ArrayFilters, ctx: ParseContext): Parsed {
  const tree = new TreeBuilder(filters, ctx)
  for (const [operator, fields] of update) {
    if (!OPERATORS.has(operator) && operator !== '$rename') throw unknownModifier(operator)
    if (!(fields instanceof Doc)) throw wrongFields(operator, fields)
    for (const [path, operand] of fields) tree.add(operator, path, operand)
  }
  for (const identifier of filters.keys()) {
    if (!tree.used.has(identifier)) throw failedToParse(`The array filter for identifier '${identifier}' was not used in the update ${display(update)}`)
  }
  return { root: tree.root, needsPosition: tree.needsPosition }
}

const unknownModifier = (name: string): MongoError =>
  failedToParse(`Unknown modifier: ${name}. Expected a valid update modifier or pipeline-style update specified as an array`)

const wrongFields = (operator: string, value: Value): MongoError =>
  failedToParse(`Modifiers operate on fields but we found type ${typeName(value)} instead. For example: {$mod: {<field>: ...}} not {${operator}: ${display(value)}}`)

class TreeBuilder {
  readonly root = new ObjectNode()
  readonly used = new Set<string>()
  needsPosition = false

  constructor (private readonly filters: ArrayFilters, private readonly ctx: ParseContext) {}

  add (operator: string, path: string, operand: Value): void {
    if (operator === '$rename') return this.#addRename(path, operand)
    this.#place(path, () => OPERATORS.get(operator)!(path, operand, this.ctx))
  }

  /** A rename acts at its target; its source is taken, so that no other operator may touch it. */
  #addRename (from: string, to: Value): void {
    if (typeof to !== 'string') throw badValue(`The 'to' field for $rename must be a string: ${from}: ${display(to)}`)
    checkParts(from)
    this.#place(to, () => rename(from, to))
    this.#place(from, () => renameSource)
  }

  #place (path: string, make: () => Leaf): void {
    const parts = checkParts(path)
    this.#checkDynamicParts(parts, path)
    const leaf = make()
    let node: InnerNode = this.root
    for (let i = 0; i < parts.length - 1; i++) node = this.#inner(node, parts, i)
    const last = parts[parts.length - 1]
    if (node.get(last) !== undefined) throw conflict(parts, parts.length)
    node.set(last, leaf)
  }

  #inner (node: InnerNode, parts: readonly string[], i: number): InnerNode {
    const kind = isIdentifier(parts[i + 1]) ? 'array' : 'object'
    const child = node.get(parts[i]) ?? this.#newInner(kind)
    if (child.kind !== kind) throw conflict(parts, i + 1)
    node.set(parts[i], child)
    return child as InnerNode
  }

  #newInner (kind: 'array' | 'object'): UpdateNode {
    return kind === 'array' ? new ArrayNode(this.filters) : new ObjectNode()
  }

  #checkDynamicParts (parts: readonly string[], path: string): void {
    const positional = parts.filter(part => part === '$').length
    if (positional > 1) throw badValue(`Too many positional (i.e. '$') elements found in path '${path}'`)
    if (parts[0] === '$') throw badValue(`Cannot have positional (i.e. '$') element in the first position in path '${path}'`)
    if (isIdentifier(parts[0])) throw badValue(`Cannot have array filter identifier (i.e. '$[<id>]') element in the first position in path '${path}'`)
    if (positional > 0) this.needsPosition = true
    for (const identifier of parts.filter(isIdentifier).map(identifierOf)) this.#use(identifier, path)
  }

  #use (identifier: string, path: string): void {
    if (identifier === '') return
    if (!this.filters.has(identifier)) throw badValue(`No array filter found for identifier '${identifier}' in path '${path}'`)
    this.used.add(identifier)
  }
}

const conflict = (parts: readonly string[], length: number): MongoError =>
  new MongoError(40, `Updating the path '${parts.join('.')}' would create a conflict at '${parts.slice(0, length).join('.')}'`)

function checkParts (path: string): string[] {
  if (path === '') throw new MongoError(56, 'An empty update path is not valid.')
  const parts = path.split('.')
  checkDepth(parts.length)
  if (parts.includes('')) throw new MongoError(56, `The update path '${path}' contains an empty field name, which is not allowed.`)
  return parts
}
