import type { DocMeta, ParseContext, Scope, Vars } from '../expressions/context.js'
import { systemVars } from '../expressions/index.js'
import type { FilterNode } from '../matcher/ast.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import type { Dependencies, Namespace, PipelineContext, Pipeline } from './types.js'

/** A compiled stage. */
export interface Stage {
  readonly name: string
  run (source: Iterable<Doc>, vars: Vars): Iterable<Doc>
  /** the paths of its input that this stage reads itself */
  readonly reads: Dependencies
  /** true when its output has nothing of its input but what it `reads` */
  readonly closes: boolean
  /** a filter on this path selects the same documents before this stage as behind it; left out: never */
  readonly passes?: (path: string) => boolean
  /** top-level fields that it makes anew, so that later stages do not read them from the collection */
  readonly makes?: readonly string[]
  readonly role?: Role
  explain (): Doc
}

/** What the optimiser knows how to handle. */
export type Role =
  | { readonly kind: 'match', readonly spec: Doc, readonly node: FilterNode }
  | { readonly kind: 'sort', readonly spec: Doc, readonly isRandom: boolean, withLimit (limit: number): Stage }
  | { readonly kind: 'limit', readonly count: number }
  | { readonly kind: 'skip', readonly count: number }
  /** an inclusion of whole paths, which a covered plan may already have done */
  | { readonly kind: 'include' }
  | { readonly kind: 'write', readonly stage: '$out' | '$merge', readonly into: Namespace }
  | { readonly kind: 'source' }
  | { readonly kind: 'changeStream', readonly spec: Doc }

export type Nesting = '$facet' | '$lookup' | '$unionWith'

/** What a stage's parser may rely on. */
export type StageScope = {
  readonly context: PipelineContext
  /** with the variables that are in sight of this pipeline */
  readonly ctx: ParseContext
  readonly ns: Namespace
  readonly nesting: Nesting | undefined
  readonly metas: Metas
  /** collects the collections that the whole pipeline reads */
  readonly involved: Namespace[]
  /** how many pipelines this one is inside of */
  readonly depth: number
  /** true where documents carry a text score */
  readonly textScore: boolean
  readonly compile: Compile
}

/** Compiles a pipeline inside another one: on a collection, or on given documents when `ns` is undefined. */
export type Compile = (stages: readonly Doc[], ns: Namespace | undefined, outer: StageScope, nesting: Nesting, variables: Vars | undefined) => Compiled

export interface Compiled extends Pipeline {
  /** the paths that it reads of the documents that `runOver` gets */
  readonly reads: Dependencies
  /** Runs with one more filter in front. */
  runFiltered (filter: FilterNode | undefined, vars: Vars): Iterable<Doc>
}

export type StageParser = (spec: Value, scope: StageScope, name: string) => Stage | Stage[]

/** What `$meta` knows of the documents on their way; it costs nothing as long as no plan attaches anything. */
export class Metas {
  #of: WeakMap<Doc, DocMeta> | undefined

  get (doc: Doc): DocMeta | undefined {
    return this.#of?.get(doc)
  }

  set (doc: Doc, meta: DocMeta | undefined): void {
    if (meta !== undefined) (this.#of ??= new WeakMap()).set(doc, meta)
  }

  carry (from: Doc, to: Doc): Doc {
    if (this.#of !== undefined && from !== to) this.set(to, this.#of.get(from))
    return to
  }
}

export function scopeFor (scope: StageScope, vars: Vars): Scope {
  return { root: undefined, vars, system: systemVars(scope.ctx) }
}

/** Sets the document that expressions see. */
export function enter (at: Scope, doc: Doc, metas: Metas): Scope {
  at.root = doc
  at.meta = metas.get(doc)
  return at
}

export const explained = (name: string, spec: Value): Doc => Doc.of([[name, spec]])

export function mergeDependencies (all: readonly Dependencies[]): Dependencies {
  const paths = new Set<string>()
  for (const some of all) {
    if (some === 'all') return 'all'
    for (const path of some) paths.add(path)
  }
  return [...paths]
}
