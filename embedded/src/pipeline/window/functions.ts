import type { Expression } from '../../expressions/index.js'
import { compileExpression, nullish, scopeOf } from '../../expressions/index.js'
import { count } from '../../values/build.js'
import { MongoError, failedToParse, notSupported } from '../../values/errors.js'
import { display } from '../../values/format.js'
import { asInt32 } from '../../values/numbers.js'
import { compare } from '../../values/order.js'
import { Doc, isDoc } from '../../values/types.js'
import type { Maybe, Value } from '../../values/types.js'
import { parseAccumulator } from '../accumulators.js'
import { groupMemory } from '../memory.js'
import { SortPattern } from '../sort-pattern.js'
import type { StageScope } from '../stage.js'
import { accumulated, sliding } from './accumulated.js'
import type { MakeSliding } from './accumulated.js'
import { EVERYTHING } from './bounds.js'
import { onlyArgument, splitSpec } from './function.js'
import type { FunctionParser, Surroundings, WindowFunction } from './function.js'
import { parseDerivative, parseExpMovingAvg, parseIntegral, parseLinearFill, parseLocf } from './series.js'
import { SlidingAverage, SlidingCount, SlidingDeviation, SlidingExtreme, SlidingSum } from './sliding.js'
import { SlidingCovariance } from './sliding-pairs.js'

const withAccumulator = (moving?: MakeSliding): FunctionParser => (spec, name, at) => {
  const { argument, window = EVERYTHING } = splitSpec(spec, name, at)
  if (name === '$count' && !(isDoc(argument) && argument.size === 0)) throw failedToParse('$count only accepts an empty object as input')
  const accumulator = parseAccumulator(name, argument, at.scope)
  const make = (): ReturnType<typeof accumulator.make> =>
    accumulator.make({ collation: at.scope.ctx.collation, memory: groupMemory() }, scopeOf(Doc.of(), at.scope.ctx))
  return accumulated({ argument: accumulator.argument, reads: accumulator.reads, make, moving, collation: at.scope.ctx.collation, window })
}

const covariance = (isSample: boolean): FunctionParser => (spec, name, at) => {
  const { argument, window = EVERYTHING } = splitSpec(spec, name, at)
  const { evaluate, dependencies } = compileExpression(argument, at.scope.ctx)
  return sliding(evaluate, dependencies, () => new SlidingCovariance(isSample), window)
}

/** `$first` and `$last`: an end of the window. */
const endpoint: FunctionParser = (spec, name, at) => {
  const { argument, window = EVERYTHING } = splitSpec(spec, name, at)
  const input = compileExpression(argument, at.scope.ctx)
  const end = name === '$first' ? 0 : 1
  return {
    reads: input.dependencies,
    compute (partition) {
      const endpoints = partition.endpoints(window)
      return partition.each(i => {
        const ends = endpoints(i)
        return ends === undefined ? null : partition.evaluate(input, ends[end])
      })
    }
  }
}

const shift: FunctionParser = (spec, name, at) => {
  if (spec.has('window')) throw failedToParse("$shift does not accept a 'window' field")
  const argument = onlyArgument(spec, name)
  if (!isDoc(argument)) throw failedToParse('Argument to $shift must be an object')
  const { output, by, otherwise } = parseShift(argument, at.scope)
  if (at.sortBy === undefined) throw failedToParse("'$shift' requires a sortBy")
  return {
    reads: output.dependencies,
    compute: partition => partition.each(i => partition.docs[i + by] === undefined ? otherwise : partition.evaluate(output, i + by))
  }
}

function parseShift (argument: Doc, scope: StageScope): { output: Expression, by: number, otherwise: Maybe } {
  let output: Expression | undefined
  let by: number | undefined
  let otherwise: Maybe = null
  for (const [key, value] of argument) {
    if (key === 'output') output = compileExpression(value, scope.ctx)
    else if (key === 'by') by = wholeBy(value)
    else if (key === 'default') otherwise = constantOf(value, scope)
    else throw failedToParse('Unknown argument in $shift')
  }
  if (output === undefined) throw failedToParse("$shift requires an 'output' expression.")
  if (by === undefined) throw failedToParse("$shift requires 'by' as an integer value.")
  return { output, by, otherwise }
}

function wholeBy (value: Value): number {
  const by = asInt32(value)
  if (by === undefined) throw failedToParse(`'$shift:by' field must be an integer, but found  ${display(value)}`)
  return by
}

function constantOf (value: Value, scope: StageScope): Maybe {
  const { isConstant, constant } = compileExpression(value, scope.ctx)
  if (isConstant) return constant
  throw failedToParse("'$shift:default' expression must yield a constant value.")
}

/** `$rank`, `$denseRank` and `$documentNumber`. */
const rank: FunctionParser = (spec, name, { scope, sortBy }) => {
  if (spec.size !== 1) throw new MongoError(5371601, 'Rank style window functions take no other arguments')
  const argument = spec.get(name)
  if (!isDoc(argument) || argument.size !== 0) throw new MongoError(5371603, `${name} must be specified with '{}' as the value`)
  if (sortBy?.parts.length !== 1) {
    throw new MongoError(5371602, `${name} must be specified with a top level sortBy expression with exactly one element`)
  }
  const order = new SortPattern(sortBy.parts, scope.ctx.collation)
  return {
    reads: sortBy.paths,
    compute (partition) {
      let place = 0
      let last: readonly Maybe[] | undefined
      return partition.each(i => {
        const key = order.keyOf(partition.docs[i], scope.metas.get(partition.docs[i]))
        const isTie = last !== undefined && sameKey(key[0], last[0], scope)
        last = key
        if (name === '$documentNumber') place = i + 1
        else if (!isTie) place = name === '$rank' ? i + 1 : place + 1
        return count(place)
      })
    }
  }
}

const sameKey = (a: Maybe, b: Maybe, scope: StageScope): boolean => (nullish(a) && nullish(b)) || compare(a, b, scope.ctx.collation) === 0

const refuse: FunctionParser = (_spec, name) => {
  throw notSupported(`the window function ${name}`)
}

const PARSERS: ReadonlyMap<string, FunctionParser> = new Map([
  ['$sum', withAccumulator(() => new SlidingSum())],
  ['$avg', withAccumulator(() => new SlidingAverage())],
  ['$count', withAccumulator(() => new SlidingCount())],
  ['$min', withAccumulator(collation => new SlidingExtreme(-1, collation))],
  ['$max', withAccumulator(collation => new SlidingExtreme(1, collation))],
  ['$stdDevPop', withAccumulator(() => new SlidingDeviation(false))],
  ['$stdDevSamp', withAccumulator(() => new SlidingDeviation(true))],
  ...['$push', '$addToSet', '$firstN', '$lastN', '$minN', '$maxN', '$top', '$topN', '$bottom', '$bottomN']
    .map((name): [string, FunctionParser] => [name, withAccumulator()]),
  ['$covariancePop', covariance(false)],
  ['$covarianceSamp', covariance(true)],
  ['$first', endpoint],
  ['$last', endpoint],
  ['$shift', shift],
  ['$rank', rank],
  ['$denseRank', rank],
  ['$documentNumber', rank],
  ['$expMovingAvg', parseExpMovingAvg],
  ['$derivative', parseDerivative],
  ['$integral', parseIntegral],
  ['$linearFill', parseLinearFill],
  ['$locf', parseLocf],
  ['$median', refuse],
  ['$percentile', refuse]
])

export function parseWindowFunction (field: string, spec: Value, at: Surroundings): WindowFunction {
  if (!isDoc(spec)) throw failedToParse(`The field '${field}' must be an object`)
  const name = [...spec.keys()].find(key => key.startsWith('$'))
  if (name === undefined) {
    const first = spec.firstKey() ?? ''
    throw failedToParse(`Expected a $-prefixed window function${first === '' ? '' : `, ${first}`}`)
  }
  const parse = PARSERS.get(name)
  if (parse === undefined) throw failedToParse(`Unrecognized window function, ${name}`)
  return parse(spec, name, at)
}
