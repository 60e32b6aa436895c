import { MongoError, badValue, typeMismatch } from '../values/errors.js'
import { display } from '../values/format.js'
import { compareNumbers, intOrLong, isNaNValue, safeAdd, safeMultiply } from '../values/numbers.js'
import type { NumberValue } from '../values/numbers.js'
import { typeName, typeNumber } from '../values/order.js'
import { Doc, Int32, isNumber } from '../values/types.js'
import type { Value } from '../values/types.js'
import { NOOP } from './leaf.js'
import type { Leaf, Place } from './leaf.js'
import { describeId } from './messages.js'

const ZERO = Int32.of(0)

/** $inc and $mul: integers widen to 64 bits and no further, unlike in expressions. */
export function arithmetic (name: '$inc' | '$mul', path: string, operand: Value): Leaf {
  if (!isNumber(operand)) {
    throw typeMismatch(`Cannot ${name === '$inc' ? 'increment' : 'multiply'} with non-numeric argument: {${path}: ${display(operand)}}`)
  }
  const compute = name === '$inc' ? safeAdd : safeMultiply
  return {
    kind: 'leaf',
    name,
    update (current, place) {
      if (!isNumber(current)) throw nonNumeric(name, current, place)
      const result = compute(current, operand)
      if (result === undefined) throw overflow(name, current, place)
      return sameNumber(current, result) ? NOOP : result
    },
    create: () => name === '$inc' ? operand : safeMultiply(operand, ZERO)!
  }
}

/** Of the same type and equal; NaN is never the same. */
const sameNumber = (a: NumberValue, b: NumberValue): boolean => typeNumber(a) === typeNumber(b) && compareNumbers(a, b) === 0 && !isNaNValue(a)

function nonNumeric (name: string, current: Value, place: Place): MongoError {
  return typeMismatch(`Cannot apply ${name} to a value of non-numeric type. {${describeId(place.root)}} has the field ` +
    `'${place.path[place.path.length - 1]}' of non-numeric type ${typeName(current)}`)
}

function overflow (name: string, current: NumberValue, place: Place): MongoError {
  const type = typeof current === 'bigint' ? 'NumberLong' : 'NumberInt'
  return badValue(`Failed to apply ${name} operations to current value ((${type})${display(current)}) for document {${describeId(place.root)}}`)
}

type Bitwise = (a: bigint, b: bigint) => bigint

const BITWISE: ReadonlyMap<string, Bitwise> = new Map<string, Bitwise>([['and', (a, b) => a & b], ['or', (a, b) => a | b], ['xor', (a, b) => a ^ b]])

type Integer = Int32 | bigint
type Step = { readonly apply: Bitwise, readonly operand: Integer }

const isInteger = (v: Value): v is Integer => v instanceof Int32 || typeof v === 'bigint'
const toBig = (v: Integer): bigint => typeof v === 'bigint' ? v : BigInt(v.value)

export function bit (path: string, operand: Value): Leaf {
  const steps = parseSteps(path, operand)
  return {
    kind: 'leaf',
    name: '$bit',
    update (current, place) {
      if (!isInteger(current)) throw nonInteger(current, place)
      const result = run(current, steps)
      return typeof result === typeof current && toBig(result) === toBig(current) ? NOOP : result
    },
    create: () => run(ZERO, steps)
  }
}

function parseSteps (path: string, operand: Value): Step[] {
  if (!(operand instanceof Doc)) {
    throw badValue(`The $bit modifier is not compatible with a ${typeName(operand)}. You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}`)
  }
  const steps = Array.from(operand, ([name, value]): Step => {
    const apply = BITWISE.get(name)
    if (apply === undefined) {
      throw badValue(`The $bit modifier only supports 'and', 'or', and 'xor', not '${name}' which is an unknown operator: {${name}: ${display(value)}}`)
    }
    if (!isInteger(value)) {
      throw badValue(`The $bit modifier field must be an Integer(32/64 bit); a '${typeName(value)}' is not supported here: {${name}: ${display(value)}}`)
    }
    return { apply, operand: value }
  })
  if (steps.length === 0) throw badValue(`You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}} for ${path}`)
  return steps
}

/** A long on either side makes the result one. */
function run (start: Integer, steps: readonly Step[]): Integer {
  return steps.reduce<Integer>((value, { apply, operand }) => {
    const result = apply(toBig(value), toBig(operand))
    return typeof value === 'bigint' || typeof operand === 'bigint' ? result : intOrLong(result)
  }, start)
}

function nonInteger (current: Value, place: Place): MongoError {
  return badValue(`Cannot apply $bit to a value of non-integral type.{${describeId(place.root)}} has the field ` +
    `${place.path[place.path.length - 1]} of non-integer type ${typeName(current)}`)
}
