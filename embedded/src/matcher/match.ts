import { int32At } from '../values/bson-read.js'
import { Doc } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import { Vars, systemVars, truthy } from '../expressions/index.js'
import type { DocMeta, Expression, ParseContext, Scope } from '../expressions/index.js'
import type { FilterNode, JsonSchema } from './ast.js'
import { isLeaf, leafOf, leafTest } from './leaves.js'
import { parsePath } from './paths.js'
import { positionOf } from './position.js'
import type { ElemMatchNode } from './position.js'
import { ARRAY, OBJECT, pathTest, someElement } from './raw.js'
import type { LeafTest } from './raw.js'

export type Match = {
  /** @param vars the values of user variables, for filters that are compiled once and run with many */
  test (doc: Doc, vars?: Vars, meta?: DocMeta): boolean
  /** The index of the array element that matched, for the positional `$`; undefined when no array took part or nothing matched. */
  position (doc: Doc, vars?: Vars): number | undefined
}

/** What `$expr` needs besides the document. */
export type Env = { readonly root: Doc, readonly vars: Vars, readonly meta: DocMeta | undefined }

/** A compiled node, for decoded documents and for bytes. */
export type Tester = {
  doc (doc: Doc, env: Env): boolean
  raw (b: Uint8Array, start: number, env: Env): boolean
}

export function compileMatch (node: FilterNode, ctx: ParseContext): Match {
  const tester = compile(node, ctx)
  const declared = ctx.variables ?? Vars.none
  const envOf = (root: Doc, vars: Vars = declared, meta?: DocMeta): Env => ({ root, vars, meta })
  const position = positionOf(node, { tester: part => compile(part, ctx), leaf: part => elementTest(part, ctx), inner: part => innerTest(part, ctx) })
  const test = node.kind === 'and' && node.children.length === 0
    ? () => true
    : (doc: Doc, vars?: Vars, meta?: DocMeta) => tester.doc(doc, envOf(doc, vars, meta))
  return { test, position: (doc, vars) => position(doc, envOf(doc, vars)) }
}

export function compile (node: FilterNode, ctx: ParseContext): Tester {
  if (isLeaf(node)) return pathTester(node.path, node, leafTest(node, ctx.collation))
  switch (node.kind) {
    case 'and': return every(node.children.map(child => compile(child, ctx)))
    case 'or': return some(node.children.map(child => compile(child, ctx)))
    case 'nor': return not(some(node.children.map(child => compile(child, ctx))))
    case 'not': return not(compile(node.child, ctx))
    case 'elemMatchObject': case 'elemMatchValue': return pathTester(node.path, node, elementTest(node, ctx))
    case 'expr': return exprTester(node.expression, ctx)
    case 'jsonSchema': return schemaTester(node.schema)
    case 'false': return NEVER
    // The planner answers $text by its index; what is left of the filter needs no second look.
    case 'true': case 'text': return ALWAYS
  }
}

const ALWAYS: Tester = { doc: () => true, raw: () => true }
const NEVER: Tester = { doc: () => false, raw: () => false }

function pathTester (path: string, node: FilterNode, test: LeafTest): Tester {
  const { doc, raw } = pathTest(parsePath(path), leafOf(node), test)
  return { doc, raw }
}

function every (testers: readonly Tester[]): Tester {
  if (testers.length === 0) return ALWAYS
  if (testers.length === 1) return testers[0]
  return {
    doc (doc, env) {
      for (const tester of testers) if (!tester.doc(doc, env)) return false
      return true
    },
    raw (b, start, env) {
      for (const tester of testers) if (!tester.raw(b, start, env)) return false
      return true
    }
  }
}

const some = (testers: readonly Tester[]): Tester => ({
  doc (doc, env) {
    for (const tester of testers) if (tester.doc(doc, env)) return true
    return false
  },
  raw (b, start, env) {
    for (const tester of testers) if (tester.raw(b, start, env)) return true
    return false
  }
})

const not = (tester: Tester): Tester => ({ doc: (doc, env) => !tester.doc(doc, env), raw: (b, start, env) => !tester.raw(b, start, env) })

function exprTester (expression: Expression, ctx: ParseContext): Tester {
  const system = systemVars(ctx)
  const test = (_doc: unknown, env: Env): boolean => {
    const scope: Scope = { root: env.root, vars: env.vars, system, meta: env.meta }
    return truthy(expression.evaluate(scope))
  }
  return { doc: test, raw: (b, _start, env) => test(b, env) }
}

const schemaTester = (schema: JsonSchema): Tester =>
  ({ doc: doc => schema.test(doc), raw: (b, start) => schema.test(Doc.raw(b.subarray(start, start + int32At(b, start)))) })

const noEnv: Env = { root: Doc.of(), vars: Vars.none, meta: undefined }

/** A node as a test of one value that stands for itself, without expansion of arrays: for elements below $elemMatch. */
export function elementTest (node: FilterNode, ctx: ParseContext): LeafTest {
  if (isLeaf(node)) return leafTest(node, ctx.collation)
  switch (node.kind) {
    case 'and': case 'or': case 'nor': return combined(node.kind, node.children.map(child => elementTest(child, ctx)))
    case 'not': return negated(elementTest(node.child, ctx))
    case 'elemMatchObject': case 'elemMatchValue': return someValue(innerTest(node, ctx))
    case 'false': return { value: () => false, raw: () => false }
    default: return { value: () => true, raw: () => true }
  }
}

function combined (kind: 'and' | 'or' | 'nor', tests: readonly LeafTest[]): LeafTest {
  const decisive = kind !== 'and'
  const found = kind === 'or'
  return {
    value (v) {
      for (const test of tests) if (test.value(v) === decisive) return found
      return !found
    },
    raw (b, type, at) {
      for (const test of tests) if (test.raw(b, type, at) === decisive) return found
      return !found
    }
  }
}

const negated = (test: LeafTest): LeafTest => ({ value: v => !test.value(v), raw: (b, type, at) => !test.raw(b, type, at) })

/** What $elemMatch asks of one element; with a filter these are documents, and arrays taken as documents. */
function innerTest (node: ElemMatchNode, ctx: ParseContext): LeafTest {
  if (node.kind === 'elemMatchValue') return combined('and', node.children.map(child => elementTest(child, ctx)))
  const child = compile(node.child, ctx)
  return {
    value: v => v instanceof Doc ? child.doc(v, noEnv) : Array.isArray(v) && child.doc(arrayAsDoc(v), noEnv),
    raw: (b, type, at) => (type === OBJECT || type === ARRAY) && child.raw(b, at, noEnv)
  }
}

export const arrayAsDoc = (values: readonly Value[]): Doc => Doc.of(values.map((value, i): [string, Value] => [String(i), value]))

const someValue = (test: LeafTest): LeafTest => ({
  value: (v: Maybe) => Array.isArray(v) && v.some(element => test.value(element)),
  raw: (b, type, at) => type === ARRAY && someElement(b, at, test)
})

/** A filter on a value that stands alone, as `$pull` and arrayFilters have it: its nodes have the path ''. */
export function compileElement (node: FilterNode, ctx: ParseContext): (value: Value) => boolean {
  const wrapped = compile(node, ctx)
  return value => wrapped.doc(Doc.of([['', value]]), noEnv)
}
