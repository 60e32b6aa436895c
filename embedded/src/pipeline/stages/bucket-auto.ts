import type { Vars } from '../../expressions/context.js'
import { compileExpression } from '../../expressions/index.js'
import type { Expression } from '../../expressions/index.js'
import { MongoError } from '../../values/errors.js'
import { display } from '../../values/format.js'
import { asInt32, isIntegral, isZero, toDouble } from '../../values/numbers.js'
import { compare, typeName } from '../../values/order.js'
import { Doc, Int32, isDoc, isNumber } from '../../values/types.js'
import type { Maybe, Value } from '../../values/types.js'
import type { Accumulator } from '../accumulator.js'
import { parseAccumulatedField } from '../accumulators.js'
import { granularity } from '../granularity.js'
import type { Granularity } from '../granularity.js'
import { approximateSize, groupMemory, sortMemory } from '../memory.js'
import { enter, explained, mergeDependencies, scopeFor } from '../stage.js'
import type { Stage, StageParser, StageScope } from '../stage.js'
import type { AccumulatedField } from './group.js'

type Options = { groupBy?: Expression, buckets?: number, output: AccumulatedField[], granularity?: Granularity }
type Row = { readonly key: Value, readonly doc: Doc }
type Bucket = { min: Value, max: Value, rows: Row[] }

const COUNT = Doc.of([['$sum', Int32.of(1)]])

export const parseBucketAuto: StageParser = (spec, scope) => {
  if (!isDoc(spec)) throw new MongoError(40240, `The argument to $bucketAuto must be an object, but found type: ${typeName(spec)}`)
  const options: Options = { output: [] }
  for (const [option, value] of spec) readOption(options, option, value, scope)
  const { groupBy, buckets } = options
  if (groupBy === undefined || buckets === undefined) throw new MongoError(40246, "$bucketAuto requires 'groupBy' and 'buckets' to be specified")
  if (buckets <= 0) throw new MongoError(40243, `The $bucketAuto 'buckets' field must be greater than 0, but found: ${buckets}`)
  if (options.output.length === 0) options.output.push({ field: 'count', spec: parseAccumulatedField('count', COUNT, scope) })
  return bucketAutoStage(groupBy, buckets, options, scope, explained('$bucketAuto', spec))
}

function readOption (options: Options, option: string, value: Value, scope: StageScope): void {
  switch (option) {
    case 'groupBy': options.groupBy = parseGroupBy(value, scope); return
    case 'buckets': options.buckets = parseBuckets(value); return
    case 'output': options.output = parseOutput(value, scope); return
    case 'granularity': options.granularity = parseGranularity(value); return
    default: throw new MongoError(40245, `Unrecognized option to $bucketAuto: ${option}`)
  }
}

function parseGroupBy (value: Value, scope: StageScope): Expression {
  const first = isDoc(value) ? value.firstKey() : value
  if (typeof first === 'string' && first.startsWith('$') && first.length > 1) return compileExpression(value, scope.ctx)
  throw new MongoError(40239, `The $bucketAuto 'groupBy' field must be defined as a $-prefixed path or an expression object, but found: ${display(value)}`)
}

function parseBuckets (value: Value): number {
  if (!isNumber(value)) throw new MongoError(40241, `The $bucketAuto 'buckets' field must be a numeric value, but found type: ${typeName(value)}`)
  const count = isIntegral(value) ? asInt32(value) : undefined
  if (count === undefined) {
    throw new MongoError(40242, `The $bucketAuto 'buckets' field must be representable as a 32-bit integer, but found ${toDouble(value)}`)
  }
  return count
}

function parseOutput (value: Value, scope: StageScope): AccumulatedField[] {
  if (!isDoc(value)) throw new MongoError(40244, `The $bucketAuto 'output' field must be an object, but found type: ${typeName(value)}`)
  return Array.from(value, ([field, accumulator]) => ({ field, spec: parseAccumulatedField(field, accumulator, scope) }))
}

function parseGranularity (value: Value): Granularity {
  if (typeof value !== 'string') throw new MongoError(40261, `The $bucketAuto 'granularity' field must be a string, but found type: ${typeName(value)}`)
  return granularity(value)
}

function bucketAutoStage (groupBy: Expression, count: number, { output, granularity: rounder }: Options, scope: StageScope, shown: Doc): Stage {
  const { collation } = scope.ctx
  const order = (a: Maybe, b: Maybe): number => compare(a, b, collation)
  return {
    name: '$bucketAuto',
    reads: mergeDependencies([groupBy.dependencies, ...output.map(({ spec }) => spec.reads)]),
    closes: true,
    * run (source, vars) {
      const rows = sortedRows(source, groupBy, rounder, scope, vars)
      for (const bucket of split(rows.sort((a, b) => order(a.key, b.key)), count, rounder, order)) yield summary(bucket, output, scope, vars)
    },
    explain: () => shown
  }
}

function sortedRows (source: Iterable<Doc>, groupBy: Expression, rounder: Granularity | undefined, scope: StageScope, vars: Vars): Row[] {
  const at = scopeFor(scope, vars)
  const memory = sortMemory()
  const rows: Row[] = []
  for (const doc of source) {
    const key = groupBy.evaluate(enter(at, doc, scope.metas))
    if (rounder !== undefined) checkGranular(key)
    memory.grow(approximateSize(doc) + approximateSize(key))
    rows.push({ key: key ?? null, doc })
  }
  return rows
}

function checkGranular (key: Maybe): void {
  if (!isNumber(key)) {
    throw new MongoError(40258, `$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a value with type: ${typeName(key)}`)
  }
  const number = toDouble(key)
  if (Number.isNaN(number)) throw new MongoError(40259, "$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a NaN")
  if (number < 0) throw new MongoError(40260, "$bucketAuto can specify a 'granularity' with non-negative numbers only, but found a negative number")
}

/** Cuts the sorted rows into buckets of about the same size; equal keys never part. */
function * split (rows: readonly Row[], count: number, rounder: Granularity | undefined, order: (a: Value, b: Value) => number): Iterable<Bucket> {
  // as C++ rounds: halves away from zero
  const size = Math.max(1, Math.round(rows.length / count))
  let at = 0
  let before: Value | undefined
  for (let number = 1; number <= count && at < rows.length; number++) {
    let end = number === count ? rows.length : Math.min(at + size, rows.length)
    const first = rows[at].key
    const boundary = rounded(rows[end - 1].key, rounder)
    const belongs = (key: Value): boolean => order(rows[end - 1].key, key) === 0 || (rounder !== undefined && order(boundary, key) > 0)
    while (end < rows.length && belongs(rows[end].key)) end++
    const max = rows[end - 1].key
    const next = rows[end]?.key
    const bucket = { min: minimum(first, before, rounder), max: maximum(max, boundary, next, rounder), rows: rows.slice(at, end) }
    before = bucket.max
    at = end
    yield bucket
  }
}

const rounded = (key: Value, rounder: Granularity | undefined): Value => rounder !== undefined && isNumber(key) ? rounder.up(key) : key

const minimum = (first: Value, before: Value | undefined, rounder: Granularity | undefined): Value =>
  rounder === undefined || !isNumber(first) ? first : before ?? rounder.down(first)

/** Without a granularity the next bucket's first key is the (exclusive) end, but for the last one. */
function maximum (max: Value, boundary: Value, next: Value | undefined, rounder: Granularity | undefined): Value {
  if (rounder === undefined) return next ?? max
  // nothing is between 0 and the rounded start of the next bucket
  return isNumber(boundary) && isZero(boundary) && isNumber(next) ? rounder.down(next) : boundary
}

function summary ({ min, max, rows }: Bucket, output: readonly AccumulatedField[], scope: StageScope, vars: Vars): Doc {
  const at = scopeFor(scope, vars)
  at.root = Doc.of()
  const surroundings = { collation: scope.ctx.collation, memory: groupMemory() }
  const accumulators: Accumulator[] = output.map(({ spec }) => spec.make(surroundings, at))
  for (const { doc } of rows) {
    enter(at, doc, scope.metas)
    output.forEach(({ spec }, i) => accumulators[i].add(spec.argument(at)))
  }
  const result = Doc.of([['_id', Doc.of([['min', min], ['max', max]])]])
  output.forEach(({ field }, i) => result.set(field, accumulators[i].result() ?? null))
  return result
}
