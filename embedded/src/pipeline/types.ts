import type { DocMeta, ParseContext, Vars } from '../expressions/context.js'
import type { FilterNode } from '../matcher/ast.js'
import type { Doc } from '../values/types.js'

/** A collection or view; `coll` is '' when the command was `{ aggregate: 1 }` on a database. */
export type Namespace = { readonly db: string, readonly coll: string }

export type Dependencies = 'all' | readonly string[]

/** The part of a pipeline that the collection's plan does, before the first stage that runs. */
export type Prefix = {
  /** undefined: every document */
  readonly filter: FilterNode | undefined
  /** the same filter as it was written; undefined for filters that no client wrote (`$lookup` by fields, `$graphLookup`) */
  readonly filterSpec: Doc | undefined
  readonly sort: Doc | undefined
  readonly skip: number | undefined
  readonly limit: number | undefined
  /** the paths that later stages read; 'all' when they need whole documents. The plan may return documents with more. */
  readonly needs: Dependencies
}

/** What a plan yields; a `FindExecution` of query/ is one. */
export interface FoundDocuments extends Iterable<Doc> {
  /** what `$meta` can say of a document that was just yielded */
  metaOf (doc: Doc): DocMeta | undefined
}

/** What `$merge` does with one document that has (or has not) its match. */
export type MergeUpdate = {
  /** equality on the `on` fields */
  readonly filter: Doc
  /** operators, a replacement or the stages of a pipeline */
  readonly update: Doc | readonly Doc[]
  readonly upsert: boolean
  /** what an upsert inserts instead of the updated seed (pipeline updates) */
  readonly supplied: Doc | undefined
  /** `let` of `$merge` with `new` */
  readonly constants: Doc | undefined
}

/** The world of a pipeline: the commands room implements it over one snapshot (or transaction). */
export interface PipelineContext {
  /** carries collation, `let` variables and NOW */
  readonly ctx: ParseContext
  readonly ns: Namespace
  /** Runs a prefix on a collection (not a view); a missing collection has no documents. */
  find (ns: Namespace, prefix: Prefix, vars: Vars): FoundDocuments
  /** The collection below a view and the view's whole pipeline; a collection stands for itself with no stages. */
  resolve (ns: Namespace): { ns: Namespace, pipeline: readonly Doc[] }
  /** Throws when the operation was killed or is over its time; long loops without a find call it. */
  checkInterrupt (): void
  collStats (ns: Namespace, spec: Doc): Iterable<Doc>
  indexStats (ns: Namespace): Iterable<Doc>
  readonly writes: PipelineWrites
}

export interface PipelineWrites {
  /** `$out`: the collection has exactly these documents afterwards, with the options and indexes it had; nothing changes on an error. */
  replaceCollection (ns: Namespace, docs: Iterable<Doc>): void
  /** Whether a unique index without partial filter and with the command's collation has exactly these fields, in any order. */
  hasUniqueIndex (ns: Namespace, fields: readonly string[]): boolean
  /** All-or-nothing is not asked for: like MongoDB's, what `$merge` wrote before an error may stay. */
  insert (ns: Namespace, doc: Doc): void
  /** @returns the number of documents that matched (an upsert matches none) */
  update (ns: Namespace, change: MergeUpdate): number
}

export interface Pipeline {
  /** The specification of a leading `$changeStream`: the caller makes the events and gives them to `runOver`. */
  readonly changeStream: Doc | undefined
  /** undefined when the first stage makes its own documents (`$documents`, `$collStats`, ...) */
  readonly prefix: Prefix | undefined
  readonly writes: { readonly stage: '$out' | '$merge', readonly into: Namespace } | undefined
  /** every other collection or view that the pipeline reads */
  readonly involved: readonly Namespace[]
  /** The documents that come out; `$out` and `$merge` do their work when the first is asked for and yield none. */
  run (vars?: Vars): Iterable<Doc>
  /** Runs the stages behind the prefix on given documents. */
  runOver (source: Iterable<Doc>, vars?: Vars): Iterable<Doc>
  /** The stages behind the prefix as explain shows them; empty when the plan alone gives the result. */
  explain (): readonly Doc[]
}
