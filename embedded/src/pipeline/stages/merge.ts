import { checkWriteName, compileExpression, nullish, splitPath } from '../../expressions/index.js'
import type { Expression, Scope } from '../../expressions/index.js'
import { MongoError } from '../../values/errors.js'
import { Doc } from '../../values/types.js'
import type { Value } from '../../values/types.js'
import { getNested } from '../paths.js'
import { enter, explained, scopeFor } from '../stage.js'
import type { StageParser, StageScope } from '../stage.js'
import type { MergeUpdate } from '../types.js'
import { readMerge } from './merge-spec.js'
import type { MergeSpec } from './merge-spec.js'

type Field = { readonly name: string, readonly parts: readonly string[] }
type Variable = { readonly name: string, readonly expression: Expression }

export const parseMerge: StageParser = (spec, scope) => {
  const merge = readMerge(spec, scope.ns.db)
  const { into, on = ['_id'] } = merge
  const isById = on.length === 1 && on[0] === '_id'
  if (!isById && !scope.context.writes.hasUniqueIndex(into, on)) {
    throw new MongoError(51183, 'Cannot find index to verify that join fields will be unique')
  }
  const fields = on.map(name => ({ name, parts: splitPath(name) }))
  const variables = merge.whenMatched === 'pipeline' ? parseVariables(merge, scope) : []
  return {
    name: '$merge',
    reads: 'all',
    closes: false,
    role: { kind: 'write', stage: '$merge', into },
    * run (source, vars) {
      const at = scopeFor(scope, vars)
      for (const doc of source) mergeOne(merge, fields, variables, doc, at, scope)
    },
    explain: () => explained('$merge', spec)
  }
}

function parseVariables ({ let: spec }: MergeSpec, scope: StageScope): Variable[] {
  const full = (spec ?? Doc.of()).copy()
  if (!full.has('new')) full.set('new', '$$ROOT')
  return Array.from(full, ([name, value]) => {
    checkWriteName(name)
    return { name, expression: compileExpression(value, scope.ctx) }
  })
}

function mergeOne (merge: MergeSpec, on: readonly Field[], variables: readonly Variable[], doc: Doc, at: Scope, scope: StageScope): void {
  const { into, whenMatched, whenNotMatched } = merge
  const { writes } = scope.context
  const isNew = on.some(({ name }) => name === '_id') && !doc.has('_id')
  // a document that gets its _id on the way in meets no match
  const matched = whenMatched === 'fail' || isNew ? 0 : writes.update(into, changeFor(merge, joinFilter(doc, on), variables, doc, enter(at, doc, scope.metas)))
  if (whenNotMatched === 'fail' && matched === 0) {
    throw new MongoError(13113, '$merge could not find a matching document in the target collection for at least one document in the source collection')
  }
  if ((whenMatched === 'fail' || isNew) && whenNotMatched === 'insert') writes.insert(into, doc)
}

function changeFor (merge: MergeSpec, filter: Doc, variables: readonly Variable[], doc: Doc, at: Scope): MergeUpdate {
  const upsert = merge.whenNotMatched === 'insert'
  const isPipeline = merge.whenMatched === 'pipeline'
  return {
    filter,
    update: updateFor(merge, doc),
    upsert,
    supplied: isPipeline && upsert ? doc : undefined,
    constants: isPipeline ? constantsOf(variables, at) : undefined
  }
}

function updateFor ({ whenMatched, pipeline }: MergeSpec, doc: Doc): Doc | readonly Doc[] {
  switch (whenMatched) {
    case 'pipeline': return pipeline
    case 'merge': return Doc.of([['$set', doc]])
    case 'keepExisting': return Doc.of([['$setOnInsert', doc]])
    default: return doc
  }
}

function joinFilter (doc: Doc, on: readonly Field[]): Doc {
  return Doc.of(on.map(({ name, parts }): [string, Value] => {
    const value = getNested(doc, parts)
    if (Array.isArray(value)) throw new MongoError(51185, `$merge write error: 'on' field '${name}' is an array`)
    if (value === undefined || nullish(value)) {
      throw new MongoError(51132, `$merge write error: 'on' field '${name}' cannot be missing, null or undefined`)
    }
    return [name, value]
  }))
}

function constantsOf (variables: readonly Variable[], at: Scope): Doc {
  const constants = Doc.of()
  for (const { name, expression } of variables) {
    const value = expression.evaluate(at)
    if (value !== undefined) constants.set(name, value)
  }
  return constants
}
