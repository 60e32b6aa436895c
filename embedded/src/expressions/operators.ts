import { arithmeticOperators } from './arithmetic.js'
import { arrayOperators } from './arrays.js'
import { bitOperators } from './bits.js'
import { convertOperators } from './convert.js'
import { datePartOperators } from './date-parts.js'
import { dateTextOperators } from './date-text.js'
import { dateUnitOperators } from './date-units.js'
import { logicOperators } from './logic.js'
import { mathOperators } from './math.js'
import type { Operator } from './node.js'
import { objectOperators } from './objects.js'
import { regexOperators } from './regex.js'
import { roundingOperators } from './rounding.js'
import { selectionOperators } from './selections.js'
import { setOperators } from './sets.js'
import { stringOperators } from './strings.js'
import { sumOperators } from './sums.js'
import { trigOperators } from './trig.js'
import { valueOperators } from './values.js'
import { variableOperators } from './variables.js'

export const operators: ReadonlyMap<string, Operator> = new Map([
  arithmeticOperators, arrayOperators, bitOperators, convertOperators, datePartOperators, dateTextOperators, dateUnitOperators, logicOperators, mathOperators,
  objectOperators, regexOperators, roundingOperators, selectionOperators, setOperators, stringOperators, sumOperators, trigOperators, valueOperators,
  variableOperators
].flat())

/** Operators of MongoDB that this engine does not have. */
export const REFUSED: ReadonlySet<string> = new Set([
  '$function', '$median', '$percentile', '$sampleRate', '$toHashedIndexKey', '$_internalJsEmit', '$_internalFindAllValuesAtPath', '$_internalFleEq',
  '$_internalFleBetween', '$_internalKeyStringValue', '$_internalIndexKey', '$_internalOwningShard', '$_testApiVersion'
])
