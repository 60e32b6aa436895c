import type { ParseContext, Vars } from '../expressions/context.js'
import type { FilterNode } from '../matcher/ast.js'
import { compileMatch } from '../matcher/match.js'
import type { Doc } from '../values/types.js'
import type { Compiled, Nesting, StageScope } from './stage.js'
import type { Namespace } from './types.js'

/** A pipeline on another collection or view, which a stage runs once or for each of its documents. */
export class Foreign {
  /** makes the documents that a join filters: the collection, the view below, or `$documents` */
  readonly #base: Compiled
  /** what comes behind the join; undefined when `#base` does it all */
  readonly #rest: Compiled | undefined
  readonly #ctx: ParseContext

  /** @param variables those in sight of the pipeline */
  constructor (from: Namespace, stages: readonly Doc[], scope: StageScope, nesting: Nesting, variables: Vars | undefined, joined: boolean) {
    this.#ctx = scope.ctx
    const makesDocuments = from.coll === ''
    const { ns, pipeline: view } = makesDocuments ? { ns: from, pipeline: [] } : scope.context.resolve(from)
    if (!makesDocuments) scope.involved.push(from, ns)
    // on a collection a join goes to the plan
    const isCollection = view.length === 0 && !makesDocuments
    const compile = (part: readonly Doc[], on: Namespace | undefined): Compiled => scope.compile(part, on, scope, nesting, variables)
    if (isCollection || !joined) {
      this.#base = compile([...view, ...stages], ns)
      return
    }
    const sources = makesDocuments ? 1 : 0
    this.#base = compile([...view, ...stages.slice(0, sources)], ns)
    this.#rest = compile(stages.slice(sources), undefined)
  }

  /** @param join what the foreign documents must fulfil before the pipeline's own stages see them */
  run (join: FilterNode | undefined, vars: Vars): Iterable<Doc> {
    if (this.#rest === undefined) return this.#base.runFiltered(join, vars)
    const docs = this.#base.run(vars)
    return this.#rest.runOver(join === undefined ? docs : this.#matching(docs, join), vars)
  }

  * #matching (docs: Iterable<Doc>, join: FilterNode): Iterable<Doc> {
    const match = compileMatch(join, this.#ctx)
    for (const doc of docs) if (match.test(doc)) yield doc
  }
}
