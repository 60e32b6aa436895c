import { MongoError } from './errors.js'
import { children } from './regex-ast.js'
import type { AssertKind, ParsedRegex, RegexNode } from './regex-ast.js'
import { degree } from './regex-cost.js'
import { RegexMachine, checkLookBehind } from './regex-machine.js'
import { RegexParser } from './regex-parse.js'

export { RegexSyntaxError } from './regex-ast.js'

/** A match: the bounds are UTF-16 positions; a group that took no part is undefined. */
export type RegexHit = {
  readonly start: number
  readonly end: number
  readonly groups: readonly (string | undefined)[]
}

export type CompiledRegex = {
  test (text: string): boolean
  exec (text: string, from?: number): RegexHit | undefined
}

const FLAGS = 'imsx'
/** How many steps JavaScript's own matcher may need at worst: it cannot be stopped. */
const TRUSTED_COST = 5e7
const CACHE_SIZE = 256
const cache = new Map<string, CompiledRegex>()

/**
 * A regular expression as MongoDB runs it (PCRE2, UTF, the options i m s x, and the legacy `u` that does nothing).
 * Matching is bounded: a catastrophic pattern ends in a MongoError, never in a hang. Patterns that this engine cannot run throw notSupported.
 * @throws RegexSyntaxError
 */
export function compileRegex (pattern: string, options: string): CompiledRegex {
  const key = `${options}/${pattern}`
  const known = cache.get(key)
  if (known !== undefined) return known
  const made = compile(pattern, options)
  if (cache.size >= CACHE_SIZE) cache.clear()
  cache.set(key, made)
  return made
}

function compile (pattern: string, options: string): CompiledRegex {
  for (const flag of options) if (!FLAGS.includes(flag) && flag !== 'u') throw new MongoError(51108, `invalid flag in regex options: ${flag}`)
  const has = (flag: string): boolean => options.includes(flag)
  const parsed = new RegexParser(pattern, { i: has('i'), m: has('m'), s: has('s'), x: has('x') }).parse()
  checkLookBehind(parsed.root)
  return new Regex(parsed)
}

class Regex implements CompiledRegex {
  readonly #fast: RegExp | undefined
  readonly #degree: number
  readonly #sameGroups: boolean

  #machine: RegexMachine | undefined

  constructor (private readonly parsed: ParsedRegex) {
    const { root } = parsed
    this.#fast = translate(root)
    this.#degree = degree(root)
    this.#sameGroups = !capturesInLoop(root, false)
  }

  test (text: string): boolean {
    const fast = this.#trusted(text)
    if (fast === undefined) return this.#slow.exec(text, 0) !== undefined
    fast.lastIndex = 0
    return fast.test(text)
  }

  exec (text: string, from = 0): RegexHit | undefined {
    const fast = this.#sameGroups ? this.#trusted(text) : undefined
    if (fast === undefined) return hitOf(text, this.#slow.exec(text, from))
    fast.lastIndex = from
    const match = fast.exec(text)
    return match === null ? undefined : { start: match.index, end: match.index + match[0].length, groups: match.slice(1) }
  }

  get #slow (): RegexMachine {
    this.#machine ??= new RegexMachine(this.parsed)
    return this.#machine
  }

  #trusted (text: string): RegExp | undefined {
    return text.length ** this.#degree <= TRUSTED_COST ? this.#fast : undefined
  }
}

function hitOf (text: string, places: readonly number[] | undefined): RegexHit | undefined {
  if (places === undefined) return undefined
  const groups: (string | undefined)[] = []
  for (let i = 2; i < places.length; i += 2) groups.push(places[i] < 0 ? undefined : text.slice(places[i], places[i + 1]))
  return { start: places[0], end: places[1], groups }
}

/** JavaScript forgets the groups of a loop in each round, PCRE does not. */
function capturesInLoop (node: RegexNode, inLoop: boolean): boolean {
  if (node.type === 'capture' && inLoop) return true
  const loops = inLoop || (node.type === 'repeat' && node.max > 1)
  for (const child of children(node)) if (capturesInLoop(child, loops)) return true
  return false
}

const ASSERTIONS: ReadonlyMap<AssertKind, string> = new Map([
  ['start', '^'], ['end', '$'], ['endOrNewline', '(?=\\n?$)'], ['lineStart', '(?:^|(?<=\\n)(?!$))'], ['lineEnd', '(?=\\n|$)'], ['word', '\\b'], ['notWord', '\\B']
])

/** The same pattern in JavaScript, if it can be said there. */
function translate (root: RegexNode): RegExp | undefined {
  const cases = new Set<boolean>()
  const source = print(root, cases)
  return source === undefined || cases.size > 1 ? undefined : usable(source, cases.has(true) ? 'giu' : 'gu')
}

/** JavaScript refuses what it finds too large, some of it only when it runs. */
function usable (source: string, flags: string): RegExp | undefined {
  try {
    const pattern = new RegExp(source, flags)
    pattern.test('')
    return pattern
  } catch {
    return undefined
  }
}

function print (node: RegexNode, cases: Set<boolean>): string | undefined {
  switch (node.type) {
    case 'single':
      if (node.cased) cases.add(node.ignoreCase)
      return node.source
    case 'sequence': return joined(node.parts, '', cases)
    case 'choice': return wrapped('(?:', joined(node.options, '|', cases))
    case 'capture': return wrapped('(', print(node.body, cases))
    case 'look': return wrapped(`(?${node.behind ? '<' : ''}${node.negative ? '!' : '='}`, print(node.body, cases))
    case 'repeat': return node.mode === 'possessive' ? undefined : printRepeat(node, print(node.body, cases))
    case 'assert': return ASSERTIONS.get(node.kind)
    // Atomic groups do not exist there, and a reference to a group that took no part means something else.
    default: return undefined
  }
}

const wrapped = (open: string, body: string | undefined): string | undefined => body === undefined ? undefined : `${open}${body})`

function joined (nodes: readonly RegexNode[], separator: string, cases: Set<boolean>): string | undefined {
  const sources = nodes.map(node => print(node, cases))
  return sources.includes(undefined) ? undefined : sources.join(separator)
}

function printRepeat ({ min, max, mode }: { min: number, max: number, mode: string }, body: string | undefined): string | undefined {
  if (body === undefined) return undefined
  const bounds = min === 0 && max === Infinity ? '*' : min === 1 && max === Infinity ? '+' : `{${min},${max === Infinity ? '' : max}}`
  return `(?:${body})${bounds}${mode === 'lazy' ? '?' : ''}`
}
