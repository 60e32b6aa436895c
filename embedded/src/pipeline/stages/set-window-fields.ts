import type { Vars } from '../../expressions/context.js'
import { Vars as NoVars, compileExpression } from '../../expressions/index.js'
import type { Expression } from '../../expressions/index.js'
import { compileAddFields } from '../../projection/projection.js'
import { MongoError, failedToParse, typeMismatch } from '../../values/errors.js'
import { compare, typeName } from '../../values/order.js'
import { Doc, isDoc } from '../../values/types.js'
import type { Maybe, Value } from '../../values/types.js'
import { approximateSize, sortMemory } from '../memory.js'
import { SortPattern } from '../sort-pattern.js'
import type { SortKey } from '../sort-pattern.js'
import { parseFields } from '../specs.js'
import { enter, explained, mergeDependencies, scopeFor } from '../stage.js'
import type { Stage, StageParser, StageScope } from '../stage.js'
import type { WindowFunction } from '../window/function.js'
import { parseWindowFunction } from '../window/functions.js'
import { Partition } from '../window/partition.js'

const RULES = new Map([['partitionBy', {}], ['sortBy', { types: ['object'] }], ['output', { types: ['object'], required: true }]])

type Output = { readonly field: string, readonly compute: WindowFunction }

export const parseSetWindowFields: StageParser = (spec, scope) => {
  if (!isDoc(spec)) throw failedToParse(`the $setWindowFields stage specification must be an object, found ${typeName(spec)}`)
  const fields = parseFields('$setWindowFields', spec, RULES)
  const partitionBy = fields.has('partitionBy') ? parsePartition(fields.get('partitionBy')!, scope) : undefined
  const sortSpec = fields.get('sortBy') as Doc | undefined
  const sortBy = sortSpec === undefined ? undefined : SortPattern.parse(sortSpec, scope.ctx.collation)
  const output = fields.get('output') as Doc
  checkPaths([...output.keys()])
  const outputs = Array.from(output, ([field, value]): Output => ({ field, compute: parseWindowFunction(field, value, { scope, sortBy }) }))
  return windowStage(partitionBy, sortBy, outputs, scope, explained('$_internalSetWindowFields', spec))
}

function parsePartition (spec: Value, scope: StageScope): Expression | undefined {
  const expression = compileExpression(spec, scope.ctx)
  if (!expression.isConstant) return expression
  if (Array.isArray(expression.constant)) throw typeMismatch('An expression used to partition cannot evaluate to value of type array')
  return undefined
}

function checkPaths (paths: readonly string[]): void {
  const sorted = [...paths].sort()
  const conflict = sorted.some((path, i) => sorted.slice(i + 1).some(other => other.startsWith(`${path}.`)))
  if (conflict) throw new MongoError(6307900, "$setWindowFields 'output' specification contains two conflicting paths")
}

function windowStage (
  partitionBy: Expression | undefined, sortBy: SortPattern | undefined, outputs: readonly Output[], scope: StageScope, shown: Doc
): Stage {
  const names = outputs.map((_, i) => `w${i}`)
  const setting = Doc.of(outputs.map(({ field }, i): [string, Value] => [field, `$$${names[i]}`]))
  const projection = outputs.length === 0
    ? undefined
    : compileAddFields(setting, { ...scope.ctx, variables: (scope.ctx.variables ?? NoVars.none).declare(names) })
  const single = sortBy?.parts.length === 1 ? sortBy.parts[0].path : undefined
  const sortValue = single === undefined ? undefined : compileExpression(`$${single}`, scope.ctx)
  const reads = [partitionBy?.dependencies ?? [], sortBy?.paths ?? [], ...outputs.map(({ compute }) => compute.reads)]
  return {
    name: '$setWindowFields',
    reads: mergeDependencies(reads),
    closes: false,
    makes: outputs.map(({ field }) => field).filter(field => !field.includes('.')),
    * run (source, vars) {
      for (const docs of partitions(source, partitionBy, sortBy, scope, vars)) {
        const partition = new Partition(docs, scopeFor(scope, vars), scope.metas, sortValue, () => scope.context.checkInterrupt())
        const columns = outputs.map(({ compute }) => compute.compute(partition))
        for (const [i, doc] of docs.entries()) {
          const values = names.reduce((bound, name, column) => bound.with(name, columns[column][i]), vars)
          yield projection === undefined ? doc : scope.metas.carry(doc, projection.apply(doc, scope.metas.get(doc), values))
        }
      }
    },
    explain: () => shown
  }
}

type Row = { readonly doc: Doc, readonly partition: Value, readonly key: SortKey }

function * partitions (
  source: Iterable<Doc>, partitionBy: Expression | undefined, sortBy: SortPattern | undefined, scope: StageScope, vars: Vars
): Iterable<readonly Doc[]> {
  const { collation } = scope.ctx
  const at = scopeFor(scope, vars)
  const memory = sortMemory()
  const rows: Row[] = []
  for (const doc of source) {
    memory.grow(approximateSize(doc))
    const partition = partitionBy === undefined ? null : partitionKey(partitionBy.evaluate(enter(at, doc, scope.metas)))
    rows.push({ doc, partition, key: sortBy === undefined ? [] : sortBy.keyOf(doc, scope.metas.get(doc)) })
  }
  if (partitionBy !== undefined || sortBy !== undefined) {
    rows.sort((a, b) => compare(a.partition, b.partition, collation) || (sortBy === undefined ? 0 : sortBy.compare(a.key, b.key)))
  }
  for (let start = 0, end = 0; start < rows.length; start = end) {
    while (end < rows.length && compare(rows[end].partition, rows[start].partition, collation) === 0) end++
    yield rows.slice(start, end).map(({ doc }) => doc)
  }
}

function partitionKey (value: Maybe): Value {
  if (Array.isArray(value)) throw typeMismatch('An expression used to partition cannot evaluate to value of type array')
  return value ?? null
}
