import { compileExpression } from '../../expressions/index.js'
import type { Expression } from '../../expressions/index.js'
import { MongoError } from '../../values/errors.js'
import { display } from '../../values/format.js'
import { canonicalType, compare, typeName } from '../../values/order.js'
import { Doc, Int32, isDoc } from '../../values/types.js'
import type { Maybe, Value } from '../../values/types.js'
import { parseAccumulatedField } from '../accumulators.js'
import { explained } from '../stage.js'
import type { StageParser, StageScope } from '../stage.js'
import { groupStage } from './group.js'
import type { AccumulatedField } from './group.js'
import { parseSort } from './sort.js'

type Buckets = { groupBy?: Expression, boundaries: Value[], otherwise: Maybe, output?: AccumulatedField[] }

const COUNT = Doc.of([['$sum', Int32.of(1)]])

export const parseBucket: StageParser = (spec, scope, name) => {
  if (!isDoc(spec)) throw new MongoError(40201, `Argument to $bucket stage must be an object, but found type: ${typeName(spec)}.`)
  const buckets: Buckets = { boundaries: [], otherwise: undefined }
  for (const [option, value] of spec) readOption(buckets, option, value, scope)
  const { groupBy, boundaries, otherwise } = buckets
  if (groupBy === undefined || boundaries.length === 0) throw new MongoError(40198, "$bucket requires 'groupBy' and 'boundaries' to be specified.")
  checkDefault(boundaries, otherwise, scope)
  const output = buckets.output ?? [{ field: 'count', spec: parseAccumulatedField('count', COUNT, scope) }]
  const find = (value: Maybe): Value => bucketOf(value, boundaries, otherwise, scope)
  const group = groupStage({ evaluate: at => find(groupBy.evaluate(at)), reads: groupBy.dependencies }, output, scope, explained(name, spec))
  return [group, parseSort(Doc.of([['_id', Int32.of(1)]]), scope, name)].flat()
}

function readOption (buckets: Buckets, option: string, value: Value, scope: StageScope): void {
  switch (option) {
    case 'groupBy': buckets.groupBy = parseGroupBy(value, scope); return
    case 'boundaries': buckets.boundaries = parseBoundaries(value, scope); return
    case 'default': buckets.otherwise = parseDefault(value, scope); return
    case 'output': buckets.output = parseOutput(value, scope); return
    default: throw new MongoError(40197, `Unrecognized option to $bucket: ${option}.`)
  }
}

function parseGroupBy (value: Value, scope: StageScope): Expression {
  const first = isDoc(value) ? value.firstKey() : value
  if (typeof first === 'string' && first.startsWith('$')) return compileExpression(value, scope.ctx)
  throw new MongoError(40202, `The $bucket 'groupBy' field must be defined as a $-prefixed path or an expression, but found: ${display(value)}.`)
}

function parseBoundaries (value: Value, scope: StageScope): Value[] {
  if (!Array.isArray(value)) throw new MongoError(40200, `The $bucket 'boundaries' field must be an array, but found type: ${typeName(value)}.`)
  const boundaries = value.map(element => {
    const { isConstant, constant } = compileExpression(element, scope.ctx)
    if (isConstant) return constant ?? null
    throw new MongoError(40191, `The $bucket 'boundaries' field must be an array of constant values, but found value: ${display(element)}.`)
  })
  if (boundaries.length < 2) {
    throw new MongoError(40192, `The $bucket 'boundaries' field must have at least 2 values, but found ${boundaries.length} value(s).`)
  }
  for (let i = 1; i < boundaries.length; i++) checkOrder(boundaries, i, scope)
  return boundaries
}

function checkOrder (boundaries: readonly Value[], i: number, scope: StageScope): void {
  const lower = boundaries[i - 1]
  const upper = boundaries[i]
  if (canonicalType(lower) !== canonicalType(upper)) {
    throw new MongoError(40193, "All values in the the 'boundaries' option to $bucket must have the same type. " +
      `Found conflicting types ${typeName(lower)} and ${typeName(upper)}.`)
  }
  if (compare(lower, upper, scope.ctx.collation) >= 0) {
    throw new MongoError(40194, `The 'boundaries' option to $bucket must be sorted, but elements ${i - 1} and ${i} are not in ascending order ` +
      `(${display(lower)} is not less than ${display(upper)}).`)
  }
}

function parseDefault (value: Value, scope: StageScope): Maybe {
  const { isConstant, constant } = compileExpression(value, scope.ctx)
  if (isConstant) return constant
  throw new MongoError(40195, `The $bucket 'default' field must be a constant expression, but found: ${display(value)}.`)
}

function parseOutput (value: Value, scope: StageScope): AccumulatedField[] {
  if (!isDoc(value)) throw new MongoError(40196, `The $bucket 'output' field must be an object, but found type: ${typeName(value)}.`)
  return Array.from(value, ([field, accumulator]) => {
    if (field === '_id') throw new MongoError(15948, "a group's _id may only be specified once")
    return { field, spec: parseAccumulatedField(field, accumulator, scope) }
  })
}

function checkDefault (boundaries: readonly Value[], otherwise: Maybe, scope: StageScope): void {
  const lowest = boundaries[0]
  if (canonicalType(otherwise) !== canonicalType(lowest)) return
  const { collation } = scope.ctx
  if (compare(otherwise, lowest, collation) < 0 || compare(otherwise, boundaries[boundaries.length - 1], collation) >= 0) return
  throw new MongoError(40199, "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the highest boundary.")
}

/** The lower boundary of the bucket that a value falls in. */
function bucketOf (value: Maybe, boundaries: readonly Value[], otherwise: Maybe, scope: StageScope): Value {
  const { collation } = scope.ctx
  let low = 0
  let high = boundaries.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compare(boundaries[middle], value, collation) <= 0) low = middle + 1
    else high = middle
  }
  if (low > 0 && low < boundaries.length) return boundaries[low - 1]
  if (otherwise !== undefined) return otherwise
  throw new MongoError(40066, '$switch could not find a matching branch for an input, and no default was specified.')
}
