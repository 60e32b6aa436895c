import type { Collation } from '../values/collation.js'
import { int32At } from '../values/bson-read.js'
import { toBigInt } from '../values/numbers.js'
import { TYPE_NUMBERS, hashKey, typeName } from '../values/order.js'
import { BsonSymbol, Regex, Undefined, isNumber } from '../values/types.js'
import type { Maybe } from '../values/types.js'
import type { FilterNode, InNode, RegexTest } from './ast.js'
import { bitsTest } from './bits.js'
import { compareTest } from './compare.js'
import type { Leaf } from './paths.js'
import { ARRAY, decoding } from './raw.js'
import type { LeafTest } from './raw.js'

type Kind = 'compare' | 'in' | 'exists' | 'type' | 'mod' | 'regex' | 'size' | 'bits'
export type LeafNode = Extract<FilterNode, { kind: Kind }>

/** A node that tests the values of one path by themselves. */
export const isLeaf = (node: FilterNode): node is LeafNode =>
  node.kind === 'compare' || node.kind === 'in' || node.kind === 'exists' || node.kind === 'type' || node.kind === 'mod' || node.kind === 'regex' ||
  node.kind === 'size' || node.kind === 'bits'

export const leafOf = (node: FilterNode): Leaf => node.kind === 'size' || node.kind === 'elemMatchObject' || node.kind === 'elemMatchValue' ? 'array' : 'elements'

export function leafTest (node: LeafNode, collation: Collation | undefined): LeafTest {
  switch (node.kind) {
    case 'compare': return compareTest(node.op, node.value, collation)
    case 'in': return inTest(node, collation)
    case 'exists': return { value: v => v !== undefined, raw: (_b, type) => type !== 0 }
    case 'type': return typeTest(node.types)
    case 'mod': return decoding(modTest(node.divisor, node.remainder))
    case 'regex': return regexTest(node.regex)
    case 'size': return sizeTest(node.size)
    case 'bits': return decoding(bitsTest(node.mode, node))
  }
}

function inTest (node: InNode, collation: Collation | undefined): LeafTest {
  const keys = new Set(node.values.map(value => hashKey(value, collation)))
  const withNull = node.values.includes(null)
  const { regexes } = node
  return decoding(v => {
    if (v === undefined || v instanceof Undefined) return withNull
    if (keys.has(hashKey(v, collation))) return true
    for (const regex of regexes) if (matchesRegex(regex, v)) return true
    return false
  })
}

function typeTest (types: ReadonlySet<string>): LeafTest {
  const numbers = new Set([...types].map(name => TYPE_NUMBERS.get(name)! & 255))
  return { value: v => v !== undefined && types.has(typeName(v)), raw: (_b, type) => type !== 0 && numbers.has(type) }
}

const modTest = (divisor: bigint, remainder: bigint): (v: Maybe) => boolean => v => {
  const whole = isNumber(v) ? toBigInt(v) : undefined
  return whole !== undefined && BigInt.asIntN(64, whole) === whole && whole % divisor === remainder
}

function matchesRegex (regex: RegexTest, v: Maybe): boolean {
  if (typeof v === 'string') return regex.test(v)
  if (v instanceof BsonSymbol) return regex.test(v.value)
  return v instanceof Regex && v.pattern === regex.pattern && v.options === regex.options
}

function regexTest (regex: RegexTest): LeafTest {
  const { value, raw } = decoding(v => matchesRegex(regex, v))
  return { value, raw: (b, type, at) => (type === 0x02 || type === 0x0b || type === 0x0e) && raw(b, type, at) }
}

/** An array of n elements: its last key is n - 1, and no shorter BSON can hold it; counting is left to the decoder. */
function sizeTest (size: number): LeafTest {
  const { value, raw } = decoding(v => Array.isArray(v) && v.length === size)
  return { value, raw: (b, type, at) => type === ARRAY && (int32At(b, at) === 5 ? size === 0 : raw(b, type, at)) }
}
