import { MongoError } from '../values/errors.js'
import { Doc } from '../values/types.js'
import { Vars, systemVars } from '../expressions/index.js'
import type { DocMeta, Expression, ParseContext, Scope } from '../expressions/index.js'
import type { FilterNode } from '../matcher/ast.js'
import type { Match } from '../matcher/match.js'
import { compileMatch } from '../matcher/match.js'
import { parseAddFields } from './add-fields.js'
import { Computed } from './computed.js'
import { elemMatched, positional, slicing } from './find-operators.js'
import type { Reshape } from './find-operators.js'
import { projectRaw, touches } from './raw.js'
import type { Flags } from './raw.js'
import { encodeDocument } from '../values/bson-write.js'
import { SpecParser } from './spec.js'
import type { ProjectionType } from './spec.js'
import { leaves } from './tree.js'
import type { Tree } from './tree.js'

export type ProjectionOptions = {
  ctx: ParseContext
  /** find and findAndModify: `$slice`, `$elemMatch` and the positional `$` of old */
  forFind: boolean
  /** the command's filter, for the positional `$` */
  filter?: FilterNode
  /** the same, compiled already */
  match?: Match
}

export type Projection = {
  apply (doc: Doc, meta?: DocMeta, vars?: Vars): Doc
  /** the paths that must be there; 'all' when the whole document is needed */
  readonly needs: 'all' | readonly string[]
  readonly kind: ProjectionType | 'addFields'
}

/** @throws MongoError on what MongoDB refuses, 31254 and its neighbours among them */
export function compileProjection (spec: Doc, { ctx, forFind, filter, match }: ProjectionOptions): Projection {
  if (!forFind && spec.firstKey() === undefined) throw new MongoError(51272, 'projection specification must have at least one field')
  const parser = new SpecParser({ ctx, forFind, hasMatch: match !== undefined || filter !== undefined })
  const kind = parser.parse(spec)
  return new TreeProjection(parser.tree, kind, ctx, match ?? (filter === undefined ? undefined : compileMatch(filter, ctx)))
}

class TreeProjection implements Projection {
  readonly needs: 'all' | readonly string[]
  readonly #flags: Flags
  readonly #computed = new Computed()
  readonly #reshapes: Reshape[] = []
  readonly #ctx: ParseContext

  constructor (tree: Tree, readonly kind: ProjectionType, ctx: ParseContext, match: Match | undefined) {
    this.#ctx = ctx
    const flags = new FlagsBuilder(kind === 'inclusion')
    for (const [path, leaf] of leaves(tree)) {
      switch (leaf.kind) {
        case 'flag': if (kind === 'exclusion' || leaf.value) flags.add(path); break
        case 'expression':
          this.#computed.add(path, leaf.expression.evaluate)
          flags.addComputed(path.slice(0, -1))
          break
        case 'elemMatch': this.#computed.add(path, scope => elemMatched(path[0], leaf.match, scope.root as Doc)); break
        case 'slice': this.#reshape(path, flags, slicing(path, leaf)); break
        case 'positional': this.#reshape(path, flags, positional(path, match!)); break
      }
    }
    this.#flags = flags
    this.needs = kind === 'inclusion' ? needsOf(tree) : 'all'
  }

  #reshape (path: readonly string[], flags: FlagsBuilder, reshape: Reshape): void {
    if (this.kind === 'inclusion') flags.add(path)
    this.#reshapes.push(reshape)
  }

  apply (doc: Doc, meta?: DocMeta, vars?: Vars): Doc {
    let out = this.#flagged(doc)
    if (this.#computed.fields.size > 0) {
      out = out.copy()
      this.#computed.applyTo(out, scopeFor(doc, this.#ctx, meta, vars))
    }
    for (const reshape of this.#reshapes) out = reshape(out, doc, vars)
    return out
  }

  #flagged (doc: Doc): Doc {
    const flags = this.#flags
    if (!flags.keep && flags.named.size === 0 && flags.children.size === 0) return doc
    const bytes = doc.rawBytes ?? encodeDocument(doc)
    if (!flags.keep && !touches(bytes, flags)) return doc
    return Doc.raw(projectRaw(bytes, flags))
  }
}

class FlagsBuilder implements Flags {
  readonly named = new Set<string>()
  readonly children = new Map<string, FlagsBuilder>()
  computed = false

  constructor (readonly keep: boolean) {}

  add (path: readonly string[]): void {
    const [first, ...rest] = path as [string, ...string[]]
    if (rest.length === 0) this.named.add(first)
    else this.#child(first).add(rest)
  }

  /** @param path of what holds a computed field: of an included document its frame stays */
  addComputed (path: readonly string[]): void {
    this.computed = true
    if (path.length > 0) this.#child(path[0]).addComputed(path.slice(1))
  }

  #child (name: string): FlagsBuilder {
    const child = this.children.get(name) ?? new FlagsBuilder(this.keep)
    this.children.set(name, child)
    return child
  }
}

function scopeFor (root: Doc, ctx: ParseContext, meta: DocMeta | undefined, vars: Vars | undefined): Scope {
  return { root, vars: vars ?? ctx.variables ?? Vars.none, system: systemVars(ctx), meta }
}

/** What an inclusion reads; the positional `$` runs the filter again, so it needs everything. */
function needsOf (tree: Tree): 'all' | readonly string[] {
  const paths = new Set<string>()
  for (const [path, leaf] of leaves(tree)) {
    if (leaf.kind === 'positional') return 'all'
    if (leaf.kind === 'flag' && !leaf.value) continue
    if (leaf.kind !== 'expression') paths.add(path.join('.'))
    else if (!addDependencies(paths, leaf.expression)) return 'all'
    else if (path.length > 1) paths.add(path.slice(0, -1).join('.'))
  }
  return [...paths]
}

function addDependencies (paths: Set<string>, expression: Expression): boolean {
  if (expression.dependencies === 'all') return false
  for (const path of expression.dependencies) paths.add(path)
  return true
}

/** `$addFields` and `$set` */
export function compileAddFields (spec: Doc, ctx: ParseContext): Projection {
  const computed = parseAddFields(spec, ctx)
  return {
    kind: 'addFields',
    needs: 'all',
    apply (doc, meta, vars) {
      const out = doc.copy()
      computed.applyTo(out, scopeFor(doc, ctx, meta, vars))
      return out
    }
  }
}

/** `$unset` of one or more paths */
export const compileUnset = (paths: readonly string[], ctx: ParseContext): Projection =>
  compileProjection(Doc.of(paths.map(path => [path, false])), { ctx, forFind: false })
