import { MongoError } from './errors.js'
import { RegexSyntaxError, children } from './regex-ast.js'
import type { AssertKind, ParsedRegex, RegexNode, RepeatMode, Single } from './regex-ast.js'

/** As PCRE's match limit: how often one search may go back or begin anew. */
const STEP_LIMIT = 3_000_000

/** Goes on from a place; the end of the match, or -1. */
type Step = (at: number) => number
type Test = (text: string, at: number) => number

export const limitExceeded = (): MongoError =>
  new MongoError(51156, 'Error occurred while executing the regular expression. Result code: match limit exceeded')

const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff
const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff

/** Where the character before a place begins. */
const before = (text: string, at: number): number => isLow(text.charCodeAt(at - 1)) && at > 1 && isHigh(text.charCodeAt(at - 2)) ? at - 2 : at - 1

/** The width of the character at a place if it fits, else 0. */
function singleTest ({ source, ignoreCase }: Single): Test {
  const pattern = new RegExp(`^${source}$`, ignoreCase ? 'iu' : 'u')
  const ascii = Array.from({ length: 128 }, (_, code) => pattern.test(String.fromCharCode(code)))
  return (text, at) => {
    const unit = text.charCodeAt(at)
    if (unit < 128) return ascii[unit] ? 1 : 0
    if (at >= text.length) return 0
    const point = String.fromCodePoint(text.codePointAt(at)!)
    return pattern.test(point) ? point.length : 0
  }
}

const isWord = (text: string, at: number): boolean => at >= 0 && /\w/.test(text.charAt(at))

function holds (kind: AssertKind, text: string, at: number): boolean {
  switch (kind) {
    case 'start': return at === 0
    case 'end': return at === text.length
    case 'endOrNewline': return at === text.length || (at === text.length - 1 && text[at] === '\n')
    case 'lineStart': return at === 0 || (text[at - 1] === '\n' && at < text.length)
    case 'lineEnd': return at === text.length || text[at] === '\n'
    case 'word': return isWord(text, at - 1) !== isWord(text, at)
    default: return isWord(text, at - 1) === isWord(text, at)
  }
}

/** The lengths in characters that a pattern can have; a look behind needs each alternative to have one. */
function fixedLength (node: RegexNode): number {
  switch (node.type) {
    case 'single': return 1
    case 'assert': case 'look': return 0
    case 'sequence': return node.parts.reduce((sum, part) => sum + fixedLength(part), 0)
    case 'capture': case 'atomic': return fixedLength(node.body)
    case 'choice': return same(node.options.map(fixedLength))
    case 'repeat': if (node.min === node.max) return node.min * fixedLength(node.body)
  }
  throw new RegexSyntaxError('lookbehind assertion is not fixed length')
}

function same (lengths: readonly number[]): number {
  if (lengths.some(length => length !== lengths[0])) throw new RegexSyntaxError('lookbehind assertion is not fixed length')
  return lengths[0]
}

/** @throws RegexSyntaxError for a look behind whose length is not fixed */
export function checkLookBehind (node: RegexNode): void {
  if (node.type === 'look' && node.behind) alternatives(node.body).forEach(fixedLength)
  for (const child of children(node)) checkLookBehind(child)
}

const alternatives = (body: RegexNode): readonly RegexNode[] => body.type === 'choice' ? body.options : [body]

/** A backtracking matcher with a bound, for patterns that JavaScript's own does not understand or could be caught in. */
export class RegexMachine {
  readonly #start: Step
  readonly #captures: number[]
  readonly #tests = new Map<string, Test>()
  #text = ''
  #steps = 0

  constructor ({ root, groups }: ParsedRegex) {
    this.#captures = new Array<number>((groups + 1) * 2).fill(-1)
    this.#start = this.#compile(root, at => at)
  }

  /** The places of the match and its groups as pairs, -1 for a group that took no part. */
  exec (text: string, from: number): readonly number[] | undefined {
    this.#text = text
    this.#steps = 0
    for (let at = from; at <= text.length; at++) {
      if (at > from && isLow(text.charCodeAt(at)) && isHigh(text.charCodeAt(at - 1))) continue
      const end = this.#try(at)
      if (end >= 0) return [at, end, ...this.#captures.slice(2)]
    }
    return undefined
  }

  #try (at: number): number {
    this.#captures.fill(-1)
    try {
      return this.#start(at)
    } catch (e) {
      if (e instanceof RangeError) throw limitExceeded()
      throw e
    }
  }

  #testOf (node: Single): Test {
    const key = `${node.ignoreCase ? 'i' : ''}${node.source}`
    const known = this.#tests.get(key)
    if (known !== undefined) return known
    const made = singleTest(node)
    this.#tests.set(key, made)
    return made
  }

  #spend (): void {
    if (++this.#steps > STEP_LIMIT) throw limitExceeded()
  }

  #compile (node: RegexNode, next: Step): Step {
    switch (node.type) {
      case 'single': return this.#singles([this.#testOf(node)], next)
      case 'sequence': return this.#sequence(node.parts, next)
      case 'choice': return this.#choice(node.options.map(option => this.#compile(option, next)))
      case 'capture': return this.#capture(node.index, node.body, next)
      case 'atomic': return this.#atomic(node.body, next)
      case 'look': return node.behind ? this.#behind(node.body, node.negative, next) : this.#ahead(node.body, node.negative, next)
      case 'repeat': return node.body.type === 'single' ? this.#run(this.#testOf(node.body), node, next) : this.#loop(node, next)
      case 'assert': return at => holds(node.kind, this.#text, at) ? next(at) : -1
      case 'reference': return this.#reference(node.index, node.ignoreCase, next)
    }
  }

  #sequence (parts: readonly RegexNode[], next: Step): Step {
    let step = next
    let tests: Test[] = []
    for (const part of parts.toReversed()) {
      if (part.type === 'single') {
        tests.push(this.#testOf(part))
        continue
      }
      step = this.#compile(part, this.#singles(tests.reverse(), step))
      tests = []
    }
    return this.#singles(tests.reverse(), step)
  }

  /** Characters in a row: no recursion, however many. */
  #singles (tests: readonly Test[], next: Step): Step {
    if (tests.length === 0) return next
    return from => {
      const text = this.#text
      let at = from
      for (const test of tests) {
        const width = test(text, at)
        if (width === 0) return -1
        at += width
      }
      return next(at)
    }
  }

  #choice (options: readonly Step[]): Step {
    return at => {
      for (const option of options) {
        this.#spend()
        const end = option(at)
        if (end >= 0) return end
      }
      return -1
    }
  }

  #capture (index: number, body: RegexNode, next: Step): Step {
    const slot = index * 2
    const starts: number[] = []
    const inner = this.#compile(body, at => {
      const [start, end] = [this.#captures[slot], this.#captures[slot + 1]]
      const begun = starts.pop()!
      this.#captures[slot] = begun
      this.#captures[slot + 1] = at
      const result = next(at)
      starts.push(begun)
      if (result < 0) {
        this.#captures[slot] = start
        this.#captures[slot + 1] = end
      }
      return result
    })
    return at => {
      starts.push(at)
      const result = inner(at)
      starts.pop()
      return result
    }
  }

  #atomic (body: RegexNode, next: Step): Step {
    const inner = this.#compile(body, at => at)
    return at => {
      const kept = this.#captures.slice()
      const end = inner(at)
      const result = end < 0 ? -1 : next(end)
      if (result < 0) this.#restore(kept)
      return result
    }
  }

  #restore (captures: readonly number[]): void {
    for (let i = 0; i < captures.length; i++) this.#captures[i] = captures[i]
  }

  #ahead (body: RegexNode, negative: boolean, next: Step): Step {
    const inner = this.#compile(body, at => at)
    return this.#look(at => inner(at) >= 0, negative, next)
  }

  #behind (body: RegexNode, negative: boolean, next: Step): Step {
    const tests = alternatives(body).map(option => ({ length: fixedLength(option), inner: this.#compile(option, at => at) }))
    return this.#look(at => tests.some(({ length, inner }) => {
      const start = this.#back(at, length)
      return start >= 0 && inner(start) === at
    }), negative, next)
  }

  #look (found: (at: number) => boolean, negative: boolean, next: Step): Step {
    return at => {
      const kept = this.#captures.slice()
      this.#spend()
      const isFound = found(at)
      if (negative) this.#restore(kept)
      const result = isFound === negative ? -1 : next(at)
      if (result < 0) this.#restore(kept)
      return result
    }
  }

  #back (at: number, length: number): number {
    let start = at
    for (let i = 0; i < length && start > 0; i++) {
      start = before(this.#text, start)
      if (start === 0 && i < length - 1) return -1
    }
    return length > 0 && at === 0 ? -1 : start
  }

  /** A repeat of one character: no recursion, however long the run. */
  #run (test: Test, { min, max, mode }: { min: number, max: number, mode: RepeatMode }, next: Step): Step {
    return mode === 'lazy' ? this.#lazyRun(test, min, max, next) : this.#greedyRun(test, min, max, mode === 'possessive', next)
  }

  #greedyRun (test: Test, min: number, max: number, keeps: boolean, next: Step): Step {
    return from => {
      const text = this.#text
      let at = from
      let count = 0
      for (let width = 1; count < max && (width = test(text, at)) > 0; count++) at += width
      if (count < min) return -1
      for (;;) {
        this.#spend()
        const result = next(at)
        if (result >= 0 || keeps || count === min) return result
        at = before(text, at)
        count--
      }
    }
  }

  #lazyRun (test: Test, min: number, max: number, next: Step): Step {
    return from => {
      let at = from
      for (let count = 0; ; count++) {
        this.#spend()
        const result = count < min ? -1 : next(at)
        if (result >= 0) return result
        const width = count < max ? test(this.#text, at) : 0
        if (width === 0) return -1
        at += width
      }
    }
  }

  #loop ({ body, min, max, mode }: { body: RegexNode, min: number, max: number, mode: RepeatMode }, next: Step): Step {
    if (mode === 'possessive') return this.#atomic({ type: 'repeat', body, min, max, mode: 'greedy' }, next)
    let count = 0
    let start = -1
    const again: Step = at => {
      const [outerCount, outerStart] = [count, start]
      count++
      start = at
      const result = inner(at)
      count = outerCount
      start = outerStart
      return result
    }
    const leave: Step = at => {
      const [ownCount, ownStart] = [count, start]
      const result = next(at)
      count = ownCount
      start = ownStart
      return result
    }
    const decide: Step = at => {
      this.#spend()
      if (count < min) return again(at)
      if (mode === 'lazy') {
        const result = leave(at)
        return result >= 0 || count >= max ? result : again(at)
      }
      const result = count < max ? again(at) : -1
      return result >= 0 ? result : leave(at)
    }
    // A round that took nothing ends the loop.
    const inner = this.#compile(body, at => at === start && count >= min ? leave(at) : decide(at))
    return at => {
      const [outerCount, outerStart] = [count, start]
      count = 0
      start = -1
      const result = decide(at)
      count = outerCount
      start = outerStart
      return result
    }
  }

  #reference (index: number, ignoreCase: boolean, next: Step): Step {
    const fold = (text: string): string => ignoreCase ? text.toLowerCase() : text
    return at => {
      const [start, end] = [this.#captures[index * 2], this.#captures[index * 2 + 1]]
      if (start < 0) return -1
      const wanted = this.#text.slice(start, end)
      return fold(this.#text.slice(at, at + wanted.length)) === fold(wanted) ? next(at + wanted.length) : -1
    }
  }
}
