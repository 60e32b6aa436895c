import { DECIMAL_INFINITY, DECIMAL_NAN, DECIMAL_NEGATIVE_INFINITY } from '../../values/decimal128.js'
import { MongoError } from '../../values/errors.js'
import { add, divide, isFiniteValue, isNaNValue, multiply, subtract, toDouble } from '../../values/numbers.js'
import type { NumberValue } from '../../values/numbers.js'
import { BsonDate, Decimal128, Double, Int32, isNumber } from '../../values/types.js'
import type { Maybe, Value } from '../../values/types.js'
import { SlidingAverage, SlidingSum } from './sliding.js'
import type { Sliding } from './sliding.js'

type Pair = readonly [NumberValue, NumberValue]

const isPair = (value: Maybe): value is [NumberValue, NumberValue] & Value[] =>
  Array.isArray(value) && value.length === 2 && isNumber(value[0]) && isNumber(value[1])

const TWO = new Double(2)

/** An online algorithm that also takes values back, as MongoDB has it for both forms of windows. */
export class SlidingCovariance implements Sliding {
  #meanX = new SlidingAverage()
  #meanY = new SlidingAverage()
  #products = new SlidingSum()
  #count = 0

  constructor (private readonly isSample: boolean) {}

  add (value: Maybe): void {
    if (!isPair(value)) return
    const [x, y] = value
    if (!isFiniteValue(x) || !isFiniteValue(y)) {
      this.#products.add(nonFinite(value))
      return
    }
    this.#count++
    const deltaX = difference(x, this.#meanX.value())
    this.#meanX.add(x)
    this.#meanY.add(y)
    const deltaY = difference(y, this.#meanY.value())
    if (deltaX !== undefined && deltaY !== undefined) this.#products.add(multiply(deltaX, deltaY))
  }

  remove (value: Maybe): void {
    if (!isPair(value)) return
    const [x, y] = value
    if (!isFiniteValue(x) || !isFiniteValue(y)) {
      this.#products.remove(nonFinite(value))
      return
    }
    if (--this.#count === 0) {
      this.#reset()
      return
    }
    this.#meanX.remove(x)
    const deltaX = difference(x, this.#meanX.value())
    const deltaY = difference(y, this.#meanY.value())
    if (deltaX !== undefined && deltaY !== undefined) this.#products.remove(multiply(deltaX, deltaY))
    this.#meanY.remove(y)
  }

  #reset (): void {
    this.#meanX = new SlidingAverage()
    this.#meanY = new SlidingAverage()
    this.#products = new SlidingSum()
  }

  value (): Value {
    if (this.#count === 1 && !this.isSample) return new Double(0)
    const count = this.isSample ? this.#count - 1 : this.#count
    if (count <= 0) return null
    const sum = this.#products.value()
    return sum instanceof Decimal128 ? divide(sum, new Double(count)) : new Double(toDouble(sum) / count)
  }
}

const difference = (value: NumberValue, mean: Value): NumberValue | undefined => isNumber(mean) ? subtract(value, mean) : undefined

/** What a pair with NaN or an infinity does to the covariance. */
function nonFinite (pair: Pair): Value {
  const isDecimal = pair.some(value => value instanceof Decimal128)
  const infinite = pair.filter(value => !isFiniteValue(value) && !isNaNValue(value)).map(toDouble)
  if (pair.some(isNaNValue) || (infinite.includes(Infinity) && infinite.includes(-Infinity))) return isDecimal ? DECIMAL_NAN : new Double(NaN)
  if (infinite.includes(Infinity)) return isDecimal ? DECIMAL_INFINITY : new Double(Infinity)
  return isDecimal ? DECIMAL_NEGATIVE_INFINITY : new Double(-Infinity)
}

type Point = readonly [NumberValue | BsonDate, NumberValue]

/** The area under a curve by the trapezoidal rule; the values are pairs of the sort field and the input. */
export class SlidingIntegral implements Sliding {
  readonly #area = new SlidingSum()
  #points: Point[] = []
  #start = 0
  #nans = 0

  /** @param unit milliseconds of the output's unit, for dates */
  constructor (private readonly unit: number | undefined) {}

  add (value: Maybe): void {
    const point = this.#checked(value)
    if (point.some(isNaNValue)) this.#nans++
    if (this.#points.length > this.#start) this.#area.add(trapezoid(this.#points[this.#points.length - 1], point))
    this.#points.push(point)
  }

  remove (value: Maybe): void {
    const point = this.#checked(value)
    if (point.some(isNaNValue)) this.#nans--
    this.#start++
    if (this.#points.length > this.#start) this.#area.remove(trapezoid(point, this.#points[this.#start]))
    if (this.#start < 1024) return
    this.#points = this.#points.slice(this.#start)
    this.#start = 0
  }

  value (): Value {
    if (this.#points.length === this.#start) return null
    if (this.#nans > 0) return new Double(NaN)
    const area = this.#area.value()
    return this.unit === undefined ? area : divide(area, BigInt(this.unit))
  }

  #checked (value: Maybe): Point {
    const [x, y] = Array.isArray(value) ? value : []
    if (!isNumber(y) || !(isNumber(x) || x instanceof BsonDate)) {
      throw new MongoError(5423900, 'The input value of $integral window function must be a vector of 2 value, the first value must be numeric or date type ' +
        'and the second must be numeric.')
    }
    if (this.unit !== undefined && isNumber(x)) throw new MongoError(5423901, "$integral with 'unit' expects the sortBy field to be a Date")
    if (this.unit === undefined && !isNumber(x)) throw new MongoError(5423902, "$integral (with no 'unit') expects the sortBy field to be numeric")
    return [x, y]
  }
}

function trapezoid ([x1, y1]: Point, [x2, y2]: Point): Value {
  if ([x1, y1, x2, y2].some(isNaNValue)) return Int32.of(0)
  return divide(multiply(add(y2, y1), distance(x1, x2)), TWO)
}

/** Of dates, in milliseconds. */
export function distance (from: NumberValue | BsonDate, to: NumberValue | BsonDate): NumberValue {
  if (from instanceof BsonDate) return BigInt((to as BsonDate).ms - from.ms)
  return subtract(to as NumberValue, from)
}
