import {
  decimalAcos, decimalAcosh, decimalAsin, decimalAsinh, decimalAtan, decimalAtan2, decimalAtanh, decimalCos, decimalCosh, decimalSin, decimalSinh, decimalTan,
  decimalTanh, decimalToDegrees, decimalToRadians
} from '../values/decimal-trig.js'
import { isNaNValue, toDecimal, toDouble } from '../values/numbers.js'
import type { NumberValue } from '../values/numbers.js'
import { typeName } from '../values/order.js'
import { Decimal128, Double, isNumber } from '../values/types.js'
import type { Maybe } from '../values/types.js'
import { numeric } from './arithmetic.js'
import { binary, error, nullish } from './node.js'
import type { Operator, Operators } from './node.js'
import { formatDouble } from './text.js'

type Bounds = { readonly min: number, readonly max: number, readonly text: string }

const OPEN: Bounds = { min: -Number.MAX_VALUE, max: Number.MAX_VALUE, text: '(-inf,inf)' }
const UNIT: Bounds = { min: -1, max: 1, text: '[-1,1]' }
const FROM_ONE: Bounds = { min: 1, max: Infinity, text: '[1,inf]' }
const ANY: Bounds = { min: -Infinity, max: Infinity, text: '[-inf,inf]' }

const trigonometric = (doubles: (x: number) => number, decimals: (d: Decimal128) => Decimal128, { min, max, text }: Bounds): Operator => (spec, cx, name) =>
  numeric(v => {
    const x = toDouble(v)
    if ((x < min || x > max) && !isNaNValue(v)) throw error(50989, `cannot apply ${name} to ${formatDouble(x)}, value must be in ${text}`)
    return v instanceof Decimal128 ? decimals(v) : new Double(doubles(x))
  })(spec, cx, name)

function arctangent2 (y: Maybe, x: Maybe): Maybe {
  if (nullish(y) || nullish(x)) return null
  if (!isNumber(y)) throw error(51044, `$atan2 only supports numeric types, not ${typeName(y)}`)
  if (!isNumber(x)) throw error(51045, `$atan2 only supports numeric types, not ${typeName(x)}`)
  return angle(y, x)
}

const angle = (y: NumberValue, x: NumberValue): NumberValue =>
  y instanceof Decimal128 || x instanceof Decimal128 ? decimalAtan2(toDecimal(y), toDecimal(x)) : new Double(Math.atan2(toDouble(y), toDouble(x)))

export const trigOperators: Operators = [
  ['$sin', trigonometric(Math.sin, decimalSin, OPEN)],
  ['$cos', trigonometric(Math.cos, decimalCos, OPEN)],
  ['$tan', trigonometric(Math.tan, decimalTan, OPEN)],
  ['$asin', trigonometric(Math.asin, decimalAsin, UNIT)],
  ['$acos', trigonometric(Math.acos, decimalAcos, UNIT)],
  ['$atan', trigonometric(Math.atan, decimalAtan, ANY)],
  ['$atan2', binary(arctangent2)],
  ['$sinh', trigonometric(Math.sinh, decimalSinh, ANY)],
  ['$cosh', trigonometric(Math.cosh, decimalCosh, ANY)],
  ['$tanh', trigonometric(Math.tanh, decimalTanh, ANY)],
  ['$asinh', trigonometric(Math.asinh, decimalAsinh, ANY)],
  ['$acosh', trigonometric(Math.acosh, decimalAcosh, FROM_ONE)],
  ['$atanh', trigonometric(Math.atanh, decimalAtanh, UNIT)],
  ['$degreesToRadians', trigonometric(x => x * (Math.PI / 180), decimalToRadians, ANY)],
  ['$radiansToDegrees', trigonometric(x => x * (180 / Math.PI), decimalToDegrees, ANY)]
]
