import { MongoError } from '../values/errors.js'
import { compareStrings } from '../values/order.js'
import type { Value } from '../values/types.js'
import type { Leaf } from './leaf.js'

/** Children by field name; `positional` is the child of `$`. */
export class ObjectNode {
  readonly kind = 'object'
  readonly children = new Map<string, UpdateNode>()
  positional: UpdateNode | undefined

  get (part: string): UpdateNode | undefined {
    return part === '$' ? this.positional : this.children.get(part)
  }

  set (part: string, node: UpdateNode): void {
    if (part === '$') this.positional = node
    else this.children.set(part, node)
  }

  /** MongoDB applies in the order of names, of indexes where both are numbers. */
  sorted (): [string, UpdateNode][] {
    return [...this.children].sort(([a], [b]) => compareParts(a, b))
  }
}

export type ElementTest = (element: Value) => boolean
export type ArrayFilters = ReadonlyMap<string, ElementTest>

/** Children by identifier: '' is `$[]`. */
export class ArrayNode {
  readonly kind = 'array'
  readonly children = new Map<string, UpdateNode>()

  constructor (readonly filters: ArrayFilters) {}

  get (part: string): UpdateNode | undefined {
    return this.children.get(identifierOf(part))
  }

  set (part: string, node: UpdateNode): void {
    this.children.set(identifierOf(part), node)
  }
}

export type InnerNode = ObjectNode | ArrayNode
export type UpdateNode = InnerNode | Leaf

export const isIdentifier = (part: string): boolean => part.startsWith('$[') && part.endsWith(']')
export const identifierOf = (part: string): string => part.slice(2, -1)

const DIGITS = /^\d+$/
/** The index that a part of a path names in an array. */
export const indexOf = (part: string): number | undefined => DIGITS.test(part) && part.length < 11 ? Number(part) : undefined

export function compareParts (a: string, b: string): number {
  const x = indexOf(a)
  const y = indexOf(b)
  return x !== undefined && y !== undefined && x !== y ? x - y : compareStrings(a, b)
}

/** Both at once, for an array element that two identifiers (or `$` and its index) name. */
export function merged (a: UpdateNode, b: UpdateNode, path: readonly string[]): UpdateNode {
  if (a.kind === 'object' && b.kind === 'object') return mergedObjects(a, b, path)
  if (a.kind === 'array' && b.kind === 'array') {
    const node = new ArrayNode(a.filters)
    mergeChildren(node.children, a.children, b.children, name => [...path, `$[${name}]`])
    return node
  }
  throw new MongoError(40, `Update created a conflict at '${path.join('.')}'`)
}

function mergedObjects (a: ObjectNode, b: ObjectNode, path: readonly string[]): ObjectNode {
  const node = new ObjectNode()
  mergeChildren(node.children, a.children, b.children, name => [...path, name])
  node.positional = a.positional !== undefined && b.positional !== undefined
    ? merged(a.positional, b.positional, [...path, '$'])
    : a.positional ?? b.positional
  return node
}

function mergeChildren (
  into: Map<string, UpdateNode>, a: ReadonlyMap<string, UpdateNode>, b: ReadonlyMap<string, UpdateNode>, pathOf: (name: string) => string[]
): void {
  for (const [name, child] of a) into.set(name, child)
  for (const [name, child] of b) {
    const other = into.get(name)
    into.set(name, other === undefined ? child : merged(other, child, pathOf(name)))
  }
}
