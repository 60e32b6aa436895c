import { MongoError, badValue } from '../values/errors.js'
import { RegexSyntaxError, compileRegex } from '../values/regex.js'
import { Regex } from '../values/types.js'
import type { Maybe } from '../values/types.js'
import type { RegexNode, RegexTest } from './ast.js'

const MAX_PATTERN = 32764

/** @throws MongoError 51091 on a bad pattern, 51108 on a bad option */
export function parseRegex (pattern: string, options: string): RegexTest {
  if (pattern.length > MAX_PATTERN) throw badValue('Regular expression is too long')
  if (pattern.includes('\0') || options.includes('\0')) throw badValue('Regular expression cannot contain an embedded null byte')
  for (const flag of options) if (!'imsxu'.includes(flag)) throw new MongoError(51108, ` invalid flag in regex options: ${flag}`)
  try {
    const compiled = compileRegex(pattern, options)
    return { pattern, options, test: text => compiled.test(text) }
  } catch (e) {
    if (e instanceof RegexSyntaxError) throw new MongoError(51091, `Regular expression is invalid: ${e.message}`)
    throw e
  }
}

export const regexNode = (path: string, pattern: string, options: string): RegexNode =>
  ({ kind: 'regex', path, pattern, options, regex: parseRegex(pattern, options) })

/** `{ $regex, $options }`, in any order among other operators. */
export function parseRegexOperators (path: string, regex: Maybe, options: Maybe): RegexNode {
  if (typeof regex !== 'string' && !(regex instanceof Regex)) throw badValue('$regex has to be a string')
  if (options !== undefined && typeof options !== 'string') throw badValue('$options has to be a string')
  const own = regex instanceof Regex ? regex.options : ''
  if (own !== '' && options !== undefined && options !== '') throw new MongoError(51075, 'options set in both $regex and $options')
  return regexNode(path, regex instanceof Regex ? regex.pattern : regex, own !== '' ? own : options ?? '')
}
