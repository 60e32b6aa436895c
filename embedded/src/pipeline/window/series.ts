import { compileExpression, nullish } from '../../expressions/index.js'
import type { Expression } from '../../expressions/index.js'
import { decimalAdd, decimalCompare, decimalDivide, decimalMultiply, decimalSubtract, fromBigInt } from '../../values/decimal128.js'
import { MongoError, failedToParse, typeMismatch } from '../../values/errors.js'
import { display } from '../../values/format.js'
import { add, divide, isZero, multiply, subtract, toDecimal, toDouble } from '../../values/numbers.js'
import type { NumberValue } from '../../values/numbers.js'
import { equal, typeName } from '../../values/order.js'
import { BsonDate, Decimal128, Doc, Double, isDoc, isNumber } from '../../values/types.js'
import type { Maybe, Value } from '../../values/types.js'
import { mergeDependencies } from '../stage.js'
import { wholeNumber } from '../specs.js'
import { parseTimeUnit, unitMilliseconds } from '../time-units.js'
import { sliding } from './accumulated.js'
import { EVERYTHING, parseWindow } from './bounds.js'
import type { Window } from './bounds.js'
import { onlyArgument } from './function.js'
import type { FunctionParser, Surroundings } from './function.js'
import type { Partition } from './partition.js'
import { SlidingIntegral, distance } from './sliding-pairs.js'

const ONE = fromBigInt(1n)

export const parseExpMovingAvg: FunctionParser = (spec, name, at) => {
  const argument = spec.get(name)
  if (spec.size !== 1 || !isDoc(argument)) throw failedToParse('$expMovingAvg must have exactly one argument that is an object')
  const inputSpec = argument.get('input')
  const wrong = (): MongoError => failedToParse("$expMovingAvg sub object must have exactly two fields: An 'input' field, and either an 'N' field or an 'alpha' field")
  if (argument.size !== 2 || inputSpec === undefined) throw wrong()
  if (at.sortBy === undefined) throw failedToParse("$expMovingAvg requires an explicit 'sortBy'")
  const input = compileExpression(inputSpec, at.scope.ctx)
  const n = argument.get('N')
  const alpha = argument.get('alpha')
  if (n === undefined && alpha === undefined) throw wrong()
  const weight = n !== undefined ? weightOf(n) : alphaOf(alpha!)
  return { reads: input.dependencies, compute: partition => movingAverage(partition, input, weight) }
}

function weightOf (n: Value): Decimal128 {
  if (!isNumber(n)) throw failedToParse(`'N' field must be an integer, but found type ${typeName(n)}`)
  if (!Number.isInteger(toDouble(n))) {
    throw failedToParse(`'N' field must be an integer, but found  N: ${display(n)}. To use a non-integer, use the 'alpha' argument instead`)
  }
  const count = wholeNumber(n)!
  if (count <= 0) throw failedToParse(`'N' must be greater than zero. Got ${count}`)
  return decimalDivide(fromBigInt(2n), fromBigInt(BigInt(count) + 1n))
}

function alphaOf (alpha: Value): Decimal128 {
  if (!isNumber(alpha)) throw failedToParse("'alpha' must be a number")
  const weight = toDecimal(alpha)
  if (decimalCompare(weight, fromBigInt(0n)) > 0 && decimalCompare(weight, ONE) < 0) return weight
  throw failedToParse(`'alpha' must be between 0 and 1 (exclusive), found alpha: ${display(alpha)}`)
}

function movingAverage (partition: Partition, input: Expression, weight: Decimal128): Maybe[] {
  const rest = decimalSubtract(ONE, weight)
  let average: Decimal128 | undefined
  let isDecimal = false
  return partition.each(i => {
    const value = partition.evaluate(input, i)
    if (isNumber(value)) {
      isDecimal ||= value instanceof Decimal128
      const number = toDecimal(value)
      average = average === undefined ? number : decimalAdd(decimalMultiply(number, weight), decimalMultiply(average, rest))
    }
    if (average === undefined) return null
    return isDecimal ? average : new Double(toDouble(average))
  })
}

type OfTime = { readonly input: Expression, readonly unit: number | undefined, readonly window: Window | undefined }

/** The arguments of `$derivative` and `$integral`. */
function parseOfTime (spec: Doc, name: string, { scope, sortBy }: Surroundings): OfTime {
  if (sortBy === undefined) throw failedToParse(`${name} requires a sortBy`)
  if (sortBy.parts.length !== 1) throw failedToParse(`${name} requires a non-compound sortBy`)
  if (sortBy.usesMeta) throw failedToParse(`${name} requires a non-expression sortBy`)
  let window: Window | undefined
  for (const [key, value] of spec) {
    if (key === 'window') window = parseWindow(value, sortBy, scope)
    else if (key !== name) throw failedToParse(`${name} got unexpected argument: ${key}`)
  }
  const argument = spec.get(name)
  if (!isDoc(argument)) throw failedToParse(`${name} expects an object, but got a ${typeName(argument)}: ${display(argument)}`)
  let input: Expression | undefined
  let unit: number | undefined
  for (const [key, value] of argument) {
    if (key === 'input') input = compileExpression(value, scope.ctx)
    else if (key === 'unit') unit = unitOf(value)
    else throw failedToParse(`${name} got unexpected argument: ${key}`)
  }
  if (input === undefined) throw failedToParse(`${name} requires an 'input' expression`)
  return { input, unit, window }
}

function unitOf (value: Value): number {
  if (typeof value !== 'string') throw failedToParse(`unit' must be a string, but got ${typeName(value)}`)
  const milliseconds = unitMilliseconds(parseTimeUnit(value))
  if (milliseconds === undefined) throw new MongoError(5490710, "unit must be 'week' or smaller")
  return milliseconds
}

export const parseDerivative: FunctionParser = (spec, name, at) => {
  const { input, unit, window } = parseOfTime(spec, name, at)
  if (window === undefined) throw failedToParse('$derivative requires explicit window bounds')
  return {
    reads: mergeDependencies([input.dependencies, at.sortBy!.paths]),
    compute (partition) {
      const endpoints = partition.endpoints(window)
      return partition.each(i => {
        const ends = endpoints(i)
        return ends === undefined ? null : slope(partition, input, unit, ends)
      })
    }
  }
}

function slope (partition: Partition, input: Expression, unit: number | undefined, [left, right]: readonly [number, number]): Value {
  const from = partition.sortValue(left)
  const to = partition.sortValue(right)
  const run = runOf(from, to, unit)
  const before = partition.evaluate(input, left)
  const after = partition.evaluate(input, right)
  if (nullish(before) || nullish(after)) throw new MongoError(5624903, '$derivative input must not be null or missing')
  const rise = riseOf(before as Value, after as Value)
  if (isZero(run)) return null
  const result = divide(rise, run)
  return unit === undefined ? result : multiply(result, BigInt(unit))
}

function runOf (from: Maybe, to: Maybe, unit: number | undefined): NumberValue {
  if (unit !== undefined) {
    if (from instanceof BsonDate && to instanceof BsonDate) return distance(from, to)
    throw new MongoError(5624900, "$derivative with 'unit' expects the sortBy field to be a Date")
  }
  if (from instanceof BsonDate || to instanceof BsonDate) throw new MongoError(5624901, "$derivative where the sortBy is a Date requires an 'unit'")
  if (isNumber(from) && isNumber(to)) return subtract(to, from)
  throw new MongoError(5624902, "$derivative (with no 'unit') expects the sortBy field to be numeric")
}

function riseOf (before: Value, after: Value): NumberValue {
  if (isNumber(before) && isNumber(after)) return subtract(after, before)
  if (before instanceof BsonDate && after instanceof BsonDate) return distance(before, after)
  throw typeMismatch(`can't $subtract ${typeName(before)} from ${typeName(after)}`)
}

export const parseIntegral: FunctionParser = (spec, name, at) => {
  const { input, unit, window = EVERYTHING } = parseOfTime(spec, name, at)
  const x = compileExpression(`$${at.sortBy!.paths[0]}`, at.scope.ctx)
  const reads = mergeDependencies([input.dependencies, x.dependencies])
  return sliding(scope => [x.evaluate(scope) ?? null, input.evaluate(scope) ?? null], reads, () => new SlidingIntegral(unit), window)
}

export const parseLocf: FunctionParser = (spec, name, at) => {
  const input = compileExpression(onlyArgument(spec, name), at.scope.ctx)
  return {
    reads: input.dependencies,
    compute (partition) {
      let last: Maybe = null
      return partition.each(i => {
        const value = partition.evaluate(input, i)
        if (!nullish(value)) last = value
        return last
      })
    }
  }
}

type Point = { readonly at: number, readonly x: NumberValue | BsonDate, readonly y: Value }

export const parseLinearFill: FunctionParser = (spec, name, at) => {
  const input = compileExpression(onlyArgument(spec, name), at.scope.ctx)
  if (at.sortBy?.parts.length !== 1) {
    throw new MongoError(605001, '$linearFill must be specified with a top level sortBy expression with exactly one element')
  }
  return { reads: mergeDependencies([input.dependencies, at.sortBy.paths]), compute: partition => linearFill(partition, input) }
}

function linearFill (partition: Partition, input: Expression): Maybe[] {
  let before: Point | undefined
  let after: Point | undefined
  let last: Maybe
  const known = (i: number): Point | undefined => {
    const y = partition.evaluate(input, i)
    const x = partition.sortValue(i)
    return nullish(y) || nullish(x) ? undefined : { at: i, x: x as NumberValue | BsonDate, y: y as Value }
  }
  const nextKnown = (i: number): Point | undefined => {
    let found: Point | undefined
    for (let k = i + 1; k < partition.docs.length && found === undefined; k++) found = known(k)
    return found
  }
  return partition.each(i => {
    const y = partition.evaluate(input, i)
    if (!isNumber(y) && !nullish(y)) throw typeMismatch(`Value to be filled must be numeric or nullish, but found ${typeName(y)}`)
    const x = checkedSortValue(partition.sortValue(i), last)
    last = x
    if (isNumber(y)) {
      before = { at: i, x, y }
      return y
    }
    if (before === undefined) return null
    if (after === undefined || after.at < i) after = nextKnown(i)
    return after === undefined ? null : interpolate(before, after, x)
  })
}

function checkedSortValue (x: Maybe, last: Maybe): NumberValue | BsonDate {
  if (!isNumber(x) && !(x instanceof BsonDate)) throw typeMismatch(`Value of the sortBy field must be numeric or a date, but found ${typeName(x)}`)
  if (last === undefined) return x
  if (equal(x, last)) throw new MongoError(6050106, 'There can be no repeated values in the sort field')
  if (isNumber(x) !== isNumber(last)) {
    throw typeMismatch(`Conflicting sort value types, previously received type ${typeName(last)}, but found ${typeName(x)}`)
  }
  return x
}

function interpolate (from: Point, to: Point, x: NumberValue | BsonDate): Value {
  const { y: y1 } = from
  const { y: y2 } = to
  if (!isNumber(y1) || !isNumber(y2)) throw typeMismatch(`Value to be filled must be numeric or nullish, but found ${typeName(y2)}`)
  return add(y1, multiply(distance(from.x, x), divide(subtract(y2, y1), distance(from.x, to.x))))
}
