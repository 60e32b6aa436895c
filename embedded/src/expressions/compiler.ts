import { notSupported } from '../values/errors.js'
import { display } from '../values/format.js'
import { Doc, isDoc } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import { systemVars, Vars } from './context.js'
import type { ParseContext, Scope } from './context.js'
import type { Dependencies } from './expression.js'
import { error, fold, literal, Node, open, orNull } from './node.js'
import { operators, REFUSED } from './operators.js'
import { checkFieldName, splitPath, walk } from './paths.js'
import { checkReadName } from './variables.js'

/** What an expression reads, gathered while it is compiled. */
class Reads {
  readonly paths = new Set<string>()
  readonly metadata = new Set<string>()
  whole = false
}

/** Compiles operands; each `bind` is the compiler of an inner part that sees more variables. */
export class Compiler {
  /** where constants are evaluated */
  readonly nowhere: Scope

  private constructor (readonly ctx: ParseContext, readonly vars: Vars, private readonly reads: Reads) {
    this.nowhere = { root: Doc.of(), vars, system: systemVars(ctx) }
  }

  static for (ctx: ParseContext): Compiler {
    return new Compiler(ctx, ctx.variables ?? Vars.none, new Reads())
  }

  bind (names: readonly string[]): Compiler {
    return new Compiler(this.ctx, this.vars.declare(names), this.reads)
  }

  get dependencies (): Dependencies {
    return this.reads.whole ? 'all' : [...this.reads.paths]
  }

  get metadata (): readonly string[] {
    return [...this.reads.metadata]
  }

  readWhole (): void {
    this.reads.whole = true
  }

  readMeta (name: string): void {
    this.reads.metadata.add(name)
  }

  operand (spec: Value): Node {
    if (typeof spec === 'string') return spec.startsWith('$') ? this.#reference(spec) : literal(spec)
    if (isDoc(spec)) return this.#document(spec)
    return Array.isArray(spec) ? this.#array(spec) : literal(spec)
  }

  #array (spec: readonly Value[]): Node {
    const elements = spec.map(element => this.operand(element))
    return fold(this, elements, scope => elements.map(element => orNull(element.evaluate(scope))))
  }

  #document (spec: Doc): Node {
    const first = spec.firstKey()
    return first?.startsWith('$') === true ? this.#operation(spec, first) : this.#object(spec)
  }

  #operation (spec: Doc, name: string): Node {
    if (spec.size !== 1) throw error(15983, `An object representing an expression must have exactly one field: ${display(spec)}`)
    const operator = operators.get(name)
    if (operator !== undefined) return operator(spec.get(name)!, this, name)
    if (REFUSED.has(name)) throw notSupported(name)
    throw error(168, `Unrecognized expression '${name}'`)
  }

  #object (spec: Doc): Node {
    const fields: [string, Node][] = []
    for (const [name, value] of spec) {
      checkFieldName(name)
      fields.push([name, this.operand(value)])
    }
    return fold(this, fields.map(([, node]) => node), scope => build(fields, scope))
  }

  #reference (text: string): Node {
    if (text === '$') throw error(16872, "'$' by itself is not a valid FieldPath")
    if (text.startsWith('$$')) return this.#variable(text.slice(2))
    return this.#path(splitPath(`CURRENT.${text.slice(1)}`))
  }

  #variable (path: string): Node {
    const dot = path.indexOf('.')
    const name = dot < 0 ? path : path.slice(0, dot)
    checkReadName(name)
    const parts = splitPath(path)
    if (this.vars.has(name)) return this.#bound(name, parts)
    switch (name) {
      case 'ROOT': return this.#root(parts)
      case 'CURRENT': return this.#path(parts)
      case 'REMOVE': return literal(undefined)
      case 'NOW': return literal(walk(this.ctx.now, parts, 1))
      case 'CLUSTER_TIME': return this.#clusterTime(parts)
      case 'USER_ROLES': case 'SEARCH_META': throw notSupported(`$$${name}`)
      default: throw error(17276, `Use of undefined variable: ${name}`)
    }
  }

  #clusterTime (parts: readonly string[]): Node {
    const { clusterTime } = this.ctx
    if (clusterTime !== undefined) return literal(walk(clusterTime, parts, 1))
    return open([], scope => walk(scope.system.clusterTime, parts, 1))
  }

  #bound (name: string, parts: readonly string[]): Node {
    const known = this.vars.known(name)
    if (known !== undefined) return literal(walk(known.value, parts, 1))
    if (parts.length === 1) return open([], scope => scope.vars.get(name))
    return open([], scope => walk(scope.vars.get(name), parts, 1))
  }

  #path (parts: readonly string[]): Node {
    return this.vars.has('CURRENT') ? this.#bound('CURRENT', parts) : this.#root(parts)
  }

  /** @param parts the path with the name of its variable in front */
  #root (parts: readonly string[]): Node {
    if (parts.length === 1) {
      this.reads.whole = true
      return open([], scope => scope.root)
    }
    this.reads.paths.add(parts.slice(1).join('.'))
    if (parts.length > 2) return open([], scope => walk(scope.root, parts, 1))
    const field = parts[1]
    return open([], ({ root }) => root instanceof Doc ? root.get(field) : walk(root, parts, 1))
  }
}

function build (fields: readonly (readonly [string, Node])[], scope: Scope): Maybe {
  const made: [string, Value][] = []
  for (const [name, node] of fields) {
    const value = node.evaluate(scope)
    if (value !== undefined) made.push([name, value])
  }
  return Doc.of(made)
}
