import { MongoError } from '../values/errors.js'
import { docOf } from '../values/build.js'
import { compileRegex, RegexSyntaxError } from '../values/regex.js'
import type { CompiledRegex, RegexHit } from '../values/regex.js'
import { Int32, Regex } from '../values/types.js'
import { typeName } from '../values/order.js'
import type { Maybe, Value } from '../values/types.js'
import { argumentsOf, optional, present, required } from './arguments.js'
import { attempt, error, fold, nullish } from './node.js'
import type { Operator, Operators } from './node.js'
import { countPoints } from './strings.js'

const OUTPUT_LIMIT = 64 * 1024 * 1024

/** @returns undefined if the pattern is null */
function regexOf (pattern: Maybe, options: Maybe, name: string): CompiledRegex | undefined {
  if (!nullish(pattern) && typeof pattern !== 'string' && !(pattern instanceof Regex)) throw error(51105, `${name} needs 'regex' to be of type string or regex`)
  if (!nullish(options) && typeof options !== 'string') throw error(51106, `${name} needs 'options' to be of type string`)
  const own = pattern instanceof Regex ? pattern.options : ''
  if (own !== '' && !nullish(options)) throw error(51107, `${name}: found regex option(s) specified in both 'regex' and 'option' fields`)
  const source = pattern instanceof Regex ? pattern.pattern : nullish(pattern) ? undefined : pattern
  const flags = nullish(options) ? own : options
  if (source?.includes('\0') === true) throw error(51109, `${name}: regular expression cannot contain an embedded null byte`)
  if (flags.includes('\0')) throw error(51110, `${name}: regular expression options cannot contain an embedded null byte`)
  return source === undefined ? undefined : compiled(source, flags, name)
}

function compiled (source: string, flags: string, name: string): CompiledRegex {
  try {
    return compileRegex(source, flags)
  } catch (e) {
    if (e instanceof RegexSyntaxError) throw error(51111, `Invalid Regex in ${name}: ${e.message}`)
    if (e instanceof MongoError && e.code === 51108) throw error(51108, `${name} ${e.message}`)
    throw e
  }
}

type Search = (regex: CompiledRegex, text: string, name: string) => Value

/** @param otherwise the result if the input or the pattern is null */
const regexOperator = (search: Search, otherwise: () => Value): Operator => (spec, cx, name) => {
  const args = argumentsOf(spec, ['input', 'regex', 'options'],
    () => error(51103, `${name} expects an object of named arguments but found: ${typeName(spec)}`), field => error(31024, `${name} found an unknown argument: ${field}`))
  const input = cx.operand(required(args, 'input', 31022, `${name} requires 'input' parameter`))
  const pattern = cx.operand(required(args, 'regex', 31023, `${name} requires 'regex' parameter`))
  const options = optional(args, 'options', cx)
  const isFixed = pattern.isConstant && options?.isConstant !== false
  let fixed: CompiledRegex | undefined
  const check = isFixed ? [attempt(() => { fixed = regexOf(pattern.constant, options?.constant, name); return null })] : []
  return fold(cx, [...present(input, pattern, options), ...check], scope => {
    const text = input.evaluate(scope)
    const regex = isFixed ? fixed : regexOf(pattern.evaluate(scope), options?.evaluate(scope), name)
    if (!nullish(text) && typeof text !== 'string') throw error(51104, `${name} needs 'input' to be of type string`)
    return nullish(text) || regex === undefined ? otherwise() : search(regex, text, name)
  })
}

function hitDocument (hit: RegexHit, text: string, index: number): Value {
  return docOf({ match: text.slice(hit.start, hit.end), idx: Int32.of(index), captures: hit.groups.map(group => group ?? null) })
}

function findOne (regex: CompiledRegex, text: string): Value {
  const hit = regex.exec(text)
  return hit === undefined ? null : hitDocument(hit, text, countPoints(text.slice(0, hit.start)))
}

function findAll (regex: CompiledRegex, text: string, name: string): Value {
  const found: Value[] = []
  let from = 0
  let counted = 0
  let index = 0
  let size = 0
  // An empty match behind the last character does not count, unless the text is empty.
  for (let hit = regex.exec(text, from); hit !== undefined; hit = from < text.length ? regex.exec(text, from) : undefined) {
    index += countPoints(text.slice(counted, hit.start))
    counted = hit.start
    found.push(hitDocument(hit, text, index))
    size += 64 + hit.end - hit.start
    if (size > OUTPUT_LIMIT) throw error(51151, `${name}: the size of buffer to store output exceeded the 64MB limit`)
    from = hit.end > hit.start ? hit.end : hit.end + ((text.codePointAt(hit.end) ?? 0) > 0xffff ? 2 : 1)
  }
  return found
}

export const regexOperators: Operators = [
  ['$regexMatch', regexOperator((regex, text) => regex.test(text), () => false)],
  ['$regexFind', regexOperator(findOne, () => null)],
  ['$regexFindAll', regexOperator(findAll, () => [])]
]
