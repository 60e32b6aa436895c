import { MongoError } from '../../values/errors.js'
import { add, asLong, isZero, mod, subtract, toDouble } from '../../values/numbers.js'
import type { NumberValue } from '../../values/numbers.js'
import { compare } from '../../values/order.js'
import { BsonDate, isDoc, isNumber } from '../../values/types.js'
import type { Value } from '../../values/types.js'
import { NUMBERS, parseFields } from '../specs.js'
import { addUnits, parseTimeUnit, unitMilliseconds } from '../time-units.js'
import type { TimeUnit } from '../time-units.js'

export type Point = NumberValue | BsonDate
export type Bounds = 'full' | 'partition' | { readonly low: Point, readonly high: Point }

const RULES = new Map([['step', { types: NUMBERS, required: true }], ['bounds', { required: true }], ['unit', { types: ['string'] }]])

/** The `range` of `$densify`. */
export class Range {
  private constructor (readonly bounds: Bounds, private readonly step: NumberValue, private readonly unit: TimeUnit | undefined) {}

  static parse (spec: Value): Range {
    if (!isDoc(spec)) throw new MongoError(14, "BSON field '$densify.range' is the wrong type, expected type 'object'")
    const fields = parseFields('$densify.range', spec, RULES)
    const step = fields.get('step') as NumberValue
    if (!(toDouble(step) > 0)) {
      throw new MongoError(5733401, 'The step parameter in a range statement must be a strictly positive numeric value')
    }
    const unit = fields.get('unit') as string | undefined
    if (unit === undefined) return new Range(parseBounds(fields.get('bounds')!, step, unit), step, unit)
    if (asLong(step) === undefined) {
      throw new MongoError(6586400, 'The step parameter in a range statement must be a whole number when densifying a date range')
    }
    const timeUnit = parseTimeUnit(unit)
    return new Range(parseBounds(fields.get('bounds')!, step, timeUnit), step, timeUnit)
  }

  /** The field's value in a document, of the kind that the range is for. */
  point (value: Value): Point {
    if (!isNumber(value) && !(value instanceof BsonDate)) throw new MongoError(5733201, 'Densify field type must be numeric or a date')
    if (isNumber(value) && this.unit !== undefined) {
      throw new MongoError(6053600, 'Encountered numeric densify value in collection when step has a date unit.')
    }
    if (!isNumber(value) && this.unit === undefined) {
      throw new MongoError(6053600, 'Encountered date densify value in collection when step does not have a date unit.')
    }
    return value
  }

  next (point: Point): Point {
    return point instanceof BsonDate ? addUnits(point, this.unit!, asLong(this.step)!) : add(point, this.step)
  }

  previous (point: Point): Point {
    return point instanceof BsonDate ? addUnits(point, this.unit!, -asLong(this.step)!) : subtract(point, this.step)
  }

  /** Whether steps from `base` lead to the point. */
  reaches (point: Point, base: Point): boolean {
    if (!(point instanceof BsonDate)) return isZero(mod(subtract(point, base as NumberValue), this.step))
    const { ms } = base as BsonDate
    const length = unitMilliseconds(this.unit!)
    if (length !== undefined) return (point.ms - ms) % (length * toDouble(this.step)) === 0
    let at: Point = base
    while (compare(at, point) < 0) at = this.next(at)
    return compare(at, point) === 0
  }
}

function parseBounds (value: Value, step: NumberValue, unit: TimeUnit | undefined): Bounds {
  if (value === 'full') return 'full'
  if (value === 'partition') return 'partition'
  if (typeof value === 'string') throw new MongoError(5946802, "Bounds string must either be 'full' or 'partition'")
  if (!Array.isArray(value)) {
    throw new MongoError(5733404, "The bounds in a range statement must be the string 'full', 'partition', or an ascending array of two numbers or two dates")
  }
  if (value.length !== 2) throw new MongoError(5733403, 'A bounding array in a range statement must have exactly two elements')
  const [low, high] = value
  if (compare(low, high) > 0) throw new MongoError(5733402, 'A bounding array must be an ascending array of either two dates or two numbers')
  if (isNumber(low)) return numericBounds(low, high, step, unit)
  if (!(low instanceof BsonDate)) throw new MongoError(5946800, 'Explicit bounds must be numeric or dates')
  if (!(high instanceof BsonDate)) throw new MongoError(5733405, 'A bounding array must contain either both dates or both numeric types')
  if (unit === undefined) throw new MongoError(5733410, 'A bounding array of dates must specify a unit')
  return { low, high }
}

function numericBounds (low: NumberValue, high: Value, step: NumberValue, unit: TimeUnit | undefined): Bounds {
  if (unit !== undefined) throw new MongoError(5733409, 'Numeric bounds may not have unit parameter')
  if (!isNumber(high)) throw new MongoError(5733406, 'A bounding array must contain either both dates or both numeric types')
  if (low.constructor !== high.constructor || low.constructor !== step.constructor) {
    throw new MongoError(5876900, 'Upper bound, lower bound, and step must all have the same type')
  }
  return { low, high }
}
