import { docOf, int } from '../values/build.js'
import { typeName } from '../values/order.js'
import { Doc, Regex } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import type { ParseContext } from '../expressions/context.js'
import { scopeOf } from '../expressions/index.js'
import type { FilterNode } from './ast.js'
import { leafOf } from './leaves.js'
import { compileMatch } from './match.js'
import { parsePath, visitPath } from './paths.js'

type ExprNode = Extract<FilterNode, { kind: 'expr' }>
type PathNode = Extract<FilterNode, { path: string }>

/** How an operator is named and quoted, and what is said when it fails and, below a negation, when it holds. */
type Wording = { readonly name: string, readonly argument: Maybe, readonly fails: string, readonly holds: string, readonly types?: readonly string[] }

const NUMBERS = ['decimal', 'double', 'int', 'long']

/** The `details` of errInfo (error 121): why a document fails the filter of a validator. */
export function explainFailure (node: FilterNode, doc: Doc, ctx: ParseContext): Doc {
  return new Explainer(doc, ctx).explain(node, false)
}

class Explainer {
  constructor (private readonly doc: Doc, private readonly ctx: ParseContext) {}

  /** @param inverted the node holds, but stands below a negation */
  explain (node: FilterNode, inverted: boolean): Doc {
    switch (node.kind) {
      case 'and': case 'or': case 'nor': return this.#logical(node.kind, node.children, inverted)
      case 'not': return this.#not(node.child, inverted)
      case 'expr': return this.#expr(node, inverted)
      case 'jsonSchema': return this.#schema(node, inverted)
      case 'text': case 'true': return always('$alwaysTrue', 'expression always evaluates to true')
      case 'false': return always('$alwaysFalse', 'expression always evaluates to false')
      default: return this.#leaf(node, inverted, wordingOf(node))
    }
  }

  #logical (kind: 'and' | 'or' | 'nor', children: readonly FilterNode[], inverted: boolean): Doc {
    const childInverted = kind === 'nor' ? !inverted : inverted
    const concerned = [...children.entries()].filter(([, child]) => compileMatch(child, this.ctx).test(this.doc) === childInverted)
    const details = concerned.map(([i, child]) => docOf({ index: int(i), details: this.explain(child, childInverted) }))
    return docOf({ operatorName: `$${kind}`, [inverted ? 'clausesSatisfied' : 'clausesNotSatisfied']: details })
  }

  /** `$ne`, `$nin` and `$exists: false` stand for themselves. */
  #not (child: FilterNode, inverted: boolean): Doc {
    switch (child.kind) {
      case 'compare': return this.#leaf(child, !inverted, { ...wordingOf(child), name: '$ne' })
      case 'in': return this.#leaf(child, !inverted, { ...wordingOf(child), name: '$nin' })
      case 'exists': return this.#leaf(child, !inverted, { ...wordingOf(child), argument: false })
      default: return docOf({ operatorName: '$not', details: this.explain(child, !inverted) })
    }
  }

  #expr (node: ExprNode, inverted: boolean): Doc {
    return docOf({
      operatorName: '$expr',
      specifiedAs: docOf({ $expr: node.spec }),
      reason: inverted ? 'expression did match' : 'expression did not match',
      expressionResult: node.expression.evaluate(scopeOf(this.doc, this.ctx))
    })
  }

  #schema (node: Extract<FilterNode, { kind: 'jsonSchema' }>, inverted: boolean): Doc {
    if (inverted) return docOf({ operatorName: '$jsonSchema', reason: 'schema matched' })
    return docOf({ operatorName: '$jsonSchema', ...node.schema.annotations, schemaRulesNotSatisfied: node.schema.explain(this.doc) })
  }

  #leaf (node: PathNode, inverted: boolean, { name, argument, fails, holds, types }: Wording): Doc {
    const key = name === '$eq' ? node.path : name
    const head = { operatorName: name, specifiedAs: Doc.of([[key, argument ?? null]]) }
    if (node.kind === 'exists') return docOf({ ...head, reason: inverted ? holds : fails })
    const values = this.#considered(node)
    if (values === undefined) return docOf({ ...head, reason: 'field was missing' })
    if (types !== undefined && !values.some(value => types.includes(typeName(value)))) {
      return docOf({ ...head, reason: 'type did not match', ...typesOf('considered', values.map(typeName)), ...typesOf('expected', types), ...shown(values) })
    }
    const withTypes = node.kind === 'type' ? typesOf('considered', values.map(typeName)) : {}
    return docOf({ ...head, reason: inverted ? holds : fails, ...shown(values), ...withTypes })
  }

  /** The values at the path; an array that is gone through is not one of them. */
  #considered (node: PathNode): Value[] | undefined {
    const values: Value[] = []
    const whole = leafOf(node) === 'array'
    visitPath(this.doc, parsePath(node.path), 'array', value => {
      if (Array.isArray(value) && !whole) values.push(...value)
      else if (value !== undefined) values.push(value)
      return false
    })
    return values.length > 0 || this.#exists(node.path) ? values : undefined
  }

  #exists (path: string): boolean {
    return visitPath(this.doc, parsePath(path), 'array', value => value !== undefined)
  }
}

const always = (name: string, reason: string): Doc => docOf({ operatorName: name, specifiedAs: Doc.of([[name, int(1)]]), reason })

const shown = (values: Value[]): Record<string, Value> => values.length === 1 ? { consideredValue: values[0] } : { consideredValues: values }

function typesOf (which: 'considered' | 'expected', names: readonly string[]): Record<string, Value> {
  const types = [...new Set(names)].sort()
  if (types.length === 0) return {}
  return types.length === 1 ? { [`${which}Type`]: types[0] } : { [`${which}Types`]: types }
}

function wordingOf (node: PathNode): Wording {
  switch (node.kind) {
    case 'compare': return { name: `$${node.op}`, argument: node.value, fails: 'comparison failed', holds: 'comparison succeeded' }
    case 'in': return {
      name: '$in',
      argument: [...node.values, ...node.regexes.map(({ pattern, options }) => new Regex(pattern, options))],
      fails: 'no matching value found in array',
      holds: 'matching value found in array'
    }
    case 'exists': return { name: '$exists', argument: true, fails: 'path does not exist', holds: 'path does exist' }
    case 'type': return { name: '$type', argument: [...node.types], fails: 'type did not match', holds: 'type did match' }
    case 'mod': return {
      name: '$mod',
      argument: [node.divisor, node.remainder],
      fails: '$mod did not evaluate to expected remainder',
      holds: '$mod did evaluate to expected remainder',
      types: NUMBERS
    }
    case 'regex': return {
      name: '$regex',
      argument: node.pattern,
      fails: 'regular expression did not match',
      holds: 'regular expression did match',
      types: ['regex', 'string', 'symbol']
    }
    case 'size': return {
      name: '$size', argument: int(node.size), fails: 'array length was not equal to given size', holds: 'array length was equal to given size', types: ['array']
    }
    case 'bits': return {
      name: `$bits${node.mode[0].toUpperCase()}${node.mode.slice(1)}`,
      argument: node.positions.map(int),
      fails: 'bitwise operator failed to match',
      holds: 'bitwise operator matched successfully',
      types: ['binData', ...NUMBERS]
    }
    case 'elemMatchObject': case 'elemMatchValue': return {
      name: '$elemMatch',
      argument: node.spec,
      fails: 'array did not satisfy the child predicate',
      holds: 'array did satisfy the child predicate',
      types: ['array']
    }
  }
}
