import { decimalMod, isZeroDecimal, isNegativeDecimal, isNaNDecimal } from '../../values/decimal128.js'
import { failedToParse, typeMismatch } from '../../values/errors.js'
import { toDecimal } from '../../values/numbers.js'
import { isNumber } from '../../values/types.js'
import type { Value } from '../../values/types.js'
import { compareTest } from '../compare.js'
import { parseNonNegativeLong } from '../integers.js'
import { parseRegex } from '../regex.js'
import { failure } from './schema.js'
import type { Keyword, KeywordReader } from './schema.js'

type Parse = (reader: KeywordReader) => Keyword | undefined

type Test = (value: Value) => boolean

/** A keyword that says nothing of other types. */
function restricted (reader: KeywordReader, names: readonly string[], applies: Test, test: Test, reason: string): Keyword {
  const specifiedAs = reader.specifiedAs(...names)
  return {
    test: value => !applies(value) || test(value),
    explain: value => [failure(names[0], specifiedAs, reason, { consideredValue: value })]
  }
}

const isText = (value: Value): value is string => typeof value === 'string'
const codePoints = (text: string): number => {
  let count = 0
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) !== 0xdc00) count++
  return count
}

const pattern: Parse = reader => {
  const value = reader.get('pattern')
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw typeMismatch("$jsonSchema keyword 'pattern' must be a string")
  const regex = parseRegex(value, '')
  return restricted(reader, ['pattern'], isText, text => regex.test(text as string), 'regular expression did not match')
}

const textLength = (keyword: string, holds: (length: bigint, limit: bigint) => boolean): Parse => reader => {
  const value = reader.get(keyword)
  if (value === undefined) return undefined
  const limit = parseNonNegativeLong(keyword, value)
  return restricted(reader, [keyword], isText, text => holds(BigInt(codePoints(text as string)), limit), 'specified string length was not satisfied')
}

const multipleOf: Parse = reader => {
  const value = reader.get('multipleOf')
  if (value === undefined) return undefined
  if (!isNumber(value)) throw typeMismatch("$jsonSchema keyword 'multipleOf' must be a number")
  const divisor = toDecimal(value)
  if (isNegativeDecimal(divisor) || isZeroDecimal(divisor)) throw failedToParse("$jsonSchema keyword 'multipleOf' must have a positive value")
  const test = (number: Value): boolean => {
    if (!isNumber(number)) return false
    const rest = decimalMod(toDecimal(number), divisor)
    return !isNaNDecimal(rest) && isZeroDecimal(rest)
  }
  return restricted(reader, ['multipleOf'], isNumber, test, 'considered value is not a multiple of the specified value')
}

const limit = (keyword: 'minimum' | 'maximum', exclusive: 'exclusiveMinimum' | 'exclusiveMaximum'): Parse => reader => {
  const value = reader.get(keyword)
  const isExclusive = reader.get(exclusive)
  if (value === undefined) {
    if (isExclusive === undefined) return undefined
    throw failedToParse(`$jsonSchema keyword '${keyword}' must be a present if ${exclusive} is present`)
  }
  if (isExclusive !== undefined && typeof isExclusive !== 'boolean') throw typeMismatch(`$jsonSchema keyword '${exclusive}' must be a boolean`)
  if (!isNumber(value)) throw typeMismatch(`$jsonSchema keyword '${keyword}' must be a number`)
  const op = keyword === 'minimum' ? (isExclusive === true ? 'gt' : 'gte') : isExclusive === true ? 'lt' : 'lte'
  const test = compareTest(op, value, undefined)
  return restricted(reader, [keyword, exclusive], isNumber, number => test.value(number), 'comparison failed')
}

const PARSERS: readonly Parse[] = [
  pattern,
  textLength('maxLength', (length, max) => length <= max),
  textLength('minLength', (length, min) => length >= min),
  multipleOf,
  limit('maximum', 'exclusiveMaximum'),
  limit('minimum', 'exclusiveMinimum')
]

export const scalarKeywords = (reader: KeywordReader): Keyword[] => PARSERS.map(parse => parse(reader)).filter(keyword => keyword !== undefined)
